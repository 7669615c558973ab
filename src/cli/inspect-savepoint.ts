/** `weir savepoint inspect`: the metadata of a stored checkpoint, which is readable JSON. */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { METADATA_FILE } from '../checkpoint/checkpoint-layout.ts'
import { messageOf } from '../common/errors.ts'
import { cliErrors } from './cli-errors.ts'
import { type CliIo, exitCodes } from './cli-io.ts'

/** `path` is the checkpoint's folder, or its metadata file. */
export async function inspectSavepoint(path: string, io: CliIo): Promise<number> {
  const place = resolve(io.cwd, path)
  const isFolder = existsSync(place) && statSync(place).isDirectory()
  const file = isFolder ? join(place, METADATA_FILE) : place
  let metadata: unknown
  try {
    metadata = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw cliErrors.WEIR_SAVEPOINT_UNREADABLE({ file, reason: messageOf(error) }, error)
  }
  io.out.write(`${JSON.stringify(metadata, undefined, 2)}\n`)
  return exitCodes.ok
}
