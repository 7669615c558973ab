/** The new deployment runs; it is stable once it has completed checkpoints without falling over. */
import { newestJobManager } from '../job-target.ts'
import { failureOf } from './failure.ts'
import { undo } from './rolling-back.ts'
import { finished, podsOf } from './starting.ts'
import { type Phase, type PhaseView, type Step, said } from './upgrade-step.ts'

export const verifying: Phase = view => {
  const { seen, spec } = view
  const { facts, status } = seen
  const { stableCheckpoints } = spec.rollback
  if (newestJobManager(seen.pods, status.epoch)?.state === 'succeeded') return finished(view)
  const completed = facts?.checkpoints.completed ?? 0
  const isStable = facts?.status === 'running' && completed >= stableCheckpoints
  if (isStable) return stable(view)
  const failure = failureOf(view)
  if (failure !== undefined) return undo(view, failure)
  const { acts, againMs } = podsOf(view)
  const message = `${completed} of ${stableCheckpoints} checkpoints completed`
  return { kind: 'stay', acts, message, againMs }
}

function stable({ seen, upgrade }: PhaseView): Step {
  const { status } = seen
  const { rollback, to, goal } = upgrade
  const [reason, note] =
    rollback === undefined
      ? [goal === 'resume' ? 'Resumed' : 'UpgradeCompleted', `${to} is stable`]
      : ['RolledBack', `${to} runs again: ${rollback}`]
  return {
    kind: 'end',
    phase: 'Running',
    result: rollback === undefined ? 'done' : 'rolled-back',
    store: { revision: { ...status.revision, stable: to } },
    events: [said(reason, note)],
  }
}
