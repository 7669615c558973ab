import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from '@jest/globals'
import { findInstallation } from '../../src/cli/installation.ts'
import { type JobFile, readJobFile } from '../../src/cli/job-file.ts'
import { SystemClock } from '../../src/common/clock.ts'
import { SeededRandom } from '../../src/common/random.ts'

const installation = findInstallation()

function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'weir-job-file-'))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  return folder
}

function read(cwd: string, file: string, set: readonly string[] = []): Promise<JobFile> {
  return readJobFile({
    file,
    cwd,
    set,
    cacheFolder: join(cwd, 'cache'),
    configMapsFolder: join(cwd, 'maps'),
    installation,
    random: new SeededRandom(1),
    clock: new SystemClock(),
  })
}

const manifest = (job: string): string =>
  `apiVersion: weir.dev/v1alpha1\nkind: StreamJob\nmetadata: { name: a }\nspec:\n  job:\n${job}`

test('a module runs with the defaults of a manifest and is named after its file', async () => {
  const folder = folderWith({ 'jobs/2_Word Count!.ts': '' })
  const { manifest, entry, shownAs, showPlace } = await read(folder, 'jobs/2_Word Count!.ts')
  expect(manifest.metadata.name).toBe('word-count')
  expect(manifest.spec.parallelism).toBe(1)
  expect(entry).toBe(join(folder, 'jobs/2_Word Count!.ts'))
  expect(shownAs).toBe('jobs/2_Word Count!.ts')
  expect(showPlace(entry, 3, 7)).toBe('jobs/2_Word Count!.ts:3:7')
})

test('--set reaches the manifest of a bare module', async () => {
  const folder = folderWith({ 'a.ts': '' })
  const { spec } = (await read(folder, 'a.ts', ['spec.job.args.output=o', 'spec.parallelism=3']))
    .manifest
  expect(spec.job.args).toEqual({ output: 'o' })
  expect(spec.parallelism).toBe(3)
})

test('a module is found beside the manifest, or above it up to the package', async () => {
  const yaml = manifest('    module: jobs/a.ts\n')
  const beside = folderWith({ 'm/a.yaml': yaml, 'm/jobs/a.ts': '', 'jobs/a.ts': '' })
  expect((await read(beside, 'm/a.yaml')).entry).toBe(join(beside, 'm/jobs/a.ts'))
  const above = folderWith({ 'x/m/a.yaml': yaml, 'x/package.json': '{}', 'x/jobs/a.ts': '' })
  expect((await read(above, 'x/m/a.yaml')).entry).toBe(join(above, 'x/jobs/a.ts'))
})

test('a module above the package is not found; the error lists where it was looked for', async () => {
  const yaml = manifest('    module: jobs/a.ts\n')
  const folder = folderWith({ 'x/m/a.yaml': yaml, 'x/package.json': '{}', 'jobs/b.ts': '' })
  const places = ['x/m', 'x', '.'].map(place => join(folder, place)).join(', ')
  await expect(read(folder, 'x/m/a.yaml')).rejects.toThrow(
    `job module jobs/a.ts is in none of ${places}`,
  )
})

test('an inline job becomes a file whose lines are those of the manifest', async () => {
  const yaml = manifest('    inline: |\n      const a = 1\n      export default a\n')
  const { entry, showPlace, shownAs } = await read(folderWith({ 'a.yaml': yaml }), 'a.yaml')
  expect(readFileSync(entry, 'utf8')).toBe('const a = 1\nexport default a\n')
  expect(existsSync(join(dirname(entry), 'node_modules/zod'))).toBe(true)
  expect(shownAs).toBe('a.yaml')
  expect(showPlace(entry, 2, 1)).toBe('a.yaml:8')
})

const CODE = 'export default 1\n'
const digestOf = (text: string): string =>
  `sha256:${createHash('sha256').update(text).digest('hex')}`
