/**
 * A data channel between two simulated subtasks: a queue at the sender, a wire, a queue at the
 * receiver. The receiver's credit moves data from one to the other. The queue is the real one.
 */
import { assert } from '../../common/assert.ts'
import type {
  InFlightItem,
  InputChannel,
  InputListener,
  OutputChannel,
  OutputListener,
  PriorityBarrier,
} from '../../runtime/network/channel.ts'
import { InputQueue } from '../../runtime/network/input-queue.ts'
import type { RecordBatch, StreamItem } from '../../runtime/network/stream-item.ts'
import type { CheckpointBarrier } from '../../runtime/task-contract.ts'
import type { Protection } from './protections.ts'
import { SLOW_UNTIL_MS } from './scenario.ts'
import type { Scheduler, SimProcess } from './scheduler.ts'
import { SimChannel } from './sim-channel.ts'

/** On the wire: an item, or a barrier ahead of what has not left. */
type Message = { readonly item: StreamItem } | { readonly ahead: CheckpointBarrier }

export interface SimPipeOptions {
  readonly scheduler: Scheduler
  readonly off: ReadonlySet<Protection>
  readonly delayMs: number
  /** Batches that the receiver takes before it polls. */
  readonly credit: number
}

/** The receiving end: what arrived and was not taken yet. */
export class SimInput implements InputChannel {
  readonly #off: ReadonlySet<Protection>
  readonly #queue: InputQueue<RecordBatch>
  readonly #unpolled: RecordBatch[] = []
  /** Heeded too late, where that is not prevented. */
  readonly #late: PriorityBarrier[] = []
  #listener: InputListener | undefined
  /** Told of each batch that is polled. */
  whenPolled: () => void = () => {}

  constructor(off: ReadonlySet<Protection>) {
    this.#off = off
    this.#queue = new InputQueue(() => this.#listener?.whenPriority())
  }

  get isEmpty(): boolean {
    return this.#queue.isEmpty
  }

  listen(listener: InputListener): void {
    this.#listener = listener
    listener.whenPriority()
  }

  deliver(message: Message): void {
    if ('ahead' in message) {
      this.#queue.pushAhead(message.ahead)
      if (this.#off.has('behind-barrier-waits')) this.#forgetMark()
    } else {
      const { item } = message
      assert(item.kind !== 'watermark' && item.kind !== 'status', 'a bank has no event time')
      this.#queue.push(item)
      if (item.kind === 'records') this.#unpolled.push(item)
    }
    this.#listener?.whenData()
  }

  poll(): StreamItem | undefined {
    const item = this.#queue.poll()
    if (item?.kind === 'records') {
      this.#unpolled.shift()
      this.whenPolled()
    }
    if (item === undefined && this.#late.length > 0) this.#listener?.whenPriority()
    return item
  }

  pollPriority(): PriorityBarrier | undefined {
    if (this.#late.length > 0 && this.#queue.isEmpty) return this.#late.shift()
    return this.#queue.pollPriority()
  }

  beginRecording(checkpointId: number): readonly InFlightItem[] {
    const items = this.#queue.beginRecording(checkpointId)
    if (this.#off.has('channel-recording')) return []
    return this.#off.has('post-barrier-not-recorded') ? [...this.#unpolled] : items
  }

  endRecording(checkpointId: number): readonly InFlightItem[] {
    const items = this.#queue.endRecording(checkpointId)
    const isDropped = this.#off.has('channel-recording') || this.#off.has('record-until-barrier')
    return isDropped ? [] : items
  }

  #forgetMark(): void {
    const priority = this.#queue.pollPriority()
    if (priority !== undefined) this.#late.push(priority)
  }
}

/** The sending end. */
export class SimOutput implements OutputChannel {
  readonly #off: ReadonlySet<Protection>
  readonly #scheduler: Scheduler
  readonly #wire: SimChannel<Message>
  #queue: StreamItem[] = []
  #credit: number
  #listener: OutputListener | undefined

  constructor(
    options: SimPipeOptions,
    ends: {
      readonly input: SimInput
      readonly from: SimProcess
      readonly to: () => SimProcess
    },
  ) {
    const { scheduler, off, delayMs, credit } = options
    const { input, from, to } = ends
    const ordered = !off.has('fifo-channels')
    this.#off = off
    this.#scheduler = scheduler
    this.#credit = credit
    this.#wire = new SimChannel<Message>({
      scheduler,
      from,
      to,
      delayMs,
      ordered,
      deliver: message => input.deliver(message),
    })
    input.whenPolled = () => {
      scheduler.after(scheduler.between(0.05, delayMs), from, () => {
        this.#credit++
        this.#drain()
      })
    }
  }

  /** Batches that have not left. */
  get waiting(): number {
    return this.#data().length
  }

  listen(listener: OutputListener): void {
    this.#listener = listener
  }

  send(item: StreamItem): void {
    this.#queue.push(item)
    this.#drain()
  }

  overtake(barrier: CheckpointBarrier): readonly InFlightItem[] {
    this.#wire.send({ ahead: barrier })
    return this.#off.has('output-recording') ? [] : this.#data()
  }

  holds(checkpointId: number): boolean {
    return this.#placeOf(checkpointId) >= 0
  }

  hasten(barrier: CheckpointBarrier): readonly InFlightItem[] | undefined {
    const place = this.#placeOf(barrier.checkpointId)
    if (place < 0) return undefined
    const overtaken = this.#queue.slice(0, place).filter(isBatch)
    this.#queue.splice(place, 1)
    this.#wire.send({ ahead: barrier })
    return this.#off.has('output-recording') ? [] : overtaken
  }

  #drain(): void {
    for (let item = this.#queue[0]; item !== undefined; item = this.#queue[0]) {
      const isFree = item.kind !== 'records' || this.#scheduler.nowMs > SLOW_UNTIL_MS
      if (!isFree && this.#credit <= 0) return
      if (item.kind === 'records') this.#credit--
      this.#queue.shift()
      this.#wire.send({ item })
      if (item.kind === 'barrier') this.#listener?.whenBarrierLeft()
      if (item.kind === 'records') this.#listener?.whenFree()
    }
  }

  #placeOf(checkpointId: number): number {
    return this.#queue.findIndex(item => {
      return item.kind === 'barrier' && item.barrier.checkpointId === checkpointId
    })
  }

  #data(): RecordBatch[] {
    return this.#queue.filter(isBatch)
  }
}

function isBatch(item: StreamItem): item is RecordBatch {
  return item.kind === 'records'
}
