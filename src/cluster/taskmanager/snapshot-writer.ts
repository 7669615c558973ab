import { snapshotFolder, stateFileName } from '../../checkpoint/checkpoint-layout.ts'
import type { SubtaskHandle } from '../../checkpoint/snapshot-handle.ts'
import { encodeStateFile } from '../../checkpoint/state-file.ts'
import type { TaskSnapshot } from '../../runtime/task-contract.ts'
import type { ObjectStore } from '../../storage/object-store.ts'
import { markHandle } from '../channel-marks.ts'

export interface WriteSnapshotOptions {
  /** `undefined`: the job keeps nothing, and only the readable parts are handed on. */
  readonly store: ObjectStore | undefined
  readonly jobId: string
  readonly snapshot: TaskSnapshot
}

/** Stores a subtask's binary state as one file; resolves to its handle when it is durable. */
export async function writeSnapshot(options: WriteSnapshotOptions): Promise<SubtaskHandle> {
  const { store, jobId, snapshot } = options
  const { checkpointId, kind, vertexId, subtaskIndex, metrics } = snapshot
  const inFlight = snapshot.channels.map(({ mark, ...channel }) => {
    return { ...channel, mark: mark && markHandle(mark) }
  })
  const { pieces, sizeBytes, ...parts } = encodeStateFile(snapshot.operators, inFlight)
  const handle = { vertexId, subtaskIndex, fileSizeBytes: sizeBytes, ...parts, metrics }
  if (store === undefined || sizeBytes === 0) return { ...handle, file: undefined }
  const file = stateFileName(vertexId, subtaskIndex)
  await store.put(`${snapshotFolder(jobId, kind, checkpointId)}/${file}`, pieces, () => {
    for (const { keyed } of snapshot.operators) keyed?.release?.()
  })
  return { ...handle, file }
}
