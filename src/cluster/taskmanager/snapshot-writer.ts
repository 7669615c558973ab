import { snapshotFolder, stateFileName } from '../../checkpoint/checkpoint-layout.ts'
import type { SubtaskHandle } from '../../checkpoint/snapshot-handle.ts'
import { encodeStateFile } from '../../checkpoint/state-file.ts'
import type { TaskSnapshot } from '../../runtime/task-contract.ts'
import type { ObjectStore } from '../../storage/object-store.ts'
import { markHandle } from '../channel-marks.ts'
import type { LocalCopies } from './local-copies.ts'

export interface WriteSnapshotOptions {
  /** `undefined`: the job keeps nothing, and only the readable parts are handed on. */
  readonly store: ObjectStore | undefined
  readonly jobId: string
  readonly snapshot: TaskSnapshot
  /** Also reads the bytes, for as long as it takes. */
  readonly copies?: Pick<LocalCopies, 'written'> | undefined
}

/** Stores a subtask's binary state as one file; resolves to its handle when it is durable. */
export async function writeSnapshot(options: WriteSnapshotOptions): Promise<SubtaskHandle> {
  const { store, jobId, snapshot, copies } = options
  const { checkpointId, kind, vertexId, subtaskIndex, metrics } = snapshot
  const inFlight = snapshot.channels.map(({ mark, ...channel }) => {
    return { ...channel, mark: mark && markHandle(mark) }
  })
  const { pieces, sizeBytes, ...parts } = encodeStateFile(snapshot.operators, inFlight)
  const handle = { vertexId, subtaskIndex, fileSizeBytes: sizeBytes, ...parts, metrics }
  if (store === undefined || sizeBytes === 0) return { ...handle, file: undefined }
  const file = stateFileName(vertexId, subtaskIndex)
  const key = `${snapshotFolder(jobId, kind, checkpointId)}/${file}`
  await store.put(key, pieces)
  const release = (): void => {
    for (const { keyed } of snapshot.operators) keyed?.release?.()
  }
  // Not after a failure: then a request may still be on its way with these bytes.
  if (copies === undefined) release()
  else void copies.written(store.location, key).then(release)
  return { ...handle, file }
}
