import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { type Infer, job, record, type StreamEnvironment, z } from 'weir'
import { planJob } from '../../src/graph/build-job-graph.ts'
import { buildExecutionPlan, type ExecutionPlan } from '../../src/graph/execution-plan.ts'
import { failoverRegions } from '../../src/graph/failover-regions.ts'
import { planRegions } from '../../src/graph/plan-regions.ts'
import { planText } from '../../src/graph/plan-text.ts'
import { fakeSink, fakeSource } from '../api/fake-parts.ts'

const Row = record({ id: z.string() })
type Row = Infer<typeof Row>

function planned(parallelism: number, build: (env: StreamEnvironment) => void): ExecutionPlan {
  return buildExecutionPlan(planJob(job(build), { parallelism }))
}

function membersOf(plan: ExecutionPlan): readonly (readonly string[])[] {
  return failoverRegions(plan).map(({ subtasks }) => subtasks.map(({ id }) => id))
}

const sliced = (env: StreamEnvironment): void => {
  env.from(fakeSource(Row)).uid('rows').startNewChain().to(fakeSink()).uid('out').disableChaining()
}

const keyed = (env: StreamEnvironment): void => {
  const rows = env.from(fakeSource(Row)).uid('keyed')
  rows
    .keyBy((row: Row) => row.id)
    .toDataStream()
    .to(fakeSink())
    .uid('sums')
}

test('forward edges give a region a slice', () => {
  expect(membersOf(planned(3, sliced))).toEqual([
    ['rows/0', 'out/0'],
    ['rows/1', 'out/1'],
    ['rows/2', 'out/2'],
  ])
})

test('an edge that can reach every subtask joins them all', () => {
  expect(membersOf(planned(2, keyed))).toEqual([['keyed/0', 'keyed/1', 'sums/0', 'sums/1']])
})

test('rescaled subtasks are in the region of those that they talk to', () => {
  const plan = planned(4, env => {
    const rows = env.from(fakeSource(Row)).uid('rows').setParallelism(4)
    rows.rescale().to(fakeSink()).uid('out').setParallelism(2)
  })
  expect(membersOf(plan)).toEqual([
    ['rows/0', 'rows/1', 'out/0'],
    ['rows/2', 'rows/3', 'out/1'],
  ])
  // Slot 1 runs subtask 1 of both vertices: it belongs to both regions.
  expect(failoverRegions(plan).map(({ slots }) => slots)).toEqual([
    [0, 1],
    [1, 2, 3],
  ])
})

test('pipelines that never meet fail apart', () => {
  const plan = planned(2, env => {
    sliced(env)
    keyed(env)
  })
  expect(planRegions(plan.graph)).toEqual([
    { vertices: ['rows', 'out'], slots: [[0], [1]] },
    { vertices: ['keyed', 'sums'], slots: [[0, 1]] },
  ])
})

test('weir plan says what restarts together', () => {
  const both = planned(2, env => {
    sliced(env)
    keyed(env)
  })
  expect(planText(both.graph)).toContain(`
3 failover regions: a failure restarts those that it touches
    [1] [2]   2 in slots 0, 1
    [3] [4]   1 in slots 0+1
`)
  expect(planText(planned(2, keyed).graph)).toContain(
    '\n1 failover region: a failure restarts the whole job\n',
  )
})

test('FR1, FR2: regions share out the subtasks, and no channel leaves its region', () => {
  const size = fc.integer({ min: 1, max: 9 })
  const way = fc.constantFrom('rescale', 'rebalance', 'broadcast')
  fc.assert(
    fc.property(fc.tuple(size, size, size), fc.tuple(way, way), (sizes, ways) => {
      const [[a, b, c], [first, second]] = [sizes, ways]
      const plan = planned(1, env => {
        const rows = env.from(fakeSource(Row)).uid('rows').setParallelism(a)
        const same = rows[first]()
          .map(row => row)
          .uid('same')
          .setParallelism(b)
        same[second]().to(fakeSink()).uid('out').setParallelism(c)
      })
      const regionOf = new Map(
        failoverRegions(plan).flatMap(({ index, subtasks }) =>
          subtasks.map(({ id }) => [id, index] as const),
        ),
      )
      expect(membersOf(plan).flat().toSorted()).toEqual(plan.subtasks.map(s => s.id).toSorted())
      for (const { id, outputs } of plan.subtasks) {
        for (const { edge, to } of outputs) {
          for (const receiver of to) {
            const other = `${edge.to.vertexId}/${receiver}`
            expect(regionOf.get(other)).toBe(regionOf.get(id))
          }
        }
      }
    }),
    { numRuns: 60 },
  )
})
