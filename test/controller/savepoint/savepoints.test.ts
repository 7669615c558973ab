/**
 * Savepoints on a real API server. There is no kubelet and no jobmanager: the test says what they
 * do.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { resourceKinds } from '../../../src/controller/kube/resource-kind.ts'
import type { SavepointObject } from '../../../src/controller/savepoint/savepoint-object.ts'
import type { ConfigMapObject } from '../../../src/controller/streamjob/job-objects.ts'
import type { PodObject } from '../../../src/controller/streamjob/pod-facts.ts'
import type { StreamJobObject } from '../../../src/controller/streamjob/stream-job-object.ts'
import { describeWithPart } from '../../testbed/describe-with-part.ts'
import { FakeLink, runningFacts } from '../fake-link.ts'
import { grantRights } from '../granted.ts'
import { wholeReport } from '../job-kubelet.ts'
import { type RunningController, runTestController } from '../run-test-controller.ts'
import { connectTo, installCrds } from '../test-cluster.ts'
import { PodTeller, type Seen, type Watching, watcherOf } from '../test-watch.ts'

await describeWithPart('the controller of savepoints', 'kube-control', environment => {
  const cluster = connectTo(environment)
  const savepoints = cluster.client<SavepointObject>(resourceKinds.savepoint)
  const jobs = cluster.client<StreamJobObject>(resourceKinds.streamJob)
  const link = new FakeLink()
  let namespace = ''
  let running: RunningController
  let watching: Watching
  let tell: PodTeller
  let seenPods: Seen<PodObject>
  let seenJobs: Seen<StreamJobObject>
  let seen: Seen<SavepointObject>

  beforeAll(async () => {
    await installCrds(cluster)
    namespace = await cluster.namespace({ 'pod-security.kubernetes.io/enforce': 'restricted' })
    await cluster.defaultAccount(namespace)
    const granted = await grantRights(cluster, namespace, environment)
    watching = watcherOf(cluster, namespace)
    tell = new PodTeller(cluster, namespace)
    seenPods = watching.watch<PodObject>(resourceKinds.pod)
    seenJobs = watching.watch<StreamJobObject>(resourceKinds.streamJob)
    seen = watching.watch<SavepointObject>(resourceKinds.savepoint)
    running = runTestController({
      config: { namespace, grant: granted.grant },
      connection: granted.connection,
      link,
    })
  })
  afterAll(async () => {
    expect(await running.stop()).toBe(0)
    await watching.end()
    await cluster.close()
  })

  const runJob = async (name: string, spec: object = {}) => {
    link.said.set(name, runningFacts)
    const made = await jobs.create({
      apiVersion: 'weir.dev/v1alpha1',
      kind: 'StreamJob',
      metadata: { namespace, name },
      spec: {
        job: { module: 'src/examples/bank-transfers.ts' },
        checkpoint: { storage: 's3://bucket/prefix' },
        ...spec,
      },
    })
    for (const pod of [`${name}-jm-1-1`, `${name}-tm-1-0-1`]) {
      await seenPods.until(all => all.find(one => one.metadata.name === pod))
      await tell.say(pod, 'Running')
    }
    await seenJobs.until(all =>
      all.find(
        one =>
          one.metadata.name === name &&
          one.status?.conditions?.some(c => c.type === 'Ready' && c.status === 'True'),
      ),
    )
    return made
  }

  const create = (name: string, spec: object) =>
    savepoints.create({
      apiVersion: 'weir.dev/v1alpha1',
      kind: 'Savepoint',
      metadata: { namespace, name },
      spec,
    })

  const inPhase = (name: string, phase: string) =>
    seen.until(all => all.find(one => one.metadata.name === name && one.status?.phase === phase))

  const isGone = (name: string) =>
    seen.until(all => (all.some(one => one.metadata.name === name) ? undefined : true))

  const remove = (object: SavepointObject) =>
    savepoints.remove(object.metadata, { uid: object.metadata.uid ?? '' })

  const argumentsOf = ({ spec }: PodObject, part = 'containers') => {
    const parts = spec as Readonly<Record<string, readonly { readonly args: readonly string[] }[]>>
    return parts[part]?.[0]?.args
  }

  const disposalOf = (name: string, number = 1) =>
    seenPods.until(all =>
      all.find(
        one =>
          one.metadata.name.startsWith(`${name}-savepoint-`) &&
          one.metadata.name.endsWith(`-dispose-${number}`),
      ),
    )

  test('takes one, and removes its files when it is deleted, also when the job is gone', async () => {
    const job = await runJob('bank')
    const made = await create('first', { job: 'bank' })
    const whole = await inPhase('first', 'Completed')
    expect(whole.status).toMatchObject({
      epoch: 1,
      path: expect.stringMatching(/^s3:\/\/bucket\/prefix\/job\/savepoints\//),
      sizeBytes: 1_000,
    })
    expect([...link.savepoints.keys()]).toEqual([`${made.metadata.uid}-1-0`])
    expect(whole.metadata.finalizers).toEqual(['weir.dev/state'])
    await jobs.remove(job.metadata, { uid: job.metadata.uid ?? '' })
    await seenJobs.until(all => (all.some(one => one.metadata.name === 'bank') ? undefined : true))

    await remove(whole)
    await inPhase('first', 'Disposing')
    const pod = await disposalOf('first')
    const { containers } = pod.spec as { containers: { args: string[]; image: string }[] }
    expect(containers[0]).toMatchObject({
      args: ['savepoint', 'dispose', whole.status?.path],
      image: 'localhost/weir:test',
    })
    await tell.say(pod.metadata.name, 'Failed', { code: 1, word: 'the store is away' })
    const blocked = await seen.until(all =>
      all.find(one => one.status?.conditions?.some(c => c.reason === 'DisposalFailed')),
    )
    expect(JSON.stringify(blocked.status)).toContain('the store is away')
    const next = await disposalOf('first', 2)
    await tell.say(next.metadata.name, 'Succeeded', { code: 0 })
    await isGone('first')
  })

  const readerOf = (name: string, number = 1) =>
    seenPods.until(all =>
      all.find(
        one =>
          one.metadata.name.startsWith(`${name}-savepoint-`) &&
          one.metadata.name.endsWith(`-verify-${number}`),
      ),
    )

  const isVerified = (name: string, is: 'True' | 'False', reason: string) =>
    seen.until(all =>
      all.find(
        one =>
          one.metadata.name === name &&
          one.status?.conditions?.some(
            c => c.type === 'Verified' && c.status === is && c.reason === reason,
          ),
      ),
    )

  const podIsGone = ({ metadata }: PodObject) =>
    seenPods.until(all => (all.some(one => one.metadata.uid === metadata.uid) ? undefined : true))

  test('is read by a pod once it is whole, and again more closely for who asks', async () => {
    await runJob('read')
    const made = await create('checked', { job: 'read' })
    const { status } = await inPhase('checked', 'Completed')
    const reader = await readerOf('checked')
    const { metadata } = reader
    expect(argumentsOf(reader)).toEqual([
      'savepoint',
      'verify',
      status?.path,
      '--report',
      '/dev/termination-log',
    ])
    await tell.say(metadata.name, 'Succeeded', { code: 0, word: wholeReport })
    const checked = await isVerified('checked', 'True', 'ChecksumsMatch')
    expect(checked.status).toMatchObject({
      verifiedAt: expect.any(String),
      checksum: 'sha256:ab',
      formatVersion: 1,
      sizeBytes: 1_000,
    })
    await podIsGone(reader)

    const { apiVersion, kind } = made
    const drill = { job: 'read', verify: 'restore' }
    const named = { apiVersion, kind, metadata: { namespace, name: 'checked' }, spec: drill }
    await savepoints.apply(named, { manager: 'person' })
    const again = await readerOf('checked')
    expect(argumentsOf(again)).toContain('--restore')
    const error = { code: 'WEIR_CHECKPOINT_CORRUPT', message: 'totals-1.state is damaged' }
    const word = JSON.stringify({ error })
    await tell.say(again.metadata.name, 'Failed', { code: 2, word })
    const damaged = await isVerified('checked', 'False', 'Damaged')
    expect(damaged.status).toMatchObject({ phase: 'Completed', error })
    await podIsGone(again)
  })

  test('a failed one is told and tried again; deleting it ends that', async () => {
    await runJob('frail')
    link.outcomes.set('frail', 'failed')
    const made = await create('unlucky', { job: 'frail', backoffLimit: 1 })
    const waiting = await seen.until(all =>
      all.find(one => one.metadata.name === 'unlucky' && one.status?.failures === 1),
    )
    expect(waiting.status).toMatchObject({
      phase: 'Pending',
      error: { message: 'the store is away' },
    })
    expect(waiting.status?.retryAt).toBeDefined()
    await remove(made)
    await isGone('unlucky')
  })

  test('one that is deleted while it is taken leaves nothing behind', async () => {
    await runJob('slow')
    link.outcomes.set('slow', 'pending')
    const made = await create('hasty', { job: 'slow' })
    await inPhase('hasty', 'InProgress')
    await remove(made)
    const [id = ''] = [...link.savepoints.keys()].filter(key =>
      key.startsWith(made.metadata.uid ?? ''),
    )
    link.complete(id)
    const pod = await disposalOf('hasty')
    await tell.say(pod.metadata.name, 'Succeeded', { code: 0 })
    await isGone('hasty')
  })

  test('a raised nonce takes one, which stays when it is deleted', async () => {
    const job = await runJob('asked', { savepointNonce: 1 })
    const whole = await inPhase('asked-nonce-1', 'Completed')
    await seenJobs.until(all =>
      all.find(one => one.metadata.name === 'asked' && one.status?.nonces?.savepoint === 1),
    )
    expect(whole.metadata.ownerReferences).toBeUndefined()
    expect(job.metadata.uid).toBeDefined()
  })

  test('deletionPolicy: savepoint stops the job with one, which outlives it', async () => {
    const job = await runJob('careful', { deletionPolicy: 'savepoint' })
    await jobs.remove(job.metadata, { uid: job.metadata.uid ?? '' })
    await seenJobs.until(() => ([...link.stops.keys()].length > 0 ? true : undefined))
    expect([...link.stops.keys()]).toEqual([`${job.metadata.uid}-1-delete-0`])
    const last = link.said.get('careful')
    await tell.say('careful-jm-1-1', 'Succeeded', { code: 0, word: JSON.stringify(last) })
    const kept = await inPhase('careful-final-1', 'Completed')
    expect(kept.status?.path).toBe(last?.latest?.path)
    await seenJobs.until(all =>
      all.some(one => one.metadata.name === 'careful') ? undefined : true,
    )
  })

  test('deletionPolicy: purge takes the pods down, then the checkpoints', async () => {
    const job = await runJob('clean', { deletionPolicy: 'purge' })
    await jobs.remove(job.metadata, { uid: job.metadata.uid ?? '' })
    const { uid = '' } = job.metadata
    // A pod without a node is gone as soon as it is deleted.
    const pod = await seenPods.until(all => {
      const ours = all.filter(one => one.metadata.ownerReferences?.[0]?.uid === uid)
      const found = ours.find(one => /^clean-.*-purge-1$/.test(one.metadata.name))
      if (found !== undefined) expect(ours).toEqual([found])
      return found
    })
    await tell.say(pod.metadata.name, 'Succeeded', { code: 0 })
    await seenJobs.until(all => (all.some(one => one.metadata.name === 'clean') ? undefined : true))
  })

  const jobSays = (name: string, reason: string) =>
    seenJobs.until(all =>
      all.find(
        one =>
          one.metadata.name === name &&
          one.status?.conditions?.some(c => c.reason === reason && c.status === 'True'),
      ),
    )

  test('a job begins from the Savepoint of another one by its name, which stays for it', async () => {
    await runJob('origin')
    await jobs.create({
      apiVersion: 'weir.dev/v1alpha1',
      kind: 'StreamJob',
      metadata: { namespace, name: 'fork' },
      spec: {
        job: { module: 'src/examples/bank-transfers.ts' },
        checkpoint: { storage: 's3://bucket/prefix' },
        restore: { savepoint: 'base' },
      },
    })
    await jobSays('fork', 'SavepointNotFound')
    link.outcomes.set('origin', 'pending')
    const made = await create('base', { job: 'origin' })
    await jobSays('fork', 'SavepointAwaited')
    link.complete(`${made.metadata.uid}-1-0`)
    const whole = await inPhase('base', 'Completed')
    await seenPods.until(all => all.find(one => one.metadata.name === 'fork-jm-1-1'))
    const files = cluster.client<ConfigMapObject>(resourceKinds.configMap)
    const revision = await seenJobs.until(
      all => all.find(one => one.metadata.name === 'fork')?.status?.revision?.current,
    )
    const file = await files.get({ namespace, name: revision })
    const manifest = JSON.parse(file?.data?.['job.yaml'] ?? '')
    expect(manifest.spec.restore).toEqual({
      path: whole.status?.path,
      fromJob: `${namespace}.origin`,
      claim: 'no-claim',
    })

    await remove(whole)
    const held = await seen.until(all =>
      all.find(one => one.status?.conditions?.some(c => c.reason === 'Pinned')),
    )
    expect(held.status).toMatchObject({ phase: 'Disposing', pins: ['start of fork'] })
    link.said.set('fork', runningFacts)
    for (const pod of ['fork-jm-1-1', 'fork-tm-1-0-1']) await tell.say(pod, 'Running')
    const disposal = await disposalOf('base')
    await tell.say(disposal.metadata.name, 'Succeeded', { code: 0 })
    await isGone('base')
  })

  test('a running job goes back to one by its name, once a plan has looked at it', async () => {
    await runJob('back')
    await create('past', { job: 'back' })
    const { path = '' } = (await inPhase('past', 'Completed')).status ?? {}
    await jobs.patch({ namespace, name: 'back' }, [
      { op: 'add', path: '/spec/restore', value: { savepoint: 'past' } },
      { op: 'add', path: '/spec/restoreNonce', value: 1 },
    ])
    const plan = await seenPods.until(all =>
      all.find(one => one.metadata.name.startsWith('back-plan-')),
    )
    expect(argumentsOf(plan)).toEqual(expect.arrayContaining(['--against', path]))
    await tell.say(plan.metadata.name, 'Succeeded', { code: 0 })
    const next = await seenPods.until(all => all.find(one => one.metadata.name === 'back-jm-2-1'))
    expect(argumentsOf(next, 'initContainers')).toEqual(expect.arrayContaining(['--restore', path]))
    const held = await seen.until(all =>
      all.find(one => one.metadata.name === 'past' && one.status?.pins?.length === 1),
    )
    expect(held.status?.pins).toEqual(['upgrade of back'])
  })

  test('a condition that somebody puts into its status by hand goes', async () => {
    await create('scribbled', { existing: { path: 's3://bucket/old/savepoint-9' } })
    const { metadata } = await inPhase('scribbled', 'Completed')
    const times = { lastTransitionTime: '2001-01-01T00:00:00Z' }
    const value = { type: 'Stalled', status: 'True', reason: 'ByHand', message: 'no', ...times }
    await savepoints.patchStatus(metadata, [{ op: 'add', path: '/status/conditions/-', value }])
    const isStalled = ({ metadata: { name }, status }: SavepointObject): boolean =>
      name === 'scribbled' && status?.conditions?.some(one => one.type === 'Stalled') === true
    await seen.until(all => (all.some(isStalled) ? true : undefined))
    await seen.until(all => (all.some(isStalled) ? undefined : true))
    await remove((await savepoints.get(metadata)) as SavepointObject)
    await isGone('scribbled')
  })

  test('a folder is adopted and never removed', async () => {
    const made = await create('adopted', { existing: { path: 's3://bucket/old/savepoint-9' } })
    const whole = await inPhase('adopted', 'Completed')
    expect(whole.status?.checkpointId).toBe(9)
    await remove(made)
    await isGone('adopted')
    expect(seenPods.cache.all().some(one => one.metadata.name.startsWith('adopted'))).toBe(false)
  })
})
