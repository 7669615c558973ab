/**
 * Where the records of one topic go that have no key: batch by batch from partition to partition.
 *
 * Each partition of a transaction costs the brokers a marker and a check, whether much was written
 * there or little. So a transaction takes another partition only when those that it has were given
 * their part, and goes around among them until then; the next transaction begins behind them. That
 * is as even in the end. Without transactions each batch goes to the next partition.
 */

/** So many at once: of one partition only one batch is on its way. */
const WIDTH_MIN = 4
/** What each has taken before there is another. */
const BATCHES_EACH = 4

export interface StickyPartitionsOptions {
  /** Partitions of the topic. */
  readonly count: number
  readonly first: number
  /** Of a full batch. */
  readonly batchBytes: number
  readonly isTransactional: boolean
}

export class StickyPartitions {
  /** Where the next record goes. */
  current: number
  readonly #options: StickyPartitionsOptions
  /** The first of the transaction, and how many it has so far. */
  #first: number
  #width = 1
  #lastWidth = 1
  #bytes = 0

  constructor(options: StickyPartitionsOptions) {
    this.#options = options
    this.#first = options.first
    this.current = options.first
  }

  /** A batch of this partition takes no more. */
  closed(partition: number, bytes: number): void {
    if (partition !== this.current) return
    const { count, batchBytes, isTransactional } = this.#options
    this.#bytes += bytes
    const most = isTransactional
      ? Math.max(WIDTH_MIN, Math.floor(this.#bytes / (BATCHES_EACH * batchBytes)))
      : count
    const at = (partition - this.#first + count) % count
    if (at + 1 < this.#width) this.current = (partition + 1) % count
    else if (this.#width < Math.min(count, most)) {
      this.current = (partition + 1) % count
      this.#width++
    } else this.current = this.#first
  }

  /**
   * The partitions that this transaction has or is likely to have, for a request that lets them in:
   * as many as the one before, or a few more than it has.
   */
  get expected(): readonly number[] {
    const { count } = this.#options
    const more = this.#width > this.#lastWidth ? Math.ceil(this.#width / WIDTH_MIN) : 0
    const width = Math.min(count, Math.max(this.#lastWidth, this.#width + more))
    return Array.from({ length: width }, (_, i) => (this.#first + i) % count)
  }

  /** The records from here on are of the next one. */
  endTransaction(): void {
    const { count } = this.#options
    this.#first = (this.#first + this.#width) % count
    this.current = this.#first
    this.#lastWidth = this.#width
    this.#width = 1
    this.#bytes = 0
  }
}
