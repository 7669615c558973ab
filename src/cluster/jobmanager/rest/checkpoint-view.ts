/** Checkpoints and savepoints of a running job as the REST API shows them. Times end in `Ms`. */

import { redactUrl } from '../../../common/redact.ts'
import type { SnapshotEntry, SnapshotPart } from '../job-history.ts'
import type { ObservedJob } from './observed-job.ts'

export type SnapshotView = ReturnType<typeof snapshotView>
export type CheckpointsView = ReturnType<typeof checkpointsView>

export function checkpointsView({ job }: ObservedJob) {
  const { checkpointsCompleted, checkpointsFailed } = job.progress()
  const { snapshots } = job.history
  const completed = snapshots.filter(entry => entry.status === 'completed')
  const history = snapshots.map(entry => {
    const { parts: _parts, proof: _proof, ...summary } = snapshotView(entry)
    return summary
  })
  return {
    completed: checkpointsCompleted,
    failed: checkpointsFailed,
    /** Over those in the history that completed. */
    summary: {
      durationMs: statisticsOf(completed.map(entry => entry.durationMs)),
      sizeBytes: statisticsOf(completed.map(entry => entry.sizeBytes ?? 0)),
      ...phasesOf(completed.flatMap(entry => entry.parts)),
    },
    history: history.reverse(),
  }
}

export function checkpointsConfigView({ settings, store }: ObservedJob) {
  const { intervalMs, ...rest } = settings.checkpoint
  return { ...rest, intervalMs: intervalMs ?? null, storage: redactUrl(store.location) }
}

export function snapshotView(entry: SnapshotEntry) {
  const { id, kind, status, startedAtMs, durationMs, sizeBytes, path, reason } = entry
  return {
    id,
    kind,
    status,
    startedAtMs,
    durationMs,
    sizeBytes: sizeBytes ?? null,
    path: path ?? null,
    reason: reason ?? null,
    parts: entry.parts,
    proof: entry.proof ?? null,
  }
}

/** The parts of one vertex, and where they stand between the least and the greatest. */
export function snapshotVertexView({ id, kind, status, parts }: SnapshotEntry, vertexId: string) {
  const own = parts.filter(part => part.vertexId === vertexId)
  return {
    id,
    kind,
    status,
    vertexId,
    summary: { sizeBytes: statisticsOf(own.map(part => part.sizeBytes)), ...phasesOf(own) },
    subtasks: own
      .map(({ vertexId: _vertexId, subtaskIndex: index, ...part }) => ({ index, ...part }))
      .toSorted((a, b) => a.index - b.index),
  }
}

function phasesOf(parts: readonly SnapshotPart[]) {
  return {
    startDelayMs: statisticsOf(parts.map(part => part.startDelayMs)),
    alignmentMs: statisticsOf(parts.map(part => part.alignmentMs)),
    syncMs: statisticsOf(parts.map(part => part.syncMs)),
    asyncMs: statisticsOf(parts.map(part => part.asyncMs)),
  }
}

/** `null` without values. */
function statisticsOf(values: readonly number[]) {
  if (values.length === 0) return null
  const sorted = values.toSorted((a, b) => a - b)
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? 0
  return {
    min: at(0.000_001),
    mean: values.reduce((sum, value) => sum + value, 0) / values.length,
    p50: at(0.5),
    p90: at(0.9),
    p99: at(0.99),
    max: at(1),
  }
}
