/**
 * The sender's end of a channel to another slot: records are collected into an open frame, frames
 * and events wait in a queue for credit.
 *
 * Owns        the open frame, the queue, and the credit that the receiver granted.
 * Leaves out  the connection (`output-line.ts`), and when an open frame has waited long enough
 *             (`network-exchange.ts`).
 *
 * Invariants
 *  RO1  Items leave in the order they were sent; but a barrier that overtakes leaves first.
 *  RO2  Each item that leaves in order uses one credit.
 *  RO3  `whenFull` and `whenFree` alternate, beginning with `whenFull`.
 */
import { assert } from '../../common/assert.ts'
import type { FrameEncoder } from '../../schema/frame-encoder.ts'
import type { CheckpointBarrier } from '../task-contract.ts'
import type { InFlightItem, OutputChannel, OutputListener } from './channel.ts'
import { encodeEvent } from './event-codec.ts'
import { networkErrors } from './network-errors.ts'
import { FRAME_BYTES_MAX } from './network-settings.ts'
import type { RecordBatch, StreamEvent, StreamItem } from './stream-item.ts'
import {
  FLAG_MORE,
  FLAG_PRIORITY,
  HEADER_BYTES,
  PAYLOAD_BYTES_MAX,
  putAmount,
  putHeader,
} from './wire-format.ts'

/** What a channel asks of its connection. */
export interface FrameSender {
  /** Something may leave. `full`: at least one full frame, which waits for nothing. */
  ready(output: RemoteOutput, full: boolean): void
  /** Leaves before everything that is not on the wire yet. */
  sendFirst(frame: Buffer): void
  /** There are records in the open frame now: it must not wait for ever. */
  opened(output: RemoteOutput): void
}

export interface RemoteOutputOptions {
  /** For messages. */
  readonly edgeId: string
  /** Its number on the wire. */
  readonly channel: number
  /** Its frames have room for a header before them. */
  readonly encoder: FrameEncoder<unknown>
  readonly sender: FrameSender
  readonly frameBytes: number
}

/** Full frames that wait here before the task has to pause. */
const QUEUED_FRAMES = 2

/**
 * A record beyond this is a mistake; the receiver must hold it whole, whatever the credits say.
 */
export const RECORD_BYTES_MAX: number = 64 * 1024 * 1024

/** Entries that have left and still stand in the queue. */
const TAKEN_MAX = 16

interface Waiting {
  /** The whole frame, header included. */
  readonly frame: Buffer
  /** `undefined`: data. */
  readonly event: StreamEvent | undefined
  readonly more: boolean
}

export class RemoteOutput implements OutputChannel {
  readonly #options: RemoteOutputOptions
  readonly #encoder: FrameEncoder<unknown>
  #queue: Waiting[] = []
  #head = 0
  #bytes = 0
  #credits = 0
  #capacityBytes: number
  #full = false
  #hasOpened = false
  #ended = false
  #listener: OutputListener | undefined

  constructor(options: RemoteOutputOptions) {
    this.#options = options
    this.#encoder = options.encoder
    this.#capacityBytes = options.frameBytes * QUEUED_FRAMES
  }

  /** Whether something may leave now. */
  get canSend(): boolean {
    return this.#credits > 0 && this.#head < this.#queue.length
  }

  /** The end of the partition has left. */
  get isEnded(): boolean {
    return this.#ended && this.#head === this.#queue.length
  }

  /** Bytes that wait for credit. */
  get queuedBytes(): number {
    return this.#bytes
  }

  get queuedFrames(): number {
    return this.#queue.length - this.#head
  }

  /** Beyond so many the task has to pause. */
  get capacityBytes(): number {
    return this.#capacityBytes
  }

  get credits(): number {
    return this.#credits
  }

  /** The task has to pause. */
  get isFull(): boolean {
    return this.#full
  }

  listen(listener: OutputListener): void {
    this.#listener = listener
  }

