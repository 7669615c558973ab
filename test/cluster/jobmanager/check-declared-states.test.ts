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

test('windows that are kept as before restore', () => {
  const plain = windowGraph(false)
  const triggered = windowGraph(true)
  expect(() => checkDeclaredStates(plain, stored(plain, '$panes'), [])).not.toThrow()
  expect(() => checkDeclaredStates(triggered, stored(triggered, '$contents'), [])).not.toThrow()
})

const changes = {
  'a trigger was added': {
    trigger: true,
    state: '$panes',
    says: 'stored: accumulators by pane; declared: contents by window',
  },
  'a trigger was taken away': {
    trigger: false,
    state: '$contents',
    says: 'stored: contents by window; declared: accumulators by pane',
  },
  'a session became a sliding window': {
    trigger: false,
    state: '$sessions',
    says: 'stored: sessions by key; declared: accumulators by pane',
  },
}

test.each(Object.entries(changes))(
  'open windows are not lost silently where %s',
  (_what, change) => {
    const graph = windowGraph(change.trigger)
    expect(() => checkDeclaredStates(graph, stored(graph, change.state), [])).toThrow(
      expect.objectContaining({
        code: 'WEIR_STATE_INCOMPATIBLE',
        message: expect.stringContaining(change.says),
      }),
    )
  },
)
