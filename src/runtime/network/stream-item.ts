/**
 * What travels through a channel: batches of records and, between them, events. Everything keeps
 * its order, so an event speaks about all records before it and none after it.
 */
import type { WatermarkStatus } from '../stream-operator.ts'
import type { CheckpointBarrier } from '../task-contract.ts'

/**
 * Some records: value and timestamp by turns, `2 * size` items used. One array for both, and never
 * a typed one: a timestamp read from a `Float64Array` would be boxed anew for each call it is
 * passed to, while here the number made by the source travels on as it is. The array is made for
 * one batch and never reused: stores into a young array need no remembered-set entry.
 */
export class RecordBatch {
  readonly kind = 'records'
  readonly items: readonly unknown[]
  readonly size: number

  constructor(items: readonly unknown[], size: number) {
    this.items = items
    this.size = size
  }
}

export interface WatermarkEvent {
  readonly kind: 'watermark'
  readonly watermark: number
}

export interface StatusEvent {
  readonly kind: 'status'
  readonly status: WatermarkStatus
}

export interface BarrierEvent {
  readonly kind: 'barrier'
  readonly barrier: CheckpointBarrier
}

/** The sender gave this checkpoint up: its barrier will not come. */
export interface CancelBarrierEvent {
  readonly kind: 'cancel-barrier'
  readonly checkpointId: number
}

/**
 * No records follow, only barriers. With `drain` the MAX watermark came before and operators emit
 * what is left; without it the job stops to go on later.
 */
export interface EndOfDataEvent {
  readonly kind: 'end-of-data'
  readonly drain: boolean
}

/** Nothing follows, not even barriers. */
export interface EndOfPartitionEvent {
  readonly kind: 'end-of-partition'
}

export type StreamEvent =
  | WatermarkEvent
  | StatusEvent
  | BarrierEvent
  | CancelBarrierEvent
  | EndOfDataEvent
  | EndOfPartitionEvent

export type StreamItem = RecordBatch | StreamEvent
