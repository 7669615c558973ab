/**
 * What is to be done for a job, by what was observed. Pure: each policy looks at one concern and
 * speaks or is silent; the first that speaks decides. `reconcile-job.ts` performs it.
 *
 * J1: an epoch stands in the status before any pod of it exists, and never comes back.
 * J2: what has finished or failed is not started again until its spec changes.
 * J3: an epoch begins in the room of its tenant's quota only.
 */
import type { IssueText } from '../../protocol/manifest-issues.ts'
import type { StreamJob } from '../../protocol/stream-job.ts'
import type { JobPhase, StreamJobStatus } from '../../protocol/stream-job-status.ts'
import type { HeardJob } from '../link/facts-poller.ts'
import type { Admission } from '../tenancy/admission.ts'
import type { Finding } from './finding.ts'
import { healthOf } from './job-health.ts'
import { PAUSE, type PodIdentity } from './job-names.ts'
import type { PodFacts } from './pod-facts.ts'
import type { StreamJobObject } from './stream-job-object.ts'

/** A deployment as it was made: a later spec does not change it. */
export interface Deployed {
  readonly manifest: StreamJob
  readonly image: string
  /** Of the spec that it was made of. */
  readonly specDigest: string
}

export interface ObservedJob {
  readonly object: StreamJobObject
  readonly checked: { readonly manifest: StreamJob } | { readonly problems: readonly IssueText[] }
  /** Of the spec that is asked for. */
  readonly specDigest: string
  readonly status: StreamJobStatus
  /** The deployment of the epoch in the status; `undefined`: not made yet. */
  readonly deployed: Deployed | undefined
  readonly pods: readonly PodFacts[]
  /** Of the newest jobmanager of the epoch. */
  readonly heard: HeardJob
  /** Whether its tenant has room for what the spec asks for. */
  readonly admission: Admission
  readonly nowMs: number
}

export interface JobDecision {
  readonly phase: JobPhase
  /** To be stored before anything is done. */
  readonly epoch: number
  /** The objects of the epoch are to be there. */
  readonly deploy: boolean
  readonly start: readonly PodIdentity[]
  readonly stop: readonly PodFacts[]
  readonly findings: readonly Finding[]
  /** Its place among those that wait for room. */
  readonly queue: Omit<NonNullable<StreamJobStatus['queue']>, 'since'> | undefined
  /** A deadline that nothing else would wake it up for. */
  readonly againMs: number | undefined
}

type Policy = (observed: ObservedJob) => JobDecision | undefined

const policies: readonly Policy[] = [
  beingDeleted,
  paused,
  overForGood,
  ended,
  invalid,
  suspended,
  notAdmitted,
  firstOrNext,
  atWork,
]

export function decideJob(observed: ObservedJob): JobDecision {
  for (const policy of policies) {
    const decision = policy(observed)
    if (decision !== undefined) return decision
  }
  return decided(observed, {})
}

function decided(observed: ObservedJob, more: Partial<JobDecision>): JobDecision {
  const { status } = observed
  return {
    phase: status.phase ?? 'Deploying',
    epoch: status.epoch ?? 0,
    deploy: false,
    start: [],
    stop: [],
    findings: [],
    queue: undefined,
    againMs: undefined,
    ...more,
  }
}

/** Its pods belong to it and go with it. */
function beingDeleted(observed: ObservedJob): JobDecision | undefined {
  if (observed.object.metadata.deletionTimestamp === undefined) return undefined
  return decided(observed, { phase: 'Deleting' })
}

function paused(observed: ObservedJob): JobDecision | undefined {
  if (observed.object.metadata.annotations?.[PAUSE] !== 'true') return undefined
  const message = `the annotation ${PAUSE} holds everything as it is: remove it to go on`
  const finding: Finding = { type: 'Stalled', holds: true, reason: 'Paused', message }
  return decided(observed, { findings: [finding] })
}

function overForGood(observed: ObservedJob): JobDecision | undefined {
  const { status, object, pods } = observed
  const isOver = status.phase === 'Finished' || status.phase === 'Failed'
  if (!isOver || status.observedGeneration !== object.metadata.generation) return undefined
  // The jobmanager's pod stays for its log; slots would only hold room.
  const stop = pods.filter(one => one.role === 'taskmanager' && one.state !== 'leaving')
  const findings = status.phase === 'Finished' ? finishedFindings : failedFindings(status)
  return decided(observed, { stop, findings })
}

const finishedFindings: readonly Finding[] = [
  { type: 'Ready', holds: false, reason: 'Finished', message: 'the job has come to its end' },
]

