import { expect, test } from '@jest/globals'
import { ProgressMeter } from '../../src/cluster/progress-meter.ts'
import { planJob } from '../../src/graph/build-job-graph.ts'
import type { OperatorProgress, TaskMetrics } from '../../src/runtime/task-contract.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { countingJob } from './counting-job.ts'

const graph = planJob(countingJob({ records: 1, keys: 1 }).job, { parallelism: 2 })

function operator(
  kind: OperatorProgress['kind'],
  metrics: Partial<OperatorProgress['metrics']>,
): OperatorProgress {
  const zero = {
    recordsIn: 0,
    recordsOut: 0,
    lateRecordsDropped: 0,
    recordsSkipped: 0,
    deadLetters: 0,
    currentWatermark: 0,
  }
  return { operatorId: kind, name: kind, kind, metrics: { ...zero, ...metrics } }
}

function task(vertexId: string, metrics: Partial<TaskMetrics>): TaskMetrics {
  const zero = { recordsIn: 0, recordsOut: 0, busyMs: 0, idleMs: 0, backpressuredMs: 0 }
  return { vertexId, subtaskIndex: 0, watermark: 0, operators: [], ...zero, ...metrics }
}

const tasks = (scale: number): readonly TaskMetrics[] => [
  task('numbers', {
    recordsOut: 10 * scale,
    busyMs: 100 * scale,
    idleMs: 300 * scale,
    watermark: 7,
    operators: [
      operator('source', { recordsOut: 10 * scale }),
      operator('map', { recordsSkipped: 1 }),
    ],
  }),
  task('counts', {
    recordsIn: 9 * scale,
    busyMs: 50 * scale,
    backpressuredMs: 150 * scale,
    watermark: 5,
    operators: [operator('sink', { recordsIn: 8 * scale, currentWatermark: 5 })],
  }),
]

test('adds up sources, sinks and rejected records, and takes the lowest watermark', () => {
  const meter = new ProgressMeter(graph, new ManualClock())
  expect(meter.read([...tasks(1), ...tasks(2)])).toMatchObject({
    name: graph.name,
    recordsIn: 30,
    recordsOut: 24,
    recordsRejected: 2,
    watermark: 5,
    vertices: [
      { parallelism: 2, recordsOut: 30, watermark: 7 },
      { parallelism: 2, recordsIn: 27, watermark: 5 },
    ],
  })
})

test('shares of time sum to a second, and are of the last one', () => {
  const clock = new ManualClock()
  const meter = new ProgressMeter(graph, clock)
  meter.read([])
  clock.advance(1_000)
  const [first, second] = meter.read(tasks(1)).vertices
  expect(first).toMatchObject({ busyMs: 250, idleMs: 750, backpressuredMs: 0 })
  expect(second).toMatchObject({ busyMs: 250, idleMs: 0, backpressuredMs: 750 })
  clock.advance(1_000)
  const busyOnly = [task('numbers', { busyMs: 1_100, idleMs: 300 })]
  expect(meter.read(busyOnly).vertices[0]).toMatchObject({ busyMs: 1_000, idleMs: 0 })
})

test('each subtask has its own share: one that is held up is seen beside one that is not', () => {
  const clock = new ManualClock()
  const meter = new ProgressMeter(graph, clock)
  meter.read([])
  clock.advance(1_000)
  const [numbers] = meter.read([
    task('numbers', { subtaskIndex: 1, backpressuredMs: 600, idleMs: 400 }),
    task('numbers', { recordsOut: 3, idleMs: 1_000, watermark: 9 }),
  ]).vertices
  expect(numbers).toMatchObject({ backpressuredMs: 300, idleMs: 700 })
  expect(numbers?.subtasks).toMatchObject([
    { index: 0, recordsOut: 3, backpressuredMs: 0, idleMs: 1_000, watermark: 9 },
    { index: 1, recordsOut: 0, backpressuredMs: 600, idleMs: 400 },
  ])
})

test('figures of an earlier attempt still count', () => {
  const meter = new ProgressMeter(graph, new ManualClock())
  meter.retire(tasks(3))
  expect(meter.read([])).toMatchObject({ recordsIn: 30, recordsOut: 24, recordsRejected: 1 })
  expect(meter.read(tasks(1)).vertices[0]).toMatchObject({ recordsOut: 40 })
})

test('the time of a job that is over stands still', () => {
  const clock = new ManualClock()
  const meter = new ProgressMeter(graph, clock)
  clock.advance(70)
  meter.end()
  clock.advance(1_000)
  expect(meter.read([]).elapsedMs).toBe(70)
})

test('the lag of a vertex is the records of all subtasks and the longest time', () => {
  const meter = new ProgressMeter(graph, new ManualClock())
  const lags = [{ records: 5, ms: 100 }, { records: 7, ms: 20 }, undefined]
  const subtasks = lags.map((lag, subtaskIndex) => task('numbers', { lag, subtaskIndex }))
  const [numbers, counts] = meter.read(subtasks).vertices
  expect(numbers).toMatchObject({ lag: { records: 12, ms: 100 } })
  expect(numbers?.subtasks.map(one => one.lag)).toEqual(lags)
  expect(counts?.lag).toBeUndefined()
})
