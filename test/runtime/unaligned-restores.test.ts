/**
 * A job with every kind of edge and operator, checkpoints of every form, a sink that stops and goes
 * on, and a restore at any moment: the committed output is that of an undisturbed run.
 */
import { describe, expect, test } from '@jest/globals'
import { type Job, job } from '../../src/api/job.ts'
import { mapState } from '../../src/api/state-descriptor.ts'
import { tumbling } from '../../src/api/windows/tumbling-windows.ts'
import { SeededRandom } from '../../src/common/random.ts'
import type { Exchange } from '../../src/runtime/network/channel.ts'
import type { BarrierAlignment } from '../../src/runtime/task-contract.ts'
import { typeOf } from '../../src/schema/type-of.ts'
import { z } from '../../src/schema/z.ts'
import { JobRunner, type RunnerCheckpoint, type RunnerOptions } from './job-runner.ts'
import { Slots } from './network/slots-fixture.ts'
import { SlowExchange } from './network/slow-channel.ts'
import { logSink, numbers, SinkLog, sorted } from './test-connectors.ts'

const RECORDS = 1_500
const TIMER_MS = 40
const FROM_TIMER = 1_000_000
const SEEDS = 40
/** As of property tests: another number looks further. */
const FIRST_SEED = (Number(process.env.WEIR_TEST_SEED ?? 1) - 1) * SEEDS + 1

const int = typeOf(z.int())

/** Timers, broadcast state, asynchronous requests, windows; key, rebalance and broadcast edges. */
function allRoundJob(log: SinkLog<number>): Job {
  return job(env => {
    const rules = env.from(numbers(30), w => w.monotonous().timestamp(n => n)).uid('rules')
    return env
      .from(numbers(RECORDS), w => w.monotonous().timestamp(n => n))
      .uid('numbers')
      .keyBy(n => n % 11)
      .process<number>({
        output: int,
        processElement(value, context, out) {
          context.timers.registerEventTimeTimer(value + TIMER_MS)
          out.collect(value)
        },
        onTimer(timestamp, _context, out) {
          out.collect(FROM_TIMER + timestamp - TIMER_MS)
        },
      })
      .uid('timers')
      .rebalance()
      .asyncMap(later, { ordered: false, capacity: 12, output: int })
      .uid('later')
      .keyBy(n => n % 5)
      .connect(rules.broadcast())
      .process({
        output: int,
        broadcast: { seen: mapState(int, int) },
        processElement(value, _context, out) {
          out.collect(value)
        },
        processBroadcastElement(rule, context) {
          context.broadcast.seen.put(rule, rule)
        },
      })
      .uid('ruled')
      .keyBy(n => n % 13)
      .window(tumbling('50ms'))
      .reduce((a, b) => a + b)
      .uid('sums')
      .rebalance()
      .to(logSink(log, true))
      .uid('out')
  })
}

/** Answers come out of order. */
async function later(value: number): Promise<number> {
  for (let turns = value % 4; turns > 0; turns--) await new Promise(setImmediate)
  return value
}

async function undisturbed(): Promise<readonly number[]> {
  const log = new SinkLog<number>()
  await new JobRunner(allRoundJob(log)).runToEnd()
  return sorted(log.committed)
}

function drawAlignment(random: SeededRandom): BarrierAlignment {
  switch (random.int(5)) {
    case 0:
      return { kind: 'aligned' }
    case 1:
    case 2:
      return { kind: 'timeout', timeoutMs: random.int(8) }
    default:
      return { kind: 'unaligned' }
  }
}

interface Story {
  readonly completed: RunnerCheckpoint | undefined
  readonly inFlight: number
}

/** Runs for some time, with checkpoints, and stops at any moment. */
async function disturb(
  runner: JobRunner,
  log: SinkLog<number>,
  { random, firstId }: { readonly random: SeededRandom; readonly firstId: number },
): Promise<Story> {
  let completed: RunnerCheckpoint | undefined
  let inFlight = 0
  await runner.start()
  for (let id = firstId, left = 1 + random.int(4); left > 0; id++, left--) {
    toggle(log, random.int(3) > 0)
    for (let steps = random.int(30); steps > 0; steps--) await runner.step()
    runner.trigger(id, drawAlignment(random))
    for (let steps = random.int(40); steps > 0; steps--) {
      runner.clock.advance(1)
      await runner.step()
    }
    const taken = runner.taken(id)
    if (taken.snapshots.size < runner.tasks.length) {
      if (random.int(2) === 0)
        for (const { control } of runner.tasks) control.notifyCheckpointAborted(id)
      continue
    }
    completed = taken
    for (const { metrics } of taken.snapshots.values()) inFlight += metrics.inFlightBytes
    if (random.int(2) === 0) runner.complete(id)
  }
  for (let steps = random.int(10); steps > 0; steps--) await runner.step()
  await runner.cancel()
  if (runner.errors.length > 0) throw runner.errors[0]
  return { completed, inFlight }
}

