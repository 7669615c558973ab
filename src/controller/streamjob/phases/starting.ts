/** The new deployment's pods, until every vertex of the job runs. */
import type { JobFacts } from '../../../protocol/job-facts.ts'
import { newestJobManager } from '../job-target.ts'
import { keepDeployment } from '../keep-pods.ts'
import { failureOf } from './failure.ts'
import { undo } from './rolling-back.ts'
import { LOOK_MS, type Phase, type PhaseView, type Step, said, timeOf } from './upgrade-step.ts'

export const starting: Phase = view => {
  const { seen, upgrade, to } = view
  if (to === undefined) {
    const message = `${upgrade.to} was removed: nothing can be made of it`
    return undo(view, { cause: 'RevisionLost', message })
  }
  const failure = failureOf(view)
  if (failure !== undefined) return undo(view, failure)
  const epoch = seen.status.epoch ?? 0
  if (newestJobManager(seen.pods, epoch)?.state === 'succeeded') return finished(view)
  if (seen.facts?.status === 'running') {
    const since = Date.parse(upgrade.stoppedAt ?? upgrade.since)
    const seconds = Math.max(0, seen.nowMs - since) / 1_000
    return {
      kind: 'move',
      phase: 'Verifying',
      figures: upgrade.goal === 'upgrade' ? [{ kind: 'gap', mode: upgrade.mode, seconds }] : [],
    }
  }
  const { acts, againMs } = podsOf(view)
  // Until it is known to be done: told again, it does nothing.
  const { facts } = seen
  const begin = upgrade.warm === epoch && (facts === undefined || mayWait.has(facts.status))
  return {
    kind: 'stay',
    acts: { ...acts, begin },
    message: `the pods of epoch ${epoch} start`,
    againMs,
  }
}

/** `starting`: also of one that waits, while a slot is being replaced. */
const mayWait: ReadonlySet<JobFacts['status']> = new Set(['warm', 'starting'])

/** The pods of the new epoch are kept, as those of any other. */
export function podsOf({ seen, to }: PhaseView) {
  if (to === undefined) return { acts: {}, againMs: LOOK_MS }
  const kept = keepDeployment(seen, to.deployed)
  const { start, stop, findings } = kept
  const againMs = Math.min(LOOK_MS, kept.againMs ?? LOOK_MS)
  return { acts: { deploy: true, start, stop, findings }, againMs }
}

/** A job whose input has an end may come to it before anyone has looked. */
export function finished({ seen, upgrade }: PhaseView): Step {
  const { status } = seen
  return {
    kind: 'end',
    phase: 'Finished',
    result: 'done',
    store: { revision: { ...status.revision, stable: upgrade.to } },
    events: [said('Finished', `epoch ${status.epoch ?? 0}, ${timeOf(seen.nowMs)}`)],
  }
}
