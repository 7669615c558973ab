/**
 * The state pointer: the newest snapshot of a job that the controller knows of, by epoch and id. It
 * only goes forward; the API server refuses a step back. The store may know of a newer one.
 */
import type { SnapshotFacts } from '../../protocol/job-facts.ts'
import type { StreamJobStatus } from '../../protocol/stream-job-status.ts'

export type StatePointer = NonNullable<StreamJobStatus['state']>

/** The pointer as it is to be once an epoch has told of a snapshot. */
export function aheadOf(
  known: StatePointer | undefined,
  epoch: number,
  snapshot: SnapshotFacts | undefined,
): StatePointer | undefined {
  if (snapshot === undefined) return known
  const { id, kind, path, completedAtMs, sizeBytes } = snapshot
  const isOlder =
    known !== undefined &&
    (epoch < known.epoch || (epoch === known.epoch && id <= known.checkpointId))
  // Of an epoch that completed nothing yet its jobmanager names what it restored.
  if (isOlder || known?.path === path) return known
  const completedAt = new Date(completedAtMs).toISOString().replace(/\.\d+Z$/, 'Z')
  return { epoch, checkpointId: id, kind, path, completedAt, sizeBytes }
}
