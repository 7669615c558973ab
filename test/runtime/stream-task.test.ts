import { describe, expect, test } from '@jest/globals'
import type { DataStream } from '../../src/api/data-stream.ts'
import { outputTag } from '../../src/api/functions.ts'
import { type Job, job } from '../../src/api/job.ts'
import type { Watermarks } from '../../src/api/watermarks.ts'
import { MAX_TIMESTAMP } from '../../src/common/timestamps.ts'
import { StreamTask, type TaskParts } from '../../src/runtime/stream-task.ts'
import { openSecondChain } from './chain-fixture.ts'
import { JobRunner } from './job-runner.ts'
import { HandSource, logSink, numbers, SinkLog, sorted, upTo } from './test-connectors.ts'

describe('records', () => {
  test('O1, T1: a chain keeps their order', async () => {
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

  test.each([true, false])('E2: a stopped source drains only if asked to: %s', async drain => {
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

  test('without a drain no answer is emitted after the end; it is asked for again', async () => {
    const log = new SinkLog<number>()
    const source = new HandSource<number>()
    const asked: (() => void)[] = []
    const made = job(env =>
      env
        .from(source)
        .uid('numbers')
        .asyncMap(n => new Promise<number>(resolve => asked.push(() => resolve(n))))
        .uid('calls')
        .rebalance()
        .to(logSink(log))
        .uid('out'),
    )
    const runner = new JobRunner(made)
    await runner.start()
    source.emit(1, 2)
    await runner.stepUntil(() => asked.length === 2)
    for (const { control } of runner.tasks) control.stopSources(false)
    await runner.stepUntil(() => runner.tasks.every(task => task.state === 'drained'))
    for (const answer of asked) answer()
    await runner.step()
    const last = await runner.checkpoint(1)
    await runner.cancel()
    expect(log.values).toEqual([])
    const next = new JobRunner(made, { restore: last })
    await next.start()
    await next.stepUntil(() => asked.length === 4)
    for (const answer of asked) answer()
    source.end()
    await next.stepUntil(() => next.tasks.every(task => task.state === 'drained'))
    await next.finish()
    expect(log.values).toEqual([1, 2])
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

  test.each([
    ['a silent source turns idle and no longer holds the others back', 0],
    ['so it does when the clock is set back by an hour meanwhile', 3_600_000],
  ])('%s', async (_sentence, setBackMs) => {
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
    runner.clock.setNow(runner.clock.now() - setBackMs)
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

test('a task has a source or inputs', async () => {
  const made = job(env =>
    env.from(numbers(1)).uid('numbers').rebalance().to(logSink(new SinkLog())).uid('out'),
  )
  const { chain } = await openSecondChain(made)
  const services = { name: 'out (1/1)' } as TaskParts['services']
  const parts = { chain, services, room: { fullChannels: 0 } } as unknown as TaskParts
  expect(() => new StreamTask(parts)).toThrow('task out (1/1) has a source or inputs')
})
