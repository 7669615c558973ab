/**
 * The upgrade machine: every way from one deployment of a job to another, to none, or back. Pure.
 *
 * Owns        `status.upgrade`: the phase, what it leads from and to, and with which state.
 * Leaves out  whether there is to be one (`begin-upgrade.ts`), and what is done: a step says it.
 *
 * A pass either moves, and then only the status is written, or does what its phase asks for, which
 * changes nothing when it is done twice. So a controller may die after any write.
 *
 * Invariants
 *  U1  The state pointer never goes back by itself: only `spec.restore` leads to older state.
 *  U2  A job with state never goes on without: empty is what `stateless` asks for, or a job that
 *      has never completed anything.
 *  U3  A snapshot that the store has beats the pointer: the jobmanager of the next epoch looks.
 *  U4  Last state that is older than `lastStateMaxAge` is not good enough: a savepoint comes first.
 *  U5  A spec that changes before `Stopping` starts the upgrade over, with other pods than those
 *      that are warm; later it waits for the end.
 *  U6  A savepoint that completed counts, also where the stop failed.
 *  U7  No savepoint of an upgrade is deleted by it: the next start may be the way back. It is known
 *      as a Savepoint before the next epoch begins.
 *  U8  A phase that waits says when it looks again, whatever happens.
 *  U9  An epoch is raised when no process of the one before is left, or its job has said that it is
 *      over. Only then pods that are warm are told to begin. An upgrade goes back once.
 */
import { assert } from '../../../common/assert.ts'
import type { StreamJobSpec } from '../../../protocol/stream-job.ts'
import type { JobPhase, UpgradePhase } from '../../../protocol/stream-job-status.ts'
import type { Finding } from '../finding.ts'
import { decided, type JobDecision } from '../job-decision.ts'
import { knownFindings } from '../job-health.ts'
import type { ObservedJob, Revision, Upgrade } from '../observed-job.ts'
import { planning } from './planning.ts'
import { reserving } from './reserving.ts'
import { retargeted } from './retarget.ts'
import { rollingBack } from './rolling-back.ts'
import { savepointing } from './savepointing.ts'
import { starting } from './starting.ts'
import { stopping } from './stopping.ts'
import { type Phase, type PhaseView, type Step, timeOf } from './upgrade-step.ts'
import { verifying } from './verifying.ts'

const phases: Readonly<Record<UpgradePhase, Phase>> = {
  Planning: planning,
  Reserving: reserving,
  Savepointing: savepointing,
  Stopping: stopping,
  Starting: starting,
  Verifying: verifying,
  RollingBack: rollingBack,
}

/** Phase -> those that may follow, and whether it may be the last. */
export const legalMoves: Readonly<Record<UpgradePhase, readonly (UpgradePhase | 'end')[]>> = {
  // Again, for another attempt or another target; with nothing at work there is nothing to save.
  Planning: ['Planning', 'Reserving', 'Savepointing', 'Stopping', 'end'],
  Reserving: ['Planning', 'Savepointing', 'end'],
  Savepointing: ['Planning', 'Savepointing', 'Stopping', 'end'],
  Stopping: ['Starting', 'end'],
  // `Stopping`: the job is to be suspended.
  Starting: ['Verifying', 'RollingBack', 'Stopping', 'end'],
  Verifying: ['RollingBack', 'Stopping', 'end'],
  RollingBack: ['Stopping', 'end'],
}

/** `undefined`: none is under way. */
export function upgrading(seen: ObservedJob): JobDecision | undefined {
  const { upgrade } = seen.status
  if (upgrade === undefined) return undefined
  const view = viewOf(seen, upgrade)
  if (view === undefined) return undefined
  const step = retargeted(view) ?? phases[upgrade.phase](view)
  return decisionOf(view, step)
}

function viewOf(seen: ObservedJob, upgrade: Upgrade): PhaseView | undefined {
  const { checked, nowMs } = seen
  const revision = (name: string): Revision | undefined => {
    const deployed = seen.revisions.get(name)
    return deployed && { name, deployed }
  }
  const to = revision(upgrade.to)
  const from = revision(upgrade.from)
  const made = (to ?? from)?.deployed.manifest.spec
  const spec = 'manifest' in checked ? checked.manifest.spec : made && asBegun(made, upgrade)
  if (spec === undefined) return undefined
  const ageMs = Math.max(0, nowMs - Date.parse(upgrade.since))
  return { seen, upgrade, to, from, spec, ageMs }
}

