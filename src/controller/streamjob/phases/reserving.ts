/**
 * The pods of the next epoch start while the job runs: all of them are there, the code is loaded,
 * and their jobmanager waits for the order to begin. Up to that order nothing of them reads or
 * writes the store, so they can be given up at any time. What does not come to run here never
 * stopped anything.
 */
import type { StreamJobStatus } from '../../../protocol/stream-job-status.ts'
import { newestJobManager } from '../job-target.ts'
import { keepPods } from '../keep-pods.ts'
import { nextEpoch } from '../next-epoch.ts'
import type { ObservedJob } from '../observed-job.ts'
import type { PodFacts } from '../pod-facts.ts'
import { type DeploymentFailure, failureOfPods, isRefusal } from './failure.ts'
import { keepRunning } from './keep-running.ts'
import { startOf } from './start-of.ts'
import {
  LOOK_MS,
  millisecondsOf,
  type Phase,
  type PhaseView,
  refusal,
  type Step,
  warned,
} from './upgrade-step.ts'

/** A node or a quota may have room a moment later; a job does not wait for it any longer. */
const ROOM_WAIT_MS = 10_000

/** Whether there is something to win, and room. */
export function mayReserve({ seen, upgrade, from, to, spec }: PhaseView): boolean {
  const { status, pods, surge } = seen
  if (spec.upgrade.surge === 'never' || upgrade.goal !== 'upgrade') return false
  if (from === undefined || to === undefined || surge.kind === 'waits') return false
  // What they begin with has to be known before the job is stopped.
  const keepsState = upgrade.mode === 'savepoint' || upgrade.mode === 'last-state'
  if (keepsState && status.state === undefined) return false
  return upgrade.request === undefined && isAtWork(seen, pods)
}

/** J1: the number of the epoch is stored before any pod has it, and given once. */
export function reserved({ seen }: PhaseView): Extract<Step, { readonly kind: 'move' }> {
  const warm = nextEpoch(seen.status)
  return {
    kind: 'move',
    phase: 'Reserving',
    change: { warm },
    store: { epochs: warm },
    surges: true,
  }
}

export const reserving: Phase = view => {
  const { seen, upgrade, from, to, spec } = view
  const { warm } = upgrade
  if (warm === undefined || from === undefined || to === undefined)
    return withoutSurge(view, 'lost')
  const { parallelism: slots } = to.deployed.manifest.spec
  const { pods, nowMs } = seen
  const kept = keepPods({ epoch: warm, slots, pods, nowMs })
  if (kept.isWhole && seen.warm?.status === 'warm') return { kind: 'move', phase: 'Savepointing' }
  const ours = pods.filter(one => one.epoch === warm)
  const failure = failureOfPods(ours, kept.replacements, spec.rollback)
  if (failure !== undefined && !isOfOlderImage(ours) && spec.rollback.enabled) {
    return undone(view, failure)
  }
  const hindrance = failure?.message ?? hindranceOf(view, ours, slots)
  if (hindrance !== undefined) return withoutSurge(view, hindrance)
  const running = ours.filter(one => one.state === 'running').length
  return {
    kind: 'stay',
    acts: {
      ...keepRunning(view, from),
      warm: { revision: to, start: kept.start, from: startOf(view) },
    },
    message: `${running} of ${slots + 1} pods of epoch ${warm} are up, ${from.name} runs`,
    againMs: Math.min(LOOK_MS, kept.againMs ?? LOOK_MS),
  }
}

/** A job that is not at work is not kept from it any longer than by what it waits for itself. */
function isAtWork({ status }: ObservedJob, pods: readonly PodFacts[]): boolean {
  return newestJobManager(pods, status.epoch)?.state === 'running'
}

/** `weir describe` of a version that knows of no warm start: the same pods start without it. */
function isOfOlderImage(pods: readonly PodFacts[]): boolean {
  return pods.some(one => isRefusal(one) && /unknown option/.test(one.why ?? ''))
}

/** `undefined`: it may still come. */
function hindranceOf(
  { seen, spec, ageMs }: PhaseView,
  pods: readonly PodFacts[],
  slots: number,
): string | undefined {
  if (ageMs >= millisecondsOf(spec.rollback.deadline)) return 'they are not up at the deadline'
  if (ageMs < ROOM_WAIT_MS) return undefined
  const unbound = pods.find(one => one.state === 'pending' && !one.isBound && one.why !== undefined)
  if (unbound !== undefined) return `pod ${unbound.pod.metadata.name}: ${unbound.why}`
  return pods.length > slots ? undefined : writeRefusalIn(seen.status)
}

/** In the words of the API server. */
function writeRefusalIn({ conditions }: StreamJobStatus): string | undefined {
  const scheduled = conditions?.find(one => one.type === 'Scheduled' && one.status === 'False')
  return scheduled && `${scheduled.reason}: ${scheduled.message}`
}

/** Its pods go, and the same is done again with the old ones gone first. */
function withoutSurge({ upgrade }: PhaseView, why: string): Step {
  const note = `${upgrade.to} starts only after ${upgrade.from} has stopped: ${why}`
  return {
    kind: 'move',
    phase: 'Savepointing',
    change: { warm: undefined },
    events: [warned('SurgeSkipped', note)],
  }
}

/** The best way back is never to have left. */
function undone(view: PhaseView, { cause, message }: DeploymentFailure): Step {
  const { from, to } = view.upgrade
  const why = { reason: 'RolledBack', message: `${cause}: ${message}` }
  return {
    kind: 'end',
    phase: 'Running',
    result: 'rolled-back',
    store: refusal(view, to, why),
    events: [warned('RolledBack', `${to} never ran, ${from} was not stopped: ${why.message}`)],
  }
}
