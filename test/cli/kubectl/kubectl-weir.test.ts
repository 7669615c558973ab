/**
 * The plugin as a person uses it: kubectl finds it in PATH, and it asks kubectl. On a real API server
 * without a controller: the test writes the status. With one: `kubectl-weir-controller.test.ts`; with pods:
 * `e2e/helm.test.ts`.
 */
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { KubeObject } from '../../../src/controller/kube/kube-object.ts'
import { resourceKinds } from '../../../src/controller/kube/resource-kind.ts'
import type { StreamJobObject } from '../../../src/controller/streamjob/stream-job-object.ts'
import type { StreamJobStatus } from '../../../src/protocol/stream-job-status.ts'
import { connectTo, installCrds } from '../../controller/test-cluster.ts'
import { describeWithPart } from '../../testbed/describe-with-part.ts'
import { type PluginRunner, pluginRunner } from './plugin-runner.ts'

const home = resolve(import.meta.dirname, '../../..')

await describeWithPart('kubectl weir', 'kube-control', environment => {
  const cluster = connectTo(environment)
  const jobs = cluster.client<StreamJobObject>(resourceKinds.streamJob)
  let plugin: PluginRunner
  let namespace = ''

  beforeAll(async () => {
    plugin = await pluginRunner(environment)
    await installCrds(cluster)
    namespace = await cluster.namespace()
  })
  afterAll(() => cluster.close())

  const kubectl = (...args: readonly string[]) => plugin.run(...args)
  const weir = (...args: readonly string[]) => kubectl('weir', ...args, '-n', namespace)

  const manifestOf = (name: string, spec: object): object => ({
    apiVersion: 'weir.dev/v1alpha1',
    kind: 'StreamJob',
    metadata: { name, namespace },
    spec: {
      job: { module: 'src/examples/bank-transfers.ts' },
      checkpoint: { storage: 's3://bucket/bank' },
      ...spec,
    },
  })

  /** A job that the controller has seen, as far as the status says. */
  const jobWith = async (name: string, status: StreamJobStatus): Promise<StreamJobObject> => {
    const made = await jobs.apply(manifestOf(name, {}) as StreamJobObject, { manager: 'person' })
    return sees(made, status)
  }
  const sees = (seenJob: StreamJobObject, status: StreamJobStatus): Promise<StreamJobObject> => {
    const { apiVersion, kind, metadata } = seenJob
    const { name, generation = 0 } = metadata
    const seen = { observedGeneration: generation, conditions: [], ...status }
    const patch = { apiVersion, kind, metadata: { name, namespace }, status: seen }
    return jobs.applyStatus(patch as never, { manager: 'weir-test' })
  }
  const specOf = async (name: string) =>
    (await jobs.get({ namespace, name }))?.spec as Record<string, unknown> | undefined

  const stalled = (reason: string, message: string) => ({
    type: 'Stalled' as const,
    status: 'True' as const,
    reason,
    message,
    lastTransitionTime: '2026-01-01T00:00:00Z',
    observedGeneration: 1,
  })

  test('suspends and resumes, by a field of the spec', async () => {
    await jobWith('steered', { phase: 'Running', epoch: 1 })
    const suspended = await weir('suspend', 'steered')
    expect(suspended).toMatchObject({ code: 0, out: 'streamjob.weir.dev/steered suspended\n' })
    expect(await specOf('steered')).toMatchObject({ state: 'suspended' })
    expect(await weir('resume', 'steered')).toMatchObject({ code: 0, err: '' })
    expect(await specOf('steered')).toMatchObject({ state: 'running' })
  })

  test('a dry run changes nothing, and says so', async () => {
    await jobWith('dry', { phase: 'Running' })
    for (const how of ['client', 'server']) {
      const tried = await weir('suspend', 'dry', `--dry-run=${how}`)
      expect(tried.out).toBe(`streamjob.weir.dev/dry suspended (${how} dry run)\n`)
    }
    expect(await specOf('dry')).toMatchObject({ state: 'running' })
  })

  test('restarts by a nonce that grows', async () => {
    await jobWith('again', { phase: 'Running' })
    for (const nonce of [1, 2]) {
      expect(await weir('restart', 'again')).toMatchObject({ code: 0 })
      expect(await specOf('again')).toMatchObject({ restartNonce: nonce })
    }
  })

  test('takes a savepoint by a resource, and prints where it lies', async () => {
    await jobWith('saved', { phase: 'Running' })
    const tried = await weir('savepoint', 'saved', '--dry-run=server')
    expect(tried).toMatchObject({ code: 0, out: '' })
    const savepoints = cluster.client(resourceKinds.savepoint)
    const { out } = await weir('savepoint', 'saved', '--no-wait')
    const name = out.trim()
    expect(await savepoints.get({ namespace, name })).toMatchObject({ spec: { job: 'saved' } })

    const taking = weir('savepoint', 'saved', '-o', 'json')
    const failing = weir('savepoint', 'saved')
    const end = async (status: object): Promise<string> => {
      for (;;) {
        const { items } = await savepoints.list({ namespace })
        const open = items.find(one => one.metadata.name !== name && !('status' in one))
        if (open === undefined) await pause(20)
        else {
          const { apiVersion, kind, metadata } = open
          const seen = { apiVersion, kind, metadata: { namespace, name: metadata.name }, status }
          await savepoints.applyStatus(seen as never, { manager: 'weir-test' })
          return metadata.name
        }
      }
    }
    const path = 's3://bucket/savepoint-1'
    await end({ phase: 'Completed', path, epoch: 1, checkpointId: 1 })
    await end({ phase: 'Failed', error: { code: 'WEIR_X', message: 'the store is away' } })
    const both = [await taking, await failing]
    const taken = both.find(one => one.code === 0)
    const failed = both.find(one => one.code === 1)
    expect(`${taken?.out}`).toContain(path)
    expect(failed?.err).toContain('WEIR_SAVEPOINT_NOT_TAKEN')
    expect(failed?.err).toContain('WEIR_X: the store is away')
  })

  test('scales', async () => {
    await jobWith('wide', { phase: 'Running' })
    expect(await weir('scale', 'wide', '--replicas', '3')).toMatchObject({ code: 0 })
    expect(await specOf('wide')).toMatchObject({ parallelism: 3 })
  })

  test('waits until the job is there, or for so long as it was told', async () => {
    const made = await jobWith('slow', { phase: 'Running', epoch: 1 })
    const waiting = weir('suspend', 'slow', '--wait', '--timeout', '1m')
    while ((await specOf('slow'))?.state !== 'suspended') await pause(20)
    const changed = (await jobs.get(made.metadata)) as StreamJobObject
    await sees(changed, { phase: 'Suspended', epoch: 1 })
    expect(await waiting).toMatchObject({ code: 0 })
    const over = await weir('resume', 'slow', '--wait', '--timeout', '1s')
    expect(over.code).toBe(1)
    expect(over.err).toContain('WEIR_JOB_NOT_THERE_YET  job slow is Suspended after 1s')
  })

  test('waits for nothing that needs a person', async () => {
    await jobWith('stuck', { phase: 'Running', epoch: 1 })
    const waiting = weir('restart', 'stuck', '--wait')
    while ((await specOf('stuck'))?.restartNonce !== 1) await pause(20)
    const changed = (await jobs.get({ namespace, name: 'stuck' })) as StreamJobObject
    const conditions = [stalled('SpecInvalid', 'spec.x is wrong')]
    await sees(changed, { phase: 'Running', epoch: 1, conditions })
    const { code, err } = await waiting
    expect(code).toBe(1)
    expect(err).toContain('WEIR_JOB_STALLED  job stuck is Running: SpecInvalid: spec.x is wrong')
  })

  test('chooses jobs by their labels, and never all by accident', async () => {
    const labels = { team: 'a' }
    for (const name of ['one', 'two']) {
      const object = (await jobWith(name, { phase: 'Running' })) as StreamJobObject
      const { apiVersion, kind } = object
      const metadata = { name, namespace, labels }
      await jobs.apply({ apiVersion, kind, metadata } as never, { manager: 'labels' })
    }
    const { out } = await weir('suspend', '-l', 'team=a')
    expect(out).toBe('streamjob.weir.dev/one suspended\nstreamjob.weir.dev/two suspended\n')
    expect(await weir('suspend')).toMatchObject({ code: 2 })
  })

  test('status shows all jobs, one, or what kubectl makes of them', async () => {
    const conditions = [stalled('StorageNotShared', 'name a bucket')]
    await jobWith('shown', {
      phase: 'Queued',
      epoch: 4,
      slots: { desired: 2, ready: 1 },
      selector: 'weir.dev/job=shown',
      conditions,
    })
    const all = await weir('status')
    expect(all.out).toMatch(/NAME +PHASE +SLOTS +EPOCH +WHY/)
    expect(all.out).toMatch(/shown +Queued +1\/2 +4 +StorageNotShared/)
    expect((await weir('status', '-A')).out).toMatch(new RegExp(`${namespace} +shown`))
    const one = await weir('status', 'shown')
    expect(one.out).toContain(`${namespace}/shown  Queued  epoch 4`)
    expect(one.out).toContain('name a bucket')
    const { out } = await weir('status', 'shown', '-o', 'jsonpath={.status.phase}')
    expect(out).toBe('Queued')
  })

  test('doctor fails where something is wrong, with the remedy', async () => {
    await jobWith('well', { phase: 'Running' })
    expect(await weir('doctor', 'well')).toMatchObject({
      code: 0,
      out: `${namespace}/well  Running\n  nothing is wrong that the cluster knows of\n`,
    })
    const conditions = [stalled('StorageNotShared', 'name a bucket')]
    await jobWith('ill', { phase: 'Queued', conditions })
    const ill = await weir('doctor', 'ill')
    expect(ill.code).toBe(1)
    expect(ill.out).toContain('remedy: set spec.checkpoint.storage to a bucket')
    const found = JSON.parse((await weir('doctor', 'ill', '-o', 'json')).out) as unknown[]
    expect(found[0]).toMatchObject({ name: 'ill', verdicts: [{ evidence: 'name a bucket' }] })
  })

  const fileOf = (name: string, spec: object) => plugin.fileOf(name, manifestOf(name, spec))
  const job = { inline: readFileSync(join(home, 'charts/weir/files/test-job.ts'), 'utf8') }

  test('plan shows the graph and what would change, and changes nothing', async () => {
    const file = fileOf('planned', { job, parallelism: 2 })
    const applied = plugin.fileOf('applied', manifestOf('planned', { job }))
    const first = await weir('plan', file)
    expect(first).toMatchObject({ code: 0 })
    expect(first.out).toContain('job planned is new')
    expect(await specOf('planned')).toBeUndefined()
    expect(await kubectl('apply', '-f', applied)).toMatchObject({ code: 0 })
    const second = await weir('plan', file)
    expect(second.out).toContain('spec.parallelism: 1 -> 2')
    expect(await specOf('planned')).toMatchObject({ parallelism: 1 })
    const { changes } = JSON.parse((await weir('plan', file, '-o', 'json')).out)
    expect(changes).toContainEqual({ path: 'spec.parallelism', from: 1, to: 2 })
  })

  test.each([
    [
      'a job that does not compile',
      { job: { inline: 'const n: number = "text"' } },
      'does not compile',
    ],
    ['what the API server refuses', { job, restoreNonce: 1 }, 'restoreNonce'],
  ])('plan is blocked by %s', async (_what, spec, words) => {
    const { code, err } = await weir('plan', fileOf('blocked', spec))
    expect(code).toBe(3)
    expect(err).toContain(words)
  })

  test('plan finds the job among other documents', async () => {
    const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'more', namespace } }
    const file = plugin.fileOf('several', map, manifestOf('several', { job }))
    const { code, out } = await weir('plan', file)
    expect({ code, out }).toEqual({ code: 0, out: expect.stringContaining('job several is new') })
  })

  test('what says nothing of the manifest is no blocker', async () => {
    const file = fileOf('unreached', { job })
    const nowhere = plugin.fileOf('nowhere', {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:1' } }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: '' } }],
      'current-context': 'x',
    })
    const unreached = await weir('plan', file, '--kubeconfig', nowhere)
    expect(unreached).toMatchObject({ code: 1, out: '' })
    expect(unreached.err).not.toBe('')
    const absent = await weir('plan', 'no-such-file.yaml')
    expect(absent).toMatchObject({
      code: 1,
      err: expect.stringContaining('WEIR_COMMAND_FILE_UNREADABLE'),
    })
  })

  const revision = async (name: string, number: number, args: object) => {
    const kind = { apiVersion: 'apps/v1', kind: 'ControllerRevision' }
    const labels = { 'weir.dev/job': 'back' }
    const { spec } = manifestOf('back', { job: { module: 'a.ts', args } }) as { spec: object }
    const client = cluster.client<KubeObject & { revision: number; data: object }>({
      ...kind,
      plural: 'controllerrevisions',
      isNamespaced: true,
    })
    const data = { manifest: { spec: { ...spec, restartNonce: 1 } }, image: 'weir:1' }
    await client.create({ ...kind, metadata: { name, namespace, labels }, revision: number, data })
  }

  test('goes back to the stable revision, the one before, or one by name or number', async () => {
    const codeOf = async () => (await specOf('back'))?.job
    const stable = { phase: 'Running' as const, revision: { current: 'back-3', stable: 'back-1' } }
    await jobWith('back', stable)
    await weir('restart', 'back')
    await weir('restart', 'back')
    for (const n of [1, 2, 3]) await revision(`back-${n}`, n, { n: String(n) })
    const { out } = await weir('rollback', 'back')
    expect(out).toBe('streamjob.weir.dev/back rolled back to back-1\n')
    expect(await codeOf()).toMatchObject({ args: { n: '1' } })
    // A nonce never goes back.
    expect(await specOf('back')).toMatchObject({ restartNonce: 2 })
    for (const to of ['back-2', '2']) {
      expect(await weir('rollback', 'back', '--to', to)).toMatchObject({ code: 0 })
      expect(await codeOf()).toMatchObject({ args: { n: '2' } })
    }
    const unknown = await weir('rollback', 'back', '--to', '7')
    expect(unknown.err).toContain('no revision 7, but 3 (back-3), 2 (back-2), 1 (back-1)')
    const changed = (await jobs.get({ namespace, name: 'back' })) as StreamJobObject
    await sees(changed, { phase: 'Running', revision: { current: 'back-3', stable: 'back-3' } })
    expect((await weir('rollback', 'back', '--dry-run=server')).out).toContain('to back-2')
  })

  test('a name is one job of one namespace', async () => {
    for (const more of [['-l', 'team=a'], ['-A']]) {
      for (const verb of ['suspend', 'status', 'doctor']) {
        expect(await weir(verb, 'back', ...more)).toMatchObject({ code: 2, out: '' })
      }
    }
  })

  test('a job that has come to its end is not suspended, and awaited no longer', async () => {
    const made = await jobWith('over', { phase: 'Running', epoch: 1 })
    const waiting = weir('suspend', 'over', '--wait')
    while ((await specOf('over'))?.state !== 'suspended') await pause(20)
    const changed = (await jobs.get(made.metadata)) as StreamJobObject
    await sees(changed, { phase: 'Finished', epoch: 1 })
    const { code, err } = await waiting
    expect(code).toBe(1)
    expect(err).toContain('WEIR_JOB_STALLED  job over is Finished')
  })

  test('says in the words of kubectl what it may not, and that a job is not there', async () => {
    const absent = await weir('status', 'absent')
    expect(absent.code).toBe(1)
    expect(absent.err).toContain('streamjobs.weir.dev "absent" not found')
  })

  test('completes verbs, flags and the names of jobs', async () => {
    await jobWith('completed', { phase: 'Running' })
    const complete = async (...words: readonly string[]) =>
      (await kubectl('__complete', 'weir', ...words)).out.split('\n')
    expect(await complete('sus')).toContain('suspend')
    expect(await complete('suspend', '--wa')).toContain('--wait')
    expect(await complete('suspend', '-n', namespace, 'comp')).toContain('completed')
  })
})
