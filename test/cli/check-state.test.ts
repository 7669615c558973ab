/** `weir plan --against`: a job beside the state that an earlier version of it left. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from '@jest/globals'
import { exitCodes } from '../../src/cli/cli-io.ts'
import { plan } from '../../src/cli/plan.ts'
import { run } from '../../src/cli/run.ts'
import { cliTestIo } from './cli-test-io.ts'

const home = resolve(import.meta.dirname, '../..')
const wordCount = readFileSync(join(home, 'src/examples/word-count.ts'), 'utf8')

function setUp() {
  const io = cliTestIo({ cwd: home })
  const folder = join(io.config.cacheFolder, '..')
  const input = join(folder, 'words.txt')
  writeFileSync(input, 'to be or not to be\n')
  const verdict = join(folder, 'verdict')
  const manifest = (inline: string): string => {
    const file = join(folder, 'job.yaml')
    const head = { apiVersion: 'weir.dev/v1alpha1', kind: 'StreamJob', metadata: { name: 'words' } }
    const args = { input, output: join(folder, 'out') }
    const checkpoint = { storage: `file://${join(folder, 'checkpoints')}` }
    writeFileSync(file, JSON.stringify({ ...head, spec: { job: { inline, args }, checkpoint } }))
    return file
  }
  const planned = (inline: string) =>
    plan({ file: manifest(inline), set: [], against: 'latest', verdict }, io)
  return { io, manifest, planned, verdict }
}

test('a job that fits may go, one that would lose state may not, and says which', async () => {
  const { io, manifest, planned, verdict } = setUp()
  expect(await planned(wordCount)).toBe(exitCodes.ok)
  expect(io.written.err).toContain('no state yet')
  expect(await run({ file: manifest(wordCount), set: [], rest: false }, io)).toBe(exitCodes.ok)
  expect(await planned(wordCount)).toBe(exitCodes.ok)
  expect(existsSync(verdict)).toBe(false)

  const renamed = wordCount.replaceAll("uid('count')", "uid('totals')")
  expect(await planned(renamed)).toBe(exitCodes.blocked)
  expect(readFileSync(verdict, 'utf8')).toMatch(/WEIR_RESTORE_STATE_LEFT .*count/)
  const retyped = wordCount
    .replace('z.int32()) }', 'z.string()) }')
    .replace('(a: number, b: number)', '(a: string, b: string)')
    .replace('count.add(1)', "count.add('1')")
    .replace('context.state.count.get() ?? 0', 'Number(context.state.count.get() ?? 0)')
  expect(await planned(retyped)).toBe(exitCodes.blocked)
  expect(readFileSync(verdict, 'utf8')).toContain('WEIR_STATE_INCOMPATIBLE')
})

test('what cannot be built is a verdict, too', async () => {
  const { planned, verdict } = setUp()
  await expect(planned(`${wordCount}\nconst wrong: number = 'text'\n`)).rejects.toMatchObject({
    domain: 'user',
  })
  expect(readFileSync(verdict, 'utf8')).toContain('WEIR_JOB_')
})
