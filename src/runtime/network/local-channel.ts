/**
 * A channel between two subtasks of one process: a queue of batches of object references. Nothing
 * is encoded or copied; records must therefore not be changed after they were emitted.
 *
 * Invariants
 *  L1  Items come out in the order they went in.
 *  L2  `whenFull` and `whenFree` alternate, beginning with `whenFull`.
 *  L3  The queue is full from `capacity` records on, and free again below half of it.
 */
import { assert } from '../../common/assert.ts'
import type { JobEdge } from '../../graph/job-graph.ts'
import type { Exchange, InputChannel, OutputChannel, OutputListener } from './channel.ts'
import type { StreamItem } from './stream-item.ts'

/**
 * Records a channel holds before its sender pauses: one full batch. More brings nothing, for sender
 * and receiver take turns anyway; with eight subtasks and their 64 channels, 2,048 records cost
 * three times the time of 512, because what waits there outlives the young generation.
 */
const LOCAL_CHANNEL_RECORDS = 512

export class LocalChannel implements OutputChannel, InputChannel {
  readonly #capacity: number
  /** A plain array read by an index and cut when empty: queues are a few items long. */
  #queue: StreamItem[] = []
  #head = 0
  #weight = 0
  #full = false
  #output: OutputListener | undefined
  #whenData: (() => void) | undefined

  constructor(capacity = LOCAL_CHANNEL_RECORDS) {
    assert(capacity > 0, 'L3: a channel has room')
    this.#capacity = capacity
  }

  get isEmpty(): boolean {
    return this.#head === this.#queue.length
  }

  listen(listener: OutputListener | (() => void)): void {
    if (typeof listener === 'function') this.#whenData = listener
    else this.#output = listener
  }

  send(item: StreamItem): void {
    const wasEmpty = this.#head === this.#queue.length
    if (item.kind === 'watermark' && !wasEmpty && this.#replaceWatermark(item)) return
    this.#queue.push(item)
    this.#weight += weightOf(item)
    if (!this.#full && this.#weight >= this.#capacity) {
      this.#full = true
      this.#output?.whenFull()
    }
    if (wasEmpty) this.#whenData?.()
  }

  poll(): StreamItem | undefined {
    if (this.#head === this.#queue.length) return undefined
    const item = this.#queue[this.#head] as StreamItem
    this.#head++
    if (this.#head === this.#queue.length) {
      this.#queue = []
      this.#head = 0
    }
    this.#weight -= weightOf(item)
    if (this.#full && this.#weight * 2 < this.#capacity) {
      this.#full = false
      this.#output?.whenFree()
    }
    return item
  }

  /** A newer watermark right behind one that nobody took yet says all that both would. */
  #replaceWatermark(item: StreamItem): boolean {
    const last = this.#queue.length - 1
    if ((this.#queue[last] as StreamItem).kind !== 'watermark') return false
    this.#queue[last] = item
    return true
  }
}

/** An event counts as one record: no flood of events may grow the queue without limit. */
function weightOf(item: StreamItem): number {
  return item.kind === 'records' ? item.size : 1
}

/** The channels of all subtasks that run in this process. */
export class LocalExchange implements Exchange {
  readonly #channels = new Map<string, LocalChannel>()
  readonly #capacity: number

  constructor(capacity = LOCAL_CHANNEL_RECORDS) {
    this.#capacity = capacity
  }

  output(edge: JobEdge, from: number, to: number): OutputChannel {
    return this.#channel(edge, from, to)
  }

  input(edge: JobEdge, from: number, to: number): InputChannel {
    return this.#channel(edge, from, to)
  }

  #channel(edge: JobEdge, from: number, to: number): LocalChannel {
    const id = `${from} ${to} ${edge.id}`
    let channel = this.#channels.get(id)
    if (channel === undefined) {
      channel = new LocalChannel(this.#capacity)
      this.#channels.set(id, channel)
    }
    return channel
  }
}
