/** Whether a new deployment has failed, and why. Pure. */
import type { StreamJobSpec } from '../../../protocol/stream-job.ts'
import { keepPods } from '../keep-pods.ts'
import type { ObservedJob } from '../observed-job.ts'
import { isImageless, type PodFacts } from '../pod-facts.ts'
import { deathWords, mountsOf, troubleOf } from '../pod-troubles.ts'
import { millisecondsOf, type PhaseView } from './upgrade-step.ts'

export interface DeploymentFailure {
  readonly cause:
    | 'JobRefused'
    | 'RevisionLost'
    | 'ImageFailed'
    | 'CrashLoop'
    | 'ScheduleTimeout'
    | 'StartTimeout'
    | 'CheckpointsStalled'
    | 'Unreachable'
  readonly message: string
}

/** Of the epoch in the status; `undefined`: it may still come to run. */
export function failureOf(view: PhaseView): DeploymentFailure | undefined {
  const { seen, to, spec } = view
  const { pods, status, facts, nowMs } = seen
  const ours = pods.filter(one => one.epoch === status.epoch)
  const slots = to?.deployed.manifest.spec.parallelism ?? 0
  const { replacements } = keepPods({ epoch: status.epoch ?? 0, slots, pods, nowMs })
  const failed = failureOfPods(ours, replacements, spec.rollback)
  if (failed !== undefined) return failed
  const { maxRestarts } = spec.rollback
  if (facts !== undefined && facts.restarts > maxRestarts) {
    const last = facts.lastFailure?.message ?? 'it did not say why'
    return { cause: 'CrashLoop', message: `the job restarted ${facts.restarts} times: ${last}` }
  }
  return isOverdue(view) ? overdue(view, ours) : undefined
}

/** What its pods say by themselves. */
export function failureOfPods(
  ours: readonly PodFacts[],
  replacements: number,
  { maxRestarts }: Pick<StreamJobSpec['rollback'], 'maxRestarts'>,
): DeploymentFailure | undefined {
  const refused = ours.find(isRefusal)
  if (refused !== undefined) return ofPod('JobRefused', refused)
  const imageless = ours.find(isImageless)
  if (imageless !== undefined) return ofPod('ImageFailed', imageless)
  if (replacements <= maxRestarts) return undefined
  const words = deathWords(ours) ?? 'see its log'
  const message = `a pod was replaced ${replacements} times; ${words}`
  return { cause: 'CrashLoop', message }
}

/** The words of a jobmanager that will not take the job, now or later. */
export function isRefusal(pod: PodFacts): boolean {
  const isJobManager = pod.role === 'jobmanager' && pod.state === 'failed'
  return isJobManager && (pod.isRefused || pod.exitCode === 2)
}

/** The deadline allows for the checkpoints that are waited for. */
export function deadlineMs({ spec, to }: Pick<PhaseView, 'spec' | 'to'>): number {
  const interval = to?.deployed.manifest.spec.checkpoint.interval ?? spec.checkpoint.interval
  const checkpoints = spec.rollback.stableCheckpoints * millisecondsOf(interval)
  return millisecondsOf(spec.rollback.deadline) + checkpoints
}

function isOverdue(view: PhaseView): boolean {
  const { startingAt } = view.upgrade
  if (startingAt === undefined) return false
  return view.seen.nowMs >= Date.parse(startingAt) + deadlineMs(view)
}

function overdue(view: PhaseView, ours: readonly PodFacts[]): DeploymentFailure {
  const { seen, upgrade, spec, to } = view
  const mounts = to === undefined ? [] : mountsOf(to.deployed.manifest.spec)
  const trouble = troubleOf(ours, { nowMs: seen.nowMs, mounts })
  const pending = ours.find(one => one.state === 'pending')
  if (pending !== undefined) {
    const cause = pending.isBound ? 'StartTimeout' : 'ScheduleTimeout'
    const { name } = pending.pod.metadata
    return { cause, message: trouble ?? `pod ${name} does not run at the deadline: see its log` }
  }
  const refused = seen.status.conditions?.find(one => one.type === 'Scheduled')
  if (refused?.status === 'False' && seen.facts === undefined) {
    return { cause: 'ScheduleTimeout', message: `${refused.reason}: ${refused.message}` }
  }
  if (upgrade.phase === 'Starting') return notStarted(seen, trouble)
  if (seen.facts === undefined) {
    const message = 'the jobmanager did not answer until the deadline: see its log'
    return { cause: 'Unreachable', message }
  }
  const { completed, lastFailure } = seen.facts.checkpoints
  const wanted = spec.rollback.stableCheckpoints
  const because = lastFailure === null ? '' : `: ${lastFailure}`
  const message = `${completed} of ${wanted} checkpoints completed until the deadline${because}`
  return { cause: 'CheckpointsStalled', message }
}

/** With the last that anybody has said of it. */
function notStarted({ facts }: ObservedJob, trouble: string | undefined): DeploymentFailure {
  const last = trouble ?? facts?.lastFailure?.message
  const because = last === undefined ? '' : `; ${last}`
  const status = facts?.status ?? 'unknown'
  const message = `not all of the job runs at the deadline: its jobmanager says ${status}${because}`
  const isSilent = facts === undefined && trouble === undefined
  return { cause: isSilent ? 'Unreachable' : 'StartTimeout', message }
}

function ofPod(cause: DeploymentFailure['cause'], pod: PodFacts): DeploymentFailure {
  const { name } = pod.pod.metadata
  return { cause, message: `pod ${name}: ${pod.why ?? 'it did not say why'}` }
}
