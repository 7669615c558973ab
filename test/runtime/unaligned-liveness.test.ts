import { expect, test } from '@jest/globals'
import { job } from '../../src/api/job.ts'
import { JobRunner, type RunnerCheckpoint } from './job-runner.ts'
import { logSink, numbers, SinkLog, sorted, upTo } from './test-connectors.ts'

const RECORDS = 2_000
const MANY = 16

/** Every second number gives many results: its subtask is far behind the others. */
function resultsOf(n: number): readonly number[] {
  return n % 2 === 0 ? [n * MANY] : upTo(MANY).map(i => n * MANY + i)
}

/**
 * Two ways from one task to the sink: on one the barrier overtakes, on the other it may not. The
 * sink must not stop taking from the first until the second has its barrier: the sender of that one
 * would be held up by the first way, and never send it.
 */
function twoWays(log: SinkLog<number>) {
  return job(env => {
    const main = env.from(numbers(RECORDS)).uid('numbers').forward().flatMap(resultsOf)
    main.startNewChain()
    const fast = main
      .partitionCustom(
        n => n,
        (n, partitions) => n % partitions,
      )
      .map(n => n)
    const copies = main
      .broadcast()
      .process<number>({
        processElement(n, { runtime }, out) {
          if (runtime.subtaskIndex === 0) out.collect(-1 - n)
        },
      })
      .name('copies')
    return fast.union(copies).to(logSink(log, true)).uid('out')
  })
}

function inFlightBytes({ snapshots }: RunnerCheckpoint): number {
  return [...snapshots.values()].reduce((sum, { metrics }) => sum + metrics.inFlightBytes, 0)
}

test.each([2, 4])('B5: full queues on mixed ways hold no checkpoint up, at %i', async p => {
  const log = new SinkLog<number>()
  const runner = new JobRunner(twoWays(log), { parallelism: p, channelRecords: 4 })
  log.blocked = true
  await runner.start()
  for (let i = 0; i < 50; i++) await runner.step()
  runner.trigger(1, { kind: 'unaligned' })
  log.blocked = false
  for (const wakeUp of log.wakeUps) wakeUp()
  await runner.stepUntil(() => runner.taken(1).snapshots.size === runner.tasks.length)
  const checkpoint = runner.taken(1)
  expect(inFlightBytes(checkpoint)).toBeGreaterThan(0)
  runner.complete(1)
  for (let i = 0; i < 5; i++) await runner.step()
  await runner.cancel()
  const rest = new JobRunner(twoWays(log), { parallelism: p, attempt: 1, restore: checkpoint })
  await rest.runToEnd()
  const results = upTo(RECORDS).flatMap(resultsOf)
  const wanted = sorted([...results, ...results.map(n => -1 - n)])
  const found = sorted(log.committed)
  expect(found.length).toBe(wanted.length)
  expect(found.findIndex((n, i) => n !== wanted[i])).toBe(-1)
})
