import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { type DataStream, type Infer, job, record, z } from 'weir'
import { planJob } from '../../src/graph/build-job-graph.ts'
import { buildExecutionPlan, type ExecutionPlan } from '../../src/graph/execution-plan.ts'
import { fakeSink, fakeSource } from '../api/fake-parts.ts'

const Row = record({ id: z.string() })
type Row = Infer<typeof Row>
type Way = 'rebalance' | 'rescale' | 'shuffle' | 'global' | 'broadcast' | 'key'

function planned(from: number, to: number, way: Way): ExecutionPlan {
  const graph = planJob(
    job(env => {
      const source = env.from(fakeSource(Row)).uid('rows').setParallelism(from)
      partitioned(source, way).to(fakeSink()).uid('out').setParallelism(to)
    }),
    { parallelism: from },
  )
  return buildExecutionPlan(graph)
}

function partitioned(source: DataStream<Row>, way: Way): DataStream<Row> {
  return way === 'key' ? source.keyBy(r => r.id).toDataStream() : source[way]()
}

/** Sender -> receivers. */
function channels(plan: ExecutionPlan): readonly (readonly number[])[] {
  return plan.subtasks
    .filter(subtask => subtask.vertex.id === 'rows')
    .map(subtask => subtask.outputs.flatMap(output => [...output.to]))
}

const rescaled: Record<string, readonly [number, number, readonly (readonly number[])[]]> = {
  'to as many': [3, 3, [[0], [1], [2]]],
  'to twice as many': [
    2,
    4,
    [
      [0, 1],
      [2, 3],
    ],
  ],
  'to half as many': [4, 2, [[0], [0], [1], [1]]],
  'to a few more': [2, 3, [[0, 1], [2]]],
  'to a few less': [3, 2, [[0], [1], [1]]],
}

describe('rescale talks to the nearest subtasks only', () => {
  test.each(Object.entries(rescaled))('%s', (_sentence, [from, to, expected]) => {
    expect(channels(planned(from, to, 'rescale'))).toEqual(expected)
  })
})

test.each(['rebalance', 'shuffle', 'global', 'broadcast', 'key'] as const)(
  '%s can reach every subtask',
  way => {
    expect(channels(planned(2, 3, way))).toEqual([
      [0, 1, 2],
      [0, 1, 2],
    ])
  },
)

test('P1 every channel has both its ends', () => {
  const ways = fc.constantFrom<Way>('rebalance', 'rescale', 'broadcast', 'key')
  const size = fc.integer({ min: 1, max: 12 })
  fc.assert(
    fc.property(size, size, ways, (from, to, way) => {
      const { subtasks } = planned(from, to, way)
      const sent = subtasks.flatMap(s =>
        s.outputs.flatMap(o => o.to.map(receiver => `${o.edge.id} ${s.index}>${receiver}`)),
      )
      const heard = subtasks.flatMap(s =>
        s.inputs.flatMap(i => i.from.map(sender => `${i.edge.id} ${sender}>${s.index}`)),
      )
      expect(heard.toSorted()).toEqual(sent.toSorted())
      expect(new Set(sent).size).toBe(sent.length)
    }),
    { numRuns: 60 },
  )
})

test('P2 subtasks share out the key groups', () => {
  const { subtasks, slots } = planned(2, 3, 'key')
  expect(slots).toBe(3)
  expect(subtasks.map(s => [s.id, s.keyGroups.start, s.keyGroups.end])).toEqual([
    ['rows/0', 0, 63],
    ['rows/1', 64, 127],
    ['out/0', 0, 42],
    ['out/1', 43, 85],
    ['out/2', 86, 127],
  ])
})
