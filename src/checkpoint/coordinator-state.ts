/**
 * The words of the checkpoint coordinator: what it is told, what it decides, what it remembers.
 * Plain data. Times are ms of a clock that never goes backwards.
 *
 * Owns        the shape of the state and the questions that need no decision.
 * Leaves out  every move: `checkpoint-coordinator.ts`.
 */
import type { CompletedCheckpoint } from './completed-checkpoints.ts'

/** Owned by the engine, or by a user: a savepoint is never subsumed or deleted. */
export type SnapshotKind = 'checkpoint' | 'savepoint'

export interface CoordinatorOptions {
  /** From trigger to trigger; `undefined`: none but those asked for. */
  readonly intervalMs: number | undefined
  /** At least so long from a completion to the next trigger. */
  readonly minPauseMs: number
  readonly timeoutMs: number
  readonly maxConcurrent: number
  /**
   * True: barriers may overtake data. What is in flight then belongs to one snapshot at a time, so
   * none is pending beside another, savepoints included.
   */
  readonly overtaking: boolean
  /** Failures in a row that are borne. */
  readonly tolerableFailures: number
  /** Completed checkpoints to keep. */
  readonly retained: number
}

/** A subtask's part of a checkpoint, opaque here: what it returned to be stored in the metadata. */
export type Part = unknown

/**
 * `reserving`: the id is being made durable. `collecting`: the barriers flow, acknowledgements
 * come. `writing`: the metadata is being stored. `verifying`: no newer generation may have begun
 * before.
 */
export type PendingStep = 'reserving' | 'collecting' | 'writing' | 'verifying'

export interface PendingCheckpoint {
  readonly id: number
  readonly kind: SnapshotKind
  /** The last one: all input is over, and what it commits ends the job. It may be a savepoint. */
  readonly final: boolean
  readonly step: PendingStep
  readonly triggeredAtMs: number
  readonly acknowledged: ReadonlyMap<string, Part>
  /** Who asked; `undefined` for a periodic one. */
  readonly requestId: string | undefined
}

/**
 * `waiting`: not all subtasks run, or not all run again. `active`: checkpoints are taken.
 * `finishing`: only the final one is left to take. `stopped`: nothing is decided any more.
 */
export type CoordinatorPhase = 'waiting' | 'active' | 'finishing' | 'stopped'

export interface CoordinatorState {
  readonly options: CoordinatorOptions
  readonly phase: CoordinatorPhase
  /** What the last snapshot is to be; decided when all subtasks have drained. */
  readonly finalKind: SnapshotKind
  /** The subtasks that must acknowledge. */
  readonly tasks: ReadonlySet<string>
  /** The highest id ever reserved, by any generation. */
  readonly lastId: number
  readonly pending: ReadonlyMap<number, PendingCheckpoint>
  /** Asked for, and waiting until nothing is pending; oldest first. */
  readonly waiting: readonly SnapshotRequest[]
  /** What could be restored, oldest first. */
  readonly completed: readonly CompletedCheckpoint[]
  /** Given up while their metadata was being stored: it may be there. Removed with the next. */
  readonly doubtful: readonly number[]
  /** When the next periodic one is due. */
  readonly dueAtMs: number
  readonly lastCompletionMs: number
  readonly failuresInRow: number
}

export interface SnapshotRequest {
  readonly snapshot: SnapshotKind
  readonly requestId: string
}

export type CoordinatorEvent =
  /** All subtasks run, for the first time or again. */
  | { readonly kind: 'running'; readonly tasks: readonly string[]; readonly nowMs: number }
  /** Time passed: see `nextWakeMs`. */
  | { readonly kind: 'tick'; readonly nowMs: number }
  | {
      readonly kind: 'requested'
      readonly snapshot: SnapshotKind
      readonly requestId: string
      readonly nowMs: number
    }
  /** All subtasks have drained: one more snapshot of this kind, then the end. */
  | { readonly kind: 'drained'; readonly snapshot: SnapshotKind; readonly nowMs: number }
  | { readonly kind: 'id-reserved'; readonly id: number; readonly nowMs: number }
  | {
      readonly kind: 'acknowledged'
      readonly id: number
      readonly task: string
      readonly part: Part
      readonly nowMs: number
    }
  | { readonly kind: 'metadata-written'; readonly id: number; readonly nowMs: number }
  /** No newer generation existed after the metadata was written. */
  | { readonly kind: 'generation-verified'; readonly id: number; readonly nowMs: number }
  /** A step of this checkpoint went wrong: that counts against what is tolerated. */
  | {
      readonly kind: 'failed'
      readonly id: number
      readonly reason: string
      readonly nowMs: number
    }
  /** A subtask takes no part in it: it was overtaken, or not ready. Nothing is wrong. */
  | {
      readonly kind: 'declined'
      readonly id: number
      readonly reason: string
      readonly nowMs: number
    }
  /**
   * Some subtasks are about to start again, the others go on: nothing is begun until all run. What
   * is pending is given up and counts as no failure.
   */
  | { readonly kind: 'paused'; readonly reason: string }
  /** A newer generation was seen. */
  | { readonly kind: 'fenced'; readonly by: number }
  /** The tasks are being stopped: what is pending is given up, and counts as no failure. */
  | { readonly kind: 'halted'; readonly reason: string }

