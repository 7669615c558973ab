/**
 * Sends batches to the leaders of their partitions: in one request one batch of each partition that
 * has any. Of one partition only one batch is on its way, so that its order stays and it can be
 * sent again under its own sequence number, by which the broker knows it.
 *
 * Owns        the batches between the writer and the broker's acknowledgement.
 * Leaves out  what is in them, and when a transaction ends.
 */
import type { Clock } from '../../common/clock.ts'
import { isWeirError } from '../../common/errors.ts'
import type { Codecs, Compression } from './compression.ts'
import { errorName, isDenied, isLeaderMoved, UNKNOWN_TOPIC } from './error-codes.ts'
import type { KafkaCluster, TopicMetadata } from './kafka-cluster.ts'
import { kafkaErrors } from './kafka-errors.ts'
import { splitId } from './kafka-split.ts'
import type { TopicPartition } from './offset-requests.ts'
import { PartitionLane, type WrittenRange } from './partition-lane.ts'
import { type ProduceResult, type ProducerIdentity, produceRequest } from './produce-requests.ts'
import type { RecordBatchWriter } from './record-batch-writer.ts'

/** Who sends the batches from now until the next `begin`. */
export interface ProducerSession extends ProducerIdentity {
  readonly transactionalId: string | null
  /** Called before the first batch of these partitions; gives all that it let in: more, perhaps. */
  readonly admit: (partitions: readonly TopicPartition[]) => Promise<readonly TopicPartition[]>
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

const RETRY_MS = 20
const RETRY_MAX_MS = 1_000
const PATIENCE_MS = 120_000
/** A broker that was just started may not know its topics yet. */
const MISSING_PATIENCE_MS = 15_000
/** On their way to one broker. */
const REQUESTS_MAX = 5
const REQUEST_BYTES = 4 << 20
const DUPLICATE_SEQUENCE = 46
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
  /** Of all partitions of the topics that were looked up, also of those without a lane. */
  readonly #leaders = new Map<string, number>()
  readonly #requests = new Map<number, number>()
  /** Opening, admitting, looking up: each once at a time. */
  readonly #working = new Set<string>()
  #session: ProducerSession | undefined
  #waiters: (() => void)[] = []
  #isScheduled = false
  #closed = false

  constructor(options: KafkaProducerOptions) {
    this.#options = options
  }

