import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, test } from '@jest/globals'
import { findInstallation } from '../../src/cli/installation.ts'
import { type JobFile, readJobFile } from '../../src/cli/job-file.ts'

const installation = findInstallation()

function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'weir-job-file-'))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  return folder
}

function read(cwd: string, file: string, set: readonly string[] = []): JobFile {
  return readJobFile({ file, cwd, set, cacheFolder: join(cwd, 'cache'), installation })
}

const manifest = (job: string): string =>
  `apiVersion: weir.dev/v1alpha1\nkind: StreamJob\nmetadata: { name: a }\nspec:\n  job:\n${job}`

test('a module runs with the defaults of a manifest and is named after its file', () => {
  const folder = folderWith({ 'jobs/2_Word Count!.ts': '' })
  const { manifest, entry, shownAs, showPlace } = read(folder, 'jobs/2_Word Count!.ts')
  expect(manifest.metadata.name).toBe('word-count')
  expect(manifest.spec.parallelism).toBe(1)
  expect(entry).toBe(join(folder, 'jobs/2_Word Count!.ts'))
  expect(shownAs).toBe('jobs/2_Word Count!.ts')
  expect(showPlace(entry, 3, 7)).toBe('jobs/2_Word Count!.ts:3:7')
})

test('--set reaches the manifest of a bare module', () => {
  const folder = folderWith({ 'a.ts': '' })
  const { spec } = read(folder, 'a.ts', ['spec.job.args.output=o', 'spec.parallelism=3']).manifest
  expect(spec.job.args).toEqual({ output: 'o' })
  expect(spec.parallelism).toBe(3)
})

test('a module is found beside the manifest, or above it up to the package', () => {
  const yaml = manifest('    module: jobs/a.ts\n')
  const beside = folderWith({ 'm/a.yaml': yaml, 'm/jobs/a.ts': '', 'jobs/a.ts': '' })
  expect(read(beside, 'm/a.yaml').entry).toBe(join(beside, 'm/jobs/a.ts'))
  const above = folderWith({ 'x/m/a.yaml': yaml, 'x/package.json': '{}', 'x/jobs/a.ts': '' })
  expect(read(above, 'x/m/a.yaml').entry).toBe(join(above, 'x/jobs/a.ts'))
})

test('a module above the package is not found; the error lists where it was looked for', () => {
  const yaml = manifest('    module: jobs/a.ts\n')
  const folder = folderWith({ 'x/m/a.yaml': yaml, 'x/package.json': '{}', 'jobs/b.ts': '' })
  const places = ['x/m', 'x', '.'].map(place => join(folder, place)).join(', ')
  expect(() => read(folder, 'x/m/a.yaml')).toThrow(`job module jobs/a.ts is in none of ${places}`)
})

test('an inline job becomes a file whose lines are those of the manifest', () => {
  const yaml = manifest('    inline: |\n      const a = 1\n      export default a\n')
  const { entry, showPlace, shownAs } = read(folderWith({ 'a.yaml': yaml }), 'a.yaml')
  expect(readFileSync(entry, 'utf8')).toBe('const a = 1\nexport default a\n')
  expect(existsSync(join(dirname(entry), 'node_modules/zod'))).toBe(true)
  expect(shownAs).toBe('a.yaml')
  expect(showPlace(entry, 2, 1)).toBe('a.yaml:8')
})

test.each([
  ['a missing module', 'no.ts', /cannot read no\.ts: no such file/],
  ['a missing manifest', 'no.yaml', /cannot read no\.yaml: ENOENT/],
  ['a file of another kind', 'a.txt', /neither a manifest nor a job module/],
  ['a job from a bundle', 'bundle.yaml', /takes its job from spec\.job\.bundle/],
  ['a job from a ConfigMap', 'map.yaml', /takes its job from spec\.job\.configMap/],
])('%s is refused', (_sentence, file, message) => {
  const digest = `sha256:${'0'.repeat(64)}`
  const folder = folderWith({
    'a.txt': '',
    'bundle.yaml': manifest(`    bundle: { url: "s3://b/p", digest: "${digest}" }\n`),
    'map.yaml': manifest('    configMap: { name: jobs, key: a.ts }\n'),
  })
  expect(() => read(folder, file)).toThrow(message)
})
