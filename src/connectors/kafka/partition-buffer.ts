import type { SourceLag } from '../../api/source.ts'
import type { Codecs } from './compression.ts'
import type { FetchedPartition } from './fetch-request.ts'
import type { KafkaSplit } from './kafka-split.ts'
import { RecordBatches } from './record-batches.ts'

/** What was fetched of one partition and not read yet, and where both go on. */
export class PartitionBuffer {
  readonly split: KafkaSplit
  /** The broker that leads it; `undefined` until it was looked up. */
  leader: number | undefined
  /** Since when nothing good was heard of it, by the monotonic clock. */
  lostAtMs: number | undefined
  /** Of the next Fetch. */
  fetchOffset: number
  /** Of the next record to give. */
  position: number
  /** Of the record before `position`; below all times while none was given. */
  lastTimestamp = Number.NEGATIVE_INFINITY
  bufferedBytes = 0
  paused = false
  /** One after the last record on the broker, as of the last Fetch. */
  #end: number | undefined
  /** When a Fetch last found everything given that was there. */
  #caughtUpAtMs = Number.NEGATIVE_INFINITY
  readonly #waiting: RecordBatches[] = []
  readonly #sizes: number[] = []

  constructor(split: KafkaSplit) {
    this.split = split
    this.fetchOffset = split.offset
    this.position = split.offset
  }

  /** All that was wanted of it was given. */
  get isFinished(): boolean {
    const { stop } = this.split
    return stop !== undefined && this.position >= stop
  }

  /**
   * What waits on the broker or here; `undefined` before the first answer. All that was written
   * before the last look that found nothing new has been given, whatever the records' own times.
   */
  lag(nowMs: number): SourceLag | undefined {
    if (this.#end === undefined) return undefined
    const { stop = this.#end } = this.split
    const records = Math.max(0, Math.min(stop, this.#end) - this.position)
    if (records === 0) return { records, ms: 0 }
    const knownMs = Math.max(this.lastTimestamp, this.#caughtUpAtMs)
    return { records, ms: Number.isFinite(knownMs) ? Math.max(0, nowMs - knownMs) : 0 }
  }

  /** What is being read; `undefined` while there is nothing. */
  get current(): RecordBatches | undefined {
    return this.#waiting[0]
  }

  /** Gives the size of the largest batch that came. */
  add(
    fetched: FetchedPartition,
    options: { codecs: Codecs; committed: boolean; copy: boolean; nowMs: number },
  ): number {
    const { topic, partition } = this.split
    const { batches, aborted, end: endOffset } = fetched
    if (this.position >= (this.#end ?? endOffset)) this.#caughtUpAtMs = options.nowMs
    this.#end = endOffset
    const end = wholeBatches(batches)
    if (end.bytes === 0) return 0
    const whole = batches.subarray(0, end.bytes)
    this.#waiting.push(
      new RecordBatches({
        topic,
        partition,
        bytes: options.copy ? Buffer.from(whole) : whole,
        from: this.fetchOffset,
        aborted,
        committed: options.committed,
        codecs: options.codecs,
      }),
    )
    this.#sizes.push(end.bytes)
    this.bufferedBytes += end.bytes
    this.fetchOffset = end.nextOffset
    return end.largest
  }

  /** The current batches gave all they had. */
  dropCurrent(): void {
    this.#waiting.shift()
    this.bufferedBytes -= this.#sizes.shift() ?? 0
  }

  /**
   * Lets go of what was fetched. Do it before the partition itself is given up: what has grown old
   * would hold it until the next large collection.
   */
  clear(): void {
    this.#waiting.length = 0
    this.#sizes.length = 0
    this.bufferedBytes = 0
  }

  /** Begins anew elsewhere: what was fetched is of no use. */
  moveTo(offset: number): void {
    this.clear()
    this.fetchOffset = offset
    this.position = offset
  }
}

interface WholeBatches {
  readonly bytes: number
  readonly nextOffset: number
  /** Of a single one. */
  readonly largest: number
}

/** How many bytes are whole batches, and the offset after them. The last one is often cut. */
function wholeBatches(bytes: Buffer): WholeBatches {
  let at = 0
  let nextOffset = 0
  let largest = 0
  while (at + 27 <= bytes.length) {
    const end = at + 12 + bytes.readInt32BE(at + 8)
    if (end > bytes.length) break
    nextOffset = Number(bytes.readBigInt64BE(at)) + bytes.readInt32BE(at + 23) + 1
    largest = Math.max(largest, end - at)
    at = end
  }
  return { bytes: at, nextOffset, largest }
}
