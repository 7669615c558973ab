/**
 * Weir against models of Flink's rules, on random cases that go where the vectors do not: every
 * assigner with every trigger and evictor, lateness, restores in the middle. The models are held
 * against the vectors where those are at hand.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { type Line, modelSuiteOf, modelSuites, outOf } from './models/model-suites.ts'
import type { ValveOp } from './models/valve-model.ts'
import type { RunVector } from './run.ts'
import { vectorFolder } from './vector-folder.ts'
import { modelOut, run as runValve, weirOut } from './watermark-valve.ts'

async function runnerOf(suite: string): Promise<RunVector> {
  const { run } = (await import(`./${suite}.ts`)) as { run: RunVector }
  return run
}

test.each(Object.keys(modelSuites))('%s: as the model says', async name => {
  const suite = modelSuites[name]
  if (suite === undefined) throw new Error(`no model of ${name}`)
  const run = await runnerOf(suite.suite)
  await fc.assert(
    fc.asyncProperty(suite.cases, async line => {
      expect(await run({ case: 1, ...line, out: outOf(suite, line) })).toBeUndefined()
    }),
    { numRuns: 150 },
  )
})

const modelled = [...new Set(Object.values(modelSuites).map(({ suite }) => suite))]

const vectorsOf = (suite: string): string => join(vectorFolder, `${suite}.jsonl`)
// Without the vectors there is nothing to hold a model against.
const withVectors = existsSync(vectorsOf('windows')) ? test : test.skip

withVectors.each(modelled)('%s: the model says what the vectors say', async name => {
  const file = vectorsOf(name)
  const run = await runnerOf(name)
  for (const text of readFileSync(file, 'utf8').trim().split('\n')) {
    const line = JSON.parse(text) as Line
    const suite = modelSuiteOf(name, line)
    if (suite === undefined) throw new Error(`no model of ${text}`)
    // The runner passes the vector itself: what it passes too, is the same but for free order.
    expect(await run({ ...line, out: outOf(suite, line) })).toBeUndefined()
  }
})

const valveOps = fc
  .array(
    fc.record({
      ch: fc.nat(4),
      by: fc.integer({ min: -4, max: 6 }),
      status: fc.constantFrom(undefined, undefined, 'idle' as const, 'active' as const),
    }),
    { minLength: 1, maxLength: 40, size: 'max' },
  )
  .chain(moves =>
    fc.record({ channels: fc.integer({ min: 1, max: 5 }), moves: fc.constant(moves) }),
  )
  .map(({ channels, moves }) => ({
    channels,
    ops: moves.map(({ ch, by, status }, index): ValveOp => {
      const op = { ch: ch % channels }
      return status === undefined ? { ...op, wm: index + by } : { ...op, status }
    }),
  }))

test('the valve: as the model with the mended rules says', () => {
  fc.assert(
    fc.property(valveOps, ({ channels, ops }) => {
      expect(weirOut(channels, ops)).toEqual(modelOut(channels, ops, true))
    }),
    { numRuns: 1_000 },
  )
})

test('the valve: a vector that shows FLINK-40475 is held against the mended rules', () => {
  // The last channel falls idle behind what was sent, with a greater watermark on an idle one.
  const ops: ValveOp[] = [
    { ch: 2, wm: 10 },
    { ch: 0, wm: 5 },
    { ch: 1, wm: 3 },
    { ch: 1, status: 'idle' },
    { ch: 2, status: 'idle' },
    { ch: 1, status: 'active' },
    { ch: 0, status: 'idle' },
    { ch: 1, status: 'idle' },
  ]
  const [before, after] = [modelOut(3, ops, false), modelOut(3, ops, true)]
  expect(before.at(-1)).toEqual([{ status: 'idle' }])
  expect(after.at(-1)).toEqual([{ wm: 10 }, { status: 'idle' }])
  const line = (out: readonly unknown[]) => ({
    channels: 3,
    ops: ops.map((op, index) => ({ ...op, out: out[index] })),
  })
  expect(runValve(line(before))).toBeUndefined()
  expect(runValve(line(after))).toBeUndefined()
  expect(runValve(line(before.with(-1, [])))).toMatch(/op 7/)
})

test('a model that errs by one row is noticed', async () => {
  const suite = modelSuites.timers
  if (suite === undefined) throw new Error('timers have a model')
  const run = await runnerOf('timers')
  const line: Line = {
    ops: [
      ['e', 'a', 0, 1, [['emit'], ['reg', 'E', 3]]],
      ['w', 5],
    ],
  }
  const out = outOf(suite, line)
  expect(out).toHaveLength(2)
  expect(await run({ case: 1, ...line, out })).toBeUndefined()
  expect(await run({ case: 1, ...line, out: [out[0], [['w', 5]]] })).toMatch(/op 1/)
})
