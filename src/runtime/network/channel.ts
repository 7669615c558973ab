/**
 * The two ends of a channel, and who makes them. A channel joins one sending subtask to one
 * receiving subtask of an edge. `LocalChannel` is both ends within a process; other transports give
 * one end each.
 */
import type { JobEdge } from '../../graph/job-graph.ts'
import type { StreamItem } from './stream-item.ts'

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

/** Gives a task the ends of its channels. Both ends of a pair may be asked for in any order. */
export interface Exchange {
  output(edge: JobEdge, from: number, to: number): OutputChannel
  input(edge: JobEdge, from: number, to: number): InputChannel
}
