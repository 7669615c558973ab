import { describe, expect, test } from '@jest/globals'
import { job } from '../../src/api/job.ts'
import { JobRunner } from './job-runner.ts'
import { HandSource, logSink, numbers, SinkLog, upTo } from './test-connectors.ts'

describe('a task under backpressure', () => {
  test('T3: a blocked sink stops the source, and nothing is lost', async () => {
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

  test('T2: a burst of timers stops when the output is full and goes on later', async () => {
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
