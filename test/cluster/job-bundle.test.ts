import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { job } from '../../src/api/job.ts'
import { graphDigest, importBundle, readBundle } from '../../src/cluster/job-bundle.ts'
import { defaultSettings } from '../../src/cluster/job-settings.ts'
import { JobLoader } from '../../src/cluster/taskmanager/job-loader.ts'
import { collectionSource } from '../../src/connectors/collection/collection-source.ts'
import { planJob } from '../../src/graph/build-job-graph.ts'
import type { JobOrder } from '../../src/protocol/control-messages.ts'
import { countingJob } from './counting-job.ts'

const counting = countingJob({ records: 10, keys: 2 })
const source = 'export default globalThis.weirBundleTest\n'
let folder = ''

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'weir-bundle-'))
  Reflect.set(globalThis, 'weirBundleTest', counting.job)
})

afterAll(() => {
  Reflect.deleteProperty(globalThis, 'weirBundleTest')
  rmSync(folder, { recursive: true, force: true })
})

function bundleFile(code: string, map?: object): string {
  const file = join(folder, 'a.mjs')
  writeFileSync(file, code)
  rmSync(`${file}.map`, { force: true })
  if (map !== undefined) writeFileSync(`${file}.map`, JSON.stringify(map))
  return file
}

test('a bundle is imported elsewhere, and its map still leads to the sources', async () => {
  const map = { version: 3, sources: ['jobs/a.ts'], names: [], mappings: '' }
  const bundle = readBundle(bundleFile(`${source}//# sourceMappingURL=a.mjs.map\n`, map))
  const there = join(folder, 'there')
  expect(await importBundle(bundle, there)).toBe(counting.job)
  const name = `job-${bundle.digest.slice(0, 16)}.mjs`
  expect(readFileSync(join(there, name), 'utf8')).toBe(
    `${source}//# sourceMappingURL=${name}.map\n`,
  )
  const written = JSON.parse(readFileSync(join(there, `${name}.map`), 'utf8')) as object
  expect(written).toMatchObject({ sources: [join(folder, 'jobs/a.ts')] })
})

test('who reads the file while another process writes it has all of it', async () => {
  const bundle = readBundle(bundleFile(source))
  const there = join(folder, 'shared')
  await importBundle(bundle, there)
  const reader = openSync(join(there, `job-${bundle.digest.slice(0, 16)}.mjs`), 'r')
  await importBundle(bundle, there)
  writeFileSync(join(there, `job-${bundle.digest.slice(0, 16)}.mjs`), '')
  expect(readFileSync(reader, 'utf8')).toBe(source)
  closeSync(reader)
})

test.each([
  ['damaged', { ...{ code: source, sourceMap: '' }, digest: '0'.repeat(64) }, /damaged on its way/],
])('one that is %s is refused', async (_, bundle, message) => {
  await expect(importBundle(bundle, folder)).rejects.toThrow(message)
})

test('one that is no job, throws, or is not there is refused with a code', async () => {
  const code = 'WEIR_JOB_BUNDLE_BROKEN'
  const noJob = readBundle(bundleFile('export default 7\n'))
  await expect(importBundle(noJob, folder)).rejects.toMatchObject({ code })
  const thrower = readBundle(bundleFile('throw new Error("at the top")\n'))
  await expect(importBundle(thrower, folder)).rejects.toMatchObject({
    code,
    message: expect.stringMatching(/at the top/),
  })
  expect(() => readBundle(join(folder, 'nothing.mjs'))).toThrow(
    expect.objectContaining({ code }) as unknown as Error,
  )
})

test('the digest is that of the graph, wherever its job was declared', () => {
  const graph = (uid: string, parallelism: number) =>
    planJob(
      job(env =>
        env
          .from(countingSource())
          .uid(uid)
          .to(counting.sink as never)
          .uid('out'),
      ),
      { name: 'a', parallelism },
    )
  const one = graphDigest(graph('numbers', 2))
  expect(graphDigest(graph('numbers', 2))).toBe(one)
  expect(graphDigest(graph('others', 2))).not.toBe(one)
  expect(graphDigest(graph('numbers', 3))).not.toBe(one)
})

test('a taskmanager loads code once, and builds a graph for each order', async () => {
  const loader = new JobLoader(join(folder, 'loader'))
  const bundle = readBundle(bundleFile(source))
  const order = {
    kind: 'job',
    jobId: 'default.a',
    name: 'a',
    parallelism: 2,
    maxParallelism: 128,
    args: {},
    settings: { ...defaultSettings },
    storeLocation: null,
    heartbeatIntervalMs: 1,
    heartbeatTimeoutMs: 1,
    ...bundle,
  } satisfies JobOrder
  expect(loader.digest).toBeNull()
  const without = { ...order, code: null, sourceMap: null }
  await expect(loader.load(without)).rejects.toThrow(/was not sent/)
  const graph = await loader.load(order)
  expect(loader.digest).toBe(bundle.digest)
  expect(graph.parallelism).toBe(2)
  expect((await loader.load({ ...without, parallelism: 3 })).parallelism).toBe(3)
})

function countingSource() {
  return collectionSource([1])
}
