import { describe, expect, test } from '@jest/globals'
import { type Job, job } from '../../src/api/job.ts'
import type { BarrierAlignment } from '../../src/runtime/task-contract.ts'
import { JobRunner, type RunnerCheckpoint, type RunnerOptions } from './job-runner.ts'
import { SlowExchange } from './network/slow-channel.ts'
import { HandSource, logSink, numbers, SinkLog, sorted, upTo } from './test-connectors.ts'

const unaligned: BarrierAlignment = { kind: 'unaligned' }
const RECORDS = 5_000

/** Counts each number once; the sink gets all of them. */
function countingJob(log: SinkLog<number>): Job {
  return job(env =>
    env
      .from(numbers(RECORDS))
      .uid('numbers')
      .keyBy(n => n % 17)
      .reduce((_, n) => n)
      .uid('last')
      .rebalance()
      .to(logSink(log, true))
      .uid('out'),
  )
}

function unblock(log: SinkLog<number>): void {
  log.blocked = false
  for (const wakeUp of log.wakeUps) wakeUp()
}

/** Runs until nothing moves any more. */
async function settle(runner: JobRunner): Promise<void> {
  for (let i = 0; i < 60; i++) await runner.step()
}

function inFlightBytes({ snapshots }: RunnerCheckpoint): number {
  return [...snapshots.values()].reduce((sum, { metrics }) => sum + metrics.inFlightBytes, 0)
}

/** A run that goes on from the checkpoint, to its end. */
async function goOn(
  log: SinkLog<number>,
  restore: RunnerCheckpoint,
  options: RunnerOptions = {},
): Promise<void> {
  log.blocked = false
  const second = new JobRunner(countingJob(log), { ...options, restore, attempt: 1 })
  await second.runToEnd()
  expectAll(log.committed)
}

/** Without thousands of lines when it fails. */
function expectAll(results: readonly number[]): void {
  const found = sorted(results)
  const wrong = upTo(RECORDS).find(n => found[n] !== n)
  expect({ count: found.length, wrong }).toEqual({ count: RECORDS, wrong: undefined })
}

describe.each([1, 3])('with a sink that takes nothing, at parallelism %i', parallelism => {
  async function stuck(options: RunnerOptions = {}) {
    const log = new SinkLog<number>()
    const runner = new JobRunner(countingJob(log), { parallelism, channelRecords: 100, ...options })
    log.blocked = true
    await runner.start()
    await settle(runner)
    return { log, runner }
  }

  test('an aligned checkpoint waits', async () => {
    const { runner } = await stuck()
    runner.trigger(1)
    await settle(runner)
    expect(runner.taken(1).snapshots.size).toBe(parallelism)
    await runner.cancel()
  })

  test('an unaligned one is taken, with what is in flight, and goes on exactly', async () => {
    const { log, runner } = await stuck()
    const checkpoint = await runner.checkpoint(1, unaligned)
    expect(inFlightBytes(checkpoint)).toBeGreaterThan(1_000)
    for (const { metrics } of checkpoint.snapshots.values()) {
      expect(metrics.unaligned).toBe(true)
    }
    runner.complete(1)
    await settle(runner)
    await runner.cancel()
    await goOn(log, checkpoint, { parallelism })
  })

  test('the job goes on from it undisturbed', async () => {
    const { log, runner } = await stuck()
    await runner.checkpoint(1, unaligned)
    await runner.checkpoint(2, unaligned)
    unblock(log)
    await runner.stepUntil(() => runner.tasks.every(task => task.state === 'drained'))
    expectAll(log.values)
    await runner.finish()
    expectAll(log.committed)
  })

  test('what waits at the senders is kept too', async () => {
    const exchange = new SlowExchange({ sendItems: 3, receiveItems: 2 })
    const { log, runner } = await stuck({ exchange })
    const checkpoint = await runner.checkpoint(1, unaligned)
    const outputs = [...checkpoint.snapshots.values()].flatMap(({ channels }) =>
      channels.filter(one => one.direction === 'output'),
    )
    expect(outputs.length).toBeGreaterThan(0)
    runner.complete(1)
    await settle(runner)
    await runner.cancel()
    await goOn(log, checkpoint, {
      parallelism,
      exchange: new SlowExchange({ sendItems: 3, receiveItems: 2 }),
    })
  })

  test('with a timeout it is aligned at first, and unaligned when the time is over', async () => {
    const exchange = new SlowExchange({ sendItems: 3, receiveItems: 2 })
    const { log, runner } = await stuck({ exchange })
    runner.trigger(1, { kind: 'timeout', timeoutMs: 50 })
    await settle(runner)
    expect(runner.taken(1).snapshots.size).toBeLessThan(runner.tasks.length)
    runner.clock.advance(49)
    await settle(runner)
    expect(runner.taken(1).snapshots.size).toBeLessThan(runner.tasks.length)
    runner.clock.advance(1)
    await runner.stepUntil(() => runner.taken(1).snapshots.size === runner.tasks.length)
    const checkpoint = runner.taken(1)
    expect(inFlightBytes(checkpoint)).toBeGreaterThan(1_000)
    runner.complete(1)
    await settle(runner)
    await runner.cancel()
    await goOn(log, checkpoint, { parallelism })
  })
})

test('with a timeout and nothing in the way nobody waits, and nothing is in flight', async () => {
  const log = new SinkLog<number>()
  const runner = new JobRunner(countingJob(log), { parallelism: 2 })
  await runner.start()
  const checkpoint = await runner.checkpoint(1, { kind: 'timeout', timeoutMs: 1_000 })
  expect(inFlightBytes(checkpoint)).toBe(0)
  for (const { metrics } of checkpoint.snapshots.values()) expect(metrics.unaligned).toBe(false)
  await runner.cancel()
})

