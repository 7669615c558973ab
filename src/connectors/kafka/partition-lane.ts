/** The batches of one partition on their way to the broker, in order, and where they will lie. */
import type { Codecs, Compression } from './compression.ts'
import type { ProducerIdentity } from './produce-requests.ts'
import type { RecordBatchWriter } from './record-batch-writer.ts'

/** Where the records of one transaction lie in a partition. */
export type WrittenRange = {
  readonly topic: string
  readonly partition: number
  readonly first: number
  readonly last: number
}

export interface LaneSender extends ProducerIdentity {
  readonly isTransactional: boolean
  readonly compression: Compression
  readonly codecs: Codecs
}

export class PartitionLane {
  readonly topic: string
  readonly partition: number
  leader: number | undefined
  /** The transaction knows the partition. */
  isAdmitted = false
  /** A batch of it is on its way, or waits for the time to be sent again. */
  isBusy = false
  /** Since the first of the tries that failed, by the monotonic clock. */
  failingSinceMs: number | undefined
  tries = 0
  readonly #waiting: RecordBatchWriter[] = []
  #sequence = 0
  #bytes: Buffer | undefined
  /** Something in this session was acknowledged. */
  #hasSent = false
  #first = -1
  #last = -1

  constructor(topic: string, partition: number) {
    this.topic = topic
    this.partition = partition
  }

  get isReady(): boolean {
    return !this.isBusy && this.#waiting.length > 0
  }

  /** Everything was acknowledged. */
  get isEmpty(): boolean {
    return this.#waiting.length === 0
  }

  /** Of the batch that is sent next. */
  get nextBytes(): number {
    return this.#waiting[0]?.sizeBytes ?? 0
  }

  get written(): WrittenRange | undefined {
    if (!this.#hasSent) return undefined
    const { topic, partition } = this
    return { topic, partition, first: this.#first, last: this.#last }
  }

  add(batch: RecordBatchWriter): void {
    this.#waiting.push(batch)
  }

  /** The next batch as it is sent: the same bytes each time, for the broker to know it by. */
  next(sender: LaneSender): Buffer {
    const { compression, codecs } = sender
    const sequence = this.#sequence
    this.#bytes ??= this.#waiting[0]?.finish({ ...sender, sequence }, compression, codecs)
    return this.#bytes ?? Buffer.alloc(0)
  }

  /** The broker has the batch, from `offset` on (-1: it does not say). Gives its size. */
  acknowledged(offset: number): number {
    const batch = this.#waiting.shift()
    this.#bytes = undefined
    // What was sent twice may lie in the queue of a connection that was given up.
    if (this.tries === 0) batch?.release()
    this.failingSinceMs = undefined
    this.tries = 0
    if (batch === undefined) return 0
    this.#sequence += batch.count
    this.#hasSent = true
    if (offset >= 0) {
      if (this.#first < 0) this.#first = offset
      this.#last = offset + batch.count - 1
    }
    return batch.sizeBytes
  }

  /** Another producer's sequence begins. */
  reset(): void {
    this.#sequence = 0
    this.#first = -1
    this.#last = -1
    this.isAdmitted = false
    this.#hasSent = false
  }
}
