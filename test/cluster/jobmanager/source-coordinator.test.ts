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
import { buildExecutionPlan } from '../../../src/graph/execution-plan.ts'
import type { JobGraph } from '../../../src/graph/job-graph.ts'
import { collectSink } from '../../../src/testing/collect-sink.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'

interface Bench {
  readonly coordinator: SourceCoordinator
  readonly graph: JobGraph
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
        addSplitsBack: (back, subtask) => {
          log.push(`back ${subtask}: ${back.map(split => split.id).join()}`)
        },
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
  return { coordinator, graph, context: () => context as EnumeratorContext<SourceSplit>, log }
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
  coordinator.readerRunning('source', 0)
  coordinator.readerRunning('source', 1)
  const states = coordinator.snapshot(7, () => {
    context().signalNoMoreSplits(1)
    log.push('barrier')
  })
  expect([...states]).toEqual([['source', ['not', 'late']]])
  expect(log.slice(4)).toEqual(['barrier', '0: splits late', '1: no-more-splits'])
})

test('an enumerator that throws at its snapshot leaves the gate open', async () => {
  const { coordinator, context, log } = bench({
    snapshotState: () => {
      throw new Error('cannot')
    },
  })
  await coordinator.start()
  coordinator.readerRunning('source', 0)
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

test('E4: what is said to a reader that is not there waits for it', async () => {
  const { coordinator, context, log } = bench()
  await coordinator.start()
  context().assignSplit({ id: 'early' }, 1)
  coordinator.readerRunning('source', 0)
  expect(log.slice(2)).toEqual(['reader 0'])
  coordinator.readerRunning('source', 1)
  expect(log.slice(3)).toEqual(['1: splits early', 'reader 1'])
})

test('E5: a reader that starts again gets what its checkpoint holds, the rest goes back', async () => {
  const { coordinator, context, graph, log } = bench()
  const again = (): void => {
    const { subtasks } = buildExecutionPlan(graph)
    const splits = [[{ id: 'a' }], [{ id: 'c' }]]
    coordinator.startAgain(
      subtasks.filter(({ index }) => index === 0),
      planOf({ state: 'not asked for', splits }),
    )
  }
  await coordinator.start()
  coordinator.readerRunning('source', 0)
  coordinator.readerRunning('source', 1)
  for (const id of ['a', 'b']) context().assignSplit({ id }, 0)
  context().assignSplit({ id: 'c' }, 1)
  coordinator.snapshot(1, () => {})
  coordinator.notifyComplete(1)
  context().assignSplit({ id: 'd' }, 0)
  coordinator.snapshot(2, () => {})
  context().assignSplit({ id: 'e' }, 0)
  context().assignSplit({ id: 'f' }, 1)
  log.length = 0
  again()
  // What is said to it now waits, and is taken back if it fails once more before it is there.
  context().assignSplit({ id: 'g' }, 0)
  again()
  coordinator.readerRunning('source', 0)
  expect(log).toEqual(['back 0: d,e', 'back 0: g', '0: splits a', 'reader 0'])
})

test('E5: without a checkpoint everything goes back', async () => {
  const { coordinator, context, graph, log } = bench()
  await coordinator.start()
  coordinator.readerRunning('source', 1)
  context().assignSplit({ id: 'a' }, 1)
  log.length = 0
  coordinator.startAgain(buildExecutionPlan(graph).subtasks, undefined)
  coordinator.readerRunning('source', 1)
  expect(log).toEqual(['back 0: ', 'back 1: a', 'reader 1'])
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