export type CoordinatorDecision =
  /** Make it durable that this id is taken, and that no newer generation began before. */
  | { readonly kind: 'reserve-id'; readonly id: number; readonly snapshot: SnapshotKind }
  /**
   * Snapshot the enumerators, then inject barriers at the sources. `aligned`: no barrier may
   * overtake, whatever the job's settings.
   */
  | {
      readonly kind: 'trigger'
      readonly id: number
      readonly snapshot: SnapshotKind
      readonly aligned: boolean
    }
  /**
   * Store the metadata: from then on the checkpoint exists. A final savepoint is noted where a
   * restart looks, too: it commits, so nothing may go on from before it.
   */
  | {
      readonly kind: 'write-metadata'
      readonly id: number
      readonly snapshot: SnapshotKind
      readonly final: boolean
      readonly parts: ReadonlyMap<string, Part>
    }
  | { readonly kind: 'verify-generation'; readonly id: number }
  /** Tell enumerators and tasks: sinks commit everything up to it. */
  | {
      readonly kind: 'complete'
      readonly id: number
      readonly snapshot: SnapshotKind
      readonly final: boolean
    }
  /** A savepoint of a job that goes on is done. It commits nothing. */
  | { readonly kind: 'savepoint-done'; readonly id: number }
  | { readonly kind: 'answer'; readonly requestId: string; readonly outcome: RequestOutcome }
  /**
   * Tell the tasks that it will not complete. Its files may go, unless `keepFiles`: its metadata
   * may be in the store, and a restart may rely on them; or its id may belong to a newer
   * generation.
   */
  | {
      readonly kind: 'abort'
      readonly id: number
      readonly reason: string
      readonly failed: boolean
      readonly keepFiles: boolean
    }
  /** Nobody waits for these files any more: remove them. */
  | { readonly kind: 'discard'; readonly id: number }
  /** Subsumed: remove the whole checkpoint. */
  | { readonly kind: 'delete'; readonly id: number }
  /** Too many failures in a row: restart from the last completed one. Ends this coordinator. */
  | { readonly kind: 'fail-job'; readonly reason: string }
  /** Another JobManager took over: cancel everything, write nothing. */
  | { readonly kind: 'stop'; readonly by: number }

export type RequestOutcome =
  | { readonly kind: 'completed'; readonly id: number }
  | { readonly kind: 'failed'; readonly reason: string }

export interface Step {
  readonly state: CoordinatorState
  /** To be performed in this order. */
  readonly decisions: readonly CoordinatorDecision[]
}

/** The last completed checkpoint's id. */
export function lastCompletedId(state: CoordinatorState): number | undefined {
  return state.completed.at(-1)?.id
}

/** When a `tick` would decide something; infinite when no time does. */
export function nextWakeMs(state: CoordinatorState): number {
  if (state.phase === 'stopped' || state.phase === 'waiting') return Number.POSITIVE_INFINITY
  let wake = Number.POSITIVE_INFINITY
  for (const pending of state.pending.values()) {
    if (canExpire(pending)) wake = Math.min(wake, pending.triggeredAtMs + state.options.timeoutMs)
  }
  if (!hasRoom(state)) return wake
  return Math.min(wake, earliestTriggerMs(state))
}

/** What a restart may find: a savepoint is found by its path only, unless it ends the job. */
export function isRecoveryPoint({ kind, final }: PendingCheckpoint): boolean {
  return kind === 'checkpoint' || final
}

/** Once the metadata is being written its answer decides, and it always comes. */
export function canExpire(pending: PendingCheckpoint): boolean {
  return !mayExist(pending)
}

/** Whether its metadata may already be found in the store. */
export function mayExist(pending: PendingCheckpoint): boolean {
  return pending.step === 'writing' || pending.step === 'verifying'
}

/** Savepoints and the final checkpoint do not count against the limit of those that run at once. */
export function hasRoom(state: CoordinatorState): boolean {
  if (state.options.overtaking) return state.pending.size === 0
  let running = 0
  const finishing = state.phase === 'finishing'
  for (const pending of state.pending.values()) {
    // The end of the job waits for what was asked for before.
    if (pending.final || (finishing && pending.requestId !== undefined)) return false
    if (pending.kind === 'checkpoint') running++
  }
  return finishing || running < state.options.maxConcurrent
}

export function earliestTriggerMs(state: CoordinatorState): number {
  // The final one waits for no pause: the end of the job hangs on it.
  if (state.phase === 'finishing') return state.dueAtMs
  return Math.max(state.dueAtMs, state.lastCompletionMs + state.options.minPauseMs)
}
