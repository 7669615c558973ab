import { expect, test } from '@jest/globals'
import { type Job, job } from '../../../src/api/job.ts'
import type { Sink } from '../../../src/api/sink.ts'
import { defineErrors } from '../../../src/common/errors.ts'
import { SinkOperator } from '../../../src/runtime/operators/sink-operator.ts'
import { JobRunner } from '../job-runner.ts'
import { HandSource, logSink, numbers, SinkLog } from '../test-connectors.ts'

const errors = defineErrors({
  WEIR_TEST_UNWRITABLE: {
    domain: 'user',
    retry: 'never',
    message: (e: { value: string }) => `cannot write ${e.value}`,
    next: 'write something else',
  },
})

function writing(write: (value: number) => void): Sink<number> {
  const sink = logSink(new SinkLog<number>())
  return {
    ...sink,
    createWriter: async (context, restored) => ({
      ...(await sink.createWriter(context, restored)),
      write,
    }),
  }
}

function into(sink: Sink<number>): Job {
  return job(env => env.from(numbers(10)).uid('numbers').to(sink).uid('out'))
}

test('a value that cannot be written is reported with its coordinates', async () => {
  const write = (value: number): void => {
    if (value === 3) throw errors.WEIR_TEST_UNWRITABLE({ value: String(value) })
  }
  await expect(new JobRunner(into(writing(write))).runToEnd()).rejects.toMatchObject({
    code: 'WEIR_USER_FUNCTION_FAILED',
    message: expect.stringContaining('offset 3'),
  })
})

test('an error of the world outside is not the record’s fault', async () => {
  const write = (): void => {
    throw new Error('disk full')
  }
  await expect(new JobRunner(into(writing(write))).runToEnd()).rejects.toMatchObject({
    code: 'WEIR_TASK_FAILED',
    domain: 'external',
  })
})

test('SK2: restored committables are committed before the writer is made', async () => {
  const log = new SinkLog<number>()
  const made = (source: HandSource<number>): Job =>
    job(env => env.from(source).uid('hand').to(logSink(log, true)).uid('out'))
  const source = new HandSource<number>()
  const first = new JobRunner(made(source))
  await first.start()
  source.emit(1, 2)
  await first.stepUntil(() => log.values.length === 2)
  const checkpoint = await first.checkpoint(1)
  await first.cancel()
  expect(log.committed).toEqual([])
  log.events.length = 0
  log.wakeUps.length = 0
  let writersAtCommit = -1
  log.onCommit = () => {
    writersAtCommit = log.wakeUps.length
  }
  const second = new JobRunner(made(new HandSource<number>()), { restore: checkpoint, attempt: 1 })
  await second.start()
  expect(log.committed).toEqual([1, 2])
  expect(writersAtCommit).toBe(0)
  // Committed, so no longer in the state.
  const next = await second.checkpoint(2)
  const [task] = [...next.snapshots.values()]
  expect(task?.operators.at(-1)?.committables).toEqual([])
  await second.cancel()
})

test('SK1: what was handed over stays in the state until it is committed', async () => {
  const log = new SinkLog<number>()
  const source = new HandSource<number>()
  const runner = new JobRunner(
    job(env => env.from(source).uid('hand').to(logSink(log, true)).uid('out')),
  )
  await runner.start()
  const held = async (id: number): Promise<unknown> => {
    const [task] = [...(await runner.checkpoint(id)).snapshots.values()]
    return task?.operators.at(-1)?.committables?.map(stored => stored.checkpointId)
  }
  source.emit(1)
  await runner.stepUntil(() => log.values.length === 1)
  expect(await held(1)).toEqual([1])
  source.emit(2)
  await runner.stepUntil(() => log.values.length === 2)
  expect(await held(2)).toEqual([1, 2])
  // A notification for 2 stands for 1 too: the one for 1 was lost.
  runner.complete(2)
  await runner.stepUntil(() => log.committed.length === 2)
  expect(log.events.filter(event => event.startsWith('commit'))).toEqual(['commit 1', 'commit 2'])
  expect(await held(3)).toEqual([])
  await runner.cancel()
})

test('the writer gets back what it stored', async () => {
  const log = new SinkLog<number>()
  const sink = logSink(log)
  const seen: unknown[] = []
  const counting: Sink<number> = {
    ...sink,
    createWriter: async (context, restored) => {
      seen.push([...restored], context.restoredCheckpointId, context.operatorUid, context.jobId)
      return {
        ...(await sink.createWriter(context, restored)),
        snapshotState: id => [{ written: id }],
      }
    },
  }
  const first = new JobRunner(into(counting))
  await first.start()
  const checkpoint = await first.checkpoint(5)
  await first.cancel()
  const second = new JobRunner(into(counting), { restore: checkpoint })
  await second.start()
  await second.cancel()
  expect(seen).toEqual([[], undefined, 'out', 'job-1', [{ written: 5 }], 5, 'out', 'job-1'])
})

test('a sink that never opened holds nothing and closes', async () => {
  type Parts = ConstructorParameters<typeof SinkOperator>
  const restored = { writerState: [], committables: [] }
  const operator = new SinkOperator({} as Parts[0], {} as Parts[1], restored)
  expect([operator.committables, operator.blocked]).toEqual([[], false])
  await expect(operator.prepareSnapshot(1)).rejects.toThrow('SK1')
  await operator.close()
})
