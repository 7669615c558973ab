import { describe, expect, test } from '@jest/globals'
import type { DataStream } from '../../src/api/data-stream.ts'
import { type DeadLetter, type ErrorPolicy, outputTag } from '../../src/api/functions.ts'
import { type Job, job } from '../../src/api/job.ts'
import type { Watermarks } from '../../src/api/watermarks.ts'
import { SeededRandom } from '../../src/common/random.ts'
import { MAX_TIMESTAMP } from '../../src/common/timestamps.ts'
import { JobRunner, type RunnerOptions } from './job-runner.ts'
import { HandSource, logSink, numbers, SinkLog } from './test-connectors.ts'

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, n) => n)
}

function sorted(values: readonly number[]): number[] {
  return values.toSorted((a, b) => a - b)
}

describe('records', () => {
  test('a chain keeps their order', async () => {
    const log = new SinkLog<number>()
    const made = job(env =>
      env
        .from(numbers(10_000))
        .uid('numbers')
        .map(n => n * 2)
        .filter(n => n % 3 === 0)
        .to(logSink(log))
        .uid('out'),
    )
    await new JobRunner(made).runToEnd()
    expect(log.values).toEqual(
      upTo(10_000)
        .map(n => n * 2)
        .filter(n => n % 3 === 0),
    )
  })

  test.each([1, 2, 3])('a keyed stream keeps each key in one subtask, parallelism %i', async p => {
    const log = new SinkLog<{ key: number; sum: number; subtask: number }>()
    const made = job(env =>
      env
        .from(numbers(5_000))
        .uid('numbers')
        .keyBy(n => n % 17)
        .process({
          processElement(value, context, out) {
            const subtask = context.runtime.subtaskIndex
            out.collect({ key: context.key, sum: value, subtask })
          },
        })
        .uid('sums')
        .to(logSink(log))
        .uid('out'),
    )
    await new JobRunner(made, { parallelism: p }).runToEnd()
    expect(sorted(log.values.map(value => value.sum))).toEqual(upTo(5_000))
    const owners = new Map<number, Set<number>>()
    for (const { key, subtask } of log.values) {
      owners.set(key, (owners.get(key) ?? new Set()).add(subtask))
    }
    expect([...owners.values()].every(subtasks => subtasks.size === 1)).toBe(true)
    expect(new Set(log.values.map(value => value.subtask)).size).toBe(p)
  })

  const redistributions: Record<string, (from: DataStream<number>) => DataStream<number>> = {
    rebalance: stream => stream.rebalance(),
    rescale: stream => stream.rescale(),
    shuffle: stream => stream.shuffle(),
    global: stream => stream.global(),
    custom: stream =>
      stream.partitionCustom(
        n => n,
        (key, partitions) => key % partitions,
      ),
  }
  test.each(Object.entries(redistributions))('%s loses and doubles none', async (_name, move) => {
    const log = new SinkLog<number>()
    const made = job(env => {
      const stream = env.from(numbers(3_000)).uid('numbers').setParallelism(2)
      return move(stream)
        .map(n => n)
        .setParallelism(3)
        .to(logSink(log))
        .uid('out')
    })
    await new JobRunner(made, { parallelism: 3 }).runToEnd()
    expect(sorted(log.values)).toEqual(upTo(3_000))
  })

  test('several receivers and a side output get their part each', async () => {
    const [odd, all, negative] = [new SinkLog<number>(), new SinkLog<number>(), new SinkLog()]
    const tag = outputTag<number>('negative')
    const made = job(env => {
      const stream = env
        .from(numbers(100))
        .uid('numbers')
        .process<number>({
          processElement(value, context, out) {
            out.collect(value)
            context.output(tag, -value)
          },
        })
      stream
        .filter(n => n % 2 === 1)
        .to(logSink(odd))
        .uid('odd')
      stream.rebalance().to(logSink(all)).uid('all')
      stream.getSideOutput(tag).to(logSink(negative)).uid('negative')
    })
    await new JobRunner(made).runToEnd()
    expect(odd.values).toEqual(upTo(100).filter(n => n % 2 === 1))
    expect(all.values).toEqual(upTo(100))
    expect(negative.values).toEqual(upTo(100).map(n => -n))
  })
})

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
    'restored at any moment the committed output is whole and single, seed %i',
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

