/** What a Kafka source is told, and what is made of it. */
import type { Duration } from '../../common/duration.ts'
import type { Format } from '../../schema/format.ts'
import type { Schema } from '../../schema/type.ts'
import type { KafkaConnectionOptions } from './connection-options.ts'
import type { KafkaMessage } from './kafka-message.ts'

/** Where to begin in a partition that no checkpoint knows. */
export type KafkaStart =
  | 'earliest'
  | 'latest'
  /** The first record of this time or later; where there is none, behind the last. */
  | { readonly timestamp: number }
  /** What the group has noted; `otherwise` where it has not. */
  | { readonly committed: 'earliest' | 'latest' | 'fail' }
  /** Topic -> partition -> offset; partitions that are not named begin at the earliest. */
  | { readonly offsets: KafkaOffsets }

export type KafkaOffsets = Readonly<Record<string, Readonly<Record<number, number>>>>

/** Where to end: the source is bounded then. */
export type KafkaStop =
  /** What is there, and committed, when the job starts. */
  'latest' | { readonly timestamp: number } | { readonly offsets: KafkaOffsets }

/** Which records are read, from where to where, and how. */
export interface KafkaSourceOptions<T> extends KafkaConnectionOptions {
  /** Names, a pattern for names, or single partitions. */
  readonly topics:
    | string
    | readonly string[]
    | RegExp
    | { readonly partitions: Readonly<Record<string, readonly number[]>> }
  /** How the value of a record is read: `json(T)`, `text()`. */
  readonly value?: Format<T>
  /** Instead of `value`: makes the record out of key, value, headers and place. */
  readonly read?: (message: KafkaMessage) => T
  /** The schema of what `read` gives. */
  readonly output?: Schema<T>
  /** Default `{ committed: 'earliest' }` with a group, else `earliest`. */
  readonly start?: KafkaStart
  readonly stop?: KafkaStop
  /** Offsets are noted for this group when a checkpoint completed: for monitoring only. */
  readonly group?: string
  /**
   * What to do when the broker no longer has the offset to go on from. `fail` (the default): the
   * job fails, since records are lost.
   */
  readonly onOutOfRange?: 'fail' | 'earliest' | 'latest'
  /** Default `read_committed`: nothing of open or aborted transactions. */
  readonly isolation?: 'read_committed' | 'read_uncommitted'
  /** How often to look for new partitions and topics; default 5 minutes. Not with `stop`. */
  readonly discoverEvery?: Duration
  /** Memory for what is fetched and not yet read, in a subtask; default 12 MiB. */
  readonly bufferBytes?: number
  readonly name?: string
}