function failedFindings(status: StreamJobStatus): readonly Finding[] {
  const before = status.conditions?.find(one => one.type === 'Stalled')
  const message = before?.message ?? 'the job cannot run: change its spec'
  return [
    { type: 'Stalled', holds: true, reason: before?.reason ?? 'JobRefused', message },
    { type: 'Ready', holds: false, reason: 'Failed', message },
  ]
}

/** The jobmanager has said its last word. */
function ended(observed: ObservedJob): JobDecision | undefined {
  const { status, pods } = observed
  if (status.phase === 'Finished' || status.phase === 'Failed') return undefined
  const last = latest(pods.filter(one => one.role === 'jobmanager' && one.epoch === status.epoch))
  if (last?.state === 'succeeded') {
    return decided(observed, { phase: 'Finished', findings: finishedFindings })
  }
  const isRefused = last?.state === 'failed' && (last.isRefused || last.exitCode === 2)
  if (!isRefused) return undefined
  const { name } = last.pod.metadata
  const message =
    `pod ${name} refuses the job (${last.why ?? 'exit code 2'}): ` +
    `see kubectl logs ${name} --all-containers, then change the spec`
  return decided(observed, {
    phase: 'Failed',
    findings: [
      { type: 'Stalled', holds: true, reason: 'JobRefused', message },
      { type: 'Ready', holds: false, reason: 'Failed', message },
    ],
  })
}

/** What runs goes on as it was. */
function invalid(observed: ObservedJob): JobDecision | undefined {
  const problem = problemOf(observed)
  if (problem === undefined) return undefined
  const { reason, message } = problem
  const stalled: Finding = { type: 'Stalled', holds: true, reason, message }
  if (isDeployed(observed)) return atWork(observed, [stalled])
  const ready: Finding = { type: 'Ready', holds: false, reason, message }
  return decided(observed, { phase: 'Queued', findings: [stalled, ready] })
}

function problemOf({ checked }: ObservedJob): { reason: string; message: string } | undefined {
  if ('problems' in checked) {
    const texts = checked.problems.map(one => `${one.path.join('.')} ${one.problem}: ${one.fix}`)
    return { reason: 'SpecInvalid', message: texts.join('; ') }
  }
  const { checkpoint, restore } = checked.manifest.spec
  // Going on without it would be a start without state, which nobody asked for.
  if (restore?.savepoint !== undefined) {
    const message =
      `spec.restore.savepoint is ${restore.savepoint}: a Savepoint cannot be named yet; ` +
      'write its folder as spec.restore.path'
    return { reason: 'RestoreNotSupported', message }
  }
  const { storage } = checkpoint
  if (storage?.startsWith('s3://') === true) return undefined
  const message =
    `spec.checkpoint.storage is ${storage ?? 'not set'}: the pods of a job share ` +
    'no folder; name a bucket, such as s3://bucket/prefix'
  return { reason: 'StorageNotShared', message }
}

function suspended(observed: ObservedJob): JobDecision | undefined {
  const { checked, pods, status } = observed
  if (!('manifest' in checked) || checked.manifest.spec.state !== 'suspended') return undefined
  const alive = pods.filter(one => one.state !== 'succeeded' && one.state !== 'failed')
  const phase = alive.length > 0 ? 'Suspending' : 'Suspended'
  const message =
    phase === 'Suspended'
      ? 'set spec.state: running to go on from the last checkpoint'
      : `${alive.length} pods take a last checkpoint and leave`
  const findings: Finding[] = [{ type: 'Ready', holds: false, reason: phase, message }]
  if (phase === 'Suspending') {
    findings.push({ type: 'Reconciling', holds: true, reason: phase, message })
  }
  const stop = pods.filter(one => one.state !== 'leaving')
  return decided(observed, {
    phase: status.epoch === undefined ? 'Suspended' : phase,
    stop,
    findings,
  })
}

/** Its position may change without any news of it. */
const LOOK_AT_QUEUE_MS = 60_000

/** J3: where the tenant has no room, not even the first pod of a deployment is made. */
function notAdmitted(observed: ObservedJob): JobDecision | undefined {
  const { admission } = observed
  if (admission.kind !== 'waits' || isDeployed(observed)) return undefined
  const { tenant, position, reason, shortfall } = admission
  const message =
    `number ${position} in the queue of tenant ${tenant}: ${shortfall}; ` +
    'it starts by itself once there is room'
  return decided(observed, {
    phase: 'Queued',
    queue: { position, reason, shortfall: shortfall.slice(0, 512) },
    findings: [
      { type: 'QuotaAdmitted', holds: false, reason, message },
      { type: 'Ready', holds: false, reason, message },
    ],
    againMs: LOOK_AT_QUEUE_MS,
  })
}

