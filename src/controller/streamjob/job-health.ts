/**
 * What is found of a deployment that is under way or runs: by its pods, and by what its jobmanager
 * says. Pure. `Ready` says that the job does its work, not that its pods run: each slot runs, and a
 * checkpoint completed lately.
 */
import { parseDuration } from '../../common/duration.ts'
import type { JobFacts } from '../../protocol/job-facts.ts'
import type { Condition } from '../../protocol/status-fields.ts'
import type { StreamJobSpec } from '../../protocol/stream-job.ts'
import type { HeardJob } from '../link/facts-poller.ts'
import { asFound, type Finding } from './finding.ts'
import { isImageless, type PodFacts } from './pod-facts.ts'
import { type Surroundings, troubleOf, waitWords } from './pod-troubles.ts'

export interface Health extends Surroundings {
  /** Of this deployment. */
  readonly pods: readonly PodFacts[]
  /** So many there are to be. */
  readonly wanted: number
  /** All of them run. */
  readonly isWhole: boolean
  readonly heard: HeardJob
  /** As they stand in the status. */
  readonly before: readonly Condition[]
  readonly checkpoint: StreamJobSpec['checkpoint']
}

const INTERVALS_MAX = 3
/** A checkpoint may take longer than the interval; a stall of less harms nobody. */
const OVERDUE_MIN_MS = 30_000

/** An answer may be late; the job goes on all the same. */
const SILENCE_MS = 15_000

type Verdict = Omit<Finding, 'type' | 'holds'>

export function healthOf(health: Health): Finding[] {
  const { facts, silence } = health.heard
  const isPatient = (silence?.ms ?? 0) < SILENCE_MS
  // What was not heard yet is as it was: a controller that begins to lead changes nothing.
  if (health.isWhole && facts === undefined && isPatient) return asBefore(health)
  const verdict = unreadiness(health)
  const ready: Finding[] =
    verdict === undefined
      ? [{ type: 'Ready', holds: true, reason: 'Running', message: readyMessage(health) }]
      : [
          { type: 'Ready', holds: false, ...verdict },
          { type: 'Reconciling', holds: true, ...verdict },
        ]
  return [
    scheduled(health),
    ...ready,
    runs(health, facts),
    ...(facts === undefined ? [] : [checkpointHealth(facts, health.checkpoint)]),
  ]
}

const byWord: ReadonlySet<string> = new Set([
  'Ready',
  'Reconciling',
  'Running',
  'CheckpointHealthy',
] satisfies Finding['type'][])

function asBefore(health: Health): Finding[] {
  const { before } = health
  return [scheduled(health), ...knownFindings(before).filter(one => byWord.has(one.type))]
}

/** What a deployment was found to be, as it stands in the status. */
export function knownFindings(before: readonly Condition[]): readonly Finding[] {
  const found = asFound({ status: { conditions: [...before] } })
  return found.filter(one => one.type === 'Scheduled' || byWord.has(one.type))
}

function readyMessage({ wanted }: Health): string {
  return `all ${wanted} pods run, and checkpoints complete`
}

/** The first reason that speaks against it. */
function unreadiness(health: Health): Verdict | undefined {
  const { isWhole, heard } = health
  if (!isWhole) return missingPods(health)
  const { facts, silence } = heard
  const isSilent = facts === undefined || (silence?.ms ?? 0) >= SILENCE_MS
  if (isSilent) return { reason: 'JobManagerSilent', message: silence?.why ?? 'nothing was heard' }
  if (facts.status !== 'running') return notRunning(facts)
  return checkpointDelay(health, facts)
}

function missingPods(health: Health): Verdict {
  const { pods, wanted } = health
  const trouble = troubleOf(pods, health)
  const running = pods.filter(one => one.state === 'running').length
  const because = trouble === undefined ? '' : `; ${trouble}`
  return { reason: 'PodsMissing', message: `${running} of ${wanted} pods run${because}` }
}

function notRunning({ status, lastFailure }: JobFacts): Verdict {
  const because = lastFailure === null ? '' : `; its last failure: ${lastFailure.message}`
  const reason = status === 'restarting' ? 'Restarting' : 'Starting'
  return { reason, message: `the jobmanager says that the job is ${status}${because}` }
}

function checkpointDelay({ checkpoint }: Health, { checkpoints }: JobFacts): Verdict | undefined {
  const { ageMs, lastFailure } = checkpoints
  const because = lastFailure === null ? '' : `; the last failed: ${lastFailure}`
  if (ageMs === null) {
    const message = `every vertex runs, and the first checkpoint is awaited${because}`
    return { reason: 'NoCheckpointYet', message }
  }
  const intervalMs = parseDuration(checkpoint.interval) ?? 0
  if (ageMs <= Math.max(OVERDUE_MIN_MS, INTERVALS_MAX * intervalMs)) return undefined
  const message =
    `no checkpoint completed for more than ${INTERVALS_MAX} intervals of ` +
    `${checkpoint.interval}${because}`
  return { reason: 'CheckpointOverdue', message }
}

function scheduled(health: Health): Finding {
  for (const pod of health.pods) {
    const message = waitWords(pod, health)
    if (message !== undefined) {
      return { type: 'Scheduled', holds: false, reason: waitOf(pod), message }
    }
  }
  return { type: 'Scheduled', holds: true, reason: 'PodsBound', message: 'no pod waits' }
}

function waitOf(pod: PodFacts): string {
  if (isImageless(pod)) return 'ImagePullFailed'
  return pod.isBound ? 'PodPending' : 'SchedulingBlocked'
}

function runs({ isWhole }: Health, facts: JobFacts | undefined): Finding {
  const holds = isWhole && facts?.status === 'running'
  return {
    type: 'Running',
    holds,
    reason: holds ? 'EveryVertexRuns' : 'NotRunning',
    message: holds ? 'every subtask of every vertex runs' : (facts?.status ?? 'nothing was heard'),
  }
}

/** The engine fails the job itself when more failed than are tolerated. */
function checkpointHealth(
  { checkpoints }: JobFacts,
  { tolerableFailures }: StreamJobSpec['checkpoint'],
): Finding {
  const { failuresInRow, lastFailure } = checkpoints
  const holds = failuresInRow <= tolerableFailures
  const message = holds
    ? `not more than ${tolerableFailures} checkpoints in a row failed`
    : `${failuresInRow} checkpoints in a row failed, ${tolerableFailures} are tolerated: ` +
      (lastFailure ?? 'the reason is in the log of the jobmanager')
  return { type: 'CheckpointHealthy', holds, reason: holds ? 'Completing' : 'Failing', message }
}