/** While the spec that is asked for is wrong, nothing new is asked for. */
function asBegun(spec: StreamJobSpec, { goal }: Upgrade): StreamJobSpec {
  return { ...spec, state: goal === 'suspend' ? 'suspended' : 'running' }
}

function decisionOf(view: PhaseView, step: Step): JobDecision {
  const { seen, upgrade } = view
  const phase = phaseOf(upgrade)
  switch (step.kind) {
    case 'stay':
      assert(step.againMs > 0, 'U8: a phase that waits looks again')
      return decided(seen, {
        phase,
        ...step.acts,
        findings: findingsOf(view, step.message, step.acts.findings ?? []),
        endedPlans: endedPlans(view),
        againMs: step.againMs,
      })
    case 'move': {
      assert(legalMoves[upgrade.phase].includes(step.phase), `${upgrade.phase} -> ${step.phase}`)
      const changed: Upgrade = {
        ...upgrade,
        ...(isOther(upgrade, step.change) && { warm: undefined }),
        ...step.change,
        phase: step.phase,
        since: timeOf(seen.nowMs),
      }
      const epoch = step.store?.epoch ?? seen.status.epoch ?? 0
      const isAlone = seen.pods.every(one => one.hasEnded || one.epoch === upgrade.warm)
      const isFree = isAlone || upgrade.hasEnded === true
      assert(epoch === (seen.status.epoch ?? 0) || isFree, 'U9: no two epochs')
      return decided(seen, {
        phase: phaseOf(changed),
        epoch,
        isMove: true,
        tryPods: step.tryPods,
        keepRevision: step.keepRevision,
        takesRoom: takesRoom(step),
        store: { ...step.store, upgrade: changed },
        findings: findingsOf({ ...view, upgrade: changed }, `begins ${step.phase}`, []),
        events: step.events ?? [],
        figures: step.figures ?? [],
      })
    }
    case 'end':
      assert(legalMoves[upgrade.phase].includes('end'), `${upgrade.phase} is no end`)
      return decided(seen, {
        phase: step.phase,
        isMove: true,
        store: { ...step.store, upgrade: undefined },
        findings: whenOver(seen, step.phase),
        events: step.events ?? [],
        figures: [{ kind: 'ended', mode: upgrade.mode, result: step.result }],
      })
  }
}

/** U5: what is warm is of no use to another goal. */
function isOther({ goal, to }: Upgrade, change: Partial<Upgrade> = {}): boolean {
  return (change.to ?? to) !== to || (change.goal ?? goal) !== goal
}

function takesRoom({ surges, keepRevision }: Extract<Step, { readonly kind: 'move' }>) {
  if (surges === true) return 'beside'
  return keepRevision === undefined ? 'none' : 'instead'
}

/** What has pods is no less ready because its upgrade is over: the next pass looks at them. */
function whenOver({ status }: ObservedJob, phase: JobPhase): readonly Finding[] {
  if (phase !== 'Running' && phase !== 'Deploying') return []
  return knownFindings(status.conditions ?? []).filter(one => one.type !== 'Reconciling')
}

function phaseOf({ goal, rollback }: Upgrade): JobPhase {
  if (goal === 'suspend') return 'Suspending'
  if (rollback !== undefined) return 'RollingBack'
  return goal === 'resume' ? 'Deploying' : 'Upgrading'
}

/** A plan that was read is of no use any more. */
function endedPlans({ seen, upgrade }: PhaseView): JobDecision['endedPlans'] {
  const isCurrent = (one: ObservedJob['plans'][number]): boolean =>
    upgrade.phase === 'Planning' && one.revision === upgrade.to && one.attempt === upgrade.attempt
  return seen.plans.filter(one => one.state !== 'leaving' && !isCurrent(one))
}

function findingsOf(
  { upgrade, ageMs }: PhaseView,
  message: string,
  health: readonly Finding[],
): readonly Finding[] {
  const { phase, from, to, cause, rollback } = upgrade
  const why = rollback === undefined ? cause : `going back: ${rollback}`
  const text = `${phase} for ${Math.floor(ageMs / 1_000)} s (${why}; ${from} -> ${to}): ${message}`
  const own: readonly Finding[] = [
    { type: 'UpgradeInProgress', holds: true, reason: phase, message: text },
    { type: 'Reconciling', holds: true, reason: phase, message },
  ]
  const rest = health.filter(one => one.type !== 'Reconciling')
  if (rest.some(one => one.type === 'Ready')) return [...rest, ...own]
  return [...rest, ...own, { type: 'Ready', holds: false, reason: phase, message }]
}