/** J1: here the epoch is only raised; its pods come once that is stored. */
function firstOrNext(observed: ObservedJob): JobDecision | undefined {
  if (isDeployed(observed)) return undefined
  const epoch = (observed.status.epoch ?? 0) + 1
  const message = `deployment ${epoch} begins`
  return decided(observed, {
    phase: 'Deploying',
    epoch,
    findings: [
      { type: 'Reconciling', holds: true, reason: 'Deploying', message },
      { type: 'Ready', holds: false, reason: 'Deploying', message },
    ],
  })
}

/** An epoch is under way or runs. */
function isDeployed({ status }: ObservedJob): boolean {
  return status.phase === 'Deploying' || status.phase === 'Running'
}

function atWork(observed: ObservedJob, also: readonly Finding[] = []): JobDecision {
  const { status, deployed, pods, checked, nowMs } = observed
  const epoch = status.epoch ?? 0
  const spec =
    deployed?.manifest.spec ?? ('manifest' in checked ? checked.manifest.spec : undefined)
  if (spec === undefined || deployed === undefined) {
    return decided(observed, { deploy: true, findings: also })
  }
  const ours = pods.filter(one => one.epoch === epoch)
  const places = placesOf(epoch, spec.parallelism)
  const lost = places.flatMap(place => replacement(place, ours, nowMs) ?? [])
  const due = lost.filter(one => one.inMs <= 0).map(one => one.identity)
  const waits = lost.filter(one => one.inMs > 0).map(one => one.inMs)
  const running = ours.filter(one => one.state === 'running')
  const isWhole = running.length >= places.length && lost.length === 0
  // A dead pod goes when the one in its place is there; the last one tells why.
  const stop = pods.filter(one => one.state !== 'leaving' && isReplaced(one, ours, epoch))
  const { heard } = observed
  const { checkpoint } = spec
  const before = status.conditions ?? []
  const health = { pods: ours, wanted: places.length, isWhole, heard, before, checkpoint }
  const findings = [...healthOf(health), ...pendingChange(observed, deployed)]
  return decided(observed, {
    phase: isWhole ? 'Running' : status.phase === 'Running' ? 'Running' : 'Deploying',
    deploy: true,
    start: due,
    stop,
    findings: [...findings.filter(one => !also.some(other => other.type === one.type)), ...also],
    againMs: waits.length === 0 ? undefined : Math.min(...waits),
  })
}

type Place = Omit<PodIdentity, 'attempt'>

function placesOf(epoch: number, slots: number): Place[] {
  const taskManagers = Array.from({ length: slots }, (_, slot) => {
    return { epoch, role: 'taskmanager' as const, slot }
  })
  return [{ epoch, role: 'jobmanager', slot: 0 }, ...taskManagers]
}

const isAt = (place: Place) => (one: PodFacts) => one.role === place.role && one.slot === place.slot

function latest(pods: readonly PodFacts[]): PodFacts | undefined {
  return pods.toSorted((a, b) => b.attempt - a.attempt)[0]
}

const FIRST_DELAY_MS = 1_000
const DELAY_MAX_MS = 60_000

/** The first replacement comes at once; those of a process that keeps dying wait ever longer. */
function replacement(place: Place, pods: readonly PodFacts[], nowMs: number) {
  const last = latest(pods.filter(isAt(place)))
  if (last === undefined) return { identity: { ...place, attempt: 1 }, inMs: 0 }
  // One that leaves is fenced: nobody waits for it.
  const isGone = last.state === 'failed' || last.state === 'leaving'
  const hasLeft = last.state === 'succeeded' && place.role === 'taskmanager'
  if (!isGone && !hasLeft) return undefined
  const identity = { ...place, attempt: last.attempt + 1 }
  const isFirst = last.attempt < 2 || last.state === 'leaving'
  const delayMs = Math.min(DELAY_MAX_MS, FIRST_DELAY_MS * 1.5 ** (last.attempt - 2))
  return { identity, inMs: isFirst ? 0 : Math.max(0, last.endedMs + delayMs - nowMs) }
}

function isReplaced(pod: PodFacts, ours: readonly PodFacts[], epoch: number): boolean {
  if (pod.epoch !== epoch) return true
  const isDead = pod.state === 'failed' || pod.state === 'succeeded'
  return isDead && ours.some(one => isAt(pod)(one) && one.attempt > pod.attempt)
}

/** A changed spec is not rolled out by itself yet: nothing happens behind anyone's back. */
function pendingChange(observed: ObservedJob, deployed: Deployed): Finding[] {
  if (observed.specDigest === deployed.specDigest) return []
  const message =
    'the spec was changed and the job runs on as it was deployed: ' +
    'set spec.state: suspended, then running, to take it with the state'
  return [{ type: 'Stalled', holds: true, reason: 'SpecNotRolledOut', message }]
}