function toggle(log: SinkLog<number>, blocked: boolean): void {
  log.blocked = blocked
  for (const wakeUp of log.wakeUps.splice(0)) wakeUp()
}

/** The first difference, instead of a thousand lines. */
function compare(found: readonly number[], wanted: readonly number[]): string {
  const at = wanted.findIndex((value, index) => value !== found[index])
  if (at < 0 && found.length === wanted.length) return 'equal'
  return `${found.length} instead of ${wanted.length}; ${found[at]} instead of ${wanted[at]}`
}

describe('restored from checkpoints of every form, the committed output is exact', () => {
  let wanted: readonly number[] = []
  let inFlight = 0
  let restores = 0

  test('undisturbed', async () => {
    wanted = await undisturbed()
    expect(wanted.length).toBeGreaterThan(200)
  })

  test.each(Array.from({ length: SEEDS }, (_, index) => FIRST_SEED + index))(
    'seed %i',
    async seed => {
      const random = new SeededRandom(seed)
      const slow = random.int(2) === 0
      const base: RunnerOptions = {
        parallelism: 1 + random.int(3),
        channelRecords: 10 + random.int(60),
      }
      const log = new SinkLog<number>()
      let restore: RunnerCheckpoint | undefined
      for (let attempt = 0; attempt < 3; attempt++) {
        const options: RunnerOptions = {
          ...base,
          attempt,
          ...(restore === undefined ? {} : { restore }),
          ...(slow ? { exchange: new SlowExchange({ sendItems: 2, receiveItems: 2 }) } : {}),
        }
        log.wakeUps = []
        log.blocked = false
        const runner = new JobRunner(allRoundJob(log), options)
        if (attempt === 2) {
          await runner.runToEnd()
          break
        }
        const story = await disturb(runner, log, { random, firstId: 1 + attempt * 100 })
        inFlight += story.inFlight
        restore = story.completed ?? restore
        if (story.completed !== undefined) restores++
      }
      expect(compare(sorted(log.committed), wanted)).toBe('equal')
    },
  )

  test('and there was something in flight', () => {
    expect(restores).toBeGreaterThan(SEEDS / 3)
    expect(inFlight).toBeGreaterThan(1_000 * SEEDS)
  })
})

/** The channels of an attempt, between slots that are joined by sockets. */
function exchangeOf(slots: Slots): Exchange & { moveAll(): void } {
  return {
    output: (edge, from, to) => slots.exchange(from).output(edge, from, to),
    input: (edge, from, to) => slots.exchange(to).input(edge, from, to),
    moveAll: () => {},
  }
}

describe('the same between slots that are joined by sockets', () => {
  const count = Math.ceil(SEEDS / 4)
  let inFlight = 0

  test.each(Array.from({ length: count }, (_, seed) => seed + 1))('seed %i', async seed => {
    const wanted = await undisturbed()
    const random = new SeededRandom(seed)
    const parallelism = 2 + random.int(2)
    const log = new SinkLog<number>()
    const { graph } = new JobRunner(allRoundJob(log), { parallelism }).plan
    const settings = {
      bufferTimeoutMs: 0,
      exclusiveCredits: 1 + random.int(2),
      floatingCredits: random.int(3),
      frameBytes: 150 + random.int(400),
    }
    const slots = await Slots.start({ graph, slots: parallelism, settings })
    try {
      let restore: RunnerCheckpoint | undefined
      for (let attempt = 0; attempt < 3; attempt++) {
        if (attempt > 0) slots.begin(attempt)
        log.wakeUps = []
        log.blocked = false
        const runner = new JobRunner(allRoundJob(log), {
          parallelism,
          attempt,
          exchange: exchangeOf(slots),
          ...(restore === undefined ? {} : { restore }),
        })
        if (attempt === 2) {
          await runner.runToEnd()
          break
        }
        const story = await disturb(runner, log, { random, firstId: 1 + attempt * 100 })
        inFlight += story.inFlight
        restore = story.completed ?? restore
      }
    } finally {
      await slots.stop()
    }
    expect(slots.failures).toEqual([])
    expect(compare(sorted(log.committed), wanted)).toBe('equal')
  })

  test('and there was something in flight', () => {
    expect(inFlight).toBeGreaterThan(100 * count)
  })
})
