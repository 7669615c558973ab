/**
 * One source ends early, the other goes on: checkpoints go on, and what the ended branch emitted at
 * its end comes out once, also when the job fails long after.
 */
import { expect, test } from '@jest/globals'
import { counting } from '../../src/api/aggregates.ts'
import { job } from '../../src/api/job.ts'
import { valueState } from '../../src/api/state-descriptor.ts'
import { endOfStreamTrigger } from '../../src/api/windows/end-of-stream-trigger.ts'
import { global } from '../../src/api/windows/global-windows.ts'
import { session } from '../../src/api/windows/session-windows.ts'
import { tumbling } from '../../src/api/windows/tumbling-windows.ts'
import { collectionSource } from '../../src/connectors/collection/collection-source.ts'
import { z } from '../../src/schema/z.ts'
import { MemoryStore } from '../../src/storage/memory-store.ts'
import { collectSink } from '../../src/testing/collect-sink.ts'
import { failOnce } from '../../src/testing/fail-once.ts'
import { runJob, startJob } from '../../src/testing/run-job.ts'
import { pacedSource } from './paced-source.ts'

const SHORT = 120
const LONG = 900

function sinks() {
  return {
    long: collectSink<number>('long'),
    all: collectSink<number>('all'),
    tumbled: collectSink<number>('tumbled'),
    sessions: collectSink<number>('sessions'),
    timers: collectSink<string>('timers'),
    answers: collectSink<number>('answers'),
  }
}

function twoBranches(out: ReturnType<typeof sinks>, map: (n: number) => number) {
  return job(env => {
    const short = env
      .from(collectionSource(Array.from({ length: SHORT }, (_, n) => n)), w =>
        w.monotonous().timestamp(n => n),
      )
      .uid('short')
    const keyed = short.keyBy(n => n % 3)
    keyed
      .window(global())
      .trigger(endOfStreamTrigger())
      .aggregate(counting())
      .uid('all')
      .to(out.all)
      .uid('all-out')
    keyed.window(tumbling('40ms')).aggregate(counting()).uid('tumble').to(out.tumbled).uid('t-out')
    keyed.window(session('10s')).aggregate(counting()).uid('session').to(out.sessions).uid('s-out')
    keyed
      .process({
        output: z.string(),
        state: { seen: valueState(z.int()) },
        processElement(_value, context) {
          context.state.seen.update((context.state.seen.value() ?? 0) + 1)
          context.timers.registerEventTimeTimer(1_000_000)
        },
        onTimer(_timestamp, context, collector) {
          collector.collect(`${String(context.key)}: ${context.state.seen.value()}`)
        },
      })
      .uid('timers')
      .to(out.timers)
      .uid('timers-out')
    short
      .asyncMap(async n => n * 2)
      .uid('ask')
      .to(out.answers)
      .uid('answers-out')
    env
      .from(pacedSource({ records: LONG, perCheckpoint: 60 }))
      .uid('long')
      .map(map)
      .to(out.long)
      .uid('long-out')
  })
}

function check(out: ReturnType<typeof sinks>): void {
  const sorted = (values: readonly number[]): number[] => values.toSorted((a, b) => a - b)
  expect(out.all.results).toEqual([40, 40, 40])
  expect(out.sessions.results).toEqual([40, 40, 40])
  expect(sorted(out.tumbled.results)).toEqual([13, 13, 13, 13, 13, 13, 14, 14, 14])
  expect(out.timers.results.toSorted()).toEqual(['0: 40', '1: 40', '2: 40'])
  expect(sorted(out.answers.results)).toEqual(Array.from({ length: SHORT }, (_, n) => n * 2))
  expect(sorted(out.long.results)).toEqual(Array.from({ length: LONG }, (_, n) => n))
}

test.each([1, 2])('at parallelism %i, over failures', async parallelism => {
  const out = sinks()
  const options = { parallelism, checkpointEvery: 1 } as const
  const { restarts } = await runJob(twoBranches(out, failOnce(300, 2)), options)
  expect(restarts).toBe(2)
  check(out)
})

test.each([
  [2, 3],
  [3, 1],
])('from parallelism %i to %i by a savepoint', async (from, to) => {
  const out = sinks()
  const store = new MemoryStore()
  const made = twoBranches(out, n => n)
  const options = { store, checkpointEvery: 1, maxParallelism: 8 } as const
  const first = startJob(made, { ...options, parallelism: from })
  // The short branch has come to its end, and its end is committed.
  await until(() => out.all.results.length === 3)
  const { savepointPath } = await first.stop({ savepoint: true })
  expect(out.long.results.length).toBeLessThan(LONG)
  await runJob(made, { ...options, parallelism: to, restore: savepointPath as string })
  check(out)
})

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise(resolve => setImmediate(resolve))
}
