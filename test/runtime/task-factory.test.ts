import { expect, test } from '@jest/globals'
import { type Job, job } from '../../src/api/job.ts'
import type { SinkWriter } from '../../src/api/sink.ts'
import { JobRunner } from './job-runner.ts'
import { HandSource, logSink, numbers, SinkLog } from './test-connectors.ts'

/** A job whose sink opens only when `open` is called. */
function slowToOpen(log: SinkLog<number>) {
  let open: () => void = () => {}
  const sink = logSink(log)
  const made = job(env =>
    env
      .from(numbers(10))
      .uid('numbers')
      .to({
        ...sink,
        createWriter: (context, restored) =>
          new Promise<SinkWriter<number>>(resolve => {
            open = () => resolve(sink.createWriter(context, restored))
          }),
      })
      .uid('out'),
  )
  return { made, open: () => open() }
}

async function settle(runner: JobRunner): Promise<void> {
  for (let i = 0; i < 5; i++) await runner.step()
}

test('F1: orders that come while the operators open wait until the task runs', async () => {
  const log = new SinkLog<number>()
  const { made, open } = slowToOpen(log)
  const runner = new JobRunner(made)
  runner.trigger(1)
  await settle(runner)
  expect(runner.tasks.map(task => task.state)).toEqual(['opening'])
  open()
  await runner.stepUntil(() => runner.taken(1).snapshots.size === 1)
  expect(runner.tasks.map(task => task.state)).toEqual(['running'])
  await runner.cancel()
})

test('F2: cancelled while it opens, a task never runs and closes what was opened', async () => {
  const log = new SinkLog<number>()
  const { made, open } = slowToOpen(log)
  const runner = new JobRunner(made)
  await settle(runner)
  const cancelled = runner.cancel()
  open()
  await cancelled
  await settle(runner)
  expect(runner.tasks.map(task => task.state)).toEqual(['opening'])
  expect(log.events).toEqual(['close'])
})

test('F3: a task finishes only after the commits it was told of', async () => {
  const log = new SinkLog<number>()
  let tries = 0
  log.onCommit = request => {
    tries++
    if (tries < 3) request.retryLater('busy')
  }
  const runner = new JobRunner(
    job(env => env.from(numbers(5)).uid('numbers').to(logSink(log, true)).uid('out')),
  )
  await runner.start()
  await runner.stepUntil(() => runner.tasks.every(task => task.state === 'drained'))
  await runner.checkpoint(1)
  runner.complete(1)
  for (const { control } of runner.tasks) control.finishTask()
  await settle(runner)
  expect(runner.tasks.map(task => task.state)).toEqual(['drained'])
  await runner.stepUntil(() => {
    runner.clock.advance(1_000)
    return runner.tasks.every(task => task.state === 'finished')
  })
  expect(log.committed).toEqual([0, 1, 2, 3, 4])
  expect(log.events.slice(-2)).toEqual(['close', 'close committer'])
})

test('without any checkpoint the end makes the output visible', async () => {
  const log = new SinkLog<number>()
  const runner = new JobRunner(
    job(env => env.from(numbers(5)).uid('numbers').to(logSink(log, true)).uid('out')),
  )
  await runner.start()
  await runner.stepUntil(() => runner.tasks.every(task => task.state === 'drained'))
  for (const { control } of runner.tasks) control.finishTask()
  await runner.stepUntil(() => runner.tasks.every(task => task.state === 'finished'))
  expect(log.committed).toEqual([0, 1, 2, 3, 4])
})

test('a task that cannot close fails instead of finishing', async () => {
  const log = new SinkLog<number>()
  const sink = logSink(log)
  const made: Job = job(env =>
    env
      .from(numbers(5))
      .uid('numbers')
      .to({
        ...sink,
        createWriter: async (context, restored) => ({
          ...(await sink.createWriter(context, restored)),
          close: () => Promise.reject(new Error('lost the connection')),
        }),
      })
      .uid('out'),
  )
  await expect(new JobRunner(made).runToEnd()).rejects.toMatchObject({
    code: 'WEIR_TASK_FAILED',
    message: expect.stringContaining('lost the connection'),
  })
})

test('a commit that fails fails the task, once', async () => {
  const log = new SinkLog<number>()
  log.onCommit = request => request.failed('the transaction is gone')
  const source = new HandSource<number>()
  const runner = new JobRunner(
    job(env => env.from(source).uid('hand').to(logSink(log, true)).uid('out')),
  )
  await runner.start()
  source.emit(1)
  await settle(runner)
  await runner.checkpoint(1)
  runner.complete(1)
  runner.complete(1)
  await expect(runner.stepUntil(() => false)).rejects.toMatchObject({ code: 'WEIR_COMMIT_FAILED' })
  await settle(runner)
  expect(runner.errors).toHaveLength(1)
})

test('figures of the task and of each operator', async () => {
  const log = new SinkLog<number>()
  const made = job(env =>
    env
      .from(numbers(1_000))
      .uid('numbers')
      .filter(n => n % 2 === 0)
      .rebalance()
      .to(logSink(log))
      .uid('out'),
  )
  const runner = new JobRunner(made)
  await runner.runToEnd()
  const [source, sink] = runner.tasks.map(task => task.control.metrics)
  expect([source?.recordsIn, source?.recordsOut]).toEqual([0, 500])
  expect([sink?.recordsIn, sink?.recordsOut]).toEqual([500, 0])
  const operators = [...(source?.operators ?? []), ...(sink?.operators ?? [])]
  expect(operators.map(one => [one.kind, one.metrics.recordsIn, one.metrics.recordsOut])).toEqual([
    ['source', 0, 1_000],
    ['filter', 1_000, 500],
    ['sink', 500, 0],
  ])
})

test('user metrics are counted under their operator', async () => {
  const made = job(env =>
    env
      .from(numbers(10))
      .uid('numbers')
      .process<number>({
        processElement(value, context, out) {
          if (value > 6) context.runtime.count('large')
          context.runtime.count('sum', value)
          out.collect(value)
        },
      })
      .name('look')
      .to(logSink(new SinkLog<number>()))
      .uid('out'),
  )
  const runner = new JobRunner(made)
  await runner.runToEnd()
  expect(Object.fromEntries(runner.userMetrics)).toEqual({ 'look.large': 3, 'look.sum': 45 })
})
