/**
 * Writes the records of one subtask into batches, and hands the batches to the producer.
 *
 * Owns        the open batches, the choice of partitions, and the names of transactions.
 * Leaves out  sending (`kafka-producer.ts`) and committing (`kafka-committer.ts`).
 */
import type { SinkContext, SinkWriter } from '../../api/sink.ts'
import type { JsonValue } from '../../api/source.ts'
import { ByteWriter } from '../../common/bytes.ts'
import type { TimerHandle } from '../../common/clock.ts'
import { durationMs } from '../../common/duration.ts'
import { MIN_TIMESTAMP } from '../../common/timestamps.ts'
import type { Encoder } from '../../schema/format.ts'
import { BatchBuffers } from './batch-buffers.ts'
import type { Codecs } from './compression.ts'
import { errorName, isDenied, UNKNOWN_TOPIC } from './error-codes.ts'
import type { KafkaCluster } from './kafka-cluster.ts'
import type { KafkaCommittable } from './kafka-committer.ts'
import { kafkaErrors } from './kafka-errors.ts'
import { KafkaProducer, type ProducerSession } from './kafka-producer.ts'
import { splitId } from './kafka-split.ts'
import type { TopicPartition } from './offset-requests.ts'
import { partitionOf } from './partition-of.ts'
import type { TransactionIdentity } from './produce-requests.ts'
import { RecordBatchWriter } from './record-batch-writer.ts'
import type { KafkaSinkOptions } from './sink-options.ts'
import { StickyPartitions } from './sticky-partitions.ts'
import type { TransactionClient } from './transaction-client.ts'
import { readName, SLOTS, type WriterState, writeName } from './transaction-names.ts'
import type { TransactionSweeper } from './transaction-sweeper.ts'

const BATCH_BYTES = 512 * 1024
const BUFFER_BYTES = 8 * 1024 * 1024
const LINGER_MS = 10
/** Nobody sees records before their transaction is committed: they may wait for full batches. */
const TRANSACTION_LINGER_MS = 100
const ABORT_LIMIT_MS = 2_000

export interface KafkaWriterParts {
  readonly context: SinkContext
  readonly cluster: KafkaCluster
  readonly transactions: TransactionClient
  readonly codecs: Codecs
  readonly prefix: string
  /** The checkpoint that was restored; 0 for none. */
  readonly base: number
  /** Tells this writer's transactions from those of any other, also of earlier attempts. */
  readonly run: string
  /** Of transactions. */
  readonly timeoutMs: number
  /** Throws where another process became this writer since. */
  readonly requireNewest: () => Promise<void>
  /** Prepared and not committed, of all writers in this process. */
  readonly pending: Set<string>
  /** Absent where nothing is transactional. */
  readonly sweeper: TransactionSweeper | undefined
}

interface OpenBatch extends TopicPartition {
  batch: RecordBatchWriter
}

interface TopicState {
  readonly count: number
  readonly batches: (OpenBatch | undefined)[]
  /** Of the last batch of each partition: the next one is likely to be as large. */
  readonly sizes: number[]
  /** Of the last batch at all: what is likely where there was none. */
  lastSize: number
  readonly sticky: StickyPartitions
}

export class KafkaWriter<IN> implements SinkWriter<IN, KafkaCommittable> {
  readonly #options: KafkaSinkOptions<IN>
  readonly #parts: KafkaWriterParts
  readonly #producer: KafkaProducer
  readonly #encoder: Encoder<IN>
  readonly #scratch = new ByteWriter(1024)
  readonly #topics = new Map<string, TopicState>()
  readonly #buffers: BatchBuffers
  readonly #batchBytes: number
  readonly #bufferBytes: number
  readonly #lingerMs: number
  /** Records of topics that were never heard of, until the cluster has told about them. */
  #unknown: { readonly topic: string; readonly value: IN; readonly timestamp: number }[] = []
  #linger: TimerHandle | undefined
  #transaction: TransactionIdentity | undefined
  #records = 0
  #nextSlot = 0
  #openBytes = 0
  /** The time of some batch is over, but others of its partition are before it. */
  #isOverdue = false
  #failure: unknown

