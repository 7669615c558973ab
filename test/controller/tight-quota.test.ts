/** Jobs in a namespace whose ResourceQuota has no room to spare, on a real API server. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { resourceKinds } from '../../src/controller/kube/resource-kind.ts'
import type { PodObject } from '../../src/controller/streamjob/pod-facts.ts'
import type { StreamJobObject } from '../../src/controller/streamjob/stream-job-object.ts'
import { describeWithPart } from '../testbed/describe-with-part.ts'
import { FakeLink, runningFacts } from './fake-link.ts'
import { grantRights } from './granted.ts'
import { JobKubelet } from './job-kubelet.ts'
import { QuotaCounter } from './quota-counter.ts'
import { type RunningController, runTestController } from './run-test-controller.ts'
import { connectTo, installCrds } from './test-cluster.ts'
import { type Seen, type Watching, watcherOf } from './test-watch.ts'

const isLong = process.env.WEIR_TEST_LONG === '1'
/** A job that waits for room holds what it has for a minute by the clock of the API server. */
const testLong = isLong ? test : test.skip

type Status = NonNullable<StreamJobObject['status']>

await describeWithPart('jobs under a tight ResourceQuota', 'kube-control', environment => {
  const cluster = connectTo(environment)
  const jobs = cluster.client<StreamJobObject>(resourceKinds.streamJob)
  const link = new FakeLink()
  let namespace = ''
  let running: RunningController
  let watching: Watching
  let kubelet: JobKubelet
  let quota: QuotaCounter
  let seenJobs: Seen<StreamJobObject>
  let seenPods: Seen<PodObject>

  beforeAll(async () => {
    await installCrds(cluster)
    namespace = await cluster.namespace()
    await cluster.defaultAccount(namespace)
    const { grant, connection } = await grantRights(cluster, namespace, environment)
    watching = watcherOf(cluster, namespace)
    seenJobs = watching.watch<StreamJobObject>(resourceKinds.streamJob)
    seenPods = watching.watch<PodObject>(resourceKinds.pod)
    kubelet = new JobKubelet({ cluster, namespace, pods: seenPods, link })
    quota = new QuotaCounter({ cluster, namespace, pods: seenPods })
    running = runTestController({ config: { namespace, grant }, connection, link })
  })
  afterAll(async () => {
    expect(await running.stop()).toBe(0)
    kubelet.end()
    await quota.end()
    await watching.end()
    await cluster.close()
  })

  const apply = (name: string, spec: object) => {
    link.said.set(name, link.said.get(name) ?? runningFacts)
    return jobs.apply(
      {
        apiVersion: 'weir.dev/v1alpha1',
        kind: 'StreamJob',
        metadata: { namespace, name },
        spec: {
          job: { module: 'a.ts' },
          checkpoint: { storage: 's3://bucket/prefix' },
          rollback: { stableCheckpoints: 1 },
          ...spec,
        },
      },
      { manager: 'person' },
    )
  }

  const until = (name: string, holds: (status: Status) => unknown) =>
    seenJobs.until(all => {
      const found = all.find(one => one.metadata.name === name)
      return found?.status !== undefined && holds(found.status) ? found.status : undefined
    })

  const conditionIn = ({ conditions = [] }: Status, type: string) =>
    conditions.find(one => one.type === type)

  const isReady = (status: Status) => conditionIn(status, 'Ready')?.status === 'True'

  const settled = (name: string, epoch: number) =>
    until(name, ({ epoch: at = 0, ...status }) => at >= epoch && !status.upgrade && isReady(status))

  const remove = async (name: string) => {
    const object = seenJobs.cache.get(`${namespace}/${name}`)
    if (object === undefined) throw new Error('it is there')
    await jobs.remove(object.metadata, { uid: object.metadata.uid ?? '' })
    await seenJobs.until(all => !all.some(one => one.metadata.name === name) || undefined)
    // There is no garbage collector.
    const pods = cluster.client(resourceKinds.pod)
    const isOfJob = ({ metadata }: PodObject) => /-(jm|tm)-/.test(metadata.name)
    for (const { metadata } of seenPods.cache.all().filter(isOfJob)) {
      await pods.remove(metadata, { uid: metadata.uid ?? '', graceSeconds: 0 })
    }
    await seenPods.until(all => !all.some(isOfJob) || undefined)
  }

  test('of a job that has room for some of its pods only it is said how many', async () => {
    await quota.allow(2)
    await apply('half', { parallelism: 2 })
    const status = await until('half', one =>
      conditionIn(one, 'Scheduled')?.message.startsWith('2 of 3 pods are there; '),
    )
    expect(conditionIn(status, 'Scheduled')).toMatchObject({
      status: 'False',
      reason: 'QuotaExceeded',
      message: expect.stringMatching(/"half-tm-1-1-1".*used: pods=2, limited: pods=2.*make room/),
    })
    expect(conditionIn(status, 'Reconciling')?.reason).toBe('QuotaExceeded')
    await quota.allow(3)
    await settled('half', 1)
    await remove('half')
  })

  test('an upgrade without a plan comes through; one with a plan says what it lacks', async () => {
    await quota.allow(2)
    await apply('tight', {})
    await settled('tight', 1)
    await apply('tight', { restartNonce: 1 })
    // A number was given to pods that had no room beside the old ones.
    expect(await settled('tight', 2)).toMatchObject({ epoch: 3 })
    await apply('tight', { restartNonce: 1, job: { module: 'b.ts' } })
    const waits = await until('tight', status => {
      return conditionIn(status, 'Scheduled')?.reason === 'QuotaExceeded' && isReady(status)
    })
    expect(waits).toMatchObject({ epoch: 3, upgrade: { phase: 'Planning' } })
    const { message } = conditionIn(waits, 'UpgradeInProgress') ?? {}
    expect(message).toMatch(/pods "tight-plan-.*exceeded quota: tight/)
    await quota.allow(3)
    await settled('tight', 4)
    await remove('tight')
  })

  testLong('room that is too small for one is given to another that fits', async () => {
    await quota.allow(3)
    await apply('large', { parallelism: 3 })
    await until('large', one => conditionIn(one, 'Scheduled')?.message.startsWith('3 of 4'))
    await apply('small', {})
    await settled('small', 1)
    const rests = await until('large', one =>
      conditionIn(one, 'Scheduled')?.message.includes('given back'),
    )
    expect(rests.phase).toBe('Deploying')
    await quota.allow(6)
    await settled('large', 1)
  })
})
