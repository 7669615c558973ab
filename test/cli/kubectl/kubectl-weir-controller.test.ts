/**
 * The verbs of the plugin against a controller that runs: what a person does, and what becomes of
 * the job. A kubelet and jobmanagers are played. With real pods: `e2e/helm.test.ts`.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { resourceKinds } from '../../../src/controller/kube/resource-kind.ts'
import type { SavepointObject } from '../../../src/controller/savepoint/savepoint-object.ts'
import type { PodObject } from '../../../src/controller/streamjob/pod-facts.ts'
import type { StreamJobObject } from '../../../src/controller/streamjob/stream-job-object.ts'
import { FakeLink, runningFacts } from '../../controller/fake-link.ts'
import { connectionOf, grantRights } from '../../controller/granted.ts'
import { JobKubelet } from '../../controller/job-kubelet.ts'
import { type RunningController, runTestController } from '../../controller/run-test-controller.ts'
import { connectTo, installCrds } from '../../controller/test-cluster.ts'
import { type Seen, type Watching, watcherOf } from '../../controller/test-watch.ts'
import { describeWithPart } from '../../testbed/describe-with-part.ts'
import { type PluginRunner, pluginRunner } from './plugin-runner.ts'

const proven = { ...runningFacts, checkpoints: { ...runningFacts.checkpoints, completed: 2 } }

await describeWithPart('kubectl weir and a controller', 'kube-control', environment => {
  const cluster = connectTo(environment)
  const link = new FakeLink()
  let plugin: PluginRunner
  let namespace = ''
  let running: RunningController
  let watching: Watching
  let kubelet: JobKubelet
  let jobs: Seen<StreamJobObject>
  let savepoints: Seen<SavepointObject>
  let pods: Seen<PodObject>

  beforeAll(async () => {
    plugin = await pluginRunner(environment)
    await installCrds(cluster)
    namespace = await cluster.namespace()
    await cluster.defaultAccount(namespace)
    watching = watcherOf(cluster, namespace)
    jobs = watching.watch<StreamJobObject>(resourceKinds.streamJob)
    savepoints = watching.watch<SavepointObject>(resourceKinds.savepoint)
    pods = watching.watch<PodObject>(resourceKinds.pod)
    kubelet = new JobKubelet({ cluster, namespace, pods, link })
    const { grant, connection } = await grantRights(cluster, namespace, environment)
    running = runTestController({ config: { namespace, grant }, connection, link })
  })
  afterAll(async () => {
    await running.stop()
    kubelet.end()
    await watching.end()
    await cluster.close()
  })

  const weir = (...args: readonly string[]) => plugin.run('weir', ...args, '-n', namespace)

  const applied = async (name: string, spec: object = {}, labels: object = {}): Promise<void> => {
    if (!link.said.has(name)) link.said.set(name, proven)
    const file = plugin.fileOf(name, {
      apiVersion: 'weir.dev/v1alpha1',
      kind: 'StreamJob',
      metadata: { name, namespace, labels },
      spec: { job: { module: 'a.ts' }, checkpoint: { storage: 's3://bucket/prefix' }, ...spec },
    })
    expect(await plugin.run('apply', '-f', file)).toMatchObject({ code: 0 })
  }

  type Status = NonNullable<StreamJobObject['status']>

  const statusOf = (name: string): Status =>
    jobs.cache.all().find(one => one.metadata.name === name)?.status ?? {}

  /** Runs, and what runs is stable. */
  const isStable = (name: string, epoch: number) =>
    jobs.until(all =>
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
    expect(shown.out).toContain(`${namespace}/life  Running  epoch 3`)
  })

  test('a savepoint is taken, and its path alone is the result', async () => {
    await applied('saved')
    await isStable('saved', 1)
    const { code, out, err } = await weir('savepoint', 'saved')
    expect({ code, err }).toEqual({ code: 0, err: expect.stringContaining('asked for') })
    const whole = savepoints.cache.all().find(one => `${one.status?.path}\n` === out)
    expect(whole).toMatchObject({ spec: { job: 'saved' }, status: { phase: 'Completed' } })

    link.outcomes.set('saved', 'failed')
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
    const accounts = cluster.client({ ...kind, plural: 'serviceaccounts', isNamespaced: true })
    await accounts.create({ ...kind, metadata: { namespace, name: account } })
    const { server, token, certificateAuthority } = await connectionOf(cluster, {
      namespace,
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
    expect(await running.stop()).toBe(0)
    const { code, err } = await weir('suspend', 'alone', '--wait', '--timeout', '2s')
    expect(code).toBe(1)
    expect(err).toMatch(/WEIR_JOB_NOT_THERE_YET .*the controller has not looked at it/)
  })
})
