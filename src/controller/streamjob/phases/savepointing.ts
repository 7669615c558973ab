/**
 * The state that the next deployment goes on from: a savepoint that the job is stopped with, or
 * what its last checkpoint left, or nothing, where that was asked for.
 *
 * The order is stored before it is given (its name is `upgrade.request`), and the jobmanager
 * carries it out once: a controller that comes after may give it again.
 */

import type { StopFacts } from '../../../protocol/job-facts.ts'
import { newestJobManager } from '../job-target.ts'
import { keepRunning } from './keep-running.ts'
import {
  LOOK_MS,
  millisecondsOf,
  type Phase,
  type PhaseView,
  refusal,
  type Step,
  warned,
} from './upgrade-step.ts'

export const savepointing: Phase = view => {
  const { upgrade, seen, from } = view
  if (upgrade.mode === 'last-state' && isTooOld(view)) {
    // U4: what would be repeated is worth a savepoint.
    return { kind: 'move', phase: 'Savepointing', change: { mode: 'savepoint' } }
  }
  if (upgrade.mode !== 'savepoint') return stopped(view)
  if (cannotTakeOne(view)) {
    const status = seen.facts?.status ?? 'unknown'
    return withoutSavepoint(view, `only a job that runs takes one, and it is ${status}`)
  }
  if (upgrade.request === undefined) {
    return ordered(view)
  }
  const stop = seen.facts?.stop?.id === upgrade.request ? seen.facts.stop : undefined
  // U6: also one that completed although the stop failed.
  if (stop !== undefined && stop.snapshot !== null && stop.status !== 'pending') {
    return stopped(view, stop)
  }
  if (stop?.status === 'failed') return withoutSavepoint(view, stop.error?.message ?? 'it failed')
  const jobManager = newestJobManager(seen.pods, seen.status.epoch)
  // It ended as it was told to: the savepoint stands in the store, and the next start finds it.
  if (jobManager?.state === 'succeeded') return stopped(view)
  const isAlive = jobManager?.state === 'running' || jobManager?.state === 'pending'
  if (!isAlive) return withoutSavepoint(view, 'no jobmanager runs')
  const limitMs = timeoutMs(view)
  if (view.ageMs >= limitMs) {
    return withoutSavepoint(view, `none completed in ${limitMs / 1_000} s`)
  }
  const order = { requestId: upgrade.request, drain: upgrade.goal === 'suspend' && drains(view) }
  return {
    kind: 'stay',
    acts: { ...(from === undefined ? {} : keepRunning(view, from)), order },
    message: `a savepoint is being taken (${upgrade.request})`,
    againMs: Math.min(LOOK_MS, limitMs - view.ageMs),
  }
}

/** What falls over now and then is up again by then. */
const UP_AGAIN_MS = 15_000

/** A job that does not come to run takes none, and that may be why it is changed. */
function cannotTakeOne({ seen, spec, ageMs }: PhaseView): boolean {
  const { facts, status } = seen
  if (facts?.status !== 'starting' && facts?.status !== 'restarting') return false
  if (status.state === undefined && facts.latest === null) return true
  return spec.upgrade.fallbackToLastState && ageMs >= UP_AGAIN_MS
}

/** The name of the order, which no other of the epoch has. */
function ordered({ seen }: PhaseView): Extract<Step, { readonly kind: 'move' }> {
  const { uid = '' } = seen.object.metadata
  const orders = (seen.status.orders ?? 0) + 1
  const request = `${uid}-${seen.status.epoch ?? 0}-${orders}`
  return { kind: 'move', phase: 'Savepointing', change: { request }, store: { orders } }
}

function timeoutMs({ upgrade, spec }: PhaseView): number {
  const { stop, upgrade: settings } = spec
  return millisecondsOf(upgrade.goal === 'suspend' ? stop.timeout : settings.savepointTimeout)
}

function drains({ spec }: PhaseView): boolean {
  return spec.stop.drain
}

function isTooOld({ upgrade, spec, seen }: PhaseView): boolean {
  const { lastStateMaxAge } = spec.upgrade
  const isRunning = newestJobManager(seen.pods, seen.status.epoch)?.state === 'running'
  // Without a jobmanager there is nothing newer to be had.
  if (lastStateMaxAge === undefined || upgrade.goal === 'resume' || !isRunning) return false
  if (upgrade.request !== undefined) return false
  const known = seen.facts?.latest?.completedAtMs ?? Number.NEGATIVE_INFINITY
  return seen.nowMs - known > millisecondsOf(lastStateMaxAge)
}

/** What is known of the state by now is what a way back would need. */
function stopped({ seen, upgrade }: PhaseView, stop?: StopFacts): Step {
  const { status, facts } = seen
  const snapshot = stop?.snapshot ?? facts?.latest ?? undefined
  const path = snapshot?.path ?? status.state?.path
  const isSavepoint = snapshot?.kind === 'savepoint' && upgrade.mode === 'savepoint'
  const note = `savepoint ${snapshot?.path ?? ''} of epoch ${status.epoch ?? 0}`
  // Only what the order itself has taken: others may be somebody's.
  const taken = stop?.snapshot?.kind === 'savepoint' ? stop.snapshot.path : undefined
  const hasEnded = stop?.status === 'completed'
  return {
    kind: 'move',
    phase: 'Stopping',
    change: {
      ...(path && { savepoint: path }),
      ...(taken && { taken }),
      ...(hasEnded && { hasEnded }),
    },
    ...(isSavepoint && {
      events: [{ type: 'Normal', reason: 'SavepointCompleted', action: 'Upgrade', note }],
    }),
  }
}

/** U2: what was completed last is gone on from, never nothing. */
function withoutSavepoint(view: PhaseView, why: string): Step {
  const { upgrade, spec, seen } = view
  const message = `no savepoint before the job is stopped: ${why}`
  const events = [warned('SavepointFailed', message)]
  const isGoingBack = upgrade.rollback !== undefined
  const isFree = isGoingBack || !isStillAtWork(view) || seen.status.state === undefined
  if (spec.upgrade.fallbackToLastState || isFree) {
    return { kind: 'move', phase: 'Stopping', change: { mode: 'last-state' }, events }
  }
  const isOver = seen.facts?.stop?.id === upgrade.request && seen.facts?.stop?.status === 'failed'
  const store = refusal(view, upgrade.to, { reason: 'SavepointFailed', message })
  if (isOver && upgrade.goal !== 'suspend') {
    return { kind: 'end', phase: 'Running', result: 'refused', store, events }
  }
  if (upgrade.goal === 'suspend') {
    // Under another name: the order before is over, or will be answered to nobody.
    return { ...ordered(view), events }
  }
  // The order cannot be taken back: whenever it is carried out, the job has to begin again.
  const change = { to: upgrade.from, rollback: 'SavepointFailed', mode: 'last-state' } as const
  return { kind: 'move', phase: 'Stopping', change, store, events }
}

function isStillAtWork({ seen }: PhaseView): boolean {
  return newestJobManager(seen.pods, seen.status.epoch)?.state === 'running'
}
