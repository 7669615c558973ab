/**
 * The all-round job on another number of slots: from an aligned checkpoint after a kill, from an
 * unaligned one with records in flight, and from a savepoint. The sink of the first run is slow, so
 * that all queues are full when it ends.
 */
import { expect, test } from '@jest/globals'
import { ForceRun } from './force-run.ts'

const seed = Number(process.env.WEIR_TEST_SEED ?? 1)
const isLong = process.env.WEIR_TEST_LONG === '1'

type Origin = 'aligned' | 'unaligned' | 'savepoint'
const steps = [
  [1, 4],
  [4, 1],
  [3, 5],
  [5, 2],
] as const
const origins: readonly Origin[] = ['aligned', 'unaligned', 'savepoint']
const all = steps.flatMap(([from, to], step) =>
  origins.map((origin, index) => ({ from, to, origin, isShort: (step + index) % 4 === 1 })),
)

test.each(all.filter(one => isLong || one.isShort))(
  'from $from slots to $to by $origin',
  async ({ from, to, origin }) => {
    const run = new ForceRun({
      seed,
      args: { splits: 12, records: 1_000 },
      fields: { 'checkpoint.alignment': origin === 'savepoint' ? 'aligned' : origin },
    })
    let wrong: readonly string[] = ['it did not come to its end']
    try {
      run.start({ parallelism: from, args: { rate: 1_200, sinkRate: 5_000 } })
      expect(await run.job.untilCheckpoints(2)).toBe(true)
      const inFlight = await run.job.inFlightBytes()
      if (origin === 'unaligned') expect(inFlight).toBeGreaterThan(0)
      else expect(inFlight).toBe(0)
      let restore = 'latest'
      if (origin === 'savepoint') restore = await run.job.stopWithSavepoint()
      else await run.job.kill()
      run.start({ parallelism: to, restore })
      wrong = await run.judge(origin === 'unaligned' ? 'any' : 'kept')
      expect(run.job.said).toContain('restored from')
      expect({ folder: run.kept, wrong: wrong.slice(0, 20) }).toMatchObject({ wrong: [] })
    } finally {
      await run.end({ keep: wrong.length > 0 })
    }
  },
  180_000,
)
