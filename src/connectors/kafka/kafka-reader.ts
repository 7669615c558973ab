/** Reads the partitions of one subtask: a batch of one, then a batch of the next that has some. */
import type {
  PollResult,
  ReaderContext,
  SourceLag,
  SourceOutput,
  SourceReader,
} from '../../api/source.ts'
import type { Decoder } from '../../schema/format.ts'
import { kafkaErrors } from './kafka-errors.ts'
import { type KafkaMessage, readHeaders } from './kafka-message.ts'
import type { KafkaSplit } from './kafka-split.ts'
import { offsetCommitRequest } from './offset-requests.ts'
import { PartitionBuffer } from './partition-buffer.ts'
import { PartitionFetcher } from './partition-fetcher.ts'
import type { RecordBatches } from './record-batches.ts'
import type { KafkaSourceOptions } from './source-options.ts'

const BUFFER_BYTES = 12 * 1024 * 1024
/** Of an undecodable record, for people to look at. */
const SHOWN_BYTES = 1_024
const OFFSETS_KEPT = 16

export class KafkaReader<T> implements SourceReader<T, KafkaSplit> {
  readonly #context: ReaderContext
  readonly #options: KafkaSourceOptions<T>
  readonly #fetcher: PartitionFetcher
  readonly #decoder: Decoder<T> | undefined
  /** In turn: the first is being read. */
  #partitions: PartitionBuffer[] = []
  /** By checkpoint, until it completed. */
  readonly #offsetsOf = new Map<number, readonly KafkaSplit[]>()
  #decoded: { readonly batches: RecordBatches; readonly opened: number } | undefined
  /** Something was read to its end since the last look for what to fetch. */
  #hasRoom = false
  #noMoreSplits = false
  #closed = false

