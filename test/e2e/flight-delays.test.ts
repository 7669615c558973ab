/** The first sample of the README, from the command to every row of its output. */
import { join } from 'node:path'
import { afterAll, expect, test } from '@jest/globals'
import { FLIGHT_WINDOWS, judgeFlightDelays } from './flight-delays-oracle.ts'
import {
  finishedParts,
  ScratchFolders,
  sampleManifest,
  setAll,
  WeirProcess,
  weir,
} from './weir-process.ts'

const folders = new ScratchFolders()
const KILLS = 3
const everyRowOnce = { rows: FLIGHT_WINDOWS, missing: 0, unexpected: 0 }

afterAll(() => folders.remove())

function command(folder: string): readonly string[] {
  const fields = { 'checkpoint.interval': '150ms', 'job.args.output': join(folder, 'out') }
  return ['run', sampleManifest('flight-delays'), ...setAll(fields)]
}

test('three million flights give the rows that DuckDB finds in the same file', async () => {
  const folder = folders.make()
  const end = await weir(command(folder), folder)
  expect(end).toMatchObject({ code: 0, out: '' })
  expect(end.err).toContain('3,000,000 records in, 763,125 out')
  expect(await judgeFlightDelays(join(folder, 'out'))).toEqual(everyRowOnce)
}, 120_000)

test('killed in the middle and restored, again and again, it gives them all the same', async () => {
  const folder = folders.make()
  const output = join(folder, 'out')
  let run = new WeirProcess(command(folder), folder)
  for (let kills = 0; kills < KILLS; kills++) {
    const before = finishedParts(output).length
    // Two more checkpoints have completed and published what they hold; the next is under way.
    const isAlive = await run.runsUntil(() => finishedParts(output).length >= before + 2)
    expect({ kills, isAlive }).toEqual({ kills, isAlive: true })
    await run.kill()
    run = new WeirProcess([...command(folder), '--restore', 'latest'], folder)
  }
  const end = await run.ended
  expect(end).toMatchObject({ code: 0, err: expect.stringContaining('restored from') })
  // It went on, and did not begin anew.
  expect(end.err).not.toContain('3,000,000 records in')
  expect(await judgeFlightDelays(output)).toEqual(everyRowOnce)
  // What is over has nothing left to do: that is an end, not a wait.
  const again = await weir([...command(folder), '--restore', 'latest'], folder)
  expect(again).toMatchObject({ code: 0, err: expect.stringContaining(' 0 records in') })
  expect(await judgeFlightDelays(output)).toEqual(everyRowOnce)
}, 180_000)