const bundle = (url: string, digest = digestOf(CODE)): string =>
  manifest(`    bundle: { url: "${url}", digest: "${digest}" }\n`)

test('a bundle is taken with its digest, and is not fetched again', async () => {
  const elsewhere = folderWith({ 'jobs/a.mjs': CODE })
  const url = pathToFileURL(join(elsewhere, 'jobs/a.mjs')).href
  const folder = folderWith({ 'a.yaml': bundle(url) })
  const { entry, shownAs, showPlace } = await read(folder, 'a.yaml')
  expect(readFileSync(entry, 'utf8')).toBe(CODE)
  expect(entry.endsWith('/job.mjs')).toBe(true)
  expect(existsSync(join(dirname(entry), 'node_modules/zod'))).toBe(true)
  expect([shownAs, showPlace(entry, 3, 1)]).toEqual([url, `${url}:3:1`])
  rmSync(elsewhere, { recursive: true })
  expect((await read(folder, 'a.yaml')).entry).toBe(entry)
})

test('a bundle that was spoilt in the cache is fetched again', async () => {
  const elsewhere = folderWith({ 'a.ts': CODE })
  const folder = folderWith({ 'a.yaml': bundle(pathToFileURL(join(elsewhere, 'a.ts')).href) })
  await read(folder, 'a.yaml')
  const kept = join(folder, 'cache/bundles', `${digestOf(CODE).replace(':', '-')}.ts`)
  writeFileSync(kept, 'something else')
  const { entry } = await read(folder, 'a.yaml')
  expect(readFileSync(entry, 'utf8')).toBe(CODE)
  expect(readFileSync(kept, 'utf8')).toBe(CODE)
})

test('what is not what the digest says is not run', async () => {
  const elsewhere = folderWith({ 'a.ts': 'export default 2\n' })
  const url = pathToFileURL(join(elsewhere, 'a.ts')).href
  const folder = folderWith({ 'a.yaml': bundle(url) })
  const found = digestOf('export default 2\n')
  await expect(read(folder, 'a.yaml')).rejects.toThrow(
    `${url} is not what spec.job.bundle.digest says: expected ${digestOf(CODE)}, found ${found}`,
  )
  expect(existsSync(join(folder, 'cache/inline'))).toBe(false)
})

test('a ConfigMap is a folder, and its key a file of TypeScript', async () => {
  const yaml = manifest('    configMap: { name: jobs, key: totals }\n')
  const folder = folderWith({ 'a.yaml': yaml, 'maps/jobs/totals': CODE })
  const { entry, shownAs } = await read(folder, 'a.yaml')
  expect(entry.endsWith('/job.ts')).toBe(true)
  expect(readFileSync(entry, 'utf8')).toBe(CODE)
  expect(shownAs).toBe('jobs/totals')
})

const nowhere = pathToFileURL(join(tmpdir(), 'weir-no-such-folder/a.ts')).href

test.each([
  ['a missing module', 'no.ts', /cannot read no\.ts: no such file/],
  ['a missing manifest', 'no.yaml', /cannot read no\.yaml: ENOENT/],
  ['a file of another kind', 'a.txt', /neither a manifest nor a job module/],
  ['a bundle that is no module', 'archive.yaml', /bundle\.url is s3:.*: \.gz is no module/],
  ['a bundle that is not there', 'nowhere.yaml', /there is no .*weir-no-such-folder\/a\.ts/],
  ['a ConfigMap that is not there', 'map.yaml', /there is no key a\.ts in the ConfigMap jobs/],
])('%s is refused', async (_sentence, file, message) => {
  const folder = folderWith({
    'a.txt': '',
    'archive.yaml': bundle('s3://b/job.tar.gz'),
    'nowhere.yaml': bundle(nowhere),
    'map.yaml': manifest('    configMap: { name: jobs, key: a.ts }\n'),
  })
  await expect(read(folder, file)).rejects.toThrow(message)
})
