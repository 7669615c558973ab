import { describe, expect, test } from '@jest/globals'
import { type Job, job } from '../../src/api/job.ts'
import type { BarrierAlignment } from '../../src/runtime/task-contract.ts'
import { JobRunner, type RunnerCheckpoint, type RunnerOptions } from './job-runner.ts'
import { SlowExchange } from './network/slow-channel.ts'
import { logSink, numbers, SinkLog, sorted, upTo } from './test-connectors.ts'

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
