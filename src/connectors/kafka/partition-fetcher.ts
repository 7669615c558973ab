/**
 * Fetches for all partitions of one reader: one request at a time to each broker, for all of its
 * partitions that have room.
 *
 * Owns        the requests, who leads what, and the memory of what is fetched.
 * Leaves out  reading what came: the reader does, in its polls.
 *
 * A partition with unread bytes above its share is left out of the next request, and nothing is
 * asked for while all together are above the limit: that is the back pressure. What was given comes
 * last in the next request, so that partitions with much to read take turns.
 */
import type { Clock } from '../../common/clock.ts'
import { isWeirError, messageOf } from '../../common/errors.ts'
import type { Codecs } from './compression.ts'
import { loadCodecs } from './compression.ts'
import type { KafkaConnectionOptions } from './connection-options.ts'
import {
  errorName,
  isDenied,
  isLeaderMoved,
  OFFSET_OUT_OF_RANGE,
  UNKNOWN_TOPIC,
} from './error-codes.ts'
import { type FetchedPartition, fetchRequest } from './fetch-request.ts'
import { KafkaCluster, type TopicMetadata } from './kafka-cluster.ts'
import { kafkaErrors } from './kafka-errors.ts'
import { splitId } from './kafka-split.ts'
import { EARLIEST, LATEST } from './offset-requests.ts'
import type { PartitionBuffer } from './partition-buffer.ts'
import { listOffsets } from './start-offsets.ts'

/**
 * At least so much is asked for of each partition. Of all but the first of an answer, the broker
 * leaves out a batch that is larger, so that many partitions would come one by one.
 */
const PARTITION_BYTES = 1 << 20
/** The last batch of a part is cut as a rule and comes again: so many whole ones are before it. */
const BATCHES_EACH = 8
/**
 * An answer is at most this part of the memory, and the next one is asked for when no more than
 * that is left to read. The rest is for several brokers that answer at once: what waits for long
 * grows old, and only a large collection frees it then.
 */
const ANSWERS = 4
const WAIT_MS = 500
/** Others of the same broker will have room soon: no long wait for those that are asked for. */
const SHORT_WAIT_MS = 5
/** What is less than this part of an answer is copied out of it. */
const SMALL_PART = 16
const RETRY_MS = 100
/** A partition without one good answer for so long fails the job, and it says why. */
const PATIENCE_MS = 60_000
/** A broker that was just started may not know its topics yet. */
const MISSING_PATIENCE_MS = 15_000

export interface PartitionFetcherOptions extends KafkaConnectionOptions {
  readonly clock: Clock
  readonly bufferBytes: number
  readonly committed: boolean
  readonly onOutOfRange: 'fail' | 'earliest' | 'latest'
  /** Something can be read, or `failure` is there. */
  readonly wakeUp: () => void
}

export class PartitionFetcher {
  readonly cluster: KafkaCluster
  /** Why nothing more will come. */
  failure: unknown
  readonly #options: PartitionFetcherOptions
  readonly #partitions = new Map<string, PartitionBuffer>()
  readonly #busy = new Set<number>()
  /** The largest that came. */
  #batchBytes = 0
  #codecs: Codecs | undefined
  #isLookingUp = false
  #isScheduled = false
  #closed = false

  constructor(options: PartitionFetcherOptions) {
    this.#options = options
    this.cluster = new KafkaCluster(options, options.clock)
  }

  async start(): Promise<void> {
    this.#codecs = await loadCodecs()
    this.pump()
  }

  add(partition: PartitionBuffer): void {
    partition.lostAtMs = this.#options.clock.monotonic()
    this.#partitions.set(partition.split.id, partition)
  }

  remove(partition: PartitionBuffer): void {
    this.#partitions.delete(partition.split.id)
  }

