/**
 * One pass over a Savepoint: observe (the jobmanager is asked here), decide, act, and one write of
 * the status. What a later act builds on is stored before: see the policies.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Clock } from '../../common/clock.ts'
import { messageOf } from '../../common/errors.ts'
import { savepointStatusSchema } from '../../protocol/savepoint.ts'
import { conditionsOf } from '../conditions.ts'
import type { EventWords } from '../kube/event-series.ts'
import { type FinalizerChange, finalizerPatch } from '../kube/finalizer.ts'
import type { Watched } from '../kube/kind-watcher.ts'
import { type KubeObject, keyOf } from '../kube/kube-object.ts'
import type { Reconcile } from '../kube/work-loop.ts'
import { refusalIn } from '../kube/write-refusal.ts'
import { writeStatus as writeWhole } from '../kube/write-status.ts'
import type { FactsPoller } from '../link/facts-poller.ts'
import type { JobLink, JobTarget } from '../link/job-link.ts'
import { newerIn } from '../newer-in.ts'
import { deployedOfFile } from '../streamjob/job-revisions.ts'
import { jobTarget } from '../streamjob/job-target.ts'
import type { JobWorld } from '../streamjob/job-world.ts'
import { type PodObject, podFacts } from '../streamjob/pod-facts.ts'
import type { StreamJobObject } from '../streamjob/stream-job-object.ts'
import { verbPods } from '../streamjob/verb-pod.ts'
import type { ObservedSavepoint } from './observed-savepoint.ts'
import { pinsOf } from './pins-of.ts'
import type { SavepointObject } from './savepoint-object.ts'
import {
  disposalOf,
  recordName,
  recordOf,
  requestIdOf,
  specOf,
  takenOf,
  verificationPodOf,
} from './savepoint-objects.ts'
import {
  decideSavepoint,
  refusedSavepoint,
  type SavepointDecision,
  savepointConditions,
} from './savepoint-policies.ts'

/** Owns the fields that this controller writes. */
export const SAVEPOINT_MANAGER = 'weir-savepoint'

const newerStatus = newerIn(savepointStatusSchema)

export interface ReconcileSavepointOptions {
  readonly world: JobWorld
  readonly savepoints: Watched<SavepointObject>
  readonly link: Pick<JobLink, 'savepoint'>
  readonly poller: Pick<FactsPoller, 'heard'>
  readonly clock: Clock
  readonly record: (object: KubeObject, words: EventWords) => void
  /** What became of a savepoint, and how long it took. */
  readonly onEnded: (result: 'completed' | 'failed', seconds: number) => void
}

interface Pass {
  readonly options: ReconcileSavepointOptions
  readonly signal: AbortSignal
}

export function reconcileSavepoint(options: ReconcileSavepointOptions): Reconcile {
  return async (key, signal) => {
    const object = options.savepoints.cache.get(key)
    if (object === undefined) return undefined
    const pass = { options, signal }
    const observed = await observe(object, pass)
    if (observed === undefined) return undefined
    const wanted = decideSavepoint(observed)
    const refused = await refusalIn(() => act(observed, wanted, pass))
    const decision = refused === undefined ? wanted : refusedSavepoint(observed, refused, wanted)
    if (refused !== undefined) await act(observed, decision, pass)
    if (decision.event !== undefined) options.record(object, decision.event)
    // With another set of finalizers it is another version, or gone: the next pass writes.
    if (decision.finalizer === undefined) await writeStatus(observed, decision, pass)
    return decision.againMs
  }
}

async function observe(
  object: SavepointObject,
  pass: Pass,
): Promise<ObservedSavepoint | undefined> {
  const { world, clock } = pass.options
  const { metadata, status = {} } = object
  const spec = specOf(object)
  if (spec === undefined) return undefined
  const job = jobOf(object, world)
  const { target, runs } = jobmanagerOf(job, pass)
  const nowMs = clock.now()
  const pods = world.pods.cache.group(metadata.uid ?? '')
  const phase = job?.status?.phase
  return {
    object,
    spec,
    status,
    job: {
      isThere: job !== undefined && job.metadata.deletionTimestamp === undefined,
      isOver: phase === 'Finished' || phase === 'Failed',
      runs,
      ...aboutJob(job),
    },
    epoch: job?.status?.epoch ?? 0,
    ...(await ask(object, target, pass)),
    isRecorded: world.configMaps.cache.get(recordKey(object)) !== undefined,
    newer: newerStatus(status),
    disposals: verbPods(pods, nowMs),
    verifications: verbPods(pods, nowMs, 'verify'),
    pins: pinsOf(object, world.jobs.cache.all()),
    nowMs,
  }
}

function aboutJob(job: StreamJobObject | undefined) {
  const { state, revision, tenant } = job?.status ?? {}
  return {
    ...(state && { state }),
    ...(revision?.current && { revision: revision.current }),
    ...(tenant && { tenant }),
  }
}

