/**
 * The checkpoints that could be restored: how many stay, and which may be deleted.
 *
 * Owns        the order of completed checkpoints and the rule of retention.
 * Leaves out  files: the caller deletes what is decided here.
 *
 * Invariants
 *  R1  The newest completed checkpoint is never deleted, nor are the `retained` newest.
 *  R2  What somebody else relies on (`pinned`: a user restored from it by name) is never deleted.
 *  R3  Ids grow from first to last.
 */
import { assert } from '../common/assert.ts'

export interface CompletedCheckpoint {
  readonly id: number
  /** Restored by an explicit path: it belongs to the user now. */
  readonly pinned: boolean
}

export interface Retention {
  readonly kept: readonly CompletedCheckpoint[]
  readonly deleted: readonly CompletedCheckpoint[]
}

/** Adds a newly completed checkpoint and says what it makes superfluous. */
export function addCompleted(
  completed: readonly CompletedCheckpoint[],
  id: number,
  retained: number,
): Retention {
  const last = completed.at(-1)
  assert(last === undefined || last.id < id, 'R3: a completed checkpoint is the newest')
  return retain([...completed, { id, pinned: false }], retained)
}

/** Divides completed checkpoints, oldest first, into those that stay and those that may go. */
export function retain(completed: readonly CompletedCheckpoint[], retained: number): Retention {
  assert(retained >= 1, 'R1: at least one completed checkpoint is kept')
  const firstKept = completed.length - retained
  const keeps = (checkpoint: CompletedCheckpoint, index: number): boolean =>
    index >= firstKept || checkpoint.pinned
  return {
    kept: completed.filter(keeps),
    deleted: completed.filter((checkpoint, index) => !keeps(checkpoint, index)),
  }
}
