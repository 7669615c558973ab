/** A running job's figures as samples of the metrics in `observability/metric-definitions.ts`. */
import process from 'node:process'
import type { MetricName } from '../../../observability/metric-definitions.ts'
import type { MetricSample } from '../../../observability/metrics-text.ts'
import { jobStatuses } from '../../../protocol/job-facts.ts'
import type { JobProgress } from '../../job-progress.ts'
import { networkSamples } from './network-samples.ts'
import type { ObservedJob, TaskManagerView } from './observed-job.ts'

export function jobMetrics(observed: ObservedJob): readonly MetricSample[] {
  const progress = observed.job.progress()
  return [
    ...jobSamples(observed, progress),
    ...storageSamples(observed),
    ...vertexSamples(observed, progress),
    ...userSamples(observed),
    ...processSamples(observed),
    ...networkSamples(observed),
  ]
}

function jobSamples({ jobId, job, clock }: ObservedJob, progress: JobProgress): MetricSample[] {
  const sample = (name: MetricName, value: number): MetricSample => {
    return { name, labels: { job: jobId }, value }
  }
  const samples = [
    ...jobStatuses.map((status): MetricSample => {
      const labels = { job: jobId, status }
      return { name: 'weir_job_status', labels, value: status === progress.status ? 1 : 0 }
    }),
    sample('weir_job_uptime_seconds', progress.elapsedMs / 1_000),
    sample('weir_job_records_read_total', progress.recordsIn),
    sample('weir_job_records_written_total', progress.recordsOut),
    sample('weir_job_records_rejected_total', progress.recordsRejected),
    sample('weir_job_restarts_total', progress.restarts),
    sample('weir_checkpoints_completed_total', progress.checkpointsCompleted),
    sample('weir_checkpoints_failed_total', progress.checkpointsFailed),
  ]
  const last = progress.lastCheckpoint
  if (last === undefined) return samples
  const entry = job.history.snapshot(last.id)
  samples.push(
    sample('weir_checkpoint_last_duration_seconds', last.durationMs / 1_000),
    sample('weir_checkpoint_last_size_bytes', last.sizeBytes),
  )
  if (entry !== undefined) {
    const ageMs = clock.now() - entry.startedAtMs - entry.durationMs
    const inFlightBytes = entry.parts.reduce((sum, part) => sum + part.inFlightBytes, 0)
    samples.push(
      sample('weir_checkpoint_last_in_flight_bytes', inFlightBytes),
      sample('weir_checkpoint_last_age_seconds', Math.max(0, ageMs) / 1_000),
    )
  }
  return samples
}

function storageSamples({ jobId, job, store }: ObservedJob): MetricSample[] {
  const counters = job.storage ?? store.counters
  if (counters === undefined) return []
  const sample = (name: MetricName, value: number): MetricSample => {
    return { name, labels: { job: jobId }, value }
  }
  return [
    sample('weir_storage_requests_total', counters.requests),
    sample('weir_storage_retries_total', counters.retries),
    sample('weir_storage_written_bytes_total', counters.writtenBytes),
    sample('weir_storage_read_bytes_total', counters.readBytes),
  ]
}

function vertexSamples({ jobId, graph }: ObservedJob, progress: JobProgress): MetricSample[] {
  return progress.vertices.flatMap((vertex, index) => {
    const labels = { job: jobId, vertex: graph.vertices[index]?.id ?? '', name: vertex.name }
    const samples: MetricSample[] = [
      { name: 'weir_vertex_records_in_total', labels, value: vertex.recordsIn },
      { name: 'weir_vertex_records_out_total', labels, value: vertex.recordsOut },
      { name: 'weir_vertex_busy_ms_per_second', labels, value: vertex.busyMs },
      { name: 'weir_vertex_idle_ms_per_second', labels, value: vertex.idleMs },
      { name: 'weir_vertex_backpressured_ms_per_second', labels, value: vertex.backpressuredMs },
    ]
    if (Number.isFinite(vertex.watermark)) {
      const value = vertex.watermark / 1_000
      samples.push({ name: 'weir_vertex_watermark_seconds', labels, value })
    }
    if (vertex.lag !== undefined) {
      const { records, ms } = vertex.lag
      samples.push(
        { name: 'weir_source_lag_records', labels, value: records },
        { name: 'weir_source_lag_seconds', labels, value: ms / 1_000 },
      )
    }
    return samples
  })
}

function userSamples({ jobId, job }: ObservedJob): MetricSample[] {
  return [...job.counters].map(({ operator, metric, count }) => {
    return { name: 'weir_user_count_total', labels: { job: jobId, operator, metric }, value: count }
  })
}

function processSamples({ job }: ObservedJob): MetricSample[] {
  const { user, system } = process.cpuUsage()
  const own = { residentBytes: process.memoryUsage.rss(), cpuSeconds: (user + system) / 1e6 }
  const others = job.taskManagers?.() ?? []
  return [
    ...processFigures('jobmanager', own),
    ...others.flatMap(one => processFigures(nameOf(one), one)),
    ...others.flatMap((one): MetricSample[] => {
      if (one.blockedMs === null) return []
      const labels = { process: nameOf(one) }
      return [{ name: 'weir_process_blocked_seconds', labels, value: one.blockedMs / 1_000 }]
    }),
  ]
}

function nameOf({ slot }: TaskManagerView): string {
  return `taskmanager-${slot}`
}

/** Of one that has not been heard of there are none. */
function processFigures(
  name: string,
  figures: Pick<TaskManagerView, 'residentBytes' | 'cpuSeconds'>,
): MetricSample[] {
  const { residentBytes, cpuSeconds } = figures
  if (residentBytes === null || cpuSeconds === null) return []
  const labels = { process: name }
  return [
    { name: 'weir_process_resident_memory_bytes', labels, value: residentBytes },
    { name: 'weir_process_cpu_seconds_total', labels, value: cpuSeconds },
  ]
}
