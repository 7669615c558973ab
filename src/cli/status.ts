/** `weir status`: how a running job is doing. */
import type { JobView } from '../cluster/jobmanager/rest/job-view.ts'
import type { WatermarkView } from '../cluster/jobmanager/rest/watermark-view.ts'
import { formatDuration } from '../common/duration.ts'
import { type CliIo, exitCodes } from './cli-io.ts'
import { formatBytes } from './format-bytes.ts'
import { getResource } from './rest-client.ts'
import { findRunningJob } from './running-jobs.ts'
import { type SteerOptions, writeJson } from './steer-options.ts'
import { textTable } from './text-table.ts'

export async function status({ job, json }: SteerOptions, io: CliIo): Promise<number> {
  const run = findRunningJob(job, io)
  const view = await getResource<JobView>(run, '/job')
  if (json) writeJson(view, io)
  else io.out.write(describe(view))
  return exitCodes.ok
}

function describe(view: JobView): string {
  const { lastCheckpoint: last, lastCheckpointFailure, lastFailure } = view
  const checkpoint =
    last === null
      ? 'none yet'
      : `last ${last.id}, ${duration(last.durationMs)}, ${formatBytes(last.sizeBytes)}`
  const lines = [
    `${view.name}  ${view.status}  ${duration(view.elapsedMs)}`,
    `in ${count(view.recordsIn)}  out ${count(view.recordsOut)}  restarts ${view.restarts}`,
    `watermark ${watermark(view.watermark)}`,
    `checkpoints ${view.checkpointsCompleted} (${view.checkpointsFailed} failed), ${checkpoint}`,
  ]
  if (view.waiting !== null) {
    const { slots, sinceMs } = view.waiting
    lines.push(`waiting for slots ${slots.join(', ')} since ${duration(sinceMs)}`)
  }
  if (view.rescalingTo !== null) lines.push(`on its way to parallelism ${view.rescalingTo}`)
  if (lastCheckpointFailure !== null) lines.push(`last failed: ${lastCheckpointFailure}`)
  if (lastFailure !== null) lines.push(`last failure: ${lastFailure.message}`)
  const rows = view.vertices.map(vertex => [
    vertex.name,
    String(vertex.parallelism),
    `${Math.round(vertex.busyMs / 10)} %`,
    vertex.level,
    count(vertex.recordsIn),
    count(vertex.recordsOut),
    watermark(vertex.watermark),
  ])
  const heads = ['VERTEX', 'SLOTS', 'BUSY', 'BACKPRESSURE', 'IN', 'OUT', 'WATERMARK']
  return `${lines.join('\n')}\n\n${textTable([heads, ...rows])}`
}

function watermark({ phase, timestampMs }: WatermarkView): string {
  if (timestampMs === null) return phase === 'end' ? 'end of input' : 'none yet'
  // Custom timestamps may lie beyond what a date can show.
  if (Math.abs(timestampMs) > 8.64e15) return String(timestampMs)
  return new Date(timestampMs).toISOString()
}

function count(value: number): string {
  return value.toLocaleString('en-US')
}

function duration(ms: number): string {
  return formatDuration(Math.round(ms))
}
