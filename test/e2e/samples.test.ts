/** Every manifest that Weir ships runs as it is, but for its size and its output folder. */
import { readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { afterAll, expect, test } from '@jest/globals'
import {
  readLines,
  repository,
  ScratchFolders,
  sampleManifest,
  setAll,
  weir,
} from './weir-process.ts'

const folders = new ScratchFolders()
afterAll(() => folders.remove())

/** What makes a sample small, and how many rows it leaves; 0: at least one. */
const small: Readonly<Record<string, readonly [args: Record<string, string>, rows: number]>> = {
  'bank-transfers': [{ transfers: '10000' }, 20_000],
  // Each window of each of the 8 places: 2,000 s and what the last windows reach beyond.
  'surge-pricing': [{ rides: '40000' }, 8 * 76],
  'viewing-sessions': [{ views: '5000' }, 0],
  'word-count': [{ input: join(repository, 'LICENSE') }, 0],
}

/** They have files of their own. */
const elsewhere = ['flight-delays', 'kafka', 'kubernetes']

const manifests = readdirSync(join(repository, 'manifests/samples')).map(file =>
  basename(file, '.yaml'),
)

test('each sample is run by a test', () => {
  expect([...Object.keys(small), ...elsewhere].toSorted()).toEqual(manifests.toSorted())
})

test.each(Object.entries(small))('%s', async (name, [args, rows]) => {
  const folder = folders.make()
  const output = join(folder, 'out')
  const fields = Object.fromEntries(
    Object.entries({ ...args, output }).map(([key, value]) => [`job.args.${key}`, value]),
  )
  const end = await weir(['run', sampleManifest(name), ...setAll(fields)], folder)
  expect(end).toMatchObject({ code: 0, out: '' })
  // What a newcomer copies gives no cause for advice.
  expect(end.err).not.toMatch(/warning|WEIR_/)
  const lines = readLines(output)
  expect(lines.length).toBeGreaterThan(0)
  if (rows > 0) expect(lines).toHaveLength(rows)
})
