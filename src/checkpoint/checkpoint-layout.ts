/**
 * Where a job's checkpoints lie in the store. All of it is found by listing; nothing else points to
 * them.
 *
 *   <jobId>/chk-<id>/_metadata            written last: its presence makes the checkpoint
 *   <jobId>/chk-<id>/<vertex>-<n>.state   the binary state of one subtask
 *   <jobId>/savepoints/savepoint-<id>/…   the same
 *   <jobId>/generations/<n>.json          one an attempt of the job, see `generation.ts`
 */
import { keySegment } from '../storage/object-key.ts'
import type { SnapshotKind } from './coordinator-state.ts'

export const METADATA_FILE = '_metadata'
const GENERATION_DIGITS = 10

/** Folders end without a slash. */
export function snapshotFolder(jobId: string, kind: SnapshotKind, id: number): string {
  return kind === 'savepoint' ? `${jobId}/savepoints/savepoint-${id}` : `${jobId}/chk-${id}`
}

export function checkpointsPrefix(jobId: string): string {
  return `${jobId}/chk-`
}

export function generationsPrefix(jobId: string): string {
  return `${jobId}/generations/`
}

/** Padded, so that a listing is in order. */
export function generationKey(jobId: string, generation: number): string {
  const name = String(generation).padStart(GENERATION_DIGITS, '0')
  return `${generationsPrefix(jobId)}${name}.json`
}

/** The number in a generation's key, or `undefined` for what is none. */
export function generationOf(key: string): number | undefined {
  const match = /\/generations\/(\d+)\.json$/.exec(key)
  return match === null ? undefined : Number(match[1])
}

/** The checkpoint's id in a key of it, or `undefined` for what is none. */
export function checkpointIdOf(key: string): number | undefined {
  const match = /\/chk-(\d+)\//.exec(key)
  return match === null ? undefined : Number(match[1])
}

/** The name of a subtask's state file in the checkpoint's folder. */
export function stateFileName(vertexId: string, subtaskIndex: number): string {
  return `${keySegment(vertexId)}-${subtaskIndex}.state`
}
