import { expect, test } from '@jest/globals'
import { blackhole, collectionSource, counting, job, record, sliding, triggers, z } from 'weir'
import type { CheckpointMetadata } from '../../../src/checkpoint/checkpoint-metadata.ts'
import { checkDeclaredStates } from '../../../src/cluster/jobmanager/check-declared-states.ts'
import { planJob } from '../../../src/graph/build-job-graph.ts'
import { operatorsOf } from '../../../src/graph/job-graph.ts'

const Visit = record({ page: z.string(), at: z.timestamp() })

function windowGraph(withTrigger: boolean) {
  return planJob(
    job('visits', env => {
      const windows = env
        .from(collectionSource([{ page: 'a', at: 1 }], { type: Visit }), w =>
          w.monotonous().timestamp(visit => visit.at),
        )
        .uid('visits')
        .keyBy(visit => visit.page)
        .window(sliding('10s', '2s'))
      const fired = withTrigger ? windows.trigger(triggers.count(3)) : windows
      fired.aggregate(counting()).uid('count').to(blackhole()).uid('out')
    }),
  )
}

/** What a checkpoint of the job holds of its window: one key group with one state. */
function stored(graph: ReturnType<typeof windowGraph>, state: string): CheckpointMetadata {
  const window = operatorsOf(graph).find(operator => operator.uid === 'count')
  const meta = { name: state, kind: 'aggregating', schema: { kind: 'int' }, version: 0, ttl: false }
  const keyed = { stateSet: 0, groups: [{ keyGroup: 1, offset: 0, length: 9 }] }
  return {
    operators: [{ operatorId: window?.operatorId, stateSets: [[meta]], subtasks: [{ keyed }] }],
  } as unknown as CheckpointMetadata
}

function check(graph: ReturnType<typeof windowGraph>, state: string): void {
  checkDeclaredStates({ graph, metadata: stored(graph, state), dropState: [] })
}

test('windows that are kept as before restore', () => {
  const plain = windowGraph(false)
  const triggered = windowGraph(true)
  expect(() => check(plain, '$panes')).not.toThrow()
  expect(() => check(triggered, '$contents')).not.toThrow()
})

const changes = {
  'a trigger was added': {
    trigger: true,
    state: '$panes',
    says: 'kept as accumulators by pane, and now declares windows kept as contents by window',
  },
  'a trigger was taken away': {
    trigger: false,
    state: '$contents',
    says: 'kept as contents by window, and now declares windows kept as accumulators by pane',
  },
  'a session became a sliding window': {
    trigger: false,
    state: '$sessions',
    says: 'kept as sessions by key, and now declares windows kept as accumulators by pane',
  },
}

test.each(Object.entries(changes))(
  'open windows are not lost silently where %s',
  (_what, change) => {
    const graph = windowGraph(change.trigger)
    expect(() => check(graph, change.state)).toThrow(
      expect.objectContaining({
        code: 'WEIR_WINDOWS_CHANGED',
        message: expect.stringContaining(change.says),
      }),
    )
  },
)

const Named = record({ user: z.string(), id: z.int() })

/** A job with one state by key; `by` says which key. */
function keyedGraph(by: 'user' | 'id') {
  return planJob(
    job('users', env => {
      env
        .from(collectionSource([{ user: 'a', id: 1 }], { type: Named }))
        .uid('users')
        .keyBy(one => one[by])
        .sum('id')
        .uid('sums')
        .to(blackhole())
        .uid('out')
    }),
  )
}

function keyedMetadata(form: Readonly<Record<string, string>> | undefined): CheckpointMetadata {
  const schema = { kind: 'object', fields: [] }
  const meta = { name: 'reduced', kind: 'reducing', schema, version: 0, ttl: false }
  const keyed = { stateSet: 0, groups: [{ keyGroup: 1, offset: 0, length: 9 }] }
  const own = { operatorId: 'sums', form, stateSets: [[meta]], subtasks: [{ keyed }] }
  return { operators: [own] } as unknown as CheckpointMetadata
}

test('a key of another type is refused: no record would find its state', () => {
  const graph = keyedGraph('id')
  const metadata = keyedMetadata({ keys: 'string' })
  expect(() => checkDeclaredStates({ graph, metadata, dropState: [] })).toThrow(
    expect.objectContaining({
      code: 'WEIR_KEY_TYPE_CHANGED',
      message: expect.stringMatching(/sums.*keys of type string.*keys of type number/),
      next: expect.stringContaining('name sums in --drop-state'),
    }),
  )
})

test('what operators keep by themselves must fit, too', () => {
  const metadata = keyedMetadata({ keys: 'string' })
  expect(() => checkDeclaredStates({ graph: keyedGraph('user'), metadata, dropState: [] })).toThrow(
    expect.objectContaining({
      code: 'WEIR_STATE_INCOMPATIBLE',
      message: expect.stringContaining('state reduced of operator'),
    }),
  )
})

test('a checkpoint that does not say the type of its keys is not refused for it', () => {
  const metadata = keyedMetadata(undefined)
  const graph = keyedGraph('id')
  expect(() => checkDeclaredStates({ graph, metadata, dropState: [] })).toThrow(
    expect.objectContaining({ code: 'WEIR_STATE_INCOMPATIBLE' }),
  )
})
