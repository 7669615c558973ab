/**
 * From the deployment of a job over a savepoint and its disposal to the deletion of the job: the
 * controller dies after any of its writes, and the end is the same.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { KubeObject } from '../../../src/controller/kube/kube-object.ts'
import { type ResourceKind, resourceKinds } from '../../../src/controller/kube/resource-kind.ts'
import type { SavepointObject } from '../../../src/controller/savepoint/savepoint-object.ts'
import type { StreamJobObject } from '../../../src/controller/streamjob/stream-job-object.ts'
import { describeWithPart } from '../../testbed/describe-with-part.ts'
import { type CrashWorld, crashRun } from '../crash-points.ts'
import { runningFacts } from '../fake-link.ts'
import { connectTo, installCrds } from '../test-cluster.ts'

/** All of them with --long, else each seventh. */
const STRIDE = process.env.WEIR_TEST_LONG === '1' ? 1 : 7

const gone = (all: readonly KubeObject[], name: string): true | undefined =>
  all.some(one => one.metadata.name === name) ? undefined : true

const remove = ({ cluster }: CrashWorld, { metadata }: KubeObject, kind: ResourceKind) =>
  cluster.client(kind).remove(metadata, { uid: metadata.uid ?? '' })

const podNames = ({ pods }: CrashWorld) =>
  pods.cache
    .all()
    .map(one => one.metadata.name.replaceAll(/-[0-9a-f]{8}(?=-)/g, '-ID'))
    .sort()

/** A job that has come to run; and what its status says of epochs. */
async function readyJob(world: CrashWorld, spec: object) {
  const { cluster, namespace, watching, link } = world
  const jobs = watching.watch<StreamJobObject>(resourceKinds.streamJob)
  const epochs = new Set<number>()
  jobs.cache.onChange(() => {
    for (const { status } of jobs.cache.all()) epochs.add(status?.epoch ?? 0)
  })
  link.said.set('bank', runningFacts)
  const job = await cluster.client(resourceKinds.streamJob).create({
    apiVersion: 'weir.dev/v1alpha1',
    kind: 'StreamJob',
    metadata: { namespace, name: 'bank' },
    spec: {
      job: { module: 'src/examples/bank-transfers.ts' },
      checkpoint: { storage: 's3://bucket/prefix' },
      ...spec,
    },
  } as KubeObject)
  await jobs.until(all =>
    all.find(one => one.status?.conditions?.some(c => c.type === 'Ready' && c.status === 'True')),
  )
  return { job, jobs, epochs }
}

async function savepointStory(world: CrashWorld): Promise<unknown> {
  const { cluster, namespace, watching, link } = world
  const savepoints = watching.watch<SavepointObject>(resourceKinds.savepoint)
  const { job, jobs, epochs } = await readyJob(world, { deletionPolicy: 'savepoint' })
  await cluster.client(resourceKinds.savepoint).create({
    apiVersion: 'weir.dev/v1alpha1',
    kind: 'Savepoint',
    metadata: { namespace, name: 'first' },
    spec: { job: 'bank' },
  } as KubeObject)
  const whole = await savepoints.until(all => all.find(one => one.status?.phase === 'Completed'))
  await remove(world, whole, resourceKinds.savepoint)
  await savepoints.until(all => gone(all, 'first'))
  await remove(world, job, resourceKinds.streamJob)
  const kept = await savepoints.until(all =>
    all.find(one => one.metadata.name === 'bank-final-1' && one.status?.phase === 'Completed'),
  )
  await jobs.until(all => gone(all, 'bank'))
  return {
    taken: link.savepoints.size,
    stopped: link.stops.size,
    kept: kept.status?.path === link.said.get('bank')?.latest?.path,
    epochs: [...epochs].sort(),
    pods: podNames(world),
  }
}

async function purgeStory(world: CrashWorld): Promise<unknown> {
  const { link, watching } = world
  const savepoints = watching.watch<SavepointObject>(resourceKinds.savepoint)
  const spec = { deletionPolicy: 'purge', savepointNonce: 1 }
  const { job, jobs, epochs } = await readyJob(world, spec)
  await savepoints.until(all => all.find(one => one.status?.phase === 'Completed'))
  await jobs.until(all => all.find(one => one.status?.nonces?.savepoint === 1))
  await remove(world, job, resourceKinds.streamJob)
  await jobs.until(all => gone(all, 'bank'))
  return {
    taken: link.savepoints.size,
    stopped: link.stops.size,
    kept: savepoints.cache.all().map(one => one.metadata.name),
    epochs: [...epochs].sort(),
    pods: podNames(world),
  }
}

await describeWithPart('a controller that dies after a write', 'kube-control', environment => {
  const cluster = connectTo(environment)
  beforeAll(() => installCrds(cluster))
  afterAll(() => cluster.close())

  const stories = {
    'over a savepoint and its disposal to a deletion with another one': {
      story: savepointStory,
      pods: ['bank-jm-1-1', 'bank-tm-1-0-1', 'first-savepoint-ID-dispose-1'],
      end: { taken: 1, stopped: 1, kept: true, epochs: [0, 1] },
    },
    'over a raised nonce to a purge': {
      story: purgeStory,
      pods: ['bank-ID-ID-purge-1'],
      end: { taken: 1, stopped: 0, kept: ['bank-nonce-1'], epochs: [0, 1] },
    },
  }

  test.each(Object.entries(stories))('%s: the end is the same', async (_way, told) => {
    const options = { cluster, environment, story: told.story }
    const { end, writes } = await crashRun(options)
    expect(end).toEqual({ ...told.end, pods: told.pods })
    for (let at = 1; at <= writes.length; at += STRIDE) {
      const struck = await crashRun(options, at)
      expect([writes[at - 1], struck.end]).toEqual([writes[at - 1], end])
    }
  })
})
