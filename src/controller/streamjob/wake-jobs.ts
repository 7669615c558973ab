/** Which jobs are looked at when something changes. */
import { keyOf } from '../kube/kube-object.ts'
import type { ObjectCache, ObjectChange } from '../kube/object-cache.ts'
import type { Priority, WorkQueue } from '../kube/work-queue.ts'
import type { SavepointObject } from '../savepoint/savepoint-object.ts'
import { labels } from './job-names.ts'
import { type JobWorld, ownerKey } from './job-world.ts'
import type { PodObject } from './pod-facts.ts'
import { namedSavepoint } from './restore-source.ts'
import type { StreamJobObject } from './stream-job-object.ts'

/** All jobs once, and from then on each when it or something that it needs changes. */
export function wakeJobs(
  world: JobWorld,
  savepoints: ObjectCache<SavepointObject>,
  queue: WorkQueue,
): void {
  world.jobs.cache.onChange(change => queue.add(change.key, urgencyOfJob(change)))
  world.pods.cache.onChange(change => {
    const job = ownerKey(change.kind === 'set' ? change.now : change.before)
    if (job !== undefined) queue.add(job, urgencyOfPod(change))
  })
  const { configMaps, revisions, services, budgets, policies } = world
  for (const { cache } of [configMaps, revisions, services, budgets, policies]) {
    cache.onChange(change => {
      const job = ownerKey(change.kind === 'set' ? change.now : change.before)
      if (job !== undefined) queue.add(job, 'event')
    })
  }
  savepoints.onChange(change => {
    const { metadata } = change.kind === 'set' ? change.now : change.before
    const { namespace, labels: of = {} } = metadata
    const stopped = of[labels.stop] === undefined ? undefined : of[labels.job]
    if (stopped !== undefined) queue.add(keyOf({ namespace, name: stopped }), 'event')
    for (const job of world.jobs.cache.all()) {
      if (job.metadata.namespace !== namespace) continue
      if (namedSavepoint(job) === metadata.name) queue.add(keyOf(job.metadata), 'event')
    }
  })
  for (const { metadata } of world.jobs.cache.all()) queue.add(keyOf(metadata), 'resync')
}

/** A new generation is a person's edit. */
function urgencyOfJob(change: ObjectChange<StreamJobObject>): Priority {
  if (change.kind === 'gone') return 'event'
  return change.now.metadata.generation === change.before?.metadata.generation ? 'event' : 'user'
}

function urgencyOfPod(change: ObjectChange<PodObject>): Priority {
  if (change.kind === 'gone') return 'lost'
  const isLeaving = change.now.metadata.deletionTimestamp !== undefined
  return isLeaving || change.now.status?.phase === 'Failed' ? 'lost' : 'event'
}