  constructor(context: ReaderContext, options: KafkaSourceOptions<T>) {
    const { isolation, onOutOfRange = 'fail', bufferBytes = BUFFER_BYTES, value } = options
    this.#context = context
    this.#options = options
    this.#decoder = value?.makeDecoder()
    this.#fetcher = new PartitionFetcher({
      ...options,
      clock: context.clock,
      bufferBytes,
      committed: isolation !== 'read_uncommitted',
      onOutOfRange,
      wakeUp: () => context.wakeUp(),
    })
  }

  start(): Promise<void> {
    return this.#fetcher.start()
  }

  addSplits(splits: readonly KafkaSplit[]): void {
    for (const split of splits) {
      const partition = new PartitionBuffer(split)
      this.#partitions.push(partition)
      this.#fetcher.add(partition)
    }
    this.#fetcher.pump()
    this.#context.wakeUp()
  }

  notifyNoMoreSplits(): void {
    this.#noMoreSplits = true
    this.#context.wakeUp()
  }

  poll(output: SourceOutput<T>): PollResult {
    if (this.#closed) return 'end'
    if (this.#fetcher.failure !== undefined) throw this.#fetcher.failure
    let room = output.batchSize
    for (let turns = this.#partitions.length; turns > 0 && room > 0 && !output.blocked; turns--) {
      const [partition] = this.#partitions
      if (partition === undefined) break
      if (!partition.paused) room -= this.#readSome(partition, output, room)
      if (partition.isFinished) this.#finish(partition, output)
      else if (room > 0) this.#partitions.push(...this.#partitions.splice(0, 1))
    }
    if (this.#hasRoom) {
      this.#hasRoom = false
      this.#fetcher.pump()
    }
    if (this.#noMoreSplits && this.#partitions.length === 0) return 'end'
    const hasMore = this.#partitions.some(one => !one.paused && one.current !== undefined)
    return hasMore ? 'more' : 'nothing'
  }

  snapshotState(checkpointId: number): readonly KafkaSplit[] {
    const splits = this.#partitions.map(({ split, position }) => ({ ...split, offset: position }))
    if (this.#options.group !== undefined) this.#remember(checkpointId, splits)
    return splits
  }

  /** For people who watch the group: nothing of Weir's reads it, so a failure harms nothing. */
  notifyCheckpointComplete(checkpointId: number): void {
    const { group } = this.#options
    const offsets = this.#offsetsOf.get(checkpointId)
    for (const id of [...this.#offsetsOf.keys()]) {
      if (id <= checkpointId) this.#offsetsOf.delete(id)
    }
    if (group === undefined || offsets === undefined || offsets.length === 0) return
    const { cluster } = this.#fetcher
    cluster
      .coordinator('group', group)
      .then(coordinator => coordinator.ask(offsetCommitRequest(group, offsets)))
      .then(
        codes => {
          if (codes.some(code => code !== 0)) this.#context.runtime.count('offsets not noted')
        },
        () => this.#context.runtime.count('offsets not noted'),
      )
  }

  pauseOrResumeSplits(pause: readonly string[], resume: readonly string[]): void {
    for (const partition of this.#partitions) {
      if (pause.includes(partition.split.id)) partition.paused = true
      if (resume.includes(partition.split.id)) partition.paused = false
    }
    this.#fetcher.pump()
    this.#context.wakeUp()
  }

  /** All partitions together, once each was heard of. */
  lag(): SourceLag | undefined {
    const nowMs = this.#context.clock.now()
    const known = this.#partitions.map(one => one.lag(nowMs)).filter(one => one !== undefined)
    if (known.length < this.#partitions.length) return undefined
    const records = known.reduce((sum, one) => sum + one.records, 0)
    return { records, ms: Math.max(0, ...known.map(one => one.ms)) }
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#fetcher.close()
  }

  #remember(checkpointId: number, splits: readonly KafkaSplit[]): void {
    this.#offsetsOf.set(checkpointId, splits)
    // Checkpoints that fail are never heard of again.
    const [oldest] = this.#offsetsOf.keys()
    if (this.#offsetsOf.size > OFFSETS_KEPT && oldest !== undefined) this.#offsetsOf.delete(oldest)
  }

  #finish(partition: PartitionBuffer, output: SourceOutput<T>): void {
    this.#partitions = this.#partitions.filter(one => one !== partition)
    this.#fetcher.remove(partition)
    partition.clear()
    this.#hasRoom = true
    output.finishSplit(partition.split.id)
  }

  /** Emits records of one partition; how many. */
  #readSome(partition: PartitionBuffer, output: SourceOutput<T>, most: number): number {
    const { split } = partition
    const stop = split.stop ?? Number.POSITIVE_INFINITY
    output.selectSplit(split.id)
    let count = 0
    for (;;) {
      const batches = partition.current
      if (batches === undefined) return count
      while (count < most && !output.blocked && partition.position < stop) {
        if (!batches.next()) break
        if (batches.offset >= stop) {
          partition.position = stop
          return count
        }
        output.offset = batches.offset
        this.#emit(split, batches, output)
        batches.advance()
        partition.position = batches.position
        partition.lastTimestamp = batches.timestamp
        count++
      }
      if (count >= most || output.blocked || partition.position >= stop) return count
      // What it passed over at the end counts: markers, and records that were taken back.
      partition.position = Math.max(partition.position, batches.position)
      partition.dropCurrent()
      this.#hasRoom = true
    }
  }

  #emit(split: KafkaSplit, batches: RecordBatches, output: SourceOutput<T>): void {
    const { read } = this.#options
    let value: T
    try {
      value = read === undefined ? this.#decode(split, batches) : read(messageAt(split, batches))
    } catch (error) {
      const { records, valueStart, valueLength } = batches
      const shown = Math.max(0, Math.min(valueLength, SHOWN_BYTES))
      output.reject(error, records.toString('utf8', valueStart, valueStart + shown))
      return
    }
    output.collect(value, batches.timestamp)
  }

  #decode(split: KafkaSplit, batches: RecordBatches): T {
    const decoder = this.#decoder as Decoder<T>
    const { valueStart, valueLength } = batches
    if (valueLength < 0) {
      const { topic, partition } = split
      const { offset } = batches
      throw kafkaErrors.WEIR_KAFKA_NULL_VALUE({ topic, partition, offset })
    }
    const { opened } = batches
    if (this.#decoded?.batches !== batches || this.#decoded.opened !== opened) {
      decoder.setBatch(batches.records)
      this.#decoded = { batches, opened }
    }
    return decoder.read(valueStart, valueStart + valueLength)
  }
}

function messageAt({ topic, partition }: KafkaSplit, batches: RecordBatches): KafkaMessage {
  const { records, offset, timestamp, keyStart, keyLength, valueStart, valueLength } = batches
  return {
    topic,
    partition,
    offset,
    timestamp,
    key: keyLength < 0 ? null : records.subarray(keyStart, keyStart + keyLength),
    value: valueLength < 0 ? null : records.subarray(valueStart, valueStart + valueLength),
    headers: readHeaders(records, batches.headersStart),
  }
}
