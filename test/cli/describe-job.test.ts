import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from '@jest/globals'
import { exitCodes } from '../../src/cli/cli-io.ts'
import { describeJob } from '../../src/cli/describe-job.ts'
import { jobDescriptionSchema } from '../../src/protocol/job-description.ts'
import { cliTestIo } from './cli-test-io.ts'

const home = resolve(import.meta.dirname, '../..')

function manifest(folder: string, spec: object): string {
  const file = join(folder, 'job.yaml')
  const head = { apiVersion: 'weir.dev/v1alpha1', kind: 'StreamJob', metadata: { name: 'words' } }
  writeFileSync(file, JSON.stringify({ ...head, spec }))
  return file
}

const storage = 's3://bucket/words'
const job = { module: join('src/examples/word-count.ts') }

test('makes the description and the code that a jobmanager starts with', async () => {
  const io = cliTestIo({ cwd: home })
  const folder = join(io.config.cacheFolder, '..')
  const output = join(folder, 'out')
  const file = manifest(folder, { job, parallelism: 3, checkpoint: { storage } })
  const asked = { file, set: [], run: 'run-1', output, restore: 'latest', warm: true }
  expect(await describeJob(asked, io)).toBe(0)
  const description = jobDescriptionSchema.parse(
    JSON.parse(readFileSync(join(output, 'job.json'), 'utf8')),
  )
  expect(description).toMatchObject({
    run: 'run-1',
    storeLocation: storage,
    restore: { kind: 'latest' },
    bundle: join(output, 'job.mjs'),
    isWarm: true,
  })
  expect(description.manifest.spec.parallelism).toBe(3)
  expect(readFileSync(description.bundle, 'utf8')).toContain('word-count')
})

test('writes nothing of a job that is wrong', async () => {
  const io = cliTestIo({ cwd: home })
  const folder = join(io.config.cacheFolder, '..')
  const output = join(folder, 'out')
  const file = manifest(folder, { job: { module: 'src/examples/nowhere.ts' } })
  await expect(describeJob({ file, set: [], run: 'r', output }, io)).rejects.toThrow('nowhere')
  expect(existsSync(output)).toBe(false)
})

test('types are checked, unless they were before', async () => {
  const io = cliTestIo({ cwd: home })
  const folder = join(io.config.cacheFolder, '..')
  const output = join(folder, 'out')
  const right = readFileSync(join(home, 'src/examples/word-count.ts'), 'utf8')
  const inline = `${right}export const wrong: number = 'text'\n`
  const file = manifest(folder, {
    job: { inline, args: { input: 'words.txt' } },
    checkpoint: { storage },
  })
  const asked = { file, set: [], run: 'u/2', output }
  await expect(describeJob(asked, io)).rejects.toThrow('TS2322')
  expect(await describeJob({ ...asked, typesChecked: true }, io)).toBe(0)
})

test('code that is not there yet is no refusal: another try may find it', async () => {
  const io = cliTestIo({ cwd: home })
  const folder = join(io.config.cacheFolder, '..')
  const output = join(folder, 'out')
  const file = manifest(folder, { job: { configMap: { name: 'jobs', key: 'a.ts' } } })
  expect(await describeJob({ file, set: [], run: 'r', output }, io)).toBe(exitCodes.failed)
  expect(io.written.err).toContain('WEIR_JOB_CONFIG_MAP_MISSING  there is no key a.ts')
  expect(existsSync(output)).toBe(false)
})

test('a later deployment goes on from earlier ones, a first one from what the manifest says', async () => {
  const io = cliTestIo({ cwd: home })
  const folder = join(io.config.cacheFolder, '..')
  const output = join(folder, 'out')
  const restore = { path: 's3://bucket/other/chk-3', fromJob: 'default.other' }
  const file = manifest(folder, { job, restore, checkpoint: { storage } })
  const asked = async (from: string | undefined) => {
    const given = from === undefined ? {} : { restore: from }
    await describeJob({ file, set: [], run: 'u/2', output, ...given }, io)
    return jobDescriptionSchema.parse(JSON.parse(readFileSync(join(output, 'job.json'), 'utf8')))
      .restore
  }
  const first = { kind: 'path', ...restore, dropState: [] }
  expect(await asked(undefined)).toEqual(first)
  expect(await asked('continue')).toEqual({ kind: 'continue', otherwise: first, dropState: [] })
  expect(await asked('empty')).toEqual({ kind: 'none' })
})
