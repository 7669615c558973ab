/**
 * The verbs of the plugin against a controller that runs: what a person does, and what becomes of
 * the job. A kubelet and jobmanagers are played. With real pods: `e2e/helm.test.ts`.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { resourceKinds } from '../../../src/controller/kube/resource-kind.ts'
import type { SavepointObject } from '../../../src/controller/savepoint/savepoint-object.ts'
import { runningFacts } from '../../controller/fake-link.ts'
import { connectionOf } from '../../controller/granted.ts'
import type { JobKubelet } from '../../controller/job-kubelet.ts'
import { type JobStatus, ServedNamespace } from '../../controller/served-namespace.ts'
import type { Seen } from '../../controller/test-watch.ts'
import { describeWithPart } from '../../testbed/describe-with-part.ts'
import { type PluginRunner, pluginRunner } from './plugin-runner.ts'

const proven = { ...runningFacts, checkpoints: { ...runningFacts.checkpoints, completed: 2 } }

await describeWithPart('kubectl weir and a controller', 'kube-control', environment => {
  let plugin: PluginRunner
  let at: ServedNamespace
  let kubelet: JobKubelet
  let savepoints: Seen<SavepointObject>

  beforeAll(async () => {
    plugin = await pluginRunner(environment)
    at = await ServedNamespace.open(environment)
    savepoints = at.watching.watch<SavepointObject>(resourceKinds.savepoint)
    kubelet = at.playKubelet()
  })
  afterAll(() => at.close())

  const weir = (...args: readonly string[]) => plugin.run('weir', ...args, '-n', at.name)

  const applied = async (name: string, spec: object = {}, labels: object = {}): Promise<void> => {
    if (!at.link.said.has(name)) at.link.said.set(name, proven)
    const file = plugin.fileOf(name, {
      apiVersion: 'weir.dev/v1alpha1',
      kind: 'StreamJob',
      metadata: { name, namespace: at.name, labels },
      spec: { job: { module: 'a.ts' }, checkpoint: { storage: 's3://bucket/prefix' }, ...spec },
    })
    expect(await plugin.run('apply', '-f', file)).toMatchObject({ code: 0 })
  }

  const statusOf = (name: string): JobStatus =>
    at.jobs.cache.all().find(one => one.metadata.name === name)?.status ?? {}

  /** Runs, and what runs is stable. */
  const isStable = (name: string, epoch: number) =>
    at.jobs.until(all =>
      all.find(({ metadata, status }) => {
        const { revision, upgrade } = status ?? {}
        const isOver = upgrade === undefined && revision?.stable === revision?.current
        const isThere = metadata.name === name && status?.phase === 'Running'
        return isThere && isOver && status?.epoch === epoch && revision?.stable !== undefined
      }),
    )

  test('a job is suspended, resumed and restarted, and its state goes with it', async () => {
    await applied('life')
    await isStable('life', 1)
    expect(await weir('doctor', 'life')).toMatchObject({ code: 0 })
    expect(await weir('suspend', 'life', '--wait')).toMatchObject({
      code: 0,
      out: 'streamjob.weir.dev/life suspended\n',
    })
    const rests = statusOf('life')
    expect(rests).toMatchObject({ phase: 'Suspended', state: { kind: 'savepoint' } })
    const early = await weir('savepoint', 'life', '--timeout', '1s')
    expect(early).toMatchObject({ code: 1, out: '' })
    expect(early.err).toMatch(/WEIR_SAVEPOINT_NOT_THERE_YET .*Pending after 1s: .*does not run/)

    expect(await weir('resume', 'life', '--wait')).toMatchObject({ code: 0 })
    expect(statusOf('life')).toMatchObject({
      phase: 'Running',
      epoch: 2,
      start: { from: 'latest' },
    })
    await isStable('life', 2)
    expect(await weir('restart', 'life', '--wait')).toMatchObject({ code: 0 })
    expect(statusOf('life')).toMatchObject({ phase: 'Running', epoch: 3 })
    const shown = await weir('status', 'life')
    expect(shown).toMatchObject({ code: 0 })
    expect(shown.out).toContain(`${at.name}/life  Running  epoch 3`)
  })

  test('a savepoint is taken, and its path alone is the result', async () => {
    await applied('saved')
    await isStable('saved', 1)
    const { code, out, err } = await weir('savepoint', 'saved')
    expect({ code, err }).toEqual({ code: 0, err: expect.stringContaining('asked for') })
    const whole = savepoints.cache.all().find(one => `${one.status?.path}\n` === out)
    expect(whole).toMatchObject({ spec: { job: 'saved' }, status: { phase: 'Completed' } })

    at.link.outcomes.set('saved', 'failed')
    const failing = await weir('savepoint', 'saved', '--timeout', '2s')
    expect(failing).toMatchObject({ code: 1, out: '' })
    expect(failing.err).toContain('the store is away: the next try is at')
  })

  test('a rollback takes the code back, and goes on with the newest state', async () => {
    await applied('back')
    await isStable('back', 1)
    await applied('back', { job: { module: 'b.ts' }, deletionPolicy: 'savepoint' })
    const changed = await isStable('back', 2)
    const rolled = await weir('rollback', 'back', '--wait')
    expect(rolled).toMatchObject({ code: 0, out: expect.stringMatching(/rolled back to back-/) })
    const last = await isStable('back', 3)
    // What is to become of the job is no part of a revision.
    expect(last.spec).toMatchObject({ job: { module: 'a.ts' }, deletionPolicy: 'savepoint' })
    const [before, after] = [changed, last].map(({ status }) => status?.state)
    expect(after?.checkpointId).toBeGreaterThan(before?.checkpointId ?? Infinity)
    const { current = '' } = changed.status?.revision ?? {}
    const again = await weir('rollback', 'back', '--to', current, '--wait')
    expect(again).toMatchObject({ code: 0 })
    expect(statusOf('back')).toMatchObject({ epoch: 4, revision: { current } })
  })

  test('a deployment that is undone is no success', async () => {
    await applied('frail', { rollback: { maxRestarts: 1 } })
    await isStable('frail', 1)
    kubelet.failing.set(2, 2)
    const { code, err } = await weir('restart', 'frail', '--wait')
    kubelet.failing.delete(2)
    expect({ code, err }).toEqual({
      code: 1,
      err: expect.stringMatching(
        /WEIR_JOB_STALLED {2}job frail is Running: RolledBack: JobRefused/,
      ),
    })
    // What it was to be replaced by never came to run.
    await isStable('frail', 1)
    const told = await weir('doctor', 'frail')
    expect(told).toMatchObject({
      code: 1,
      out: expect.stringContaining('remedy: mend what failed'),
    })
  })

  test('several by their labels are all changed, then all awaited', async () => {
    for (const name of ['one', 'two']) await applied(name, {}, { team: 'a' })
    for (const name of ['one', 'two']) await isStable(name, 1)
    const { code, out } = await weir('restart', '-l', 'team=a', '--wait')
    expect({ code, out }).toEqual({
      code: 0,
      out: 'streamjob.weir.dev/one restarted\nstreamjob.weir.dev/two restarted\n',
    })
    expect([statusOf('one').epoch, statusOf('two').epoch]).toEqual([2, 2])
    const listed = await weir('status', '-l', 'team=a')
    expect(listed.out.trim().split('\n')).toHaveLength(3)
    expect(await weir('suspend', '-l', 'team=b')).toEqual({
      code: 0,
      out: '',
      err: 'no StreamJobs found\n',
    })
  })

  test('a slot that has no logs is said', async () => {
    await applied('told')
    await isStable('told', 1)
    expect(await weir('logs', 'told', '--slot', '7')).toMatchObject({
      code: 1,
      err: 'no container of slot 7 of job told has a log\n',
    })
  })

  test('who has no rights is told so by the API server', async () => {
    const account = 'stranger'
    const kind = { apiVersion: 'v1', kind: 'ServiceAccount' }
    const accounts = at.cluster.client({ ...kind, plural: 'serviceaccounts', isNamespaced: true })
    await accounts.create({ ...kind, metadata: { namespace: at.name, name: account } })
    const { server, token, certificateAuthority } = await connectionOf(at.cluster, {
      namespace: at.name,
      account,
      environment,
    })
    const file = plugin.fileOf('kubeconfig', {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [
        {
          name: 'c',
          cluster: {
            server,
            'certificate-authority-data': Buffer.from(certificateAuthority ?? '').toString(
              'base64',
            ),
          },
        },
      ],
      users: [{ name: 'u', user: { token } }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'x',
    })
    for (const verb of [['status'], ['suspend', 'life'], ['savepoint', 'life']]) {
      const { code, out, err } = await weir(...verb, '--kubeconfig', file)
      expect({ code, out }).toEqual({ code: 1, out: '' })
      expect(err).toMatch(/WEIR_KUBECTL_REFUSED .*stranger" cannot (get|list)/)
    }
  })

  test('without a controller a wait says that nobody looks', async () => {
    await applied('alone')
    await isStable('alone', 1)
    expect(await at.stop()).toBe(0)
    const { code, err } = await weir('suspend', 'alone', '--wait', '--timeout', '2s')
    expect(code).toBe(1)
    expect(err).toMatch(/WEIR_JOB_NOT_THERE_YET .*the controller has not looked at it/)
  })
})
