/** What removes state for good: it takes what it is told to, and nothing beside. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { disposeSavepoint } from '../../src/cli/dispose-savepoint.ts'
import { purge } from '../../src/cli/purge.ts'
import { SystemRandom } from '../../src/common/random.ts'
import { LocalFolderStore } from '../../src/storage/local-folder-store.ts'
import { MemoryStore } from '../../src/storage/memory-store.ts'
import { observedTestJob, until } from '../cluster/jobmanager/rest/observed-test-job.ts'
import { cliTestIo } from './cli-test-io.ts'

const jobId = 'default.ticks'
let folder = ''
let savepoint = ''

const keys = async (): Promise<readonly string[]> => {
  const store = new LocalFolderStore({ folder: join(folder, 'store'), random: new SystemRandom() })
  return (await store.list('')).map(entry => entry.key)
}

/** What a job with a savepoint leaves behind, as files. */
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'weir-dispose-'))
  const store = new MemoryStore()
  const observed = observedTestJob({ store })
  await until(() => observed.job.progress().checkpointsCompleted > 1)
  savepoint = (await observed.job.savepoint()).replace(/^memory\//, '')
  await observed.job.stop()
  for (const { key } of await store.list('')) {
    const file = join(folder, 'store', key)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, await store.get(key))
  }
  const spec = { job: { module: 'a.ts' }, checkpoint: { storage: `file://${folder}/store` } }
  const manifest = {
    apiVersion: 'weir.dev/v1alpha1',
    kind: 'StreamJob',
    metadata: { name: 'ticks' },
  }
  writeFileSync(join(folder, 'job.json'), JSON.stringify({ ...manifest, spec }))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('a checkpoint of a job is none of its business, nor is any other folder', async () => {
  const io = cliTestIo({ cwd: folder })
  const before = await keys()
  const checkpoint = before.find(key => key.includes('/chk-'))?.replace(/\/[^/]+$/, '') ?? ''
  await expect(disposeSavepoint(`store/${checkpoint}`, io)).rejects.toThrow(
    'it is a checkpoint of its job',
  )
  await expect(disposeSavepoint(`store/${jobId}`, io)).rejects.toThrow('it has no metadata')
  expect(await keys()).toEqual(before)
})

test('a savepoint goes whole, and once more is no error', async () => {
  const io = cliTestIo({ cwd: folder })
  const before = await keys()
  const rest = before.filter(key => !key.startsWith(`${savepoint}/`))
  expect(rest.length).toBeLessThan(before.length)
  expect(await disposeSavepoint(`${folder}/store/${savepoint}/`, io)).toBe(0)
  expect(await keys()).toEqual(rest)
  expect(await disposeSavepoint(`store/${savepoint}`, io)).toBe(0)
})

test('purge takes checkpoints and records, and leaves savepoints and other jobs', async () => {
  const io = cliTestIo({ cwd: folder })
  const store = new LocalFolderStore({ folder: join(folder, 'store'), random: new SystemRandom() })
  const others = [`${jobId}/savepoints/savepoint-1/_metadata`, `${jobId}2/chk-1/_metadata`]
  for (const key of others) await store.put(key, Buffer.from('{}'))
  expect((await keys()).length).toBeGreaterThan(others.length)
  expect(await purge('job.json', io)).toBe(0)
  expect(await keys()).toEqual(others)
  expect(await purge('job.json', io)).toBe(0)
  await expect(purge('nothing.json', io)).rejects.toThrow('cannot read nothing.json')
})
