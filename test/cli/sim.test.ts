import { expect, test } from '@jest/globals'
import { exitCodes } from '../../src/cli/cli-io.ts'
import { runProgram } from '../../src/cli/program.ts'
import { explainFailure, firstFailing } from '../../src/testing/sim/replay.ts'
import type { SeedResult } from '../../src/testing/sim/run-seed.ts'
import { cliTestIo } from './cli-test-io.ts'

test('says how many passed in its last line', async () => {
  const io = cliTestIo()
  expect(await runProgram(['sim', '--seeds', '5', '--first', '40'], io)).toBe(exitCodes.ok)
  expect(io.written.out.trimEnd().split('\n').at(-1)).toBe('5 passed, 0 failed')
})

test('a traced seed shows its scenario and its steps', async () => {
  const io = cliTestIo()
  await runProgram(['sim', '--seeds', '1', '--first', '7', '--trace'], io)
  expect(io.written.out).toMatch(/^seed 7: \d+ transfers in \d+ splits/)
  expect(io.written.out).toMatch(/jm1 +starts run1, \d slots, restores none/)
  expect(io.written.out).toMatch(/checkpoint \d+ completes/)
})

test('a failing seed names what it broke and the command that replays it', async () => {
  const found = await firstFailing({ first: 1, count: 100, off: ['idempotent-commit'] })
  const text = await explainFailure(found as SeedResult, ['idempotent-commit'])
  expect(text).toContain('no-record-doubled: split ')
  // The last steps before it, and no others.
  expect(text).toMatch(/^ {2}\| +\d+\.\d\d {2}\S+ +\S/m)
  expect(text.match(/^ {2}\| /gm)).toHaveLength(25)
  expect(text).toMatch(/\| +\d+\.\d\d {2}world +VIOLATION [^\n]*\n {2}replay: /)
  expect(text).toContain(`replay: ./weir sim --seeds 1 --first ${found?.seed} --trace\n`)
})

test('a seed is a whole number from 1 on', async () => {
  const io = cliTestIo()
  expect(await runProgram(['sim', '--first', '0'], io)).toBe(exitCodes.invalid)
})