describe('event time', () => {
  const FULL = 25

  /** Tells the watermark that each record meets; record 25 fills the output. */
  function watchingJob(source: HandSource<number>, log: SinkLog<string>): Job {
    return job(env =>
      env
        .from(source, w => w.monotonous().timestamp(n => n))
        .uid('hand')
        .keyBy(() => 0)
        .process<string>({
          processElement(value, context, out) {
            out.collect(`${value} at ${context.timers.currentWatermark()}`)
            if (value === FULL) for (let i = 0; i < 100; i++) out.collect('filler')
          },
        })
        .uid('watch')
        .rebalance()
        .to(logSink(log))
        .uid('out'),
    )
  }

  test('a record taken again meets the watermark that it met before', async () => {
    const source = new HandSource<number>()
    const log = new SinkLog<string>()
    const runner = new JobRunner(watchingJob(source, log), { channelRecords: 20 })
    log.blocked = true
    await runner.start()
    source.emit(5)
    await settle(runner)
    source.emit(FULL)
    await settle(runner)
    // Late: it stands in the channel, for nothing is taken any more.
    source.emit(7)
    await settle(runner)
    const restore = await runner.checkpoint(1, unaligned)
    await runner.cancel()
    const again = new SinkLog<string>()
    const second = new JobRunner(watchingJob(new HandSource(), again), { restore, attempt: 1 })
    await second.start()
    await second.stepUntil(() => again.values.some(value => value.startsWith('7')))
    expect(again.values.filter(value => value !== 'filler')).toContain(`7 at ${FULL - 1}`)
    // What follows is held against the watermark of the cut too.
    expect(second.tasks[1]?.control.metrics.watermark).toBe(FULL - 1)
    await second.cancel()
  })

  test('the watermark of an aligned checkpoint is not kept', async () => {
    const source = new HandSource<number>()
    const log = new SinkLog<string>()
    const runner = new JobRunner(watchingJob(source, log))
    await runner.start()
    source.emit(5, 9)
    await settle(runner)
    const restore = await runner.checkpoint(1)
    await runner.cancel()
    const second = new JobRunner(watchingJob(new HandSource(), log), { restore, attempt: 1 })
    await second.start()
    expect(second.tasks[1]?.control.metrics.watermark).toBe(Number.NEGATIVE_INFINITY)
    await second.cancel()
  })
})

describe('a snapshot may begin', () => {
  test('in the middle of a burst of timers, and each fires once', async () => {
    const log = new SinkLog<number>()
    const source = new HandSource<number>()
    const timers = (from: HandSource<number>): Job =>
      job(env =>
        env
          .from(from, w => w.monotonous().timestamp(n => n))
          .uid('hand')
          .keyBy(n => n % 50)
          .process<number>({
            processElement(value, context) {
              if (value < 100_000) context.timers.registerEventTimeTimer(100_000 + value)
            },
            onTimer(timestamp, _context, out) {
              out.collect(timestamp - 100_000)
            },
          })
          .uid('timers')
          .rebalance()
          .to(logSink(log, true))
          .uid('out'),
      )
    const runner = new JobRunner(timers(source), { channelRecords: 20 })
    await runner.start()
    source.emit(...upTo(500))
    await settle(runner)
    log.blocked = true
    source.emit(200_000)
    await settle(runner)
    const sent = runner.tasks[1]?.control.metrics.recordsOut ?? 0
    expect(sent).toBeGreaterThan(0)
    expect(sent).toBeLessThan(200)
    const restore = await runner.checkpoint(1, unaligned)
    runner.complete(1)
    await settle(runner)
    await runner.cancel()
    unblock(log)
    const second = new JobRunner(timers(new HandSource()), { restore, attempt: 1 })
    await second.start()
    await second.stepUntil(() => second.tasks[1]?.control.metrics.watermark === 199_999)
    await settle(second)
    await second.checkpoint(2)
    second.complete(2)
    await settle(second)
    expect(sorted(log.committed)).toEqual(upTo(500))
    await second.cancel()
  })

  test('while an operator waits for its answers; but not past a forward edge', async () => {
    const log = new SinkLog<number>()
    const waiting: (() => void)[] = []
    let answers = false
    const ask = async (n: number): Promise<number> => {
      if (!answers) await new Promise<void>(resolve => waiting.push(resolve))
      return n
    }
    const asking = (shuffled: boolean): Job =>
      job(env => {
        const source = env.from(numbers(50)).uid('numbers')
        return (shuffled ? source.rebalance() : source)
          .asyncMap(ask, { capacity: 4 })
          .uid('ask')
          .rebalance()
          .to(logSink(log, true))
          .uid('out')
      })
    const forward = new JobRunner(asking(false))
    await forward.start()
    await settle(forward)
    forward.trigger(1, unaligned)
    await settle(forward)
    expect([...forward.taken(1).snapshots.keys()]).toEqual(['numbers/0'])
    await forward.cancel()
    const runner = new JobRunner(asking(true))
    await runner.start()
    await settle(runner)
    const restore = await runner.checkpoint(1, unaligned)
    await runner.cancel()
    expect(log.values).toEqual([])
    answers = true
    await new JobRunner(asking(true), { restore, attempt: 1 }).runToEnd()
    expect(sorted(log.committed)).toEqual(upTo(50))
  })
})
