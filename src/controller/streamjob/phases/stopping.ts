/**
 * The old deployment leaves: its pods are told to, and what is still there after their grace is not
 * waited for. That is safe: the next deployment takes a higher generation in the store, and no
 * process of this one completes or commits anything from then on, nor begins again.
 */
import type { StreamJobStatus } from '../../../protocol/stream-job-status.ts'
import type { EventWords } from '../../kube/event-series.ts'
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
  const { pods, status } = seen
  // The kubelet takes seconds to remove the record of a pod whose processes are over.
  const alive = pods.filter(one => !one.hasEnded)
  const limitMs = Math.min(GRACE_MS, Math.max(millisecondsOf(spec.stop.timeout), LOOK_MS))
  const isOver = view.ageMs >= limitMs
  const isKept = upgrade.taken === undefined || seen.isStopKept
  if (alive.length === 0 && (isKept || isOver)) return gone(view)
  const stop = pods.filter(one => one.state !== 'leaving')
  const waitMs = isOver || alive.length === 0 ? LOOK_MS : limitMs - view.ageMs
  return {
    kind: 'stay',
    acts: {
      stop,
      kill: isOver ? pods.filter(one => one.state === 'leaving') : [],
      ...(!(isKept || isOver) && { keepSavepoint: upgrade.taken }),
    },
    message:
      alive.length === 0
        ? `the savepoint at ${upgrade.taken} is noted`
        : `${alive.length} pods of epoch ${status.epoch ?? 0} leave (${upgrade.mode})`,
    againMs: waitMs,
  }
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
  const epoch = (status.epoch ?? 0) + 1
  const now = timeOf(nowMs)
  return {
    kind: 'move',
    phase: 'Starting',
    change: { startingAt: now, stoppedAt: upgrade.since, taken: undefined },
    events: orphaned(view),
    store: {
      epoch,
      start: startOf(view),
      revision: { ...status.revision, current: upgrade.to, target: upgrade.to },
    },
  }
}

/** U1, U2, U3: what the store has newest, unless a person asked for something else. */
function startOf({ seen, upgrade, to }: PhaseView): StreamJobStatus['start'] {
  const { status } = seen
  const isGoingBack = upgrade.rollback !== undefined
  if (!isGoingBack && upgrade.mode === 'stateless') return { from: 'empty' }
  if (!isGoingBack && upgrade.mode === 'restore') {
    const { path, fromJob } = to?.deployed.manifest.spec.restore ?? {}
    return { from: 'path', ...(path && { path }), ...(fromJob && { fromJob }) }
  }
  const beganAnew = upgrade.mode === 'stateless' || upgrade.mode === 'restore'
  const { epoch, path } = status.state ?? {}
  // One that completed nothing names what it was started from.
  const hasCompleted = epoch === status.epoch && path !== status.start?.path
  if (isGoingBack && beganAnew && !hasCompleted && upgrade.savepoint !== undefined) {
    // What the undone deployment began with is no state of the one before it.
    return { from: 'path', path: upgrade.savepoint }
  }
  return { from: status.state === undefined ? 'continue' : 'latest' }
}
