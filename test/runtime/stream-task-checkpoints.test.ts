import { describe, expect, test } from '@jest/globals'
import { type Job, job } from '../../src/api/job.ts'
import { SeededRandom } from '../../src/common/random.ts'
import { JobRunner, type RunnerOptions } from './job-runner.ts'
import { HandSource, logSink, numbers, SinkLog, sorted, upTo } from './test-connectors.ts'

/** Two sources with different amounts, shuffled by key, summed, into a transactional sink. */
function sums(log: SinkLog<number>): Job {
  return job(env => {
    const few = env.from(numbers(700)).uid('few')
    const many = env.from(numbers(9_000, 700)).uid('many')
    return few
      .union(many)
      .keyBy(n => n % 7)
      .process({
        state: {},
        processElement(value, _context, out) {
          out.collect(value)
        },
      })
      .uid('sums')
      .rebalance()
      .to(logSink(log, true))
      .uid('out')
  })
}

describe('checkpoints', () => {
  test.each([1, 2, 3, 4, 5, 6, 7, 8])(
    'O3: restored at any moment the committed output is whole and single, seed %i',
    async seed => {
      const random = new SeededRandom(seed)
      const options: RunnerOptions = { parallelism: 1 + random.int(3), channelRecords: 40 }
      const log = new SinkLog<number>()
      const first = new JobRunner(sums(log), options)
      await first.start()
      let checkpoint = await first.checkpoint(1)
      first.complete(1)
      const last = 2 + random.int(6)
      for (let id = 2; id <= last; id++) {
        for (let steps = random.int(4); steps > 0; steps--) await first.step()
        checkpoint = await first.checkpoint(id)
        if (random.int(2) === 0) first.complete(id)
      }
      for (let steps = random.int(10); steps > 0; steps--) await first.step()
      await first.cancel()
      // What was in the snapshot and not committed yet is committed by the next attempt.
      const second = new JobRunner(sums(log), { ...options, restore: checkpoint, attempt: 1 })
      await second.runToEnd()
      expect(new Set(log.committed)).toEqual(new Set(upTo(9_000)))
      expect(sorted(log.committed)).toEqual(upTo(9_000))
    },
  )

  test('at least once, nothing is missing', async () => {
    const log = new SinkLog<number>()
    const options: RunnerOptions = {
      parallelism: 2,
      channelRecords: 40,
      checkpointMode: 'at-least-once',
    }
    const first = new JobRunner(sums(log), options)
    await first.start()
    await first.step()
    const checkpoint = await first.checkpoint(1)
    first.complete(1)
    await first.step()
    await first.cancel()
    await new JobRunner(sums(log), { ...options, restore: checkpoint }).runToEnd()
    expect(new Set(log.committed)).toEqual(new Set(upTo(9_000)))
  })

  test('the steps of a snapshot: prepare, barrier, state', async () => {
    const log = new SinkLog<number>()
    const made = job(env => env.from(numbers(10)).uid('numbers').to(logSink(log, true)).uid('out'))
    const runner = new JobRunner(made)
    await runner.start()
    await runner.stepUntil(() => log.values.length === 10)
    const { snapshots } = await runner.checkpoint(3)
    expect(log.events).toEqual(['flush at the end', 'snapshot 3'])
    const [snapshot] = [...snapshots.values()]
    expect(snapshot?.metrics.recordsPerSplit).toEqual({ '0/1': 10 })
    expect(snapshot?.operators.map(part => part.operatorId)).toEqual(['numbers', 'out'])
    runner.complete(3)
    await runner.stepUntil(() => log.committed.length > 0)
    expect(log.events).toContain('commit 3')
  })

  test('T4: while a sink flushes, nothing else runs; then all goes on', async () => {
    const log = new SinkLog<number>()
    const source = new HandSource<number>()
    let flushed: () => void = () => {}
    const sink = logSink(log)
    const made = job(env =>
      env
        .from(source)
        .uid('hand')
        .to({
          ...sink,
          createWriter: async (context, restored) => {
            const writer = await sink.createWriter(context, restored)
            const flush = (): Promise<void> =>
              new Promise(resolve => {
                flushed = resolve
              })
            return { ...writer, write: value => void log.values.push(value), flush }
          },
        })
        .uid('out'),
    )
    const runner = new JobRunner(made)
    await runner.start()
    runner.trigger(1)
    source.emit(1)
    for (let i = 0; i < 5; i++) await runner.step()
    expect(log.values).toEqual([])
    flushed()
    await runner.stepUntil(() => runner.taken(1).snapshots.size === 1)
    expect(log.values).toEqual([1])
    await runner.cancel()
  })

  test('an aborted checkpoint is not taken, and the next one is', async () => {
    const log = new SinkLog<number>()
    const source = new HandSource<number>()
    const made = job(env =>
      env.from(source).uid('hand').rebalance().to(logSink(log, true)).uid('out'),
    )
    const runner = new JobRunner(made)
    await runner.start()
    for (const { control } of runner.tasks) control.notifyCheckpointAborted(1)
    runner.trigger(1)
    source.emit(1, 2, 3)
    await runner.stepUntil(() => log.values.length === 3)
    expect(runner.taken(1).snapshots.size).toBe(0)
    expect(runner.declined).toEqual([1])
    const next = await runner.checkpoint(2)
    expect(next.snapshots.size).toBe(2)
    await runner.cancel()
  })

  test('a commit is tried again, then fails the job', async () => {
    const log = new SinkLog<number>()
    let tries = 0
    log.onCommit = request => {
      tries++
      request.retryLater(new Error('not now'))
    }
    const made = job(env => env.from(numbers(10)).uid('numbers').to(logSink(log, true)).uid('out'))
    const runner = new JobRunner(made)
    await runner.start()
    await runner.stepUntil(() => log.values.length === 10)
    await runner.checkpoint(1)
    runner.complete(1)
    const ended = runner.stepUntil(() => {
      runner.clock.advance(1_000)
      return false
    })
    await expect(ended).rejects.toMatchObject({ code: 'WEIR_COMMIT_FAILED' })
    expect(tries).toBe(10)
  })
})
