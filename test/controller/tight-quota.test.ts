/** Jobs in a namespace whose ResourceQuota has no room to spare, on a real API server. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { resourceKinds } from '../../src/controller/kube/resource-kind.ts'
import type { PodObject } from '../../src/controller/streamjob/pod-facts.ts'
import { describeWithPart } from '../testbed/describe-with-part.ts'
import { runningFacts } from './fake-link.ts'
import { QuotaCounter } from './quota-counter.ts'
import { type JobStatus, ServedNamespace } from './served-namespace.ts'

const isLong = process.env.WEIR_TEST_LONG === '1'

await describeWithPart('jobs under a tight ResourceQuota', 'kube-control', environment => {
  let at: ServedNamespace
  let quota: QuotaCounter

  beforeAll(async () => {
    at = await ServedNamespace.open(environment)
    at.playKubelet()
    quota = new QuotaCounter({ cluster: at.cluster, namespace: at.name, pods: at.pods })
  })
  afterAll(async () => {
    await quota.end()
    await at.close()
  })

  const apply = (name: string, spec: object) => {
    at.link.said.set(name, at.link.said.get(name) ?? runningFacts)
    return at.apply(name, spec)
  }

  const conditionIn = ({ conditions = [] }: JobStatus, type: string) =>
    conditions.find(one => one.type === type)

  const isReady = (status: JobStatus) => conditionIn(status, 'Ready')?.status === 'True'

  const settled = (name: string, epoch: number) =>
    at.until(
      name,
      ({ epoch: at = 0, ...status }) => at >= epoch && !status.upgrade && isReady(status),
    )

  const remove = async (name: string) => {
    const object = at.jobs.cache.get(`${at.name}/${name}`)
    if (object === undefined) throw new Error('it is there')
    await at.cluster
      .client(resourceKinds.streamJob)
      .remove(object.metadata, { uid: object.metadata.uid ?? '' })
    await at.jobs.until(all => !all.some(one => one.metadata.name === name) || undefined)
    // There is no garbage collector.
    const pods = at.cluster.client(resourceKinds.pod)
    const isOfJob = ({ metadata }: PodObject) => /-(jm|tm)-/.test(metadata.name)
    for (const { metadata } of at.pods.cache.all().filter(isOfJob)) {
      await pods.remove(metadata, { uid: metadata.uid ?? '', graceSeconds: 0 })
    }
    await at.pods.until(all => !all.some(isOfJob) || undefined)
  }

  test('of a job that has room for some of its pods only it is said how many', async () => {
    await quota.allow(2)
    await apply('half', { parallelism: 2 })
    const status = await at.until('half', one =>
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
    const waits = await at.until('tight', status => {
      return conditionIn(status, 'Scheduled')?.reason === 'QuotaExceeded' && isReady(status)
    })
    expect(waits).toMatchObject({ epoch: 3, upgrade: { phase: 'Planning' } })
    const { message } = conditionIn(waits, 'UpgradeInProgress') ?? {}
    expect(message).toMatch(/pods "tight-plan-.*exceeded quota: tight/)
    await quota.allow(3)
    await settled('tight', 4)
    await remove('tight')
  })

  // A job that waits for room holds what it has for a minute by the clock of the API server.
  if (isLong) {
    test('room that is too small for one is given to another that fits', async () => {
      await quota.allow(3)
      await apply('large', { parallelism: 3 })
      await at.until('large', one => conditionIn(one, 'Scheduled')?.message.startsWith('3 of 4'))
      await apply('small', {})
      await settled('small', 1)
      const rests = await at.until('large', one =>
        conditionIn(one, 'Scheduled')?.message.includes('given back'),
      )
      expect(rests.phase).toBe('Deploying')
      await quota.allow(6)
      await settled('large', 1)
    })
  }
})
