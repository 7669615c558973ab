/**
 * Sends batches to the leaders of their partitions: one at a time for a partition, so that its
 * order stays and a batch can be sent again under its own sequence number, by which the broker
 * knows it.
 *
 * Owns        the batches between the writer and the broker's acknowledgement.
 * Leaves out  what is in them, and when a transaction ends.
 */
import type { Clock } from '../../common/clock.ts'
import { isWeirError } from '../../common/errors.ts'
import type { Codecs, Compression } from './compression.ts'
import { errorName, isDenied, isLeaderMoved } from './error-codes.ts'
import type { KafkaCluster } from './kafka-cluster.ts'
import { kafkaErrors } from './kafka-errors.ts'
import { splitId } from './kafka-split.ts'
import type { TopicPartition } from './offset-requests.ts'
import { type ProducerIdentity, produceRequest } from './produce-requests.ts'
import type { RecordBatchWriter } from './record-batch-writer.ts'

/** Who sends the batches from now until the next `begin`. */
export interface ProducerSession extends ProducerIdentity {
  readonly transactionalId: string | null
  /** Called before the first batch of a partition. */
  readonly admit: (partition: TopicPartition) => Promise<void>
}

export interface KafkaProducerOptions {
  readonly cluster: KafkaCluster
  readonly clock: Clock
  readonly compression: Compression
  readonly codecs: Codecs
  /** Opens the session when the first batch waits. */
  readonly openSession: () => Promise<ProducerSession>
  /** Something was acknowledged, or `failure` is there. */
  readonly progressed: () => void
}

interface PartitionLane extends TopicPartition {
  readonly waiting: RecordBatchWriter[]
  leader: number | undefined
  sequence: number
  isAdmitted: boolean
  isSending: boolean
}

const RETRY_MS = 20
const RETRY_MAX_MS = 1_000
const PATIENCE_MS = 120_000
const DUPLICATE_SEQUENCE = 46
const UNKNOWN_TOPIC = 3
const tooLarge = new Set([10, 18])
const busy = new Set([7, 19, 20])
/** The transaction is no longer ours. */
const fenced = new Set([47, 48, 49, 59, 90, 120])

export class KafkaProducer {
  failure: unknown
  /** Of batches that are not acknowledged. */
  unacknowledgedBytes = 0
  readonly #options: KafkaProducerOptions
  readonly #lanes = new Map<string, PartitionLane>()
  #session: Promise<ProducerSession> | undefined
  #waiters: (() => void)[] = []
  #closed = false

  constructor(options: KafkaProducerOptions) {
    this.#options = options
  }

  send(partition: TopicPartition, batch: RecordBatchWriter): void {
    const lane = this.#laneOf(partition)
    lane.waiting.push(batch)
    this.unacknowledgedBytes += batch.sizeBytes
    if (!lane.isSending) void this.#drain(lane)
  }

