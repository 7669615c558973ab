/**
 * A channel with a queue at both ends, as over a network: items leave the sender one by one, when
 * the receiver has room. What `move` does not move is output state.
 */
import type { JobEdge } from '../../../src/graph/job-graph.ts'
import type {
  Exchange,
  InFlightItem,
  InputChannel,
  InputListener,
  OutputChannel,
  OutputListener,
  PriorityBarrier,
} from '../../../src/runtime/network/channel.ts'
import { InputQueue } from '../../../src/runtime/network/input-queue.ts'
import type {
  RecordBatch,
  StatusEvent,
  StreamItem,
  WatermarkEvent,
} from '../../../src/runtime/network/stream-item.ts'
import type { CheckpointBarrier } from '../../../src/runtime/task-contract.ts'

type Data = RecordBatch | WatermarkEvent | StatusEvent

export interface SlowChannelOptions {
  /** Items that the sender keeps before it pauses. */
  readonly sendItems: number
  /** Items that the receiver takes before it polls. */
  readonly receiveItems: number
}

export class SlowChannel implements OutputChannel, InputChannel {
  readonly #options: SlowChannelOptions
  #sending: StreamItem[] = []
  readonly #queue: InputQueue<Data>
  #received = 0
  #full = false
  #output: OutputListener | undefined
  #input: InputListener | undefined

  constructor(options: SlowChannelOptions) {
    this.#options = options
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
    this.#sending.push(item)
    this.#tellRoom()
  }

  /** Lets one item arrive; false when none can. */
  move(): boolean {
    if (this.#received >= this.#options.receiveItems) return false
    const item = this.#sending.shift()
    if (item === undefined) return false
    const wasEmpty = this.#queue.isEmpty
    this.#queue.push(item)
    if (item.kind === 'barrier') this.#output?.whenBarrierLeft()
    else this.#received++
    if (wasEmpty) this.#input?.whenData()
    this.#tellRoom()
    return true
  }

  overtake(barrier: CheckpointBarrier): readonly InFlightItem[] {
    this.#queue.pushAhead(barrier)
    return this.#data()
  }

  holds(checkpointId: number): boolean {
    return this.#placeOf(checkpointId) >= 0
  }

  hasten(barrier: CheckpointBarrier): readonly InFlightItem[] | undefined {
    const place = this.#placeOf(barrier.checkpointId)
    if (place < 0) return undefined
    const overtaken = this.#data().filter(item => this.#sending.indexOf(item) < place)
    this.#sending.splice(place, 1)
    this.#queue.pushAhead(barrier)
    return overtaken
  }

  poll(): StreamItem | undefined {
    const item = this.#queue.poll()
    if (item !== undefined && item.kind !== 'barrier') this.#received--
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

  #placeOf(checkpointId: number): number {
    return this.#sending.findIndex(item => {
      return item.kind === 'barrier' && item.barrier.checkpointId === checkpointId
    })
  }

  #data(): Data[] {
    return this.#sending.filter((item): item is Data => {
      return item.kind === 'records' || item.kind === 'watermark' || item.kind === 'status'
    })
  }

  #tellRoom(): void {
    const full = this.#sending.length >= this.#options.sendItems
    if (full === this.#full) return
    this.#full = full
    if (full) this.#output?.whenFull()
    else this.#output?.whenFree()
  }
}

/** The channels of all subtasks; `move` chooses when what arrives. */
export class SlowExchange implements Exchange {
  readonly channels = new Map<string, SlowChannel>()
  readonly #options: SlowChannelOptions

  constructor(options: SlowChannelOptions) {
    this.#options = options
  }

  output(edge: JobEdge, from: number, to: number): OutputChannel {
    return this.#channel(edge, from, to)
  }

  input(edge: JobEdge, from: number, to: number): InputChannel {
    return this.#channel(edge, from, to)
  }

  /** Lets an item arrive on each channel that can. */
  moveAll(): void {
    for (const channel of this.channels.values()) channel.move()
  }

  #channel(edge: JobEdge, from: number, to: number): SlowChannel {
    const id = `${from} ${to} ${edge.id}`
    const channel = this.channels.get(id) ?? new SlowChannel(this.#options)
    this.channels.set(id, channel)
    return channel
  }
}
