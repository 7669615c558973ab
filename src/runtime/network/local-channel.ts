/**
 * A channel between two subtasks of one process: a queue of batches of object references. Nothing
 * is encoded or copied; records must therefore not be changed after they were emitted. The queue is
 * the receiver's: a barrier that overtakes has left the sender, and what stands here is input.
 *
 * Invariants
 *  L1  Items come out in the order they went in.
 *  L2  `whenFull` and `whenFree` alternate, beginning with `whenFull`.
 *  L3  The queue is full from `capacity` records on, and free again below half of it.
 */
import { assert } from '../../common/assert.ts'
import type { JobEdge } from '../../graph/job-graph.ts'
import type { CheckpointBarrier } from '../task-contract.ts'
import type {
  Exchange,
  InFlightItem,
  InputChannel,
  InputListener,
  OutputChannel,
  OutputListener,
  PriorityBarrier,
} from './channel.ts'
import { InputQueue } from './input-queue.ts'
import type { RecordBatch, StatusEvent, StreamItem, WatermarkEvent } from './stream-item.ts'

/**
 * Records a channel holds before its sender pauses: one full batch. More brings nothing, for sender
 * and receiver take turns anyway; with eight subtasks and their 64 channels, 2,048 records cost
 * three times the time of 512, because what waits there outlives the young generation.
 */
const LOCAL_CHANNEL_RECORDS = 512

export class LocalChannel implements OutputChannel, InputChannel {
  readonly #capacity: number
  readonly #queue: InputQueue<RecordBatch | WatermarkEvent | StatusEvent>
  #weight = 0
  #full = false
  #output: OutputListener | undefined
  #input: InputListener | undefined

  constructor(capacity = LOCAL_CHANNEL_RECORDS) {
    assert(capacity > 0, 'L3: a channel has room')
    this.#capacity = capacity
    this.#queue = new InputQueue(() => this.#input?.whenPriority())
  }

  get isEmpty(): boolean {
    return this.#queue.isEmpty
  }

  listen(listener: OutputListener | InputListener): void {
    if ('whenData' in listener) this.#input = listener
    else this.#output = listener
  }

  send(item: StreamItem): void {
    const queue = this.#queue
    const wasEmpty = queue.isEmpty
    // A newer watermark right behind one that nobody took yet says all that both would.
    if (item.kind === 'watermark' && !wasEmpty && queue.replaceable?.kind === 'watermark') {
      queue.replace(item)
      return
    }
    queue.push(item)
    this.#weight += weightOf(item)
    if (!this.#full && this.#weight >= this.#capacity) {
      this.#full = true
      this.#output?.whenFull()
    }
    if (wasEmpty) this.#input?.whenData()
  }

  overtake(barrier: CheckpointBarrier): readonly InFlightItem[] {
    this.#queue.pushAhead(barrier)
    return []
  }

  holds(): boolean {
    return false
  }

  hasten(): undefined {
    return undefined
  }

  poll(): StreamItem | undefined {
    const item = this.#queue.poll()
    if (item === undefined) return undefined
    this.#weight -= weightOf(item)
    if (this.#full && this.#weight * 2 < this.#capacity) {
      this.#full = false
      this.#output?.whenFree()
    }
    return item
  }

  pollPriority(): PriorityBarrier | undefined {
    return this.#queue.pollPriority()
  }

  beginRecording(checkpointId: number): readonly InFlightItem[] {
    return this.#queue.beginRecording(checkpointId)
  }

  endRecording(checkpointId: number): readonly InFlightItem[] {
    return this.#queue.endRecording(checkpointId)
  }
}

/**
 * An event counts as one record: no flood of events may grow the queue without limit. But for
 * barriers, which are few: one may leave the queue by another way than it came.
 */
function weightOf(item: StreamItem): number {
  if (item.kind === 'records') return item.size
  return item.kind === 'barrier' ? 0 : 1
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
