import { expect, test } from '@jest/globals'
import { job } from '../../../src/api/job.ts'
import type {
  EnumeratorContext,
  JsonValue,
  Source,
  SourceSplit,
  SplitEnumerator,
} from '../../../src/api/source.ts'
import type { RestorePlan, SubtaskRestore } from '../../../src/checkpoint/restore-plan.ts'
import { SourceCoordinator } from '../../../src/cluster/jobmanager/source-coordinator.ts'
import type { SlotCommandBody } from '../../../src/cluster/slot-messages.ts'
import { planJob } from '../../../src/graph/build-job-graph.ts'
import { collectSink } from '../../../src/testing/collect-sink.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'

interface Bench {
  readonly coordinator: SourceCoordinator
  readonly context: () => EnumeratorContext<SourceSplit>
  /** Calls of the enumerator and messages to readers, in their order. */
  readonly log: string[]
}

function bench(
  enumerator: Partial<SplitEnumerator<SourceSplit>> = {},
  restored?: { readonly state: JsonValue; readonly splits: readonly SourceSplit[][] },
): Bench {
  const log: string[] = []
  let context: EnumeratorContext<SourceSplit> | undefined
  const source: Source<number> = {
    name: 'source',
    boundedness: 'unbounded',
    output: undefined,
    createEnumerator(given, state) {
      context = given
      log.push(`create ${JSON.stringify(state)}`)
      return {
        start: () => void log.push('start'),
        addReader: subtask => void log.push(`reader ${subtask}`),
        handleSplitRequest: subtask => void log.push(`request ${subtask}`),
        addSplitsBack: () => {},
        snapshotState: id => `state ${id}`,
        close: () => {},
        ...enumerator,
      }
    },
    createReader: () => {
      throw new Error('no reader is made here')
    },
  }
  const graph = planJob(
    job(env => env.from(source).uid('source').to(collectSink()).uid('out')),
    { parallelism: 2 },
  )
  const coordinator = new SourceCoordinator({
    graph,
    restore: restored && planOf(restored),
    clock: new ManualClock(),
    send: (slot, command) => void log.push(`${slot}: ${shortly(command)}`),
    fail: error => void log.push(`fail ${String(error)}`),
  })
  return { coordinator, context: () => context as EnumeratorContext<SourceSplit>, log }
}

function planOf(restored: { state: JsonValue; splits: readonly SourceSplit[][] }): RestorePlan {
  const subtasks = restored.splits.map(
    (splits): SubtaskRestore => ({
      keyed: [],
      operatorState: [],
      splits,
      writerState: [],
      committables: [],
    }),
  )
  const plan = { enumeratorState: restored.state, subtasks }
  return {
    checkpointId: 1,
    operators: new Map([['source', plan]]),
    channels: { vertices: new Map(), givenUp: [] },
  }
}

function shortly(command: SlotCommandBody): string {
  return command.kind === 'add-splits'
    ? `splits ${command.splits.map(split => split.id).join()}`
    : command.kind
}

test('readers that came before the enumerator has started wait for it', async () => {
  const started = Promise.withResolvers<void>()
  const { coordinator, log } = bench({ start: () => started.promise })
  const starting = coordinator.start()
  coordinator.readerRunning('source', 0)
  coordinator.splitRequested('source', 1)
  expect(log).toEqual(['create undefined'])
  started.resolve()
  await starting
  expect(log.slice(1)).toEqual(['reader 0', 'reader 1', 'request 1'])
})

test('E2: a reader gets its restored splits before the enumerator hears of it', async () => {
  const splits = [[{ id: 'a' }], [{ id: 'b' }, { id: 'c' }]]
  const { coordinator, log } = bench({}, { state: { next: 3 }, splits })
  await coordinator.start()
  coordinator.readerRunning('source', 1)
  expect(log).toEqual(['create {"next":3}', 'start', '1: splits b,c', 'reader 1'])
})

test('E1: what is said during a trigger reaches the readers behind the barrier', async () => {
  const { coordinator, context, log } = bench({
    snapshotState: () => {
      context().assignSplit({ id: 'late' }, 0)
      return ['not', 'late']
    },
  })
  await coordinator.start()
  const states = coordinator.snapshot(7, () => {
    context().signalNoMoreSplits(1)
    log.push('barrier')
  })
  expect([...states]).toEqual([['source', ['not', 'late']]])
  expect(log.slice(2)).toEqual(['barrier', '0: splits late', '1: no-more-splits'])
})

test('an enumerator that throws at its snapshot leaves the gate open', async () => {
  const { coordinator, context, log } = bench({
    snapshotState: () => {
      throw new Error('cannot')
    },
  })
  await coordinator.start()
  expect(() => coordinator.snapshot(7, () => {})).toThrow('cannot')
  context().assignSplit({ id: 'next' }, 0)
  expect(log.at(-1)).toBe('0: splits next')
})

test('the state in the checkpoint does not change any more', async () => {
  const live = { taken: 1 }
  const { coordinator } = bench({ snapshotState: () => live })
  await coordinator.start()
  const states = coordinator.snapshot(1, () => {})
  live.taken = 2
  expect(states.get('source')).toEqual({ taken: 1 })
})

test('an enumerator that throws fails the job', async () => {
  const { coordinator, log } = bench({
    handleSplitRequest: () => {
      throw new Error('no such split')
    },
  })
  await coordinator.start()
  coordinator.splitRequested('source', 0)
  expect(log.at(-1)).toBe('fail Error: no such split')
})

test('E3: after the close nothing is said', async () => {
  const { coordinator, context, log } = bench()
  await coordinator.start()
  await coordinator.close()
  context().assignSplit({ id: 'x' }, 0)
  context().fail(new Error('x'))
  coordinator.splitRequested('source', 0)
  expect(log).toEqual(['create undefined', 'start'])
})
