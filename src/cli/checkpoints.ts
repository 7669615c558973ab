/** `weir checkpoints`: the snapshots of a running job, or one of them with phases and proof. */
import type { CheckpointsView, SnapshotView } from '../cluster/jobmanager/rest/checkpoint-view.ts'
import { formatDuration } from '../common/duration.ts'
import { defineErrors } from '../common/errors.ts'
import { type CliIo, exitCodes } from './cli-io.ts'
import { formatBytes } from './format-bytes.ts'
import { getResource } from './rest-client.ts'
import { findRunningJob } from './running-jobs.ts'
import { type SteerOptions, writeJson } from './steer-options.ts'
import { textTable } from './text-table.ts'

export const checkpointsErrors = defineErrors({
  WEIR_CHECKPOINTS_USAGE: {
    domain: 'user',
    retry: 'never',
    message: (e: { words: string }) => `weir checkpoints does not take ${e.words}`,
    next: 'write weir checkpoints [JOB] or weir checkpoints [JOB] show N',
  },
})

export interface CheckpointsOptions extends Omit<SteerOptions, 'job'> {
  /** `[JOB] [show N]`. */
  readonly words: readonly string[]
}

/** Throws WEIR_CHECKPOINTS_USAGE. */
export async function checkpoints(options: CheckpointsOptions, io: CliIo): Promise<number> {
  const { words, json } = options
  const { job, id } = parse(words)
  const run = findRunningJob(job, io)
  if (id !== undefined) {
    const view = await getResource<SnapshotView>(run, `/checkpoints/${id}`)
    if (json) writeJson(view, io)
    else io.out.write(describe(view))
    return exitCodes.ok
  }
  const view = await getResource<CheckpointsView>(run, '/checkpoints')
  if (json) writeJson(view, io)
  else io.out.write(summary(view))
  return exitCodes.ok
}

function parse(words: readonly string[]): { readonly job?: string; readonly id?: string } {
  const [job, ...rest] = words[0] === 'show' ? [undefined, ...words] : words
  const [show, id, ...more] = rest
  const isShow = show === 'show' && /^\d+$/.test(id ?? '') && more.length === 0
  if (rest.length > 0 && !isShow) {
    throw checkpointsErrors.WEIR_CHECKPOINTS_USAGE({ words: words.join(' ') })
  }
  return { ...(job === undefined ? {} : { job }), ...(id === undefined ? {} : { id }) }
}

function summary({ completed, failed, history }: CheckpointsView): string {
  const head = `${completed} completed, ${failed} failed\n`
  if (history.length === 0) return head
  const rows = history.map(entry => [
    String(entry.id),
    entry.kind,
    entry.status,
    new Date(entry.startedAtMs).toISOString(),
    duration(entry.durationMs),
    size(entry.sizeBytes),
    entry.reason ?? entry.path ?? '',
  ])
  return head + textTable([['ID', 'KIND', 'STATUS', 'STARTED', 'TOOK', 'SIZE', 'WHERE'], ...rows])
}

function describe(view: SnapshotView): string {
  const { id, kind, status, startedAtMs, durationMs, sizeBytes, path, reason } = view
  const lines = [
    `${kind} ${id}  ${status}  ${new Date(startedAtMs).toISOString()}`,
    `took ${duration(durationMs)}  size ${size(sizeBytes)}`,
  ]
  if (path !== null) lines.push(`in ${path}`)
  if (reason !== null) lines.push(`because ${reason}`)
  return `${lines.join('\n')}\n${parts(view)}${proof(view)}`
}

function parts(view: SnapshotView): string {
  if (view.parts.length === 0) return ''
  const rows = view.parts.map(part => [
    `${part.vertexId}/${part.subtaskIndex}`,
    duration(part.startDelayMs),
    duration(part.alignmentMs),
    duration(part.syncMs),
    duration(part.asyncMs),
    formatBytes(part.sizeBytes),
    part.unaligned ? 'unaligned' : 'aligned',
    formatBytes(part.inFlightBytes),
  ])
  const head = ['SUBTASK', 'DELAY', 'ALIGNMENT', 'SYNC', 'ASYNC', 'SIZE', 'BARRIER', 'IN FLIGHT']
  return `\n${textTable([head, ...rows])}`
}

/** What went in and came out up to the cut, and what the checkpoint commits. */
function proof({ proof }: SnapshotView): string {
  if (proof === null) return ''
  const { recordsPerSplit, recordsPerSink, recordsPerTransaction } = proof
  const sinks = Object.entries(recordsPerSink).map(([sink, records]) => [sink, number(records)])
  return [
    counted(['SOURCE', 'SPLIT', 'RECORDS'], rowsOf(recordsPerSplit)),
    counted(['SINK', 'RECORDS'], sinks),
    counted(['SINK', 'COMMITS', 'RECORDS'], rowsOf(recordsPerTransaction)),
  ].join('')
}

function rowsOf(counts: Readonly<Record<string, Readonly<Record<string, number>>>>): string[][] {
  return Object.entries(counts).flatMap(([operator, named]) =>
    Object.entries(named).map(([name, records]) => [operator, name, number(records)]),
  )
}

function counted(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  return rows.length === 0 ? '' : `\n${textTable([heads, ...rows])}`
}

function number(records: number): string {
  return records.toLocaleString('en-US')
}

function duration(ms: number): string {
  return formatDuration(Math.round(ms))
}

function size(bytes: number | null): string {
  return bytes === null ? '' : formatBytes(bytes)
}