  send(item: StreamItem): void {
    assert(!this.#ended, 'RO1: nothing follows the end of the partition')
    if (item.kind === 'records') this.#collect(item)
    else this.#sendEvent(item)
    if (this.canSend) {
      this.#options.sender.ready(this, this.#bytes >= this.#capacityBytes >> 2)
    }
    if (!this.#full && this.#bytes >= this.#capacityBytes) {
      this.#full = true
      this.#listener?.whenFull()
    }
  }

  /** The open frame has waited long enough. */
  flush(): void {
    this.#hasOpened = false
    this.#closeFrame()
    if (this.canSend) this.#options.sender.ready(this, false)
  }

  /** The receiver has room for so many more frames. */
  grant(credits: number): void {
    this.#credits += credits
    if (this.canSend) this.#options.sender.ready(this, true)
  }

  /** The receiver wants frames of another size; those that wait stay as they are. */
  resize(frameBytes: number): void {
    this.#encoder.limitBytes = frameBytes - HEADER_BYTES
    this.#capacityBytes = frameBytes * QUEUED_FRAMES
  }

  /** The next frame that leaves. */
  next(): Buffer {
    assert(this.canSend, 'RO2: what leaves has credit')
    const { frame, event } = this.#queue[this.#head] as Waiting
    this.#head++
    this.#credits--
    this.#bytes -= frame.length
    const left = this.#queue.length - this.#head
    if (left === 0 || this.#head === TAKEN_MAX) {
      // A queue that never becomes empty must not keep what has left.
      this.#queue = this.#queue.slice(this.#head)
      this.#head = 0
    }
    putAmount(frame, left)
    if (this.#full && this.#bytes * 2 < this.#capacityBytes) {
      this.#full = false
      this.#listener?.whenFree()
    }
    if (event?.kind === 'barrier') this.#listener?.whenBarrierLeft()
    return frame
  }

  overtake(barrier: CheckpointBarrier): readonly InFlightItem[] {
    this.#closeFrame()
    const overtaken = inFlight(this.#queue.slice(this.#head))
    this.#sendFirst(barrier)
    return overtaken
  }

  holds(checkpointId: number): boolean {
    return this.#find(checkpointId) !== -1
  }

  hasten(barrier: CheckpointBarrier): readonly InFlightItem[] | undefined {
    const at = this.#find(barrier.checkpointId)
    if (at === -1) return undefined
    const overtaken = inFlight(this.#queue.slice(this.#head, at))
    const [held] = this.#queue.splice(at, 1)
    this.#bytes -= held?.frame.length ?? 0
    this.#sendFirst(barrier)
    return overtaken
  }

  /** Where a barrier of this checkpoint waits. */
  #find(checkpointId: number): number {
    return this.#queue.findIndex(
      ({ event }, at) =>
        at >= this.#head &&
        event?.kind === 'barrier' &&
        event.barrier.checkpointId === checkpointId,
    )
  }

  #sendFirst(barrier: CheckpointBarrier): void {
    const { sender, channel } = this.#options
    sender.sendFirst(encodeEvent({ kind: 'barrier', barrier }, channel, FLAG_PRIORITY))
  }

  #collect({ items, size }: RecordBatch): void {
    const encoder = this.#encoder
    const end = size * 2
    for (let at = 0; at < end; at += 2) {
      const timestamp = items[at + 1] as number
      if (encoder.add(items[at], timestamp)) continue
      this.#closeFrame()
      encoder.add(items[at], timestamp)
    }
    if (this.#hasOpened || encoder.count === 0) return
    this.#hasOpened = true
    this.#options.sender.opened(this)
  }

  #sendEvent(event: StreamEvent): void {
    this.#closeFrame()
    const { channel } = this.#options
    const last = this.#queue.at(-1)
    if (event.kind === 'end-of-partition') this.#ended = true
    // A newer watermark right behind one that waits says all that both would.
    if (event.kind === 'watermark' && last?.event?.kind === 'watermark') {
      this.#queue.pop()
      this.#bytes -= last.frame.length
    }
    this.#push({ frame: encodeEvent(event, channel, 0), event, more: false })
  }

  #closeFrame(): void {
    if (this.#encoder.count === 0) return
    const frame = this.#encoder.take()
    if (frame.length > FRAME_BYTES_MAX) {
      this.#cut(frame.subarray(HEADER_BYTES))
      return
    }
    putHeader(frame, { kind: 'data', flags: 0, channel: this.#options.channel, amount: 0 })
    this.#push({ frame, event: undefined, more: false })
  }

  /** A record beyond a frame leaves in pieces. */
  #cut(payload: Buffer): void {
    const { channel, edgeId } = this.#options
    const { length } = payload
    if (length > RECORD_BYTES_MAX) {
      const limits = { sizeBytes: length, limitBytes: RECORD_BYTES_MAX }
      throw networkErrors.WEIR_RECORD_TOO_LARGE({ edge: edgeId, ...limits })
    }
    for (let at = 0; at < length; at += PAYLOAD_BYTES_MAX) {
      const end = Math.min(length, at + PAYLOAD_BYTES_MAX)
      const more = end < length
      const frame = Buffer.allocUnsafeSlow(HEADER_BYTES + end - at)
      payload.copy(frame, HEADER_BYTES, at, end)
      putHeader(frame, { kind: 'data', flags: more ? FLAG_MORE : 0, channel, amount: 0 })
      this.#push({ frame, event: undefined, more })
    }
  }

  #push(waiting: Waiting): void {
    this.#queue.push(waiting)
    this.#bytes += waiting.frame.length
  }
}

/** What channel state consists of. */
function inFlight(waiting: readonly Waiting[]): readonly InFlightItem[] {
  const items: InFlightItem[] = []
  for (const { frame, event, more } of waiting) {
    if (event === undefined) {
      items.push({ kind: 'frame', bytes: frame.subarray(HEADER_BYTES), more })
    } else if (event.kind === 'watermark' || event.kind === 'status') items.push(event)
  }
  return items
}
