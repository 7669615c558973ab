/** `weir savepoint inspect`: the metadata of a stored checkpoint, which is readable JSON. */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { METADATA_FILE } from '../checkpoint/checkpoint-layout.ts'
import { isWeirError, messageOf } from '../common/errors.ts'
import { SystemRandom } from '../common/random.ts'
import { openStore } from '../storage/open-store.ts'
import { splitLocation } from '../storage/split-location.ts'
import { cliErrors } from './cli-errors.ts'
import { type CliIo, exitCodes } from './cli-io.ts'

/** `path` is the checkpoint's folder, or its metadata file; in a bucket or on this machine. */
export async function inspectSavepoint(path: string, io: CliIo): Promise<number> {
  const text = await (path.startsWith('s3://') ? readStored(path, io) : readLocal(path, io))
  let metadata: unknown
  try {
    metadata = JSON.parse(text)
  } catch (error) {
    throw unreadable(path, error)
  }
  io.out.write(`${JSON.stringify(metadata, undefined, 2)}\n`)
  return exitCodes.ok
}

function readLocal(path: string, io: CliIo): string {
  const place = path.startsWith('file://') ? fileURLToPath(path) : resolve(io.cwd, path)
  const isFolder = existsSync(place) && statSync(place).isDirectory()
  const file = isFolder ? join(place, METADATA_FILE) : place
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw unreadable(file, error)
  }
}

async function readStored(path: string, io: CliIo): Promise<string> {
  const named = splitLocation(path)
  const { location, name } = named.name === METADATA_FILE ? splitLocation(named.location) : named
  const { clock, cwd: folder } = io
  const store = openStore({ location, folder, random: new SystemRandom(), clock })
  const bytes = await store.get(`${name}/${METADATA_FILE}`)
  return bytes.toString()
}

function unreadable(file: string, error: unknown): Error {
  if (isWeirError(error)) return error
  return cliErrors.WEIR_SAVEPOINT_UNREADABLE({ file, reason: messageOf(error) }, error)
}
