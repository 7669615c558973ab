/**
 * The words between the JobMaster and the slots. Everything is plain data: the two may live in one
 * process or in two. Messages of one slot arrive in the order they were sent, each once; those of
 * an attempt that is over are ignored by both sides. A slot runs subtasks of several failover
 * regions; each word is of one of them.
 */
import type { SourceSplit } from '../api/source.ts'
import type { ChannelPiece } from '../checkpoint/channel-plan.ts'
import type { SnapshotKind } from '../checkpoint/coordinator-state.ts'
import type { SubtaskRestore } from '../checkpoint/restore-plan.ts'
import type { SubtaskHandle } from '../checkpoint/snapshot-handle.ts'
import type { ErrorDomain } from '../common/errors.ts'
import type { BarrierAlignment, CommitSettlement } from '../runtime/task-contract.ts'
import type { GroupStanding } from '../runtime/watermark-alignment.ts'

/** Names an operator's subtask; the slot is the subtask's index. */
export interface SourceReaderAddress {
  readonly vertexId: string
  readonly operatorId: string
}

/** One try to run the subtasks of a failover region. */
export type RegionAttempt = {
  /** See `graph/failover-regions.ts`. */
  readonly region: number
  /** A later try of a region has a higher number, also after the whole job restarted. */
  readonly attempt: number
}

/** What a slot restores. */
export interface SlotRestore {
  readonly checkpointId: number
  /** Where the files are: a store, and a folder in it. */
  readonly location: string
  readonly folder: string
  /** The checkpoint to offer when this one is damaged. */
  readonly previous: string | undefined
  /** By operator id: the part of this slot's subtask. */
  readonly operators: { readonly [operatorId: string]: SubtaskRestore }
  /** By vertex id: data in flight for this slot's subtask. */
  readonly channels: { readonly [vertexId: string]: readonly ChannelPiece[] }
}

/** What the slots of a region's attempt need to find each other, and nobody else. */
export interface AttemptNetwork {
  /** Of the job's attempt: see `checkpoint/generation.ts`. Channels of another one are refused. */
  readonly generation: number
  /** Where each slot takes data, by slot; empty when all are in one process. */
  readonly peers: readonly string[]
}

export type SlotCommand = RegionAttempt & SlotCommandBody

export type SlotCommandBody =
  /** Start this slot's subtasks of the region. */
  | ({ readonly kind: 'deploy'; readonly restore: SlotRestore | undefined } & AttemptNetwork)
  /** Inject a barrier at the slot's sources. */
  | {
      readonly kind: 'trigger'
      readonly checkpointId: number
      readonly snapshot: SnapshotKind
      readonly timestamp: number
      readonly alignment: BarrierAlignment
    }
  | { readonly kind: 'complete'; readonly checkpointId: number }
  | { readonly kind: 'abort'; readonly checkpointId: number }
  | {
      readonly kind: 'add-splits'
      readonly reader: SourceReaderAddress
      readonly splits: readonly SourceSplit[]
    }
  | { readonly kind: 'no-more-splits'; readonly reader: SourceReaderAddress }
  | { readonly kind: 'stop-sources'; readonly drain: boolean }
  /** How far the slowest sources of the other slots are; answered by `aligned`. */
  | { readonly kind: 'align'; readonly others: readonly GroupStanding[] }
  /** The final checkpoint completed: close, then report `finished`. */
  | { readonly kind: 'finish' }
  /**
   * Close at once; report `cancelled` and nothing else. `settlement`: nothing goes on from here, so
   * sinks need not leave what they prepared to a next attempt.
   */
  | { readonly kind: 'cancel'; readonly settlement?: CommitSettlement | undefined }

export type SlotEvent = RegionAttempt & { readonly slot: number } & SlotEventBody

export type SlotEventBody =
  | { readonly kind: 'running'; readonly vertexId: string }
  | { readonly kind: 'request-split'; readonly reader: SourceReaderAddress }
  /** A subtask's snapshot is stored. */
  | {
      readonly kind: 'acknowledged'
      readonly checkpointId: number
      readonly part: SubtaskHandle
    }
  | {
      readonly kind: 'declined'
      /** A snapshot could not be taken or stored; else the subtask was overtaken or not ready. */
      readonly isFailure: boolean
      readonly checkpointId: number
      readonly vertexId: string
      readonly reason: string
    }
  /** How far the slowest sources of this slot are, and whether one waits for others. */
  | {
      readonly kind: 'aligned'
      readonly standings: readonly GroupStanding[]
      readonly waits: boolean
    }
  | { readonly kind: 'drained'; readonly vertexId: string }
  | { readonly kind: 'finished'; readonly vertexId: string }
  | { readonly kind: 'failed'; readonly vertexId: string; readonly failure: FailureReport }
  | { readonly kind: 'cancelled' }

/** An error as data. */
export interface FailureReport {
  /** `undefined` for an error that is not Weir's own. */
  readonly code: string | undefined
  readonly domain: ErrorDomain
  readonly message: string
  readonly next: string | undefined
  readonly stack: string | undefined
  /**
   * `never`: it would be the same again. `now`: the job's own code; it may be the same again.
   * `later`: the world outside.
   */
  readonly retry: 'never' | 'now' | 'later'
}

/** Sends to one slot. */
export interface SlotGateway {
  send(command: SlotCommand): void
}

/** Slots that come and go. */
export interface SlotSupply {
  /** Where each takes data, when all are there; else `undefined`. */
  readonly peers: readonly string[] | undefined
  /** Resolves when all are there, or at the signal. Rejects with WEIR_SLOTS_MISSING. */
  whenComplete(signal: AbortSignal): Promise<void>
}