  /** Resolves when all that was sent is acknowledged; rejects with what went wrong. */
  async settled(): Promise<void> {
    while (this.unacknowledgedBytes > 0 && this.failure === undefined) {
      await new Promise<void>(resolve => this.#waiters.push(resolve))
    }
    if (this.failure !== undefined) throw this.failure
  }

  /** The next batch opens another session; call it when all is settled. */
  endSession(): void {
    this.#session = undefined
    for (const lane of this.#lanes.values()) {
      lane.sequence = 0
      lane.isAdmitted = false
    }
  }

  /** Partitions that got records in this session. */
  get admitted(): readonly string[] {
    return [...this.#lanes].filter(([, lane]) => lane.isAdmitted).map(([id]) => id)
  }

  close(): void {
    this.#closed = true
    this.#fail(new Error('the sink was closed'))
  }

  #laneOf({ topic, partition }: TopicPartition): PartitionLane {
    const id = splitId(topic, partition)
    let lane = this.#lanes.get(id)
    if (lane === undefined) {
      lane = {
        topic,
        partition,
        waiting: [],
        leader: undefined,
        sequence: 0,
        isAdmitted: false,
        isSending: false,
      }
      this.#lanes.set(id, lane)
    }
    return lane
  }

  async #drain(lane: PartitionLane): Promise<void> {
    lane.isSending = true
    try {
      for (let [batch] = lane.waiting; batch !== undefined; [batch] = lane.waiting) {
        this.#session ??= this.#options.openSession()
        const session = await this.#session
        if (!lane.isAdmitted) await session.admit(lane)
        lane.isAdmitted = true
        await this.#sendBatch(lane, batch, session)
        if (this.#closed) return
        lane.waiting.shift()
        lane.sequence += batch.count
        this.unacknowledgedBytes -= batch.sizeBytes
        this.#progress()
      }
    } catch (error) {
      this.#fail(error)
    } finally {
      lane.isSending = false
    }
  }

  /** Until the broker has it. The same bytes each time: it knows them by their sequence number. */
  async #sendBatch(
    lane: PartitionLane,
    batch: RecordBatchWriter,
    session: ProducerSession,
  ): Promise<void> {
    const { clock, cluster, compression, codecs } = this.#options
    const { transactionalId, producerId, producerEpoch } = session
    const isTransactional = transactionalId !== null
    const sender = { producerId, producerEpoch, sequence: lane.sequence, isTransactional }
    const bytes = batch.finish(sender, compression, codecs)
    const { topic, partition } = lane
    const request = produceRequest({ topic, partition, transactionalId, batch: bytes })
    const startedMs = clock.monotonic()
    for (let pauseMs = RETRY_MS; !this.#closed; pauseMs = Math.min(RETRY_MAX_MS, pauseMs * 2)) {
      const isLate = clock.monotonic() - startedMs > PATIENCE_MS
      try {
        lane.leader ??= await this.#findLeader(lane)
        const broker = await cluster.broker(lane.leader)
        const { errorCode } = await broker.ask(request)
        if (errorCode === 0 || errorCode === DUPLICATE_SEQUENCE) return
        this.#requireRetriable(lane, session, { code: errorCode, bytes: bytes.length })
        if (isLate) throw this.#failed(lane, errorName(errorCode))
      } catch (error) {
        // What brokers answered is settled above; what is left is trouble on the way.
        if (isLate || (isWeirError(error) && error.code !== 'WEIR_KAFKA_UNREACHABLE')) throw error
      }
      lane.leader = undefined
      await cluster.pause(pauseMs)
    }
  }

  async #findLeader({ topic, partition }: TopicPartition): Promise<number> {
    const [found] = await this.#options.cluster.metadata([topic])
    const leader = found?.partitions.find(one => one.partition === partition)?.leader ?? -1
    if (leader >= 0) return leader
    throw kafkaErrors.WEIR_KAFKA_UNREACHABLE({
      brokers: `the leader of ${splitId(topic, partition)}`,
      reason: found === undefined ? 'no such topic' : errorName(found.errorCode || 5),
    })
  }

  #requireRetriable(
    { topic, partition }: TopicPartition,
    { transactionalId }: ProducerSession,
    answer: { readonly code: number; readonly bytes: number },
  ): void {
    const { code, bytes } = answer
    if (isLeaderMoved(code) || busy.has(code) || code === UNKNOWN_TOPIC) return
    const reason = errorName(code)
    if (tooLarge.has(code)) {
      throw kafkaErrors.WEIR_KAFKA_MESSAGE_TOO_LARGE({ topic, partition, bytes })
    }
    if (isDenied(code)) throw kafkaErrors.WEIR_KAFKA_DENIED({ what: `the topic ${topic}`, reason })
    if (transactionalId !== null && fenced.has(code)) {
      throw kafkaErrors.WEIR_KAFKA_TRANSACTION_ENDED({ transactionalId, reason })
    }
    throw this.#failed({ topic, partition }, reason)
  }

  #failed({ topic, partition }: TopicPartition, reason: string): Error {
    const what = splitId(topic, partition)
    return kafkaErrors.WEIR_KAFKA_REQUEST_FAILED({ request: 'Produce', what, reason })
  }

  #fail(error: unknown): void {
    this.failure ??= error
    this.#progress()
  }

  #progress(): void {
    for (const wake of this.#waiters.splice(0)) wake()
    if (!this.#closed) this.#options.progressed()
  }
}
