/**
 * The two ends of a channel, and who makes them. A channel joins one sending subtask to one
 * receiving subtask of an edge. `LocalChannel` is both ends within a process; other transports give
 * one end each.
 *
 * Data is what channel state consists of: records, watermarks and statuses. Barriers and ends of
 * input are never part of it: a restored sender sends them again.
 */
import type { JobEdge } from '../../graph/job-graph.ts'
import type { CheckpointBarrier } from '../task-contract.ts'
import type { RecordBatch, StatusEvent, StreamItem, WatermarkEvent } from './stream-item.ts'

/** The payload of one data frame as it travels; `more`: its record goes on in the next piece. */
export interface FramePiece {
  readonly kind: 'frame'
  readonly bytes: Buffer
  readonly more: boolean
}

/** Data that was sent before a barrier and not processed before it. */
export type InFlightItem = RecordBatch | FramePiece | WatermarkEvent | StatusEvent

/** The sender's end. */
export interface OutputChannel {
  /**
   * Takes one item, always: a record that was begun must be able to finish. Who sends on while the
   * channel is full makes it grow, so a task stops its input as soon as `whenFull` was called.
   */
  send(item: StreamItem): void
  /** Called at each change; at most one listener. */
  listen(listener: OutputListener): void
  /**
   * Sends the barrier ahead of everything that has not left yet (also records still being collected
   * into a frame), and gives the data it overtook, oldest first. What was overtaken follows as
   * usual, behind the barrier.
   */
  overtake(barrier: CheckpointBarrier): readonly InFlightItem[]
  /** Whether a barrier of this checkpoint that was sent in order still waits here behind data. */
  holds(checkpointId: number): boolean
  /**
   * Like `overtake`, for a barrier that this end `holds`: it goes on as the given one. `undefined`
   * when it has left already.
   */
  hasten(barrier: CheckpointBarrier): readonly InFlightItem[] | undefined
}

export interface OutputListener {
  whenFull(): void
  /** There is room again. May be called from within the receiver's turn. */
  whenFree(): void
  /** A barrier that this end held has left in its order. */
  whenBarrierLeft(): void
}

/** The receiver's end. */
export interface InputChannel {
  readonly isEmpty: boolean
  /**
   * The oldest item, or `undefined` when there is none. What stands behind a barrier that overtook
   * is given only after the barrier was, by `pollPriority`.
   */
  poll(): StreamItem | undefined
  /** At most one listener. */
  listen(listener: InputListener): void
  /** Barriers that overtook data, and announcements; each is given once, oldest first. */
  pollPriority(): PriorityBarrier | undefined
  /**
   * Gives the data before the barrier of this checkpoint that was not polled, oldest first; it is
   * polled as usual all the same. When the barrier has not come, what arrives is collected until it
   * does. One that stands in the queue is taken out. Unless it was polled already, in whatever way,
   * the barrier then comes by `pollPriority`, in whatever form it was sent.
   */
  beginRecording(checkpointId: number): readonly InFlightItem[]
  /** Ends it, and gives what was collected since `beginRecording`, oldest first. */
  endRecording(checkpointId: number): readonly InFlightItem[]
}

export interface InputListener {
  /** Something arrived in an empty channel. */
  whenData(): void
  /** `pollPriority` has something. May be called from within the sender's turn. */
  whenPriority(): void
}

/** A barrier that the task must know of before it comes to it in order. */
export interface PriorityBarrier {
  readonly barrier: CheckpointBarrier
  /** True: one with a timeout, which still stands in the queue and may be polled in order. */
  readonly announced: boolean
}

/** Gives a task the ends of its channels. Both ends of a pair may be asked for in any order. */
export interface Exchange {
  output(edge: JobEdge, from: number, to: number): OutputChannel
  input(edge: JobEdge, from: number, to: number): InputChannel
}
