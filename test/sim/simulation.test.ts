import { expect, test } from '@jest/globals'
import { describeFailure, runSeeds } from '../../src/testing/sim/replay.ts'
import { runSeed, type SeedResult } from '../../src/testing/sim/run-seed.ts'

const SLICE = 2_000

test(`${SLICE} seeds keep every promise, and meet every kind of fault`, async () => {
  const results: SeedResult[] = []
  const onResult = (result: SeedResult): void => void results.push(result)
  await runSeeds({ first: 1, count: SLICE, onResult })
  const failures = results.filter(({ violations }) => violations.length > 0)
  expect(failures.map(describeFailure)).toEqual([])
  const kinds = new Set(results.flatMap(({ scenario }) => scenario.faults.map(f => f.kind)))
  expect([...kinds].sort()).toEqual([
    'clock-jump',
    'doubled-worker',
    'kill-jobmanager',
    'kill-worker',
    'rival-jobmanagers',
    'savepoint',
    'slow-disk',
    'stop-with-savepoint',
    'zombie-jobmanager',
    'zombie-worker',
  ])
  // A run without checkpoints would prove nothing.
  expect(results.filter(({ completed }) => completed === 0)).toEqual([])
})

test('S1: a seed repeats itself step by step, and traced as untraced', async () => {
  for (const seed of [3, 17, 160]) {
    const first = await runSeed({ seed, trace: true })
    const again = await runSeed({ seed, trace: true })
    expect(again.trace).toEqual(first.trace)
    expect(first.trace.length).toBeGreaterThan(50)
    expect((await runSeed({ seed })).steps).toBe(first.steps)
  }
})

test('two seeds are two runs', async () => {
  const [a, b] = [await runSeed({ seed: 1, trace: true }), await runSeed({ seed: 2, trace: true })]
  expect(a.trace).not.toEqual(b.trace)
})

/** Seeds that once found a defect of the engine. */
const regressions: Readonly<Record<string, number>> = {
  'an overtaken attempt gave up an id that a newer one had completed, and removed its files': 88,
  'the same, and a restart found half a checkpoint': 634,
  'an overtaken attempt swept a checkpoint that the newer one went on from': 515,
  'an overtaken attempt swept what another had completed': 196,
  'an overtaken attempt restored, and committed what no checkpoint of its successor held': 18_329,
  'an attempt went on from a checkpoint before its commit was ordered, and was overtaken': 6_884,
}

test.each(Object.entries(regressions))('%s', async (_sentence, seed) => {
  expect((await runSeed({ seed })).violations).toEqual([])
})