  send(partition: TopicPartition, batch: RecordBatchWriter): void {
    this.#laneOf(partition).add(batch)
    this.unacknowledgedBytes += batch.sizeBytes
    if (this.#isScheduled) return
    // Batches that are sealed in one go share requests.
    this.#isScheduled = true
    queueMicrotask(() => {
      this.#isScheduled = false
      this.#pump()
    })
  }

  /** Something of the partition is not acknowledged. */
  isBusyWith({ topic, partition }: TopicPartition): boolean {
    return this.#lanes.get(splitId(topic, partition))?.isEmpty === false
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
    for (const lane of this.#lanes.values()) lane.reset()
  }

  /** Where the records of this session lie. */
  get written(): readonly WrittenRange[] {
    return [...this.#lanes.values()].map(lane => lane.written).filter(one => one !== undefined)
  }

  close(): void {
    this.#closed = true
    this.#fail(new Error('the sink was closed'))
  }

  #laneOf({ topic, partition }: TopicPartition): PartitionLane {
    const id = splitId(topic, partition)
    const found = this.#lanes.get(id)
    if (found !== undefined) return found
    const lane = new PartitionLane(topic, partition)
    lane.leader = this.#leaders.get(id)
    this.#lanes.set(id, lane)
    return lane
  }

  /** Does all that can be done now; called whenever that may be more than before. */
  #pump(): void {
    if (this.#closed || this.failure !== undefined) return
    const ready = [...this.#lanes.values()].filter(lane => lane.isReady)
    if (ready.length === 0) return
    const session = this.#session
    if (session === undefined) {
      this.#work('open', async () => {
        this.#session = await this.#options.openSession()
      })
      return
    }
    const strangers = ready.filter(lane => !lane.isAdmitted)
    if (strangers.length > 0) {
      this.#work('admit', async () => {
        for (const one of await session.admit(strangers)) this.#laneOf(one).isAdmitted = true
      })
    }
    const admitted = ready.filter(lane => lane.isAdmitted)
    const lost = admitted.filter(lane => lane.leader === undefined)
    if (lost.length > 0) this.#work('look up', () => this.#findLeaders(lost))
    for (const [leader, lanes] of Map.groupBy(admitted, lane => lane.leader)) {
      if (leader !== undefined) this.#dispatch(leader, lanes, session)
    }
  }

  #work(kind: string, work: () => Promise<void>): void {
    if (this.#working.has(kind)) return
    this.#working.add(kind)
    work()
      .catch((error: unknown) => this.#fail(error))
      .finally(() => {
        this.#working.delete(kind)
        this.#pump()
      })
  }

  #dispatch(leader: number, lanes: readonly PartitionLane[], session: ProducerSession): void {
    let at = 0
    for (let open = this.#requests.get(leader) ?? 0; open < REQUESTS_MAX; open++) {
      const together: PartitionLane[] = []
      for (let bytes = 0; at < lanes.length && bytes < REQUEST_BYTES; at++) {
        const lane = lanes[at] as PartitionLane
        lane.isBusy = true
        bytes += lane.nextBytes
        together.push(lane)
      }
      if (together.length === 0) return
      this.#requests.set(leader, open + 1)
      void this.#send(leader, together, session)
    }
  }

  async #send(
    leader: number,
    lanes: readonly PartitionLane[],
    session: ProducerSession,
  ): Promise<void> {
    const { cluster, compression, codecs } = this.#options
    const { transactionalId, producerId, producerEpoch } = session
    const isTransactional = transactionalId !== null
    const sender = { producerId, producerEpoch, isTransactional, compression, codecs }
    try {
      const batches = lanes.map(lane => ({ lane, batch: lane.next(sender) }))
      const request = produceRequest(
        transactionalId,
        batches.map(({ lane: { topic, partition }, batch }) => ({ topic, partition, batch })),
      )
      const results = await (await cluster.broker(leader)).ask(request)
      const byId = new Map(results.map(one => [splitId(one.topic, one.partition), one]))
      for (const { lane, batch } of batches) {
        const result = byId.get(splitId(lane.topic, lane.partition))
        this.#settle(lane, session, { bytes: batch.length, errorCode: -1, offset: -1, ...result })
      }
    } catch (error) {
      // What brokers answered is settled above; what is left is trouble on the way.
      const isFinal = isWeirError(error) && error.code !== 'WEIR_KAFKA_UNREACHABLE'
      if (isFinal) this.#fail(error)
      else for (const lane of lanes) this.#again(lane, error, PATIENCE_MS)
    }
    this.#requests.set(leader, (this.#requests.get(leader) ?? 1) - 1)
    this.#progress()
    this.#pump()
  }

  #settle(
    lane: PartitionLane,
    session: ProducerSession,
    answer: Pick<ProduceResult, 'errorCode' | 'offset'> & { readonly bytes: number },
  ): void {
    const { errorCode, offset, bytes } = answer
    if (errorCode === 0 || errorCode === DUPLICATE_SEQUENCE) {
      this.unacknowledgedBytes -= lane.acknowledged(offset)
      lane.isBusy = false
      return
    }
    const problem = problemOf(lane, session, { code: errorCode, bytes })
    const isPassing = isLeaderMoved(errorCode) || busy.has(errorCode) || errorCode === UNKNOWN_TOPIC
    if (isPassing) {
      const isMissing = errorCode === UNKNOWN_TOPIC
      this.#again(lane, problem, isMissing ? MISSING_PATIENCE_MS : PATIENCE_MS)
    } else this.#fail(problem)
  }

  /** Sends the batch again a little later, unless that went on for too long. */
  #again(lane: PartitionLane, problem: unknown, patienceMs: number): void {
    const { clock, cluster } = this.#options
    lane.leader = undefined
    lane.isBusy = true
    lane.failingSinceMs ??= clock.monotonic()
    if (clock.monotonic() - lane.failingSinceMs >= patienceMs) {
      this.#fail(problem)
      return
    }
    const pauseMs = Math.min(RETRY_MAX_MS, RETRY_MS * 2 ** lane.tries++)
    void cluster.pause(pauseMs).then(() => {
      lane.isBusy = false
      this.#pump()
    })
  }

  async #findLeaders(lanes: readonly PartitionLane[]): Promise<void> {
    const { cluster } = this.#options
    const topics = [...new Set(lanes.map(lane => lane.topic))]
    let found: readonly TopicMetadata[]
    try {
      found = await cluster.metadata(topics)
    } catch (error) {
      if (isWeirError(error) && error.domain === 'user') throw error
      for (const lane of lanes) this.#again(lane, error, PATIENCE_MS)
      return
    }
    for (const lane of lanes) this.#leaders.delete(splitId(lane.topic, lane.partition))
    for (const { topic, partitions } of found) {
      for (const { partition, leader } of partitions) {
        if (leader >= 0) this.#leaders.set(splitId(topic, partition), leader)
      }
    }
    for (const lane of lanes) {
      lane.leader = this.#leaders.get(splitId(lane.topic, lane.partition))
      if (lane.leader === undefined) {
        const topic = found.find(one => one.topic === lane.topic)
        const code = topic?.errorCode || (topic?.partitions.length ? 5 : UNKNOWN_TOPIC)
        const patienceMs = code === UNKNOWN_TOPIC ? MISSING_PATIENCE_MS : PATIENCE_MS
        this.#again(lane, problemOf(lane, undefined, { code, bytes: 0 }), patienceMs)
      }
    }
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

/** What an answer means to people. */
function problemOf(
  { topic, partition }: TopicPartition,
  session: ProducerSession | undefined,
  { code, bytes }: { readonly code: number; readonly bytes: number },
): Error {
  const reason = errorName(code)
  if (tooLarge.has(code)) {
    return kafkaErrors.WEIR_KAFKA_MESSAGE_TOO_LARGE({ topic, partition, bytes })
  }
  if (isDenied(code)) return kafkaErrors.WEIR_KAFKA_DENIED({ what: `the topic ${topic}`, reason })
  if (code === UNKNOWN_TOPIC) return kafkaErrors.WEIR_KAFKA_TOPIC_MISSING({ topics: topic })
  const transactionalId = session?.transactionalId ?? null
  if (transactionalId !== null && fenced.has(code)) {
    return kafkaErrors.WEIR_KAFKA_TRANSACTION_ENDED({ transactionalId, reason })
  }
  const what = splitId(topic, partition)
  return kafkaErrors.WEIR_KAFKA_REQUEST_FAILED({ request: 'Produce', what, reason })
}
