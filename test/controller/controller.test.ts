/**
 * The whole controller on a real API server, with the rights of the install manifest and no
 * others. There is no kubelet: the test says what pods do, and
 * takes away what is to be gone, as a kubelet would.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { KubeObject } from '../../src/controller/kube/kube-object.ts'
import { resourceKinds } from '../../src/controller/kube/resource-kind.ts'
import type { PodObject } from '../../src/controller/streamjob/pod-facts.ts'
import type { StreamJobObject } from '../../src/controller/streamjob/stream-job-object.ts'
import { describeWithPart } from '../testbed/describe-with-part.ts'
import { FakeLink, runningFacts, snapshot } from './fake-link.ts'
import { type Granted, grantRights } from './granted.ts'
import { type RunningController, runTestController } from './run-test-controller.ts'
import { connectTo, installCrds } from './test-cluster.ts'
import { PodTeller, type Seen, type Watching, watcherOf } from './test-watch.ts'

const storage = 's3://bucket/prefix'
const job = { module: 'src/examples/bank-transfers.ts' }

await describeWithPart('the controller', 'kube-control', environment => {
  const cluster = connectTo(environment)
  const pods = cluster.client<PodObject>(resourceKinds.pod)
  const jobs = cluster.client<StreamJobObject>(resourceKinds.streamJob)
  let namespace = ''
  let probes = ''
  let running: RunningController
  let granted: Granted
  const link = new FakeLink()
  let watching: Watching
  let teller: PodTeller
  let seenPods: Seen<PodObject>
  let seenJobs: Seen<StreamJobObject>

  const start = (): RunningController =>
    runTestController({
      config: { namespace, grant: granted.grant },
      connection: granted.connection,
      link,
      onServing: url => {
        probes = url
      },
    })

  beforeAll(async () => {
    await installCrds(cluster)
    // Pods that the restricted standard forbids would not be made.
    namespace = await cluster.namespace({ 'pod-security.kubernetes.io/enforce': 'restricted' })
    await cluster.defaultAccount(namespace)
    granted = await grantRights(cluster, namespace, environment)
    watching = watcherOf(cluster, namespace)
    teller = new PodTeller(cluster, namespace)
    seenPods = watching.watch<PodObject>(resourceKinds.pod)
    seenJobs = watching.watch<StreamJobObject>(resourceKinds.streamJob)
    running = start()
  })
  afterAll(async () => {
    expect(await running.stop()).toBe(0)
    await watching.end()
    await cluster.close()
  })

  const create = (name: string, spec: object) =>
    jobs.create({
      apiVersion: 'weir.dev/v1alpha1',
      kind: 'StreamJob',
      metadata: { namespace, name },
      spec: { job, checkpoint: { storage }, ...spec },
    })

  const podNames = (name: string, count: number) =>
    seenPods.until(all => {
      const names = all.map(one => one.metadata.name).filter(one => one.startsWith(`${name}-`))
      return names.length === count ? names.toSorted() : undefined
    })

  const say: PodTeller['say'] = (...what) => teller.say(...what)

  const jobIn = (name: string, phase: string) =>
    seenJobs.until(all => {
      const found = all.find(one => one.metadata.name === name)
      return found?.status?.phase === phase ? found : undefined
    })

  const readyJob = (name: string) =>
    seenJobs.until(all =>
      all.find(one => one.metadata.name === name && conditionOf(one, 'Ready')?.status === 'True'),
    )

  const conditionOf = (object: StreamJobObject, type: string) =>
    object.status?.conditions?.find(one => one.type === type)

  test('deploys a job, replaces what is lost, and lets it finish', async () => {
    const made = await create('bank', { parallelism: 2 })
    expect(await podNames('bank', 3)).toEqual(['bank-jm-1-1', 'bank-tm-1-0-1', 'bank-tm-1-1-1'])
    link.said.set('bank', { ...runningFacts, status: 'starting', latest: null })
    for (const name of await podNames('bank', 3)) await say(name, 'Running')
    const running = await jobIn('bank', 'Running')
    expect(running.status).toMatchObject({ epoch: 1, slots: { desired: 2, ready: 2 } })
    expect(conditionOf(running, 'Ready')?.status).toBe('False')
    link.said.set('bank', runningFacts)
    const ready = await readyJob('bank')
    expect(conditionOf(ready, 'Running')?.status).toBe('True')
    expect(conditionOf(ready, 'CheckpointHealthy')?.status).toBe('True')
    expect(ready.status?.state).toEqual({
      epoch: 1,
      checkpointId: 1,
      kind: 'checkpoint',
      path: 's3://bucket/prefix/job/checkpoints/checkpoint-1',
      completedAt: '2023-11-14T22:13:21Z',
      sizeBytes: 1_000,
    })

    await say('bank-tm-1-1-1', 'Failed', { code: 137 })
    await seenPods.until(all => all.find(one => one.metadata.name === 'bank-tm-1-1-2'))
    await say('bank-tm-1-1-2', 'Running')
    // Until then the dead one tells why.
    await seenPods.until(all => {
      const dead = all.some(one => one.metadata.name === 'bank-tm-1-1-1')
      return dead ? undefined : true
    })
    // Nobody answers any more: its last word tells where its state lies.
    const last = { ...runningFacts, status: 'finished', latest: snapshot(9) }
    await say('bank-jm-1-1', 'Succeeded', { code: 0, word: JSON.stringify(last) })
    const finished = await jobIn('bank', 'Finished')
    expect(conditionOf(finished, 'Ready')?.reason).toBe('Finished')
    expect(finished.status?.state).toMatchObject({ checkpointId: 9 })
    // No garbage collector here: what belongs to the job says so.
    for (const pod of seenPods.cache.all()) {
      expect(pod.metadata.ownerReferences?.[0]?.uid).toBe(made.metadata.uid)
    }
  })

  test('a settled job costs no write, also after a restart of the controller', async () => {
    await create('settled', {})
    link.said.set('settled', runningFacts)
    for (const name of await podNames('settled', 2)) await say(name, 'Running')
    const { metadata } = await readyJob('settled')
    expect(await running.stop()).toBe(0)
    const before = seenPods.cache.all().map(one => one.metadata.resourceVersion)
    running = start()
    await create('after', {})
    await podNames('after', 2)
    expect((await jobs.get(metadata))?.metadata.resourceVersion).toBe(metadata.resourceVersion)
    const kept = seenPods.cache.all().map(one => one.metadata.resourceVersion)
    expect(before.filter(version => !kept.includes(version))).toEqual([])
  })

  /** Told to leave, and gone: by the kubelet's word, or at once where no node had them. */
  const gone = async (...names: string[]) => {
    for (const name of names) {
      await seenPods.until(all => {
        const found = all.find(one => one.metadata.name === name)
        return found === undefined || found.metadata.deletionTimestamp !== undefined || undefined
      })
      const uid = seenPods.cache.get(`${namespace}/${name}`)?.metadata.uid ?? ''
      await pods.remove({ namespace, name }, { uid, graceSeconds: 0 })
    }
  }

  /** What a person writes. */
  const edit = (name: string, spec: object) =>
    jobs.apply(
      {
        apiVersion: 'weir.dev/v1alpha1',
        kind: 'StreamJob',
        metadata: { namespace, name },
        spec: { job, checkpoint: { storage }, ...spec },
      },
      { manager: 'person' },
    )

  const proven = { ...runningFacts, checkpoints: { ...runningFacts.checkpoints, completed: 2 } }

  test('rests with a savepoint and goes on as another epoch, with other slots', async () => {
    await create('parked', {})
    link.said.set('parked', proven)
    for (const name of await podNames('parked', 2)) await say(name, 'Running')
    await jobIn('parked', 'Running')
    await edit('parked', { parallelism: 1, state: 'suspended' })
    await gone('parked-jm-1-1', 'parked-tm-1-0-1')
    const parked = await jobIn('parked', 'Suspended')
    expect(parked.status?.state?.kind).toBe('savepoint')
    await edit('parked', { parallelism: 2, state: 'running' })
    expect(await podNames('parked', 3)).toEqual([
      'parked-jm-2-1',
      'parked-tm-2-0-1',
      'parked-tm-2-1-1',
    ])
    const pod = seenPods.cache.get(`${namespace}/parked-jm-2-1`)?.spec as {
      readonly initContainers: readonly { readonly args: readonly string[] }[]
    }
    expect(pod.initContainers[0]?.args).toEqual(expect.arrayContaining(['--restore', 'latest']))
  })

  test('a changed spec is planned, rolled out, and undone with the state where it fails', async () => {
    await create('moved', {})
    link.said.set('moved', proven)
    for (const name of await podNames('moved', 2)) await say(name, 'Running')
    const stable = await seenJobs.until(all =>
      all.find(one => one.metadata.name === 'moved' && one.status?.revision?.stable),
    )
    const upgrade = { surge: 'never' }
    await edit('moved', { job: { module: 'src/examples/word-count.ts' }, upgrade })
    const plan = await seenPods.until(all =>
      all.find(one => one.metadata.name.startsWith('moved-plan-')),
    )
    // Nothing is touched before the plan holds.
    expect(await podNames('moved-jm', 1)).toEqual(['moved-jm-1-1'])
    await say(plan.metadata.name, 'Succeeded', { code: 0 })
    await gone('moved-jm-1-1', 'moved-tm-1-0-1')
    await podNames('moved-tm-2', 1)
    await say('moved-jm-2-1', 'Failed', { code: 2 })
    const undoing = await jobIn('moved', 'RollingBack')
    expect(undoing.status?.upgrade?.rollback).toBe('JobRefused')
    await gone('moved-tm-2-0-1')
    link.said.set('moved', proven)
    const isThird = (all: readonly PodObject[]) =>
      all.filter(one => /^moved-.m-3-/.test(one.metadata.name)).length === 2 || undefined
    await seenPods.until(isThird)
    for (const name of ['moved-jm-3-1', 'moved-tm-3-0-1']) await say(name, 'Running')
    const back = await seenJobs.until(all =>
      all.find(one => one.metadata.name === 'moved' && conditionOf(one, 'RolledBack')),
    )
    expect(back.status?.revision).toEqual(stable.status?.revision)
    expect(conditionOf(back, 'RolledBack')?.message).toContain('JobRefused')
    expect(back.status?.phase).toBe('Running')
  })

  test('a job that its jobmanager refuses has failed, in its words', async () => {
    await create('refused', {})
    await podNames('refused', 2)
    await say('refused-jm-1-1', 'Failed', { code: 2 })
    const failed = await jobIn('refused', 'Failed')
    expect(conditionOf(failed, 'Stalled')).toMatchObject({ reason: 'JobRefused' })
    expect(conditionOf(failed, 'Stalled')?.message).toContain('last words')
  })

  test('a job without a shared place for its state is told so', async () => {
    await create('homeless', { checkpoint: {} })
    const queued = await jobIn('homeless', 'Queued')
    expect(conditionOf(queued, 'Stalled')).toMatchObject({ reason: 'StorageNotShared' })
    expect(conditionOf(queued, 'Stalled')?.message).toContain('name a bucket')
  })

  test('a job that is made again has nothing of its namesake', async () => {
    const first = await create('again', {})
    for (const name of await podNames('again', 2)) await say(name, 'Running')
    await jobIn('again', 'Running')
    await jobs.remove(first.metadata, { uid: first.metadata.uid ?? '' })
    const second = await create('again', { parallelism: 2 })
    // As the garbage collector would, late.
    for (const name of ['again-jm-1-1', 'again-tm-1-0-1']) {
      const uid = seenPods.cache.get(`${namespace}/${name}`)?.metadata.uid ?? ''
      await pods.remove({ namespace, name }, { uid, graceSeconds: 0 })
    }
    const owners = await seenPods.until(all => {
      const found = all.filter(one => one.metadata.name.startsWith('again-'))
      const uids = found.map(one => one.metadata.ownerReferences?.[0]?.uid)
      return uids.length === 3 && new Set(uids).size === 1 ? uids : undefined
    })
    expect(owners[0]).toBe(second.metadata.uid)
    const { items } = await cluster.client(resourceKinds.secret).list({ namespace })
    const secrets = items.filter(one => one.metadata.name.startsWith('again-'))
    expect(secrets.map(one => one.metadata.ownerReferences?.[0]?.uid)).toContain(owners[0])
  })

  test('checkpoints that fail are told, and that they complete again', async () => {
    await create('failing', {})
    link.said.set('failing', runningFacts)
    for (const name of await podNames('failing', 2)) await say(name, 'Running')
    await readyJob('failing')
    const healthIs = (status: string) =>
      seenJobs.until(all =>
        all.find(
          one =>
            one.metadata.name === 'failing' &&
            conditionOf(one, 'CheckpointHealthy')?.status === status,
        ),
      )
    const lastFailure = 'the store is away'
    const checkpoints = { completed: 1, failuresInRow: 3, lastFailure, ageMs: 90_000 }
    link.said.set('failing', { ...runningFacts, checkpoints, restarts: 2 })
    const failing = await healthIs('False')
    expect(conditionOf(failing, 'Ready')).toMatchObject({
      status: 'False',
      reason: 'CheckpointOverdue',
      message: expect.stringContaining('the store is away'),
    })
    expect(failing.status).toMatchObject({
      checkpoint: { id: 1, failuresInRow: 3 },
      restarts: { count: 2 },
    })
    link.said.set('failing', { ...runningFacts, latest: snapshot(2) })
    const healthy = await healthIs('True')
    expect(healthy.status?.state?.checkpointId).toBe(2)
  })

  test('events tell what happened, probes and metrics how it is', async () => {
    const told = [
      'Deploying',
      'Running',
      'Finished',
      'JobRefused',
      'CheckpointFailing',
      'CheckpointRecovered',
    ]
    // They are written beside the passes that they tell of.
    await watching
      .watch<KubeObject & { readonly reason: string }>(resourceKinds.event)
      .until(all =>
        told.every(reason => all.some(one => one.reason === reason)) ? true : undefined,
      )
    expect((await fetch(`${probes}/healthz`)).status).toBe(200)
    expect((await fetch(`${probes}/readyz`)).status).toBe(200)
    const metrics = await (await fetch(`${probes}/metrics`)).text()
    expect(metrics).toMatch(
      /weir_controller_reconcile_total\{controller="streamjob",result="done"\} \d/,
    )
    expect(metrics).not.toMatch(/weir_controller_missed_events_total\{.*\} [1-9]/)
  })
})
