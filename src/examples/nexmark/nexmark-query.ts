/**
 * The Nexmark queries as jobs, and what a query is. Events, rows and expected results follow Weir's
 * own fixed form of the benchmark: a seeded generator, so that every engine reads the same events.
 */
import type { DataStream, NexmarkEvent, Sink, StreamSink } from 'weir'

/** A query's result, whatever its rows are. */
export interface Rows {
  to(sink: Sink<unknown>): StreamSink
}

export interface NexmarkQuery {
  readonly name: string
  /** One sentence: what the rows say. */
  readonly summary: string
  /** The fields that identify a row whose later version replaces it; absent: every row counts. */
  readonly upsertKey?: readonly string[]
  build(events: DataStream<NexmarkEvent>): Rows
}

/** Tumbling windows of q7 and q8, and the session gap of q11. */
export const WINDOW_SIZE = '10s'