describe('the end of the input', () => {
  function windows(log: SinkLog<number>, source: HandSource<number>): Job {
    return job(env =>
      env
        .from(source, w => w.monotonous().timestamp(n => n))
        .uid('hand')
        .keyBy(() => 'all')
        .process<number>({
          processElement(value, context) {
            context.timers.registerEventTimeTimer(value + 1_000)
          },
          onTimer(timestamp, _context, out) {
            out.collect(timestamp)
          },
        })
        .uid('timers')
        .to(logSink(log, true))
        .uid('out'),
    )
  }

  test('ends event time: what waits for it fires', async () => {
    const log = new SinkLog<number>()
    const source = new HandSource<number>()
    const runner = new JobRunner(windows(log, source))
    await runner.start()
    source.emit(1, 2, 2_000)
    await runner.stepUntil(() => log.values.length === 2)
    expect(log.values).toEqual([1_001, 1_002])
    source.end()
    await runner.stepUntil(() => runner.tasks.every(task => task.state === 'drained'))
    await runner.finish()
    expect(log.committed).toEqual([1_001, 1_002, 3_000])
    expect(runner.tasks.at(-1)?.control.metrics.watermark).toBe(MAX_TIMESTAMP)
    expect(log.events).toContain('flush at the end')
    expect(log.events.slice(-2)).toEqual(['close', 'close committer'])
  })

  test.each([true, false])('a stopped source drains only if asked to: %s', async drain => {
    const log = new SinkLog<number>()
    const source = new HandSource<number>()
    const runner = new JobRunner(windows(log, source))
    await runner.start()
    source.emit(1, 2, 3)
    await runner.step()
    for (const { control } of runner.tasks) control.stopSources(drain)
    source.emit(4)
    await runner.stepUntil(() => runner.tasks.every(task => task.state === 'drained'))
    await runner.finish()
    expect(log.committed).toEqual(drain ? [1_001, 1_002, 1_003] : [])
  })

  test('a drained task still answers checkpoints', async () => {
    const log = new SinkLog<number>()
    const made = job(env => {
      const source = new HandSource<number>()
      const open = env.from(source).uid('open')
      const ended = env.from(numbers(5)).uid('ended')
      return open.union(ended).rebalance().to(logSink(log)).uid('out')
    })
    const runner = new JobRunner(made)
    await runner.start()
    await runner.stepUntil(() => runner.tasks.some(task => task.state === 'drained'))
    expect((await runner.checkpoint(1)).snapshots.size).toBe(3)
    await runner.cancel()
  })
})

describe('backpressure', () => {
  test('a blocked sink stops the source, and nothing is lost', async () => {
    const log = new SinkLog<number>()
    const made = job(env =>
      env
        .from(numbers(50_000))
        .uid('numbers')
        .map(n => n)
        .rebalance()
        .to(logSink(log))
        .uid('out'),
    )
    const runner = new JobRunner(made, { channelRecords: 100 })
    log.blocked = true
    await runner.start()
    for (let i = 0; i < 20; i++) {
      runner.clock.advance(10)
      await runner.step()
    }
    expect(log.values.length).toBe(1)
    const [source, sink] = runner.tasks.map(task => task.control.metrics)
    // One poll may be on its way beyond what the channel holds.
    expect(source?.recordsOut).toBeLessThan(100 + 1_024)
    expect(source?.backpressuredMs).toBeGreaterThan(100)
    expect(sink?.busyMs).toBeGreaterThan(100)
    log.blocked = false
    for (const wakeUp of log.wakeUps) wakeUp()
    await runner.stepUntil(() => runner.tasks.every(task => task.state === 'drained'))
    expect(log.values).toEqual(upTo(50_000))
  })

  test('a burst of timers stops when the output is full and goes on later', async () => {
    const log = new SinkLog<number>()
    const source = new HandSource<number>()
    const made = job(env =>
      env
        .from(source, w => w.monotonous().timestamp(n => n))
        .uid('hand')
        .keyBy(n => n % 50)
        .process<number>({
          processElement(value, context) {
            context.timers.registerEventTimeTimer(100_000 + value)
          },
          onTimer(timestamp, _context, out) {
            out.collect(timestamp)
          },
        })
        .uid('timers')
        .rebalance()
        .to(logSink(log))
        .uid('out'),
    )
    const runner = new JobRunner(made, { channelRecords: 20 })
    await runner.start()
    source.emit(...upTo(1_000))
    await runner.stepUntil(() => runner.tasks[1]?.control.metrics.recordsIn === 1_000)
    log.blocked = true
    source.emit(200_000)
    for (let i = 0; i < 20; i++) await runner.step()
    // The channel's room and one batch, far from all thousand.
    expect(runner.tasks[1]?.control.metrics.recordsOut).toBeLessThan(100)
    expect(runner.tasks[2]?.control.metrics.watermark).toBeLessThan(1_000)
    log.blocked = false
    for (const wakeUp of log.wakeUps) wakeUp()
    await runner.stepUntil(() => log.values.length === 1_000)
    expect(log.values).toEqual(upTo(1_000).map(n => 100_000 + n))
    await runner.cancel()
  })

  test('busy, idle and backpressured time sum to the time since the start', async () => {
    const log = new SinkLog<number>()
    const source = new HandSource<number>()
    const runner = new JobRunner(
      job(env => env.from(source).uid('hand').rebalance().to(logSink(log)).uid('out')),
    )
    await runner.start()
    for (let i = 0; i < 10; i++) {
      source.emit(i)
      await runner.step()
      runner.clock.advance(7)
    }
    for (const { control } of runner.tasks) {
      const { busyMs, idleMs, backpressuredMs } = control.metrics
      expect(busyMs + idleMs + backpressuredMs).toBe(70)
      expect(idleMs).toBe(70)
    }
    await runner.cancel()
  })
})

