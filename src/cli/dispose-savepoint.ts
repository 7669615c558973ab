/**
 * `weir savepoint dispose`: removes the files of a savepoint that nobody needs any more. The
 * metadata goes last: until then the folder says what it is, and the verb may be run again.
 */
import { METADATA_FILE } from '../checkpoint/checkpoint-layout.ts'
import { readMetadata } from '../checkpoint/metadata-text.ts'
import { isWeirError } from '../common/errors.ts'
import { SystemRandom } from '../common/random.ts'
import type { ObjectStore } from '../storage/object-store.ts'
import { openStore } from '../storage/open-store.ts'
import { splitLocation } from '../storage/split-location.ts'
import { cliErrors } from './cli-errors.ts'
import { type CliIo, exitCodes } from './cli-io.ts'

/** Throws WEIR_SAVEPOINT_NOT_DISPOSABLE for a folder that is no savepoint. */
export async function disposeSavepoint(path: string, io: CliIo): Promise<number> {
  const { location, name } = splitLocation(path.includes('/') ? path : `./${path}`)
  const { clock, cwd: folder } = io
  const store = openStore({ location, folder, random: new SystemRandom(), clock })
  const entries = await store.list(`${name}/`)
  if (entries.length === 0) {
    io.err.write(`nothing is at ${path}: it was disposed of before\n`)
    return exitCodes.ok
  }
  const metadata = `${name}/${METADATA_FILE}`
  await refuseOthers(store, metadata, path)
  await store.deleteMany(entries.map(entry => entry.key).filter(key => key !== metadata))
  await store.delete(metadata)
  io.err.write(`disposed of ${path}: ${entries.length} files\n`)
  return exitCodes.ok
}

/** A checkpoint belongs to its job; and a folder is easily mistaken. */
async function refuseOthers(store: ObjectStore, key: string, path: string): Promise<void> {
  let kind: string
  try {
    kind = readMetadata(await store.get(key), { path, previous: undefined }).kind
  } catch (error) {
    const code = isWeirError(error) ? error.code : ''
    const isOther = code === 'WEIR_STORE_NOT_FOUND' || code.startsWith('WEIR_CHECKPOINT_')
    if (!isOther) throw error
    const reason = 'it has no metadata that can be read'
    throw cliErrors.WEIR_SAVEPOINT_NOT_DISPOSABLE({ path, reason }, error)
  }
  if (kind === 'savepoint') return
  throw cliErrors.WEIR_SAVEPOINT_NOT_DISPOSABLE({ path, reason: `it is a ${kind} of its job` })
}
