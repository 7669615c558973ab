/**
 * Finds the partitions and hands each to its reader, with the offsets to read from and to. It looks
 * again now and then: partitions that come later begin at the earliest offset, so that nothing that
 * was written to them before they were found is left out.
 */
import type { EnumeratorContext, JsonValue, SplitEnumerator } from '../../api/source.ts'
import type { TimerHandle } from '../../common/clock.ts'
import { isWeirError } from '../../common/errors.ts'
import { errorName, isDenied } from './error-codes.ts'
import { KafkaCluster, type TopicMetadata } from './kafka-cluster.ts'
import { kafkaErrors } from './kafka-errors.ts'
import { type KafkaSplit, splitId } from './kafka-split.ts'
import type { KafkaSourceOptions, KafkaStart } from './source-options.ts'
import { findStart, findStop, type LedPartition } from './start-offsets.ts'

/** A topic that was just made has no leader for a moment. */
const FIRST_LOOK_TRIES = 50
const FIRST_LOOK_PAUSE_MS = 100
/** Looks in vain, one after the other, before the job fails. */
const DISCOVERY_FAILURES_MAX = 5

interface EnumeratorState {
  /** Every partition that was ever handed out or waits to be. */
  readonly known: readonly string[]
  readonly waiting: readonly KafkaSplit[]
}

export interface KafkaEnumeratorOptions extends KafkaSourceOptions<never> {
  readonly discoverMs: number
}

export class KafkaEnumerator implements SplitEnumerator<KafkaSplit> {
  readonly #context: EnumeratorContext<KafkaSplit>
  readonly #options: KafkaEnumeratorOptions
  readonly #cluster: KafkaCluster
  readonly #known: Set<string>
  readonly #readers = new Set<number>()
  #waiting: KafkaSplit[]
  #isFirst: boolean
  #failures = 0
  #timer: TimerHandle | undefined
  #closed = false

  constructor(
    context: EnumeratorContext<KafkaSplit>,
    options: KafkaEnumeratorOptions,
    restored: JsonValue | undefined,
  ) {
    const state = restored as unknown as EnumeratorState | undefined
    this.#context = context
    this.#options = options
    this.#cluster = new KafkaCluster(options, context.clock)
    this.#known = new Set(state?.known ?? [])
    this.#waiting = [...(state?.waiting ?? [])]
    this.#isFirst = state === undefined
  }

