/**
 * A new deployment has failed: the stable revision takes its place, by the same way, from the
 * newest state there is. That happens once an upgrade: a second failure ends it.
 */
import type { DeploymentFailure } from './failure.ts'
import {
  type Phase,
  type PhaseView,
  refusal,
  type Step,
  said,
  timeOf,
  warned,
} from './upgrade-step.ts'

/** The next step of a deployment that has failed. */
export function undo(view: PhaseView, { cause, message }: DeploymentFailure): Step {
  const { upgrade } = view
  if (upgrade.rollback !== undefined) return failedTwice(view, { cause, message })
  const why = { reason: 'RolledBack', message: `${cause}: ${message}` }
  const blocked = whyBlocked(view)
  if (blocked !== undefined) {
    // Its pods go on trying: nobody else could take their place.
    const events = [warned('RollbackBlocked', `${blocked}; ${cause}: ${message}`)]
    return { kind: 'end', phase: 'Deploying', result: 'failed', events }
  }
  return {
    kind: 'move',
    phase: 'RollingBack',
    change: { rollback: cause },
    store: refusal(view, upgrade.to, why),
    events: [warned('RollbackStarted', `${cause}: ${message}`)],
    figures: [{ kind: 'rollback', cause }],
  }
}

/** The failed deployment is stopped by the way of any other. */
export const rollingBack: Phase = ({ seen, upgrade }) => {
  const { stable = upgrade.from } = seen.status.revision ?? {}
  return { kind: 'move', phase: 'Stopping', change: { from: upgrade.to, to: stable } }
}

function whyBlocked({ seen, upgrade, spec }: PhaseView): string | undefined {
  const { stable } = seen.status.revision ?? {}
  if (!spec.rollback.enabled) return 'spec.rollback.enabled is false'
  if (stable === undefined) return 'no revision has been stable yet'
  if (stable === upgrade.to) return 'this revision is the stable one'
  if (!seen.revisions.has(stable)) return `revision ${stable} was removed`
  return undefined
}

/** Of a jobmanager that cannot take the state that it finds. */
const stateCodes = /WEIR_(STATE|RESTORE|KEY_TYPE|WINDOWS)_/

/**
 * What the undone deployment has completed may be more than the stable one can read: going back
 * further would repeat what was committed. A person chooses.
 */
function failedTwice(view: PhaseView, failure: DeploymentFailure): Step {
  const { seen, upgrade } = view
  // One that cannot be asked is not known to have failed.
  if (failure.cause === 'Unreachable') {
    const events = [said('RolledBack', `${upgrade.to} runs: ${failure.message}`)]
    return { kind: 'end', phase: 'Running', result: 'rolled-back', events }
  }
  // It is as good as it was, and takes up its work where there is room again.
  if (failure.cause === 'ScheduleTimeout') {
    const events = [warned('RollbackBlocked', `${upgrade.to} waits: ${failure.message}`)]
    return { kind: 'end', phase: 'Deploying', result: 'rolled-back', events }
  }
  const isUnreadable = failure.cause === 'JobRefused' || stateCodes.test(failure.message)
  const reason = isUnreadable ? 'RollbackNeedsReplay' : 'RollbackFailed'
  const next = isUnreadable
    ? 'choose a snapshot by spec.restore and raise spec.restoreNonce'
    : 'change the spec, or raise spec.restartNonce'
  const message = `${failure.cause}: ${failure.message}; ${next}`
  return {
    kind: 'end',
    phase: 'Failed',
    result: 'failed',
    store: refusal(view, seen.status.refused?.revision ?? upgrade.from, { reason, message }),
    events: [warned(reason, `${message} (${timeOf(seen.nowMs)})`)],
  }
}