  constructor(options: KafkaSinkOptions<IN>, parts: KafkaWriterParts) {
    const { context, cluster, codecs } = parts
    this.#options = options
    this.#parts = parts
    this.#batchBytes = options.batchBytes ?? BATCH_BYTES
    this.#bufferBytes = options.bufferBytes ?? BUFFER_BYTES
    this.#buffers = new BatchBuffers(this.#bufferBytes)
    const lingerMs = this.#isTransactional ? TRANSACTION_LINGER_MS : LINGER_MS
    this.#lingerMs = durationMs(options.linger ?? lingerMs)
    this.#encoder = options.value.makeEncoder()
    this.#producer = new KafkaProducer({
      cluster,
      clock: context.clock,
      compression: options.compression ?? 'none',
      codecs,
      openSession: () => this.#openSession(),
      progressed: () => {
        if (this.#isOverdue && this.failure === undefined) this.#sealIdle()
        context.wakeUp()
      },
    })
    parts.sweeper?.watch(error => this.#fail(error))
  }

  get #isTransactional(): boolean {
    return this.#options.delivery !== 'at-least-once'
  }

  get failure(): unknown {
    return this.#failure ?? this.#producer.failure
  }

  get blocked(): boolean {
    if (this.failure !== undefined) return true
    return this.#unknown.length > 0 || this.#producer.unacknowledgedBytes >= this.#bufferBytes
  }

  /** Asks about a topic before the first record of it. */
  async prepareTopic(topic: string): Promise<void> {
    const [found] = await this.#parts.cluster.metadata([topic])
    if (found === undefined || found.errorCode === UNKNOWN_TOPIC || found.errorCode === 17) {
      throw kafkaErrors.WEIR_KAFKA_TOPIC_MISSING({ topics: topic })
    }
    if (isDenied(found.errorCode)) {
      const reason = errorName(found.errorCode)
      throw kafkaErrors.WEIR_KAFKA_DENIED({ what: `the topic ${topic}`, reason })
    }
    if (found.errorCode !== 0 || found.partitions.length === 0) {
      const reason = errorName(found.errorCode)
      throw kafkaErrors.WEIR_KAFKA_REQUEST_FAILED({ request: 'Metadata', what: topic, reason })
    }
    const count = found.partitions.length
    const sticky = new StickyPartitions({
      count,
      first: this.#parts.context.runtime.subtaskIndex % count,
      batchBytes: this.#batchBytes,
      isTransactional: this.#isTransactional,
    })
    const batches = new Array<undefined>(count)
    const sizes = new Array<number>(count)
    this.#topics.set(topic, { count, batches, sizes, lastSize: 0, sticky })
  }

  write(value: IN, timestamp: number): void {
    const { topic: given } = this.#options
    const topic = typeof given === 'string' ? given : given(value)
    const state = this.#topics.get(topic)
    if (state === undefined || this.#unknown.length > 0) this.#learn(topic, value, timestamp)
    else this.#append(topic, state, { value, timestamp })
  }

  async flush(): Promise<void> {
    await this.#learnAll()
    this.#sealAll()
    await this.#producer.settled()
    this.#throwFailure()
  }

  prepareCommit(): readonly KafkaCommittable[] {
    const transaction = this.#transaction
    // What nothing was written in stays open: there is nothing to commit, and brokers refuse to.
    if (!this.#isTransactional || transaction === undefined || this.#records === 0) return []
    const { transactionalId, producerId, producerEpoch } = transaction
    const partitions = this.#producer.written
    const records = this.#records
    this.#parts.pending.add(transactionalId)
    this.#transaction = undefined
    this.#records = 0
    for (const { sticky } of this.#topics.values()) sticky.endTransaction()
    this.#producer.endSession()
    return [
      {
        transactionalId,
        producerId: String(producerId),
        producerEpoch,
        protocol: 1,
        partitions,
        records,
      },
    ]
  }

  snapshotState(): readonly JsonValue[] {
    if (!this.#isTransactional) return []
    const { pending, prefix, context } = this.#parts
    const { subtaskIndex, parallelism } = context.runtime
    const own = [...pending].filter(id => readName(prefix, id)?.writer === subtaskIndex)
    const state: WriterState = {
      writer: subtaskIndex,
      writers: parallelism,
      pending: own,
      jobId: context.jobId,
      prefix,
    }
    return [state as unknown as JsonValue]
  }

  async close(): Promise<void> {
    this.#linger?.cancel()
    this.#parts.sweeper?.close()
    this.#producer.close()
    // What is open is aborted at once, so that readers need not wait for its timeout.
    const { cluster, transactions } = this.#parts
    if (this.#transaction !== undefined) {
      const aborted = transactions.end(this.#transaction, 'abort').catch(() => undefined)
      // A broker that is down must not hold a restart up: the next attempt aborts it as well.
      await Promise.race([aborted, cluster.pause(ABORT_LIMIT_MS)])
    }
    await cluster.close()
  }

  #fail(error: unknown): void {
    this.#failure ??= error
    this.#parts.context.wakeUp()
  }

  #throwFailure(): void {
    if (this.failure !== undefined) throw this.failure
  }

  #append(
    topic: string,
    state: TopicState,
    record: { readonly value: IN; readonly timestamp: number },
  ): void {
    const { value } = record
    const { key: keyOf, headers, timestamp: timeOf } = this.#options
    const key = keyOf === undefined ? null : bytesOf(keyOf(value))
    const partition = this.#choosePartition(topic, state, { value, key })
    this.#scratch.clear()
    this.#encoder.write(this.#scratch, value)
    let open = state.batches[partition]
    if (open === undefined) {
      open = {
        topic,
        partition,
        batch: new RecordBatchWriter(this.#buffers, state.sizes[partition] ?? state.lastSize),
      }
      state.batches[partition] = open
    }
    const own = record.timestamp === MIN_TIMESTAMP ? undefined : record.timestamp
    const timestamp = timeOf?.(value) ?? own ?? this.#parts.context.clock.now()
    const before = open.batch.sizeBytes
    open.batch.add({ key, headers: headers?.(value) ?? [], timestamp }, this.#scratch)
    this.#records++
    const added = open.batch.sizeBytes - before
    this.#openBytes += added
    // Another one like this would be too much.
    if (open.batch.sizeBytes + added > this.#batchBytes) this.#seal(state, partition)
    else if (this.#openBytes >= this.#bufferBytes) this.#sealAll()
    else this.#linger ??= this.#parts.context.clock.schedule(this.#lingerMs, () => this.#sealIdle())
  }

  #choosePartition(
    topic: string,
    state: TopicState,
    record: { readonly value: IN; readonly key: Uint8Array | null },
  ): number {
    const { partition: choose } = this.#options
    const { count } = state
    if (choose !== undefined) {
      const partition = choose(record.value, count)
      if (Number.isInteger(partition) && partition >= 0 && partition < count) return partition
      throw kafkaErrors.WEIR_KAFKA_PARTITION_INVALID({ topic, partition, count })
    }
    return record.key === null ? state.sticky.current : partitionOf(record.key, count)
  }

  #seal(state: TopicState, partition: number): void {
    const open = state.batches[partition]
    if (open === undefined || open.batch.count === 0) return
    state.batches[partition] = undefined
    state.sticky.closed(partition, open.batch.sizeBytes)
    this.#openBytes -= open.batch.sizeBytes
    state.sizes[partition] = open.batch.sizeBytes
    state.lastSize = open.batch.sizeBytes
    this.#producer.send(open, open.batch)
  }

  /**
   * Where a batch of the partition is on its way, the next one goes on filling up until that is
   * acknowledged: small ones behind each other would make a slow broker slower.
   */
  #sealIdle(): void {
    this.#linger?.cancel()
    this.#linger = undefined
    this.#isOverdue = false
    for (const state of this.#topics.values()) {
      for (const open of state.batches) {
        if (open === undefined) continue
        if (this.#producer.isBusyWith(open)) this.#isOverdue = true
        else this.#seal(state, open.partition)
      }
    }
  }

  #sealAll(): void {
    this.#linger?.cancel()
    this.#linger = undefined
    this.#isOverdue = false
    for (const state of this.#topics.values()) {
      for (let p = 0; p < state.count; p++) this.#seal(state, p)
    }
    this.#openBytes = 0
  }

  #learn(topic: string, value: IN, timestamp: number): void {
    this.#unknown.push({ topic, value, timestamp })
    if (this.#unknown.length > 1) return
    this.#learnAll().then(
      () => this.#parts.context.wakeUp(),
      (error: unknown) => this.#fail(error),
    )
  }

  async #learnAll(): Promise<void> {
    for (const { topic } of [...this.#unknown]) {
      if (!this.#topics.has(topic)) await this.prepareTopic(topic)
    }
    for (const { topic, ...record } of this.#unknown.splice(0)) {
      const state = this.#topics.get(topic)
      if (state !== undefined) this.#append(topic, state, record)
    }
  }

  async #openSession(): Promise<ProducerSession> {
    const { transactions } = this.#parts
    if (!this.#isTransactional) {
      const identity = await transactions.initPlain()
      return { ...identity, transactionalId: null, admit: async partitions => partitions }
    }
    const { timeoutMs } = this.#parts
    const transaction = await transactions.init(this.#nextName(), timeoutMs)
    this.#transaction = transaction
    // Its successor has ended what was open, and knows nothing of what would begin now.
    await this.#parts.requireNewest()
    const admitted = new Set<string>()
    const admit = async (wanted: readonly TopicPartition[]): Promise<readonly TopicPartition[]> => {
      const all = [...wanted, ...this.#nextPartitions(wanted, admitted)]
      const { errorCode, topic = '' } = await transactions.addPartitions(transaction, all)
      if (errorCode !== 0) throw refusal(transaction, { errorCode, topic })
      for (const { topic: name, partition } of all) admitted.add(splitId(name, partition))
      return all
    }
    return { ...transaction, admit }
  }

  /** Where records without a key go next: few requests let many in. */
  #nextPartitions(
    wanted: readonly TopicPartition[],
    admitted: ReadonlySet<string>,
  ): readonly TopicPartition[] {
    if (this.#options.key !== undefined || this.#options.partition !== undefined) return []
    const known = new Set([...admitted, ...wanted.map(one => splitId(one.topic, one.partition))])
    const topics = [...new Set(wanted.map(one => one.topic))]
    return topics.flatMap(topic => {
      const expected = this.#topics.get(topic)?.sticky.expected ?? []
      return expected
        .filter(partition => !known.has(splitId(topic, partition)))
        .map(partition => ({ topic, partition }))
    })
  }

  /** The next name that no prepared transaction has. */
  #nextName(): string {
    const { prefix, base, run, pending, context } = this.#parts
    const writer = context.runtime.subtaskIndex
    for (;;) {
      const slot = this.#nextSlot
      this.#nextSlot = (slot + 1) % Math.max(SLOTS, 2 * pending.size)
      const name = writeName(prefix, { base, writer, run, slot })
      if (!pending.has(name)) return name
    }
  }
}

/** Why partitions could not become part of a transaction. */
function refusal(
  { transactionalId }: TransactionIdentity,
  { errorCode, topic }: { readonly errorCode: number; readonly topic: string },
): Error {
  const reason = errorName(errorCode)
  const what = `the topic ${topic}`
  if (isDenied(errorCode)) return kafkaErrors.WEIR_KAFKA_DENIED({ what, reason })
  if (errorCode === UNKNOWN_TOPIC) {
    return kafkaErrors.WEIR_KAFKA_REQUEST_FAILED({ request: 'AddPartitionsToTxn', what, reason })
  }
  return kafkaErrors.WEIR_KAFKA_TRANSACTION_ENDED({
    transactionalId,
    reason: `${reason} for ${what}`,
  })
}

function bytesOf(key: string | Uint8Array | null): Uint8Array | null {
  return typeof key === 'string' ? Buffer.from(key) : key
}
