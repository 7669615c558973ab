import { expect, test } from '@jest/globals'
import { backpressureView, jobView } from '../../../../src/cluster/jobmanager/rest/job-view.ts'
import type { ObservedJob } from '../../../../src/cluster/jobmanager/rest/observed-job.ts'
import {
  vertexBackpressureView,
  vertexOf,
  vertexSubtasksView,
} from '../../../../src/cluster/jobmanager/rest/vertex-view.ts'
import { watermarkView } from '../../../../src/cluster/jobmanager/rest/watermark-view.ts'
import { ProgressMeter } from '../../../../src/cluster/progress-meter.ts'
import { planJob } from '../../../../src/graph/build-job-graph.ts'
import type { TaskMetrics } from '../../../../src/runtime/task-contract.ts'
import { ManualClock } from '../../../../src/testing/manual-clock.ts'
import { countingJob } from '../../counting-job.ts'

const graph = planJob(countingJob({ records: 1, keys: 1 }).job, { parallelism: 4 })
const vertexId = graph.vertices[1]?.id ?? ''

/** A job whose second vertex has these subtasks. */
function observed(subtasks: readonly Partial<TaskMetrics>[]): ObservedJob {
  const clock = new ManualClock()
  const meter = new ProgressMeter(graph, clock)
  meter.read([])
  clock.advance(1_000)
  const zero = { recordsIn: 0, recordsOut: 0, watermark: 0, busyMs: 0, idleMs: 0 }
  const tasks = subtasks.map((one, subtaskIndex): TaskMetrics => {
    return { vertexId, subtaskIndex, operators: [], backpressuredMs: 0, ...zero, ...one }
  })
  const progress = () => ({ ...meter.read(tasks), status: 'running' as const, restarts: 0 })
  return { job: { progress }, graph, jobId: 'j' } as unknown as ObservedJob
}

test('the level is that of the subtask that is held up most', () => {
  const job = observed([
    { idleMs: 1_000 },
    { idleMs: 940, backpressuredMs: 60 },
    { idleMs: 400, backpressuredMs: 600 },
    { idleMs: 1_000 },
  ])
  const view = vertexBackpressureView(vertexOf(job, vertexId))
  // On the average they would be LOW.
  expect(view.backpressuredMs).toBeCloseTo(165)
  expect(view.level).toBe('HIGH')
  expect(view.subtasks.map(one => one.level)).toEqual(['OK', 'OK', 'HIGH', 'OK'])
  expect(backpressureView(job).vertices.map(one => one.level)).toEqual(['OK', 'HIGH'])
  expect(jobView(job).vertices.map(one => one.level)).toEqual(['OK', 'HIGH'])
})

test('the skew is 0 where records are even, and grows as they are not', () => {
  const skewOf = (...records: readonly number[]): number => {
    const job = observed(records.map(recordsIn => ({ recordsIn })))
    return vertexSubtasksView(vertexOf(job, vertexId)).skew
  }
  expect(skewOf(5, 5, 5, 5)).toBe(0)
  expect(skewOf(0, 0, 0, 0)).toBe(0)
  expect(skewOf(0, 0, 0, 8)).toBeCloseTo(Math.sqrt(3))
})

test.each([
  [Number.NEGATIVE_INFINITY, { phase: 'none', timestampMs: null }],
  [Number.POSITIVE_INFINITY, { phase: 'end', timestampMs: null }],
  [5, { phase: 'running', timestampMs: 5 }],
])('watermark %d is shown', (timestamp, shown) => {
  expect(watermarkView(timestamp)).toEqual(shown)
})
