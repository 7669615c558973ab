/** Makes a savepoint of a checkpoint, so that no later run of the job removes it. */
import {
  checkpointIdOf,
  METADATA_FILE,
  snapshotFolder,
} from '../../checkpoint/checkpoint-layout.ts'
import { writeMetadata } from '../../checkpoint/metadata-text.ts'
import type { ObjectStore } from '../../storage/object-store.ts'
import { readSnapshot } from './job-store.ts'

export interface CopyOptions {
  readonly store: ObjectStore
  readonly jobId: string
  /** Where the checkpoint is. */
  readonly path: string
}

/**
 * Resolves to the savepoint's path. What is no checkpoint of this job (the savepoint that it was
 * restored from) belongs to somebody already: its own path is the answer. The metadata is written
 * last, so that a copy that is cut short is no savepoint.
 */
export async function copyToSavepoint({ store, jobId, path }: CopyOptions): Promise<string> {
  const isOwn = path.startsWith(`${store.location}/${jobId}/`)
  const id = isOwn ? checkpointIdOf(`${path}/`.slice(store.location.length)) : undefined
  if (id === undefined) return path
  const from = snapshotFolder(jobId, 'checkpoint', id)
  const to = snapshotFolder(jobId, 'savepoint', id)
  const metadata = await readSnapshot(store, from, undefined)
  for (const { key } of await store.list(`${from}/`)) {
    const name = key.slice(from.length + 1)
    if (name !== METADATA_FILE) await store.put(`${to}/${name}`, await store.get(key))
  }
  await store.put(`${to}/${METADATA_FILE}`, writeMetadata({ ...metadata, kind: 'savepoint' }))
  return `${store.location}/${to}`
}