describe('failures', () => {
  function failing(log: SinkLog<number>, policy: ErrorPolicy): Job {
    return job(env => {
      const mapped = env
        .from(numbers(100))
        .uid('numbers')
        .map(n => {
          if (n % 10 === 3) throw new Error(`no ${n}`)
          return n
        })
        .name('picky')
        .onError(policy)
      mapped.to(logSink(log)).uid('out')
      return mapped
    })
  }

  test('a throwing function fails the task with operator and coordinates', async () => {
    const ended = new JobRunner(failing(new SinkLog(), { kind: 'fail' })).runToEnd()
    await expect(ended).rejects.toMatchObject({
      code: 'WEIR_USER_FUNCTION_FAILED',
      message: 'operator picky failed on a record (source numbers, split 0/1, offset 3): no 3',
      cause: expect.objectContaining({ message: 'no 3' }),
    })
  })

  test('a budget lets so many records pass and no more', async () => {
    const log = new SinkLog<number>()
    await new JobRunner(failing(log, { kind: 'skip', budget: 10 })).runToEnd()
    expect(log.values).toHaveLength(90)
    const ended = new JobRunner(failing(new SinkLog(), { kind: 'skip', budget: 9 })).runToEnd()
    await expect(ended).rejects.toMatchObject({
      code: 'WEIR_SKIP_BUDGET_EXCEEDED',
      message: expect.stringContaining('offset 93'),
    })
  })

  test('dead letters carry the record and its coordinates', async () => {
    const [log, letters] = [new SinkLog<number>(), new SinkLog<DeadLetter>()]
    const tag = outputTag<DeadLetter>('dead')
    const made = job(env => {
      const mapped = env
        .from(numbers(10))
        .uid('numbers')
        .map(n => {
          if (n === 4) throw new TypeError('four')
          return n
        })
        .onError({ kind: 'dead-letter', tag })
      mapped.to(logSink(log)).uid('out')
      mapped.getSideOutput(tag).to(logSink(letters)).uid('letters')
    })
    await new JobRunner(made).runToEnd()
    expect(log.values).toHaveLength(9)
    expect(letters.values).toEqual([
      expect.objectContaining({
        code: 'WEIR_USER_FUNCTION_FAILED',
        source: 'numbers',
        split: '0/1',
        offset: '4',
        record: 4,
      }),
    ])
  })

  test('a throwing key selector names the operator before the shuffle', async () => {
    const made = job(env =>
      env
        .from(numbers(10))
        .uid('numbers')
        .keyBy((n): number => {
          throw new Error(`no key for ${n}`)
        })
        .reduce((a, b) => a + b)
        .uid('sum')
        .to(logSink(new SinkLog<number>()))
        .uid('out'),
    )
    const ended = new JobRunner(made, { parallelism: 2 }).runToEnd()
    await expect(ended).rejects.toMatchObject({
      code: 'WEIR_USER_FUNCTION_FAILED',
      message: expect.stringContaining('operator numbers'),
    })
  })

  test('an error of the world outside is one that a restart may mend', async () => {
    const log = new SinkLog<number>()
    const sink = logSink(log)
    const made = job(env =>
      env
        .from(numbers(10))
        .uid('numbers')
        .to({ ...sink, createWriter: () => Promise.reject(new Error('disk full')) })
        .uid('out'),
    )
    await expect(new JobRunner(made).runToEnd()).rejects.toMatchObject({
      code: 'WEIR_TASK_FAILED',
      domain: 'external',
      message: expect.stringContaining('disk full'),
    })
  })

  test('a failed task reports once and closes its operators', async () => {
    const log = new SinkLog<number>()
    const runner = new JobRunner(failing(log, { kind: 'fail' }))
    await expect(runner.runToEnd()).rejects.toBeDefined()
    await runner.cancel()
    expect(runner.errors).toHaveLength(1)
    expect(log.events).toEqual(['close'])
  })

  test('a cancelled task emits and reports nothing more', async () => {
    const log = new SinkLog<number>()
    const runner = new JobRunner(
      job(env => env.from(numbers(1_000_000)).uid('numbers').to(logSink(log)).uid('out')),
    )
    await runner.start()
    await runner.step()
    await runner.cancel()
    const { length } = log.values
    runner.trigger(1)
    for (let i = 0; i < 5; i++) await runner.step()
    expect(log.values.length).toBe(length)
    expect(runner.tasks.map(task => task.state)).toEqual(['running'])
    expect(log.events).toEqual(['close'])
  })
})