function jobOf(object: SavepointObject, world: JobWorld): StreamJobObject | undefined {
  const name = takenOf(object)
  if (name === undefined) return undefined
  return world.jobs.cache.get(keyOf({ namespace: object.metadata.namespace, name }))
}

function jobmanagerOf(job: StreamJobObject | undefined, { options }: Pass) {
  const { world, poller } = options
  if (job === undefined) return { target: undefined, runs: false }
  const pods = world.pods.cache.group(job.metadata.uid ?? '')
  const target = jobTarget(
    job,
    pods.flatMap(pod => podFacts(pod) ?? []),
  )
  const { facts } = poller.heard(keyOf(job.metadata), target)
  const isWanted = job.status?.phase === 'Running' && job.metadata.deletionTimestamp === undefined
  return { target, runs: isWanted && facts?.status === 'running' }
}

/** Gives the order, or asks what became of it. No answer is no news: there is a deadline. */
async function ask(
  object: SavepointObject,
  target: JobTarget | undefined,
  { options, signal }: Pass,
): Promise<Pick<ObservedSavepoint, 'order' | 'silence'>> {
  const { status } = object
  if (status?.phase !== 'InProgress') return { order: undefined, silence: undefined }
  if (target === undefined || target.epoch !== status.epoch) {
    return { order: undefined, silence: 'no jobmanager is there' }
  }
  try {
    const order = await options.link.savepoint(target, requestIdOf(object), signal)
    return { order, silence: undefined }
  } catch (error) {
    return { order: undefined, silence: messageOf(error) }
  }
}

async function act(
  { object }: ObservedSavepoint,
  decision: SavepointDecision,
  { options, signal }: Pass,
): Promise<void> {
  const { world, savepoints } = options
  if (decision.record) {
    const deployment = deploymentOf(object, world)
    if (deployment !== undefined) {
      await world.configMaps.create(recordOf(object, deployment), signal)
    }
  }
  const pod = podFor(object, decision, world)
  if (pod !== undefined) await world.pods.create(pod, signal)
  for (const one of decision.sweep) await world.pods.remove(one, undefined, signal)
  if (decision.finalizer !== undefined) await setFinalizer(object, decision.finalizer, options)
  if (decision.expire) await savepoints.remove(object, undefined, signal)
}

/** With the rights that the job had when the files were made. */
function podFor(
  object: SavepointObject,
  { dispose, verify }: SavepointDecision,
  world: JobWorld,
): PodObject | undefined {
  const number = dispose ?? verify
  const { path } = object.status ?? {}
  if (number === undefined || path === undefined) return undefined
  const deployed = deployedOfFile(world.configMaps.cache.get(recordKey(object)))
  if (deployed === undefined) return undefined
  const plan = { object, path, deployed, number }
  if (dispose !== undefined) return disposalOf(plan)
  return verificationPodOf(plan, specOf(object)?.verify === 'restore')
}

async function setFinalizer(
  { metadata }: SavepointObject,
  change: FinalizerChange,
  { world, savepoints }: ReconcileSavepointOptions,
): Promise<void> {
  world.mayWrite()
  const patched = await savepoints.client.patch(metadata, finalizerPatch(metadata, change))
  if (change === 'add') savepoints.cache.set(patched)
}

function recordKey({ metadata }: SavepointObject): string {
  return keyOf({ namespace: metadata.namespace, name: recordName(metadata) })
}

function deploymentOf(object: SavepointObject, world: JobWorld) {
  const job = jobOf(object, world)
  if (job === undefined) return undefined
  const name = job.status?.revision?.current ?? ''
  return world.configMaps.cache.get(keyOf({ namespace: job.metadata.namespace, name }))
}

async function writeStatus(
  observed: ObservedSavepoint,
  decision: SavepointDecision,
  { options, signal }: Pass,
): Promise<void> {
  const { world, savepoints } = options
  const { object, status: before, nowMs } = observed
  const { generation = 0 } = object.metadata
  const { findings } = decision
  const status = {
    ...decision.status,
    observedGeneration: generation,
    conditions: conditionsOf({
      before: before.conditions,
      known: savepointConditions,
      findings,
      generation,
      nowMs,
    }),
  }
  if (isDeepStrictEqual(status, before)) return
  world.mayWrite()
  const write = { status, manager: SAVEPOINT_MANAGER, signal }
  savepoints.cache.set(await writeWhole(savepoints.client, object, write))
  tellEnd(observed, status, options)
}

function tellEnd(
  { status: before, nowMs }: ObservedSavepoint,
  after: SavepointDecision['status'],
  { onEnded }: ReconcileSavepointOptions,
): void {
  if (before.phase !== 'InProgress' || after.phase === before.phase) return
  const seconds = (nowMs - Date.parse(after.startedAt ?? '')) / 1_000
  onEnded(after.phase === 'Completed' ? 'completed' : 'failed', Math.max(0, seconds))
}
