import { expect, test } from '@jest/globals'
import { exitCodes } from '../../src/cli/cli-io.ts'
import { runProgram } from '../../src/cli/program.ts'
import { describeFailure, firstFailing } from '../../src/testing/sim/replay.ts'
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
  expect(io.written.out).toMatch(/checkpoint 1 completes/)
})

test('a failing seed names what it broke and the command that replays it', async () => {
  const found = await firstFailing({ first: 1, count: 100, off: ['idempotent-commit'] })
  const text = describeFailure(found as SeedResult)
  expect(text).toContain('no-record-doubled: split ')
  expect(text).toContain(`replay: ./weir sim --seeds 1 --first ${found?.seed} --trace\n`)
})

test('a seed is a whole number from 1 on', async () => {
  const io = cliTestIo()
  expect(await runProgram(['sim', '--first', '0'], io)).toBe(exitCodes.invalid)
})
