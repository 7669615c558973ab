import { describe, expect, test } from '@jest/globals'
import { type DeadLetter, type ErrorPolicy, outputTag } from '../../src/api/functions.ts'
import { type Job, job } from '../../src/api/job.ts'
import { JobRunner } from './job-runner.ts'
import { logSink, numbers, SinkLog } from './test-connectors.ts'

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

  test('T5: a failed task reports once and closes its operators', async () => {
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