  async start(): Promise<void> {
    const isBounded = this.#options.stop !== undefined
    // What a bounded job reads was settled when it began.
    if (this.#isFirst || !isBounded) await this.#discover()
    this.#isFirst = false
    if (!isBounded) this.#schedule()
  }

  addReader(subtaskIndex: number): void {
    this.#readers.add(subtaskIndex)
    this.#handOut()
    if (this.#options.stop !== undefined) this.#context.signalNoMoreSplits(subtaskIndex)
  }

  /** Readers get all that is theirs without asking. */
  handleSplitRequest(): void {}

  addSplitsBack(splits: readonly KafkaSplit[], subtaskIndex: number): void {
    this.#readers.delete(subtaskIndex)
    this.#waiting.push(...splits)
  }

  snapshotState(): JsonValue {
    const state: EnumeratorState = { known: [...this.#known], waiting: this.#waiting }
    return state as unknown as JsonValue
  }

  close(): Promise<void> {
    this.#closed = true
    this.#timer?.cancel()
    return this.#cluster.close()
  }

  #schedule(): void {
    if (this.#closed) return
    this.#timer = this.#context.clock.schedule(this.#options.discoverMs, () => {
      this.#discover()
        .then(
          () => {
            this.#failures = 0
            this.#handOut()
          },
          (error: unknown) => this.#discoveryFailed(error),
        )
        .finally(() => this.#schedule())
    })
  }

  /** What is known is being read all the same: one failure is none. */
  #discoveryFailed(error: unknown): void {
    if (this.#closed) return
    const isFinal = isWeirError(error) && error.domain === 'user'
    if (isFinal || ++this.#failures >= DISCOVERY_FAILURES_MAX) this.#context.fail(error)
  }

  async #discover(): Promise<void> {
    const found = await this.#findPartitions()
    const partitions = found.filter(one => !this.#known.has(splitId(one.topic, one.partition)))
    if (partitions.length === 0) return
    const { start, stop, group, isolation } = this.#options
    const committed = isolation !== 'read_uncommitted'
    const options = { cluster: this.#cluster, partitions, committed }
    const first = start ?? defaultStart(group)
    const starts = await findStart(options, this.#isFirst ? first : 'earliest', group)
    const stops = stop === undefined ? undefined : await findStop(options, stop)
    for (const { topic, partition } of partitions) {
      const id = splitId(topic, partition)
      const offset = starts.get(id) ?? 0
      const end = stops?.get(id)
      if (end !== undefined && end < offset) {
        const range = { partition: id, start: offset, stop: end }
        throw kafkaErrors.WEIR_KAFKA_END_BEFORE_START(range)
      }
      this.#known.add(id)
      const split = { id, topic, partition, offset }
      if (stops === undefined) this.#waiting.push(split)
      else if (end !== undefined && end > offset) this.#waiting.push({ ...split, stop: end })
    }
  }

  async #findPartitions(): Promise<readonly LedPartition[]> {
    for (let tries = 1; ; tries++) {
      const topics = (await this.#cluster.metadata(this.#namedTopics())).filter(topic =>
        this.#isWanted(topic.topic),
      )
      const problem = problemOf(topics)
      if (problem === undefined) return this.#select(topics)
      if (isWeirError(problem) && problem.domain === 'user' && tries > 2) throw problem
      if (tries >= FIRST_LOOK_TRIES || this.#closed) throw problem
      await new Promise<void>(resolve => {
        this.#context.clock.schedule(FIRST_LOOK_PAUSE_MS, resolve)
      })
    }
  }

  /** `undefined`: all topics, for a pattern to choose from. */
  #namedTopics(): readonly string[] | undefined {
    const { topics } = this.#options
    if (typeof topics === 'string') return [topics]
    if (topics instanceof RegExp) return undefined
    return 'partitions' in topics ? Object.keys(topics.partitions) : topics
  }

  #isWanted(topic: string): boolean {
    const { topics } = this.#options
    return !(topics instanceof RegExp) || new RegExp(topics.source, topics.flags).test(topic)
  }

  #select(found: readonly TopicMetadata[]): readonly LedPartition[] {
    const { topics } = this.#options
    const all = found.flatMap(({ topic, partitions }) =>
      partitions.map(({ partition, leader }) => ({ topic, partition, leader })),
    )
    if (typeof topics === 'string' || topics instanceof RegExp || !('partitions' in topics)) {
      return all
    }
    const wanted = Object.entries(topics.partitions).flatMap(([topic, partitions]) =>
      partitions.map(partition => splitId(topic, partition)),
    )
    const selected = all.filter(one => wanted.includes(splitId(one.topic, one.partition)))
    if (selected.length === wanted.length) return selected
    const there = new Set(selected.map(one => splitId(one.topic, one.partition)))
    const missing = wanted.filter(id => !there.has(id)).join(', ')
    throw kafkaErrors.WEIR_KAFKA_TOPIC_MISSING({ topics: `with the partition ${missing}` })
  }

  #handOut(): void {
    const { parallelism } = this.#context
    const kept: KafkaSplit[] = []
    for (const split of this.#waiting) {
      const owner = ownerOf(split, parallelism)
      if (this.#readers.has(owner)) this.#context.assignSplit(split, owner)
      else kept.push(split)
    }
    this.#waiting = kept
  }
}

function defaultStart(group: string | undefined): KafkaStart {
  return group === undefined ? 'earliest' : { committed: 'earliest' }
}

function problemOf(topics: readonly TopicMetadata[]): Error | undefined {
  const denied = topics.find(topic => isDenied(topic.errorCode))
  if (denied !== undefined) {
    const reason = errorName(denied.errorCode)
    return kafkaErrors.WEIR_KAFKA_DENIED({ what: `the topic ${denied.topic}`, reason })
  }
  const missing = topics.filter(({ errorCode }) => errorCode === 3 || errorCode === 17)
  if (missing.length > 0) {
    const names = missing.map(({ topic }) => topic).join(', ')
    return kafkaErrors.WEIR_KAFKA_TOPIC_MISSING({ topics: names })
  }
  const leaderless = topics.find(
    ({ errorCode, partitions }) => errorCode !== 0 || partitions.some(({ leader }) => leader < 0),
  )
  if (leaderless === undefined) return undefined
  const reason = leaderless.errorCode === 0 ? 'no leader' : errorName(leaderless.errorCode)
  const what = leaderless.topic
  return kafkaErrors.WEIR_KAFKA_REQUEST_FAILED({ request: 'Metadata', what, reason })
}

/** Spreads the partitions of each topic evenly, and the first ones of many topics too. */
function ownerOf({ topic, partition }: KafkaSplit, parallelism: number): number {
  let hash = 0
  for (let i = 0; i < topic.length; i++) hash = (Math.imul(hash, 31) + topic.charCodeAt(i)) | 0
  const first = (Math.imul(hash, 31) & 0x7fffffff) % parallelism
  return (first + partition) % parallelism
}
