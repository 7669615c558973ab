/**
 * The all-round job is moved to other slots while it runs, up and down, with all queues full. Once
 * the order is taken anything may be killed: the job goes on there, and its output is right.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { expect, test } from '@jest/globals'
import { SeededRandom } from '../../src/common/random.ts'
import { type FaultName, faults } from './faults.ts'
import { ForceRun } from './force-run.ts'

const seed = Number(process.env.WEIR_TEST_SEED ?? 1)
const isLong = process.env.WEIR_TEST_LONG === '1'

interface Journey {
  readonly alignment: 'aligned' | 'unaligned'
  readonly from: number
  readonly to: readonly number[]
  /** What strikes on the way. */
  readonly strike: FaultName | undefined
}

const journeys: readonly Journey[] = [
  { alignment: 'unaligned', from: 2, to: [4, 1], strike: undefined },
  { alignment: 'aligned', from: 3, to: [2, 4], strike: 'kill-jobmanager' },
]
const more: readonly Journey[] = [
  { alignment: 'unaligned', from: 3, to: [5, 2], strike: 'kill-task' },
  { alignment: 'unaligned', from: 4, to: [1, 3], strike: 'kill-jobmanager' },
  { alignment: 'aligned', from: 2, to: [3, 1], strike: 'pause-long' },
]
/** An order takes less than this, so a strike comes before, in or after it. */
const STRIKE_MS = 500

test.each([...journeys, ...(isLong ? more : [])])(
  'from $from slots to $to, $alignment, struck by $strike',
  async ({ alignment, from, to, strike }) => {
    const random = new SeededRandom(seed)
    const run = new ForceRun({
      seed,
      args: { splits: 12, records: 1_000 },
      fields: { 'checkpoint.alignment': alignment },
    })
    const fault = faults.find(({ name }) => name === strike)
    let wrong: readonly string[] = ['it did not come to its end']
    try {
      run.start({ parallelism: from, args: { rate: 700, sinkRate: 4_000 } })
      for (const parallelism of to) {
        expect(await run.job.untilCheckpoints(2)).toBe(true)
        if (alignment === 'unaligned') expect(await run.job.inFlightBytes()).toBeGreaterThan(0)
        await run.rescale(parallelism)
        if (fault !== undefined) await pause(random.int(STRIKE_MS))
        await fault?.strike(run, random)
        if (!(await run.untilAt(parallelism))) throw new Error(run.job.said)
        expect(run.job.processes('taskmanager')).toHaveLength(parallelism)
      }
      wrong = await run.judge(alignment === 'unaligned' ? 'any' : 'kept')
      expect({ folder: run.kept, wrong: wrong.slice(0, 20) }).toMatchObject({ wrong: [] })
    } finally {
      await run.end({ keep: wrong.length > 0 })
    }
  },
  180_000,
)
