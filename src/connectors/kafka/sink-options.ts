/** What a Kafka sink is told. */
import type { Duration } from '../../common/duration.ts'
import type { Format } from '../../schema/format.ts'
import type { Compression } from './compression.ts'
import type { KafkaConnectionOptions } from './connection-options.ts'
import type { KafkaHeader } from './kafka-message.ts'

/** Where the records go, and in what form. */
export interface KafkaSinkOptions<IN> extends KafkaConnectionOptions {
  /** A topic, or the topic of each record. Topics must exist. */
  readonly topic: string | ((value: IN) => string)
  /** How a record becomes the value: `json(T)`, `text()`. */
  readonly value: Format<IN>
  /** Records of one key go to one partition and stay in order. Default: no key. */
  readonly key?: (value: IN) => string | Uint8Array | null
  /** Chooses the partition, instead of the key's hash. */
  readonly partition?: (value: IN, count: number) => number
  readonly headers?: (value: IN) => readonly KafkaHeader[]
  /** Milliseconds; default: the record's own, or the clock's where it has none. */
  readonly timestamp?: (value: IN) => number
  /**
   * `exactly-once` (the default): readers of committed records see each once, when the checkpoint
   * that covers it completed. `at-least-once`: at once, and again after a failure.
   */
  readonly delivery?: 'exactly-once' | 'at-least-once'
  /** Default `none`. */
  readonly compression?: Compression
  /** A batch is sent when it has this size; default 512 KiB. */
  readonly batchBytes?: number
  /**
   * A batch that does not fill up is sent after so long; default 10 ms, or 100 ms exactly once,
   * where nobody sees it before the checkpoint.
   */
  readonly linger?: Duration
  /** Memory for what is not acknowledged yet, in a subtask; default 8 MiB. */
  readonly bufferBytes?: number
  /**
   * The broker aborts a transaction that is open for longer. The job does not start unless it
   * covers the checkpoints' interval and timeout and `expectedDowntime`. Default 15 minutes, or
   * what the brokers allow (`transaction.max.timeout.ms`) where that is less.
   */
  readonly transactionTimeout?: Duration
  /** The longest time that the job may be down and lose nothing; default 2 minutes. */
  readonly expectedDowntime?: Duration
  /**
   * Begins the names of transactions, before the uid; no other job of the cluster may have it.
   * Default: namespace and name of the job.
   */
  readonly transactionalIdPrefix?: string
  /** A prepared transaction that the broker ended before its commit: default `fail`. */
  readonly onLostTransaction?: 'fail' | 'continue'
  readonly name?: string
}
