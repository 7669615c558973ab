/**
 * `weir describe`: makes what a jobmanager starts with out of a manifest: the job's code, checked
 * and bundled, and its description. In a pod it runs before the jobmanager, so that nobody else
 * runs or reads the code of a job.
 */
import { copyFileSync, existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { isWeirError } from '../common/errors.ts'
import { type JobDescriptionText, jobDescriptionSchema } from '../protocol/job-description.ts'
import { DEFAULT_CHECKPOINT_FOLDER } from '../storage/open-store.ts'
import { type CliIo, exitCodes } from './cli-io.ts'
import { describeError } from './describe-error.ts'
import { type PreparedJob, prepareJob } from './prepare-job.ts'
import { type RestoreFlags, restoreRequest } from './restore-request.ts'

export interface DescribeJobOptions extends RestoreFlags {
  readonly file: string
  readonly set: readonly string[]
  /** Names this start of the job: the same for each jobmanager that takes the place of another. */
  readonly run: string
  /** Gets `job.json` and the code. */
  readonly output: string
  readonly typesChecked?: boolean
  /** The jobmanager begins when it is told to. */
  readonly warm?: boolean
}

/**
 * Gives the exit code: `failed` where the code could not be had yet, which another try may mend.
 * Throws what is wrong with the manifest or the job.
 */
export async function describeJob(options: DescribeJobOptions, io: CliIo): Promise<number> {
  let prepared: PreparedJob
  try {
    prepared = await prepareJob(options, io)
  } catch (error) {
    if (!isWeirError(error) || error.retry !== 'later') throw error
    io.err.write(describeError(error))
    return exitCodes.failed
  }
  const { manifest, bundle } = prepared
  const folder = resolve(io.cwd, options.output)
  mkdirSync(folder, { recursive: true })
  const code = join(folder, 'job.mjs')
  copyFileSync(bundle, code)
  if (existsSync(`${bundle}.map`)) copyFileSync(`${bundle}.map`, `${code}.map`)
  const description: JobDescriptionText = {
    formatVersion: 1,
    run: options.run,
    manifest,
    bundle: code,
    storeLocation: manifest.spec.checkpoint.storage ?? resolve(io.cwd, DEFAULT_CHECKPOINT_FOLDER),
    restore: restoreRequest(options, manifest, io.cwd),
    isWarm: options.warm === true,
    rest: { port: 0, folder },
  }
  jobDescriptionSchema.parse(description)
  // Whole or not at all: a jobmanager may be waiting for it.
  const draft = join(folder, 'job.json.draft')
  writeFileSync(draft, JSON.stringify(description), { mode: 0o600 })
  renameSync(draft, join(folder, 'job.json'))
  io.err.write(`described in ${folder}\n`)
  return exitCodes.ok
}