  /** Sends what can be sent. Called whenever room came free. */
  pump(): void {
    if (this.#closed || this.failure !== undefined || this.#codecs === undefined) return
    const all = [...this.#partitions.values()]
    if (all.some(one => one.leader === undefined)) this.#lookUp()
    const buffered = all.reduce((sum, one) => sum + one.bufferedBytes, 0)
    if (buffered >= this.#options.bufferBytes / ANSWERS) return
    for (const [leader, led] of Map.groupBy(all, one => one.leader)) {
      if (leader === undefined || this.#busy.has(leader)) continue
      const open = led.filter(one => !one.paused && !hasAll(one))
      const ready = open.filter(one => one.bufferedBytes < this.#share())
      if (ready.length > 0) void this.#fetch(leader, ready, ready.length < open.length)
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.cluster.close()
  }

  /** What one partition may have waiting. */
  #share(): number {
    const { bufferBytes } = this.#options
    return Math.max(64 * 1024, Math.floor(bufferBytes / (2 * Math.max(1, this.#partitions.size))))
  }

  async #fetch(leader: number, ready: readonly PartitionBuffer[], hurry: boolean): Promise<void> {
    const { committed, bufferBytes } = this.#options
    this.#busy.add(leader)
    const request = fetchRequest({
      partitions: ready.map(({ split, fetchOffset }) => {
        return { topic: split.topic, partition: split.partition, offset: fetchOffset }
      }),
      waitMs: hurry ? SHORT_WAIT_MS : WAIT_MS,
      bytesMax: Math.floor(bufferBytes / ANSWERS),
      partitionBytesMax: Math.max(
        PARTITION_BYTES,
        BATCHES_EACH * this.#batchBytes,
        Math.min(this.#share(), 8 * PARTITION_BYTES),
      ),
      committed,
    })
    const asked = new Map(ready.map(one => [one.split.id, one.fetchOffset]))
    try {
      const broker = await this.cluster.broker(leader, 'fetch')
      const answer = await broker.ask(request)
      if (this.#closed) return
      const bytes = answer.reduce((sum, { batches }) => sum + batches.length, 0)
      for (const fetched of answer) {
        // A small part that is read late would hold the memory of the whole answer.
        this.#take(fetched, asked, fetched.batches.length * SMALL_PART < bytes)
      }
    } catch (error) {
      this.#fetchFailed(ready, error)
    } finally {
      this.#busy.delete(leader)
    }
    this.#options.wakeUp()
    this.pump()
  }

  #take(fetched: FetchedPartition, asked: ReadonlyMap<string, number>, copy: boolean): void {
    const id = splitId(fetched.topic, fetched.partition)
    const partition = this.#partitions.get(id)
    // Given up, or moved elsewhere, while the request was on its way.
    if (partition === undefined || partition.fetchOffset !== asked.get(id)) return
    const { errorCode } = fetched
    if (errorCode === 0) {
      const codecs = this.#codecs as Codecs
      const { committed, clock } = this.#options
      partition.lostAtMs = undefined
      const batchBytes = partition.add(fetched, { codecs, committed, copy, nowMs: clock.now() })
      this.#batchBytes = Math.max(this.#batchBytes, batchBytes)
      if (batchBytes > 0) this.#toTheEnd(partition)
    } else if (errorCode === OFFSET_OUT_OF_RANGE) void this.#outOfRange(partition)
    else if (isDenied(errorCode)) {
      const what = `the topic ${fetched.topic}`
      this.#fail(kafkaErrors.WEIR_KAFKA_DENIED({ what, reason: errorName(errorCode) }))
    } else {
      const reason = errorName(errorCode)
      const problem = kafkaErrors.WEIR_KAFKA_REQUEST_FAILED({ request: 'Fetch', what: id, reason })
      const isPassing = isLeaderMoved(errorCode) || errorCode === UNKNOWN_TOPIC
      if (isPassing) this.#lose(partition, problem)
      else this.#fail(problem)
    }
  }

  /** Brokers fill an answer in the order of the request: those that got nothing come first next. */
  #toTheEnd(partition: PartitionBuffer): void {
    this.#partitions.delete(partition.split.id)
    this.#partitions.set(partition.split.id, partition)
  }

  #fetchFailed(asked: readonly PartitionBuffer[], error: unknown): void {
    if (this.#closed) return
    if (isWeirError(error) && error.domain === 'user') {
      this.#fail(error)
      return
    }
    const problem = this.#named(error)
    for (const one of asked) this.#lose(one, problem)
  }

  /** Its leader is looked up anew, a little later: an answer that is wrong at once comes again. */
  #lose(partition: PartitionBuffer, problem: unknown): void {
    partition.leader = undefined
    partition.lostAtMs ??= this.#options.clock.monotonic()
    if (this.#isLost(partition, PATIENCE_MS)) this.#fail(problem)
    else this.#retryLater()
  }

  #isLost({ lostAtMs }: PartitionBuffer, patienceMs: number): boolean {
    return lostAtMs !== undefined && this.#options.clock.monotonic() - lostAtMs >= patienceMs
  }

  #named(error: unknown): unknown {
    if (isWeirError(error)) return error
    const brokers = [this.#options.brokers].flat().join(', ')
    return kafkaErrors.WEIR_KAFKA_UNREACHABLE({ brokers, reason: messageOf(error) }, error)
  }

  /** Finds the leaders of partitions that have none, a little later if it failed before. */
  #lookUp(): void {
    if (this.#isLookingUp || this.#isScheduled) return
    this.#isLookingUp = true
    void this.#findLeaders()
      .catch((error: unknown) => {
        if (isWeirError(error) && error.domain === 'user') this.#fail(error)
        else this.#failWhereLost(this.#named(error))
      })
      .finally(() => {
        this.#isLookingUp = false
        const isDone = [...this.#partitions.values()].every(one => one.leader !== undefined)
        if (!isDone) this.#retryLater()
        this.pump()
      })
  }

  #retryLater(): void {
    if (this.#isScheduled || this.#closed) return
    this.#isScheduled = true
    this.#options.clock.schedule(RETRY_MS, () => {
      this.#isScheduled = false
      this.pump()
    })
  }

  async #findLeaders(): Promise<void> {
    const lost = [...this.#partitions.values()].filter(one => one.leader === undefined)
    const topics = [...new Set(lost.map(one => one.split.topic))]
    const found = await this.cluster.metadata(topics)
    const denied = found.find(({ errorCode }) => isDenied(errorCode))
    if (denied !== undefined) {
      const reason = errorName(denied.errorCode)
      throw kafkaErrors.WEIR_KAFKA_DENIED({ what: `the topic ${denied.topic}`, reason })
    }
    this.#takeLeaders(lost, found)
    const [first] = lost.filter(one => one.leader === undefined)
    if (first === undefined) return
    const what = first.split.id
    const reason = 'no broker leads it'
    this.#failWhereLost(
      kafkaErrors.WEIR_KAFKA_REQUEST_FAILED({ request: 'Metadata', what, reason }),
    )
  }

  #takeLeaders(lost: readonly PartitionBuffer[], found: readonly TopicMetadata[]): void {
    const leaders = new Map(
      found.flatMap(({ topic, partitions }) =>
        partitions.map(({ partition, leader }) => [splitId(topic, partition), leader]),
      ),
    )
    for (const one of lost) {
      const leader = leaders.get(one.split.id)
      if (leader !== undefined && leader >= 0) one.leader = leader
      else if (leader === undefined && this.#isLost(one, MISSING_PATIENCE_MS)) {
        const { topic, partition } = one.split
        const isKnown = found.some(known => known.topic === topic && known.errorCode === 0)
        const topics = isKnown ? `with the partition ${splitId(topic, partition)}` : topic
        this.#fail(kafkaErrors.WEIR_KAFKA_TOPIC_MISSING({ topics }))
      }
    }
  }

  /** When a partition that still has no leader was waited for long enough. */
  #failWhereLost(problem: unknown): void {
    const leaderless = [...this.#partitions.values()].filter(one => one.leader === undefined)
    if (leaderless.some(one => this.#isLost(one, PATIENCE_MS))) this.#fail(problem)
  }

  async #outOfRange(partition: PartitionBuffer): Promise<void> {
    const { split, leader = 0, fetchOffset: offset } = partition
    const { onOutOfRange, committed } = this.#options
    const { topic, partition: number } = split
    this.#partitions.delete(split.id)
    try {
      const partitions = [{ topic, partition: number, leader }]
      const options = { cluster: this.cluster, partitions, committed }
      const begin = (await listOffsets(options, EARLIEST)).get(split.id) ?? 0
      const end = (await listOffsets(options, LATEST)).get(split.id) ?? 0
      if (onOutOfRange === 'fail') {
        const details = { topic, partition: number, offset, begin, end }
        this.#fail(kafkaErrors.WEIR_KAFKA_OFFSET_OUT_OF_RANGE(details))
        return
      }
      partition.moveTo(onOutOfRange === 'earliest' ? begin : end)
      this.#partitions.set(split.id, partition)
      this.pump()
    } catch (error) {
      this.#fail(error)
    }
  }

  #fail(error: unknown): void {
    this.failure ??= error
    this.#options.wakeUp()
  }
}

/** Everything up to its end was fetched. */
function hasAll({ split, fetchOffset }: PartitionBuffer): boolean {
  return split.stop !== undefined && fetchOffset >= split.stop
}
