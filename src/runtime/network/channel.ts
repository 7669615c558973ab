/**
 * The two ends of a channel, and who makes them. A channel joins one sending subtask to one
 * receiving subtask of an edge. `LocalChannel` is both ends within a process; other transports give
 * one end each.
 */
import type { JobEdge } from '../../graph/job-graph.ts'
import type { CheckpointBarrier } from '../task-contract.ts'
import type { RecordBatch, StatusEvent, StreamItem, WatermarkEvent } from './stream-item.ts'

/** The sender's end. */
export interface OutputChannel {
  /**
   * Takes one item, always: a record that was begun must be able to finish. Who sends on while the
   * channel is full makes it grow, so a task stops its input as soon as `whenFull` was called.
   */
  send(item: StreamItem): void
  /** Called at each change; at most one listener. */
  listen(listener: OutputListener): void
}

export interface OutputListener {
  whenFull(): void
  /** There is room again. May be called from within the receiver's turn. */
  whenFree(): void
}

/** The receiver's end. */
export interface InputChannel {
  readonly isEmpty: boolean
  /** The oldest item, or `undefined` when there is none. */
  poll(): StreamItem | undefined
  /** Called when something arrives in an empty channel; at most one listener. */
  listen(whenData: () => void): void
}

/** The payload of one data frame as it travels; `more`: its record goes on in the next piece. */
export interface FramePiece {
  readonly kind: 'frame'
  readonly bytes: Buffer
  readonly more: boolean
}

/**
 * What channel state consists of: data that was sent before a barrier and not processed before it.
 * Barriers and ends of input are never part of it: a restored sender sends them again.
 */
export type InFlightItem = RecordBatch | FramePiece | WatermarkEvent | StatusEvent

/** The sender's part of an unaligned checkpoint. */
export interface UnalignedOutput {
  /**
   * Sends the barrier ahead of everything that has not left yet (also records still being collected
   * into a frame), and gives what it overtook, oldest first. The overtaken items follow as usual.
   */
  overtake(barrier: CheckpointBarrier): readonly InFlightItem[]
  /**
   * The same for an aligned barrier of this checkpoint that still waits here behind data; it goes on
   * as the given unaligned one. `undefined` when it has left already.
   */
  hasten(barrier: CheckpointBarrier): readonly InFlightItem[] | undefined
}

/** A barrier that the task must know of before it comes to it in order. */
export interface PriorityBarrier {
  readonly barrier: CheckpointBarrier
  /** True: an aligned barrier with a timeout, which still stands behind data in the queue. */
  readonly announced: boolean
}

/** The receiver's part of an unaligned checkpoint. */
export interface UnalignedInput {
  /** Barriers that overtook data here, and announcements; each is given once, oldest first. */
  pollPriority(): PriorityBarrier | undefined
  /**
   * Gives the data before the barrier of this checkpoint that is in the queue and was not polled. If
   * its barrier stands in the queue (announced) it is taken out, and counts as come. If it has not
   * come, what arrives from now on is collected until it does; it then comes by `pollPriority`,
   * whatever its form. The items stay in the queue and are polled as usual.
   */
  beginRecording(checkpointId: number): readonly InFlightItem[]
  /** Ends the recording, and gives what was collected after `beginRecording`, oldest first. */
  endRecording(checkpointId: number): readonly InFlightItem[]
}

/** Gives a task the ends of its channels. Both ends of a pair may be asked for in any order. */
export interface Exchange {
  output(edge: JobEdge, from: number, to: number): OutputChannel
  input(edge: JobEdge, from: number, to: number): InputChannel
}
