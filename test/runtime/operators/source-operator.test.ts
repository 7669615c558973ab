import { expect, test } from '@jest/globals'
import { job } from '../../../src/api/job.ts'
import type { Source, SourceReader, SourceSplit } from '../../../src/api/source.ts'
import { MIN_TIMESTAMP } from '../../../src/common/timestamps.ts'
import { numberedSource } from '../../../src/connectors/numbered-source.ts'
import { SourceOperator } from '../../../src/runtime/operators/source-operator.ts'
import { JobRunner } from '../job-runner.ts'
import { HandSource, logSink, SinkLog } from '../test-connectors.ts'

/** A source whose reader is given; its one split is asked for, not dealt out. */
function sourceOf(reader: Partial<SourceReader<number, SourceSplit>>): Source<number> {
  return {
    name: 'made',
    boundedness: 'unbounded',
    output: undefined,
    createEnumerator: context => ({
      start: () => {},
      addReader: () => {},
      handleSplitRequest: subtask => {
        context.assignSplit({ id: 'asked for' }, subtask)
        context.signalNoMoreSplits(subtask)
      },
      addSplitsBack: () => {},
      snapshotState: () => null,
      close: () => {},
    }),
    createReader: () => ({
      start: () => {},
      addSplits: () => {},
      notifyNoMoreSplits: () => {},
      poll: () => 'nothing',
      snapshotState: () => [],
      close: () => {},
      ...reader,
    }),
  }
}

function runnerOf(source: Source<number>, log = new SinkLog<number>()): JobRunner {
  return new JobRunner(job(env => env.from(source).uid('made').to(logSink(log)).uid('out')))
}

async function settle(runner: JobRunner): Promise<void> {
  for (let i = 0; i < 5; i++) await runner.step()
}

test('R2: a snapshot holds the unfinished splits with the next position', async () => {
  const log = new SinkLog<number>()
  const endless = numberedSource({
    name: 'numbers',
    type: undefined,
    count: undefined,
    makeRecordAt: () => n => n,
  })
  const runner = new JobRunner(
    job(env => env.from(endless).uid('numbers').to(logSink(log)).uid('out')),
  )
  await runner.start()
  await runner.step()
  const checkpoint = await runner.checkpoint(1)
  const [task] = [...checkpoint.snapshots.values()]
  const [split] = task?.operators[0]?.splits ?? []
  const next = (split as unknown as { next: number } | undefined)?.next
  expect(next).toBe(task?.metrics.recordsPerSplit['0/1'])
  expect(next).toBeGreaterThan(0)
  await runner.cancel()
})

test('a reader that asks for a split gets it, is told that it was the last, and ends', async () => {
  const log = new SinkLog<number>()
  const events: string[] = []
  let last = false
  const source = sourceOf({
    addSplits: splits => void events.push(...splits.map(split => split.id)),
    notifyNoMoreSplits: () => {
      last = true
    },
    poll: output => {
      if (!last) return 'nothing'
      output.selectSplit('asked for')
      output.collect(7, MIN_TIMESTAMP)
      output.finishSplit('asked for')
      return 'end'
    },
    close: () => void events.push('close'),
  })
  const asking: Source<number> = {
    ...source,
    createReader: context => {
      const reader = source.createReader(context)
      let asked = false
      const poll: typeof reader.poll = output => {
        if (!asked) context.requestSplit()
        asked = true
        return reader.poll(output)
      }
      return { ...reader, poll }
    },
  }
  await runnerOf(asking, log).runToEnd()
  expect(log.values).toEqual([7])
  expect(events).toEqual(['asked for', 'close'])
})

test('R1: nothing is polled after the end, nor after a stop', async () => {
  let polls = 0
  const runner = runnerOf(
    sourceOf({
      poll: () => {
        polls++
        return 'more'
      },
    }),
  )
  await runner.start()
  await runner.step()
  for (const { control } of runner.tasks) control.stopSources(true)
  await runner.step()
  const before = polls
  expect(before).toBeGreaterThan(0)
  await settle(runner)
  expect(polls).toBe(before)
  expect(runner.tasks.map(task => task.state)).toEqual(['drained'])
  await runner.finish()
})

test('a source without data sleeps until it is woken', async () => {
  const log = new SinkLog<number>()
  const source = new HandSource<number>()
  const runner = runnerOf(source, log)
  await runner.start()
  await settle(runner)
  expect(runner.loop.step()).toBe(false)
  source.emit(1)
  await runner.step()
  expect(log.values).toEqual([1])
  await runner.cancel()
})

test('the reader hears of completed checkpoints', async () => {
  const completed: number[] = []
  const runner = runnerOf(sourceOf({ notifyCheckpointComplete: id => void completed.push(id) }))
  await runner.start()
  await runner.checkpoint(4)
  runner.complete(4)
  await settle(runner)
  expect(completed).toEqual([4])
  await runner.cancel()
})

test('a reader that throws fails the task', async () => {
  const runner = runnerOf(
    sourceOf({
      poll: () => {
        throw new Error('connection reset')
      },
    }),
  )
  await expect(runner.runToEnd()).rejects.toMatchObject({
    code: 'WEIR_TASK_FAILED',
    message: expect.stringContaining('connection reset'),
  })
})

test('R1: splits come to an open reader', () => {
  type Parts = ConstructorParameters<typeof SourceOperator>
  const operator = new SourceOperator({} as Parts[0], {} as Parts[1], {} as Parts[2])
  expect(() => operator.addSplits([])).toThrow('R1')
  expect(() => operator.poll(1)).toThrow('R1')
  expect(operator.recordsPerSplit()).toEqual({})
})
