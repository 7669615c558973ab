/**
 * A short-lived pod of the new revision checks types, bundles, builds the graph and holds it
 * against the newest state, and the API server is asked whether it would make its pods. The running
 * job is not touched, and is kept as it is.
 */
import type { WriteRefusal } from '../../kube/write-refusal.ts'
import { diffOf } from '../diff-class.ts'
import type { PlannedState } from '../job-decision.ts'
import type { Revision } from '../observed-job.ts'
import type { PlanFacts } from '../pod-facts.ts'
import { keepRunning } from './keep-running.ts'
import { mayReserve, reserved } from './reserving.ts'
import {
  LOOK_MS,
  millisecondsOf,
  type Phase,
  type PhaseView,
  refusal,
  type Step,
  warned,
} from './upgrade-step.ts'

/** A pod may be lost through no fault of the plan. */
const ATTEMPTS_MAX = 3

export const planning: Phase = view => {
  const { seen, upgrade, from, to } = view
  if (to === undefined) return refuse(view, 'RevisionLost', `${upgrade.to} was removed`)
  if (seen.refusedPods !== undefined) return unmade(view, to, seen.refusedPods)
  if (!needsPlan(view)) return passed(view, to)
  const pod = seen.plans.find(one => one.revision === upgrade.to && one.attempt === upgrade.attempt)
  if (pod?.state === 'succeeded') return passed(view, to)
  if (pod?.state === 'failed' && pod.verdict !== undefined) {
    return refuse(view, 'PlanRejected', pod.verdict)
  }
  if (pod?.isImageless === true) return refuse(view, 'PlanRejected', wordsOf(pod))
  if (pod?.state === 'failed' || pod?.state === 'leaving') {
    if (upgrade.attempt >= ATTEMPTS_MAX) return refuse(view, 'PlanFailed', wordsOf(pod))
    return { kind: 'move', phase: 'Planning', change: { attempt: upgrade.attempt + 1 } }
  }
  const limitMs = millisecondsOf(view.spec.rollback.deadline)
  if (view.ageMs >= limitMs) return refuse(view, 'PlanTimeout', wordsOf(pod))
  const kept = from === undefined ? {} : keepRunning(view, from)
  const plan = { revision: to, attempt: upgrade.attempt, state: comparedWith(view) }
  return {
    kind: 'stay',
    acts: { ...kept, plan },
    message: `the plan of ${to.name}: ${wordsOf(pod)}`,
    againMs: limitMs - view.ageMs,
  }
}

function needsPlan({ upgrade, from, to }: PhaseView): boolean {
  if (upgrade.goal === 'suspend' || to === undefined) return false
  // Nothing ran before: the jobmanager checks the job itself.
  if (from === undefined) return false
  return diffOf(from.deployed.manifest.spec, to.deployed.manifest.spec).needsPlan
}

function comparedWith({ upgrade, to }: PhaseView): PlannedState | undefined {
  if (upgrade.mode === 'stateless') return undefined
  const { path, fromJob } = to?.deployed.manifest.spec.restore ?? {}
  if (upgrade.mode === 'restore' && path !== undefined) return { from: path, fromJob }
  return { from: 'latest' }
}

/** With nothing at work there is nothing to stop. */
function passed(view: PhaseView, to: Revision): Step {
  if (mayReserve(view)) return { ...reserved(view), tryPods: to }
  const phase = view.upgrade.goal === 'resume' ? 'Stopping' : 'Savepointing'
  return { kind: 'move', phase, tryPods: to }
}

/** The pod of the plan, or those of the job, would not be made. */
function unmade(view: PhaseView, to: Revision, { said, message, mayPass }: WriteRefusal): Step {
  const { upgrade, from } = view
  // What rests has nothing else to go on as.
  const isOnlyOne = upgrade.to === upgrade.from
  if (!(mayPass || isOnlyOne)) {
    return refuse(view, 'PlanRejected', `its pods cannot be made: ${said}; change what is named`)
  }
  const limitMs = millisecondsOf(view.spec.rollback.deadline)
  if (view.ageMs >= limitMs && !isOnlyOne) return refuse(view, 'PlanTimeout', message)
  return {
    kind: 'stay',
    acts: from === undefined ? {} : keepRunning(view, from),
    message: `the pods of ${to.name}: ${message}`,
    againMs: Math.max(LOOK_MS, limitMs - view.ageMs),
  }
}

function refuse(view: PhaseView, reason: string, message: string): Step {
  const { upgrade } = view
  const events = [warned(reason, message)]
  const store = refusal(view, upgrade.to, { reason, message })
  if (upgrade.request !== undefined) {
    // The job was told to stop before the spec changed again: it goes on as it was.
    const change = { to: upgrade.from, rollback: reason }
    return { kind: 'move', phase: 'Savepointing', change, store, events }
  }
  const phase = { upgrade: 'Running', suspend: 'Running', resume: 'Suspended' } as const
  const isFailed = upgrade.cause === 'SpecMended'
  const ended = isFailed ? 'Failed' : phase[upgrade.goal]
  return { kind: 'end', phase: ended, result: 'refused', store, events }
}

function wordsOf(pod: PlanFacts | undefined): string {
  if (pod === undefined) return 'its pod is being made'
  const name = pod.pod.metadata.name
  return `pod ${name}: ${pod.why ?? pod.state}`
}