describe('time', () => {
  test('processing-time timers fire when the clock says so, without any record', async () => {
    const log = new SinkLog<number>()
    const source = new HandSource<number>()
    const made = job(env =>
      env
        .from(source)
        .uid('hand')
        .keyBy(n => n)
        .process<number>({
          processElement(value, context) {
            context.timers.registerProcessingTimeTimer(5_000 + value)
          },
          onTimer(timestamp, context, out) {
            out.collect(timestamp - context.timers.currentProcessingTime())
          },
        })
        .uid('timers')
        .to(logSink(log))
        .uid('out'),
    )
    const runner = new JobRunner(made)
    await runner.start()
    source.emit(0, 10)
    for (let i = 0; i < 5; i++) await runner.step()
    expect(log.values).toEqual([])
    runner.clock.advanceTo(5_000)
    await runner.step()
    expect(log.values).toEqual([0])
    runner.clock.advanceTo(5_030)
    await runner.step()
    expect(log.values).toEqual([0, -20])
    await runner.cancel()
  })

  test('watermarks leave with the records, not only at the interval', async () => {
    const source = new HandSource<number>()
    const runner = new JobRunner(
      job(env =>
        env
          .from(source, w => w.boundedOutOfOrderness('10ms').timestamp(n => n))
          .uid('hand')
          .rebalance()
          .to(logSink(new SinkLog<number>()))
          .uid('out'),
      ),
    )
    await runner.start()
    source.emit(500, 490)
    for (let i = 0; i < 3; i++) await runner.step()
    expect(runner.tasks.map(task => task.control.metrics.watermark)).toEqual([489, 489])
    await runner.cancel()
  })

  test('a silent source turns idle and no longer holds the others back', async () => {
    const [quick, silent] = [new HandSource<number>(), new HandSource<number>()]
    const log = new SinkLog<number>()
    const made = job(env => {
      const a = env.from(quick, w => w.monotonous().timestamp(n => n)).uid('quick')
      const strategy = (w: Watermarks<number>) =>
        w
          .monotonous()
          .timestamp(n => n)
          .idleness('1s')
      return a.union(env.from(silent, strategy).uid('silent')).to(logSink(log)).uid('out')
    })
    const runner = new JobRunner(made)
    await runner.start()
    quick.emit(1_000)
    silent.emit(10)
    for (let i = 0; i < 4; i++) await runner.step()
    const sink = runner.tasks.at(-1)?.control.metrics
    expect(sink?.watermark).toBe(9)
    for (let i = 0; i < 10; i++) {
      runner.clock.advance(200)
      await runner.step()
    }
    expect(sink?.watermark).toBe(999)
    silent.emit(2_000)
    for (let i = 0; i < 4; i++) await runner.step()
    expect(sink?.watermark).toBe(999)
    quick.emit(3_000)
    for (let i = 0; i < 4; i++) await runner.step()
    expect(sink?.watermark).toBe(1_999)
    await runner.cancel()
  })
})
