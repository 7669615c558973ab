/**
 * What happened to a job so far, for people: its snapshots and its failures, newest last. Bounded:
 * the oldest entries make room.
 *
 * Owns        the entries of all attempts.
 * Leaves out  the totals (`job-master-options.ts`), and who shows it.
 */
import type { CheckpointMetadata, Proof } from '../../checkpoint/checkpoint-metadata.ts'
import { sizeOf } from '../../checkpoint/checkpoint-metadata.ts'
import type { SnapshotKind } from '../../checkpoint/coordinator-state.ts'
import type { PartMetrics, SubtaskHandle } from '../../checkpoint/snapshot-handle.ts'
import type { Clock } from '../../common/clock.ts'
import type { FailureReport } from '../slot-messages.ts'

const SNAPSHOTS_KEPT = 50
const FAILURES_KEPT = 16

export interface SnapshotEntry {
  readonly id: number
  readonly kind: SnapshotKind
  /** `aborted`: given up without being a failure, as when the job stops. */
  readonly status: 'pending' | 'completed' | 'failed' | 'aborted'
  /** ms since the epoch. */
  readonly startedAtMs: number
  /** From its start to its end, or until now. */
  readonly durationMs: number
  /** Of its files; known when all subtasks have acknowledged. */
  readonly sizeBytes: number | undefined
  readonly path: string | undefined
  /** The job goes on from it after a failure: not from a savepoint that was taken in passing. */
  readonly isBase: boolean
  /** Why it did not complete. */
  readonly reason: string | undefined
  /** By vertex and subtask; empty until all have acknowledged. */
  readonly parts: readonly SnapshotPart[]
  /** What went in and out up to the cut. */
  readonly proof: Proof | undefined
}

/** One that is whole, and where it lies. */
export interface CompletedSnapshot {
  readonly id: number
  readonly kind: SnapshotKind
  readonly path: string
  /** ms since the epoch. */
  readonly completedAtMs: number
  readonly sizeBytes: number
}

/** One subtask's part and the ms of its phases. */
export interface SnapshotPart extends Omit<PartMetrics, 'recordsPerSplit' | 'recordsPerSink'> {
  readonly vertexId: string
  readonly subtaskIndex: number
  readonly sizeBytes: number
}

export interface FailureEntry extends FailureReport {
  /** ms since the epoch. */
  readonly atMs: number
  /** `undefined`: the job gave up. */
  readonly retryInMs: number | undefined
  /** What started again; `undefined`: the whole job. */
  readonly scope: RestartScope | undefined
}

/** Some failover regions of a job. */
export interface RestartScope {
  readonly regions: number
  /** So many the job has. */
  readonly of: number
  readonly slots: readonly number[]
}

/** What became of a failure. */
export type FailureEnd = Pick<FailureEntry, 'retryInMs' | 'scope'>

interface KeptSnapshot extends Omit<SnapshotEntry, 'durationMs'> {
  readonly startedMonotonicMs: number
  readonly endedMonotonicMs: number | undefined
}

export class JobHistory {
  readonly #clock: Clock
  readonly #snapshots = new Map<number, KeptSnapshot>()
  readonly #failures: FailureEntry[] = []
  #restored: CompletedSnapshot | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get snapshots(): readonly SnapshotEntry[] {
    return [...this.#snapshots.values()].map(kept => this.#entry(kept))
  }

  get failures(): readonly FailureEntry[] {
    return this.#failures
  }

  snapshot(id: number): SnapshotEntry | undefined {
    const kept = this.#snapshots.get(id)
    return kept && this.#entry(kept)
  }

  /** What the job goes on from: the newest that completed, or the one that was restored. */
  get latest(): CompletedSnapshot | undefined {
    return completedSnapshot(this.snapshots.findLast(entry => entry.isBase)) ?? this.#restored
  }

  /** All tasks run from it. */
  restored(snapshot: CompletedSnapshot): void {
    this.#restored = snapshot
  }

  begun(id: number, kind: SnapshotKind): void {
    this.#snapshots.set(id, {
      id,
      kind,
      status: 'pending',
      startedAtMs: this.#clock.now(),
      startedMonotonicMs: this.#clock.monotonic(),
      endedMonotonicMs: undefined,
      sizeBytes: undefined,
      path: undefined,
      isBase: false,
      reason: undefined,
      parts: [],
      proof: undefined,
    })
    const [oldest] = this.#snapshots.keys()
    if (this.#snapshots.size > SNAPSHOTS_KEPT && oldest !== undefined) {
      this.#snapshots.delete(oldest)
    }
  }

  /** All subtasks have acknowledged. */
  acknowledged(metadata: CheckpointMetadata, subtasks: readonly SubtaskHandle[]): void {
    const parts = subtasks.map(({ vertexId, subtaskIndex, fileSizeBytes, metrics }) => {
      const { recordsPerSplit: _, ...phases } = metrics
      return { vertexId, subtaskIndex, sizeBytes: fileSizeBytes, ...phases }
    })
    const sizeBytes = sizeOf(subtasks)
    this.#change(metadata.checkpointId, { parts, sizeBytes, proof: metadata.proof })
  }

  completed(id: number, path: string, isBase = true): void {
    this.#end(id, { status: 'completed', path, isBase })
  }

  abandoned(id: number, status: 'failed' | 'aborted', reason: string): void {
    this.#end(id, { status, reason })
  }

  jobFailed(report: FailureReport, end: FailureEnd): void {
    this.#failures.push({ ...report, atMs: this.#clock.now(), ...end })
    if (this.#failures.length > FAILURES_KEPT) this.#failures.shift()
  }

  #end(id: number, change: Partial<KeptSnapshot>): void {
    this.#change(id, { ...change, endedMonotonicMs: this.#clock.monotonic() })
  }

  /** One that made room meanwhile is not brought back. */
  #change(id: number, change: Partial<KeptSnapshot>): void {
    const kept = this.#snapshots.get(id)
    if (kept !== undefined) this.#snapshots.set(id, { ...kept, ...change })
  }

  #entry({ startedMonotonicMs, endedMonotonicMs, ...rest }: KeptSnapshot): SnapshotEntry {
    const untilMs = endedMonotonicMs ?? this.#clock.monotonic()
    return { ...rest, durationMs: untilMs - startedMonotonicMs }
  }
}

export function completedSnapshot(entry: SnapshotEntry | undefined): CompletedSnapshot | undefined {
  if (entry?.path === undefined) return undefined
  const { id, kind, path, startedAtMs, durationMs, sizeBytes = 0 } = entry
  return { id, kind, path, completedAtMs: Math.round(startedAtMs + durationMs), sizeBytes }
}
