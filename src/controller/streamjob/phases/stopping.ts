/**
 * The old deployment leaves: its pods are told to, and what is still there after their grace is not
 * waited for. That is safe: the next deployment takes a higher generation in the store, and no
 * process of this one completes or commits anything from then on, nor begins again. Where the next
 * one is warm, and the job has said that it is over, not even their end is waited for.
 */
import type { EventWords } from '../../kube/event-series.ts'
import { nextEpoch } from '../next-epoch.ts'
import type { Upgrade } from '../observed-job.ts'
import { startOf } from './start-of.ts'
import {
  LOOK_MS,
  millisecondsOf,
  type Phase,
  type PhaseView,
  type Step,
  said,
  timeOf,
  warned,
} from './upgrade-step.ts'

/** The grace of the pods, and some time for the kubelet to say so. */
const GRACE_MS = 75_000

export const stopping: Phase = view => {
  const { seen, upgrade, spec } = view
  const { status } = seen
  const isResting = spec.state === 'suspended'
  const pods = seen.pods.filter(one => isResting || one.epoch !== upgrade.warm)
  // The kubelet takes seconds to remove the record of a pod whose processes are over.
  const alive = pods.filter(one => !one.hasEnded)
  const isLeft = alive.length === 0 || (!isResting && isHandedOver(upgrade))
  const limitMs = Math.min(GRACE_MS, Math.max(millisecondsOf(spec.stop.timeout), LOOK_MS))
  const isOver = view.ageMs >= limitMs
  const isKept = upgrade.taken === undefined || seen.isStopKept
  if (isLeft && (isKept || isOver)) return gone(view)
  const stop = pods.filter(one => one.state !== 'leaving')
  const waitMs = isOver || isLeft ? LOOK_MS : limitMs - view.ageMs
  return {
    kind: 'stay',
    acts: {
      stop,
      kill: isOver ? pods.filter(one => one.state === 'leaving') : [],
      ...(!(isKept || isOver) && { keepSavepoint: upgrade.taken }),
    },
    message: isLeft
      ? `the savepoint at ${upgrade.taken} is noted`
      : `${alive.length} pods of epoch ${status.epoch ?? 0} leave (${upgrade.mode})`,
    againMs: waitMs,
  }
}

/** Nobody comes back, and who takes its place is there. */
function isHandedOver({ warm, hasEnded }: Upgrade): boolean {
  return warm !== undefined && hasEnded === true
}

/** A job does not stand still because nobody will find a folder. */
function orphaned({ seen, upgrade: { taken } }: PhaseView): readonly EventWords[] {
  if (taken === undefined || seen.isStopKept) return []
  const note = `no Savepoint could be made for ${taken}: it stays until somebody removes it`
  return [warned('StateOrphaned', note)]
}

function gone(view: PhaseView): Step {
  const { seen, upgrade, spec } = view
  const { status, nowMs } = seen
  if (spec.state === 'suspended') {
    const rests = said('Suspended', 'its pods are gone; its state is kept')
    const events = [rests, ...orphaned(view)]
    return { kind: 'end', phase: 'Suspended', result: 'done', events }
  }
  const epoch = upgrade.warm ?? nextEpoch(status)
  const now = timeOf(nowMs)
  return {
    kind: 'move',
    phase: 'Starting',
    change: { startingAt: now, stoppedAt: upgrade.since, taken: undefined, hasEnded: undefined },
    events: orphaned(view),
    store: {
      epoch,
      start: startOf(view),
      revision: { ...status.revision, current: upgrade.to, target: upgrade.to },
    },
  }
}
