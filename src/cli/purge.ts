/**
 * `weir purge`: removes all checkpoints of a job that is never to run again. Its savepoints stay:
 * they belong to whoever took them. The records of its attempts go last, so that the verb may be
 * run again.
 */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { generationsPrefix } from '../checkpoint/checkpoint-layout.ts'
import { jobIdOf } from '../cluster/job-id.ts'
import { messageOf } from '../common/errors.ts'
import { SystemRandom } from '../common/random.ts'
import { parseStreamJob } from '../protocol/parse-stream-job.ts'
import { DEFAULT_CHECKPOINT_FOLDER, openStore } from '../storage/open-store.ts'
import { cliErrors } from './cli-errors.ts'
import { type CliIo, exitCodes } from './cli-io.ts'

export async function purge(file: string, io: CliIo): Promise<number> {
  const { metadata, spec } = parseStreamJob({ text: read(file, io), file, set: [] }).manifest
  const jobId = jobIdOf(metadata.name, metadata.namespace)
  const store = openStore({
    location: spec.checkpoint.storage ?? DEFAULT_CHECKPOINT_FOLDER,
    folder: io.cwd,
    random: new SystemRandom(),
    clock: io.clock,
  })
  const keys = (await store.list(`${jobId}/`)).map(entry => entry.key)
  const ours = keys.filter(key => !key.startsWith(`${jobId}/savepoints/`))
  const records = ours.filter(key => key.startsWith(generationsPrefix(jobId)))
  await store.deleteMany(ours.filter(key => !records.includes(key)))
  await store.deleteMany(records)
  io.err.write(`purged ${jobId}: ${ours.length} files\n`)
  return exitCodes.ok
}

function read(file: string, io: CliIo): string {
  try {
    return readFileSync(resolve(io.cwd, file), 'utf8')
  } catch (error) {
    throw cliErrors.WEIR_COMMAND_FILE_UNREADABLE({ file, reason: messageOf(error) }, error)
  }
}
