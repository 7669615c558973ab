/**
 * Puts the figures of all tasks together into one snapshot of the job's progress.
 *
 * Owns        the figures of attempts that are over, and the sample that rates are taken from.
 * Leaves out  checkpoints and restarts: the JobMaster counts them.
 */
import type { SourceLag } from '../api/source.ts'
import type { Clock } from '../common/clock.ts'
import { MAX_TIMESTAMP, MIN_TIMESTAMP } from '../common/timestamps.ts'
import type { JobGraph, JobVertex } from '../graph/job-graph.ts'
import type { OperatorProgress, TaskMetrics } from '../runtime/task-contract.ts'
import type { JobProgress, SubtaskProgress, VertexProgress } from './job-progress.ts'

/** Shares of time are taken over at least this long, so that they do not jump. */
const SAMPLE_MS = 1_000

export type MeteredProgress = Pick<
  JobProgress,
  | 'name'
  | 'elapsedMs'
  | 'recordsIn'
  | 'recordsOut'
  | 'recordsRejected'
  | 'watermark'
  | 'stateSizeBytes'
  | 'vertices'
>

interface Totals {
  recordsIn: number
  recordsOut: number
  recordsRejected: number
}

interface Times {
  readonly busyMs: number
  readonly idleMs: number
  readonly backpressuredMs: number
}

interface Sample {
  readonly atMs: number
  /** By vertex, and by vertex and subtask. */
  readonly times: ReadonlyMap<string, Times>
}

const noTime: Times = { busyMs: 0, idleMs: 0, backpressuredMs: 0 }
const allIdle: Times = { busyMs: 0, idleMs: 1_000, backpressuredMs: 0 }

export class ProgressMeter {
  #graph: JobGraph
  readonly #clock: Clock
  readonly #startedAtMs: number
  readonly #retired: Totals = { recordsIn: 0, recordsOut: 0, recordsRejected: 0 }
  readonly #retiredVertices = new Map<string, { recordsIn: number; recordsOut: number }>()
  #sample: Sample
  #shares: ReadonlyMap<string, Times> = new Map()
  #endedAtMs: number | undefined

  constructor(graph: JobGraph, clock: Clock) {
    this.#graph = graph
    this.#clock = clock
    this.#startedAtMs = clock.monotonic()
    this.#sample = { atMs: this.#startedAtMs, times: new Map() }
  }

