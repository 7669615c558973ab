/** The machine's clock is set back by an hour in the middle of a run: nothing waits, nothing is lost. */
import { expect, test } from '@jest/globals'
import { datagen, job, record, sequence, tumbling, z } from 'weir'
import { readSnapshot } from '../../src/cluster/jobmanager/job-store.ts'
import { type Clock, SystemClock } from '../../src/common/clock.ts'
import { MemoryStore } from '../../src/storage/memory-store.ts'
import { collectSink } from '../../src/testing/collect-sink.ts'
import { runJob } from '../../src/testing/run-job.ts'

const HOUR_MS = 3_600_000
const ROWS = 6_000

/** Goes as the machine's, but for an administrator who sets it back after the first 300 ms. */
class SetBackClock extends SystemClock {
  readonly #startMs = this.monotonic()
  wasSetBack = false

  override now(): number {
    this.wasSetBack ||= this.monotonic() - this.#startMs > 300
    return super.now() - (this.wasSetBack ? HOUR_MS : 0)
  }
}

const Tick = record({ id: z.int32(), at: z.timestamp() })

test('a job goes on, with its checkpoints and its windows', async () => {
  const clock: Clock & { wasSetBack: boolean } = new SetBackClock()
  const sink = collectSink<number>()
  let asked = 0
  const ticks = datagen({
    type: Tick,
    rows: ROWS,
    ratePerSecond: ROWS,
    fields: { id: sequence(), at: n => n * 10 },
  })
  const counting = job(env => {
    env
      // A generator of the job's own is asked at each tick of processing time only.
      .from(ticks, w =>
        w
          .custom(() => {
            let greatest = 0
            return {
              onEvent: (_tick, timestamp) => {
                greatest = timestamp
                return undefined
              },
              onPeriodicEmit: () => {
                if (clock.wasSetBack) asked++
                return greatest - 1
              },
            }
          })
          .timestamp(tick => tick.at),
      )
      .uid('ticks')
      .keyBy(tick => tick.id % 7)
      .window(tumbling('1s'))
      .aggregate({
        accumulator: z.int32(),
        output: z.int32(),
        create: () => 0,
        add: (_tick, count) => count + 1,
        result: count => count,
      })
      .uid('counts')
      .to(sink)
      .uid('sink')
  })
  const store = new MemoryStore()
  const startMs = clock.now()
  const options = { clock, store, checkpointEvery: '50ms', checkpoint: { retained: 100 } } as const
  const { outcome, restarts } = await runJob(counting, options)
  expect({ outcome, restarts, wasSetBack: clock.wasSetBack }).toEqual({
    outcome: 'finished',
    restarts: 0,
    wasSetBack: true,
  })
  expect(sink.results.reduce((sum, count) => sum + count, 0)).toBe(ROWS)
  const taken = (await store.list('')).filter(({ key }) => key.endsWith('/_metadata'))
  const metadata = await Promise.all(
    taken.map(({ key }) => readSnapshot(store, key.replace('/_metadata', ''), undefined)),
  )
  // One more than the last of the job, which waits for nothing.
  const later = metadata.filter(one => one.triggeredAtMs < startMs - HOUR_MS / 2)
  expect(later.length).toBeGreaterThanOrEqual(2)
  // Every 200 ms of the rest of the second, and not only in an hour.
  expect(asked).toBeGreaterThanOrEqual(2)
})
