/** What the next deployment begins with. Pure. */
import type { JobStart } from '../../../protocol/stream-job-status.ts'
import type { PhaseView } from './upgrade-step.ts'

/** U1, U2, U3: what the store has newest, unless a person asked for something else. */
export function startOf({ seen, upgrade, to }: PhaseView): JobStart {
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