  /** Adds the figures of tasks that are over. */
  retire(tasks: readonly TaskMetrics[]): void {
    addTotals(this.#retired, tasks)
    for (const { vertexId, recordsIn, recordsOut } of tasks) {
      const sum = this.#retiredVertices.get(vertexId) ?? { recordsIn: 0, recordsOut: 0 }
      sum.recordsIn += recordsIn
      sum.recordsOut += recordsOut
      this.#retiredVertices.set(vertexId, sum)
    }
    this.#sample = { atMs: this.#clock.monotonic(), times: new Map() }
  }

  /** The job goes on at another parallelism. */
  rescaled(graph: JobGraph): void {
    this.#graph = graph
    this.#shares = new Map()
  }

  /** The job is over: its time stands still. */
  end(): void {
    this.#endedAtMs ??= this.#clock.monotonic()
  }

  read(tasks: readonly TaskMetrics[]): MeteredProgress {
    const now = this.#endedAtMs ?? this.#clock.monotonic()
    this.#takeSample(tasks, now)
    const totals = { ...this.#retired }
    addTotals(totals, tasks)
    return {
      name: this.#graph.name,
      elapsedMs: now - this.#startedAtMs,
      ...totals,
      watermark: lowest(sinkWatermarks(tasks)),
      stateSizeBytes: undefined,
      vertices: this.#graph.vertices.map(vertex => this.#vertex(vertex, tasks)),
    }
  }

  #vertex(vertex: JobVertex, tasks: readonly TaskMetrics[]): VertexProgress {
    const own = tasks.filter(task => task.vertexId === vertex.id)
    const before = this.#retiredVertices.get(vertex.id)
    return {
      name: vertex.name,
      parallelism: vertex.parallelism,
      recordsIn: own.reduce((sum, task) => sum + task.recordsIn, before?.recordsIn ?? 0),
      recordsOut: own.reduce((sum, task) => sum + task.recordsOut, before?.recordsOut ?? 0),
      ...(this.#shares.get(vertex.id) ?? allIdle),
      watermark: lowest(own.map(task => task.watermark)),
      lag: lagOf(own),
      subtasks: own
        .map(task => this.#subtask(task))
        .toSorted((one, other) => one.index - other.index),
    }
  }

  #subtask(task: TaskMetrics): SubtaskProgress {
    const { subtaskIndex: index, recordsIn, recordsOut, watermark, lag } = task
    const shares = this.#shares.get(keyOf(task)) ?? allIdle
    return { index, recordsIn, recordsOut, watermark, lag, ...shares }
  }

  #takeSample(tasks: readonly TaskMetrics[], now: number): void {
    const elapsedMs = now - this.#sample.atMs
    if (elapsedMs < SAMPLE_MS && this.#shares.size > 0) return
    const times = new Map<string, Times>()
    const shares = new Map<string, Times>()
    const note = (key: string, spent: Times): void => {
      times.set(key, spent)
      shares.set(key, sharesOf(spent, this.#sample.times.get(key) ?? noTime))
    }
    for (const { id } of this.#graph.vertices) {
      note(id, sumTimes(tasks.filter(task => task.vertexId === id)))
    }
    for (const task of tasks) note(keyOf(task), sumTimes([task]))
    this.#shares = shares
    if (elapsedMs >= SAMPLE_MS) this.#sample = { atMs: now, times }
  }
}

function keyOf({ vertexId, subtaskIndex }: TaskMetrics): string {
  return `${vertexId}/${subtaskIndex}`
}

function addTotals(totals: Totals, tasks: readonly TaskMetrics[]): void {
  for (const { kind, metrics } of tasks.flatMap(
    (task): readonly OperatorProgress[] => task.operators,
  )) {
    if (kind === 'source') totals.recordsIn += metrics.recordsOut
    if (kind === 'sink') totals.recordsOut += metrics.recordsIn
    totals.recordsRejected += metrics.recordsSkipped + metrics.deadLetters
  }
}

function sinkWatermarks(tasks: readonly TaskMetrics[]): readonly number[] {
  return tasks
    .flatMap(task => task.operators)
    .filter(operator => operator.kind === 'sink')
    .map(operator => operator.metrics.currentWatermark)
}

function lowest(watermarks: readonly number[]): number {
  return watermarks.length === 0 ? MIN_TIMESTAMP : Math.min(MAX_TIMESTAMP, ...watermarks)
}

function lagOf(tasks: readonly TaskMetrics[]): SourceLag | undefined {
  const known = tasks.map(({ lag }) => lag).filter(lag => lag !== undefined)
  if (known.length === 0) return undefined
  return {
    records: known.reduce((sum, { records }) => sum + records, 0),
    ms: Math.max(...known.map(({ ms }) => ms)),
  }
}

function sumTimes(tasks: readonly TaskMetrics[]): Times {
  let busyMs = 0
  let idleMs = 0
  let backpressuredMs = 0
  for (const task of tasks) {
    busyMs += task.busyMs
    idleMs += task.idleMs
    backpressuredMs += task.backpressuredMs
  }
  return { busyMs, idleMs, backpressuredMs }
}

/** ms of each second; a vertex that has not run yet counts as idle. */
function sharesOf(now: Times, before: Times): Times {
  const busy = now.busyMs - before.busyMs
  const idle = now.idleMs - before.idleMs
  const backpressured = now.backpressuredMs - before.backpressuredMs
  const whole = busy + idle + backpressured
  if (whole <= 0) return allIdle
  const scale = 1_000 / whole
  return { busyMs: busy * scale, idleMs: idle * scale, backpressuredMs: backpressured * scale }
}
