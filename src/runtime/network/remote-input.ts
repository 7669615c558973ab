/**
 * The receiver's end of a channel from another slot: frames as they came, made into records when
 * the task takes them.
 *
 * Owns        which pieces make up a record, and when a frame gives its credit back.
 * Leaves out  the order of items and barriers, and recording (`input-queue.ts`).
 *
 * Invariants
 *  RI1  A frame in the queue holds a credit, so that the queue is bounded by credits; but not a
 *       barrier, for it may leave by another way, nor the pieces of a record whose end has not
 *       come, for it may be larger than all credits.
 *  RI2  A record comes out when its last piece has come; until then all its pieces stand here, to
 *       be recorded with the rest.
 */
import { assert } from '../../common/assert.ts'
import type { FrameDecoder } from '../../schema/frame-decoder.ts'
import type {
  FramePiece,
  InFlightItem,
  InputChannel,
  InputListener,
  PriorityBarrier,
} from './channel.ts'
import type { CreditAccount } from './credit-pool.ts'
import { decodeEvent } from './event-codec.ts'
import { InputQueue } from './input-queue.ts'
import { networkErrors } from './network-errors.ts'
import { RECORD_BYTES_MAX } from './remote-output.ts'
import {
  RecordBatch,
  type StatusEvent,
  type StreamEvent,
  type StreamItem,
  type WatermarkEvent,
} from './stream-item.ts'
import { FLAG_MORE, FLAG_PRIORITY, type Frame } from './wire-format.ts'

export interface RemoteInputOptions {
  /** One an input: a batch is read to its end when it is taken. */
  readonly decoder: FrameDecoder<unknown>
  readonly account: CreditAccount
  /** Bytes of records that the task took. */
  took(bytes: number): void
}

type Data = FramePiece | WatermarkEvent | StatusEvent

export class RemoteInput implements InputChannel {
  readonly #options: RemoteInputOptions
  readonly #queue: InputQueue<Data>
  /** At the end of the queue: pieces of a record whose last piece has not come, and their bytes. */
  #openPieces = 0
  #openBytes = 0
  /** Pieces that were taken out of the queue before a barrier that stands within their record. */
  #taken: FramePiece[] = []
  /** The newest barrier that was given, and the one before the pieces in `#taken`. */
  #given = 0
  #takenAfter = 0
  #ended = false
  #listener: InputListener | undefined

  constructor(options: RemoteInputOptions) {
    this.#options = options
    this.#queue = new InputQueue(() => this.#listener?.whenPriority())
  }

  get isEmpty(): boolean {
    return this.#queue.length === this.#openPieces
  }

  /** Credits that the sender has or is about to be told of. */
  get granted(): number {
    return this.#options.account.granted
  }

  /** The end of the partition has come. */
  get isEnded(): boolean {
    return this.#ended
  }

  listen(listener: InputListener): void {
    this.#listener = listener
  }

  /** Takes a frame of this channel; throws WEIR_FRAME_MALFORMED. */
  arrived(frame: Frame): void {
    if (this.#ended) throw malformed(`${frame.kind} after the end`)
    if ((frame.flags & FLAG_PRIORITY) !== 0) {
      this.#overtook(frame)
      return
    }
    const { account } = this.#options
    if (account.granted === 0) throw malformed(`${frame.kind} without credit`)
    const wasEmpty = this.isEmpty
    account.arrived(frame.amount)
    if (frame.kind === 'data') this.#pushPiece(frame)
    else this.#pushEvent(decodeEvent(frame))
    if (wasEmpty && !this.isEmpty) this.#listener?.whenData()
  }

  poll(): StreamItem | undefined {
    if (this.isEmpty) return undefined
    const { account } = this.#options
    const item = this.#queue.poll()
    if (item === undefined) return undefined
    if (item.kind === 'frame') return this.#pollRecord(item)
    if (item.kind === 'barrier') this.#given = item.barrier.checkpointId
    else account.taken()
    return item
  }

  pollPriority(): PriorityBarrier | undefined {
    const priority = this.#queue.pollPriority()
    if (priority?.announced === false) this.#given = priority.barrier.checkpointId
    return priority
  }

  beginRecording(checkpointId: number): readonly InFlightItem[] {
    const queued = this.#queue.beginRecording(checkpointId)
    if (this.#taken.length === 0 || checkpointId <= this.#takenAfter) return queued
    return [...this.#taken, ...queued]
  }

  endRecording(checkpointId: number): readonly InFlightItem[] {
    return this.#queue.endRecording(checkpointId)
  }

  #overtook(frame: Frame): void {
    const event = decodeEvent(frame)
    if (event.kind !== 'barrier') throw malformed(`${event.kind} overtakes`)
    this.#queue.pushAhead(event.barrier)
  }

  #pushPiece({ payload, flags }: Frame): void {
    const more = (flags & FLAG_MORE) !== 0
    this.#queue.push({ kind: 'frame', bytes: payload, more })
    this.#openPieces = more ? this.#openPieces + 1 : 0
    this.#openBytes = more ? this.#openBytes + payload.length : 0
    if (this.#openBytes > RECORD_BYTES_MAX) throw malformed(`a record of ${this.#openBytes} bytes`)
    if (more) this.#options.account.taken()
  }

  #pushEvent(event: StreamEvent): void {
    const { account } = this.#options
    if (this.#openPieces > 0) throw malformed(`${event.kind} within a record`)
    if (event.kind === 'watermark' && this.#queue.replaceable?.kind === 'watermark') {
      this.#queue.replace(event)
      account.taken()
      return
    }
    this.#queue.push(event)
    if (event.kind === 'barrier') account.taken()
    if (event.kind !== 'end-of-partition') return
    this.#ended = true
    account.close()
  }

  /** RI2: all pieces are there, but a barrier that was not given may stand between two of them. */
  #pollRecord(first: FramePiece): StreamItem | undefined {
    const { account, decoder, took } = this.#options
    if (this.#taken.length === 0) this.#takenAfter = this.#given
    let piece = first
    while (piece.more) {
      this.#taken.push(piece)
      const next = this.#queue.poll()
      if (next === undefined) return undefined
      assert(next.kind === 'frame', 'RI2: the pieces of a record follow each other')
      piece = next
    }
    account.taken()
    const isOne = this.#taken.length === 0
    const bytes = isOne ? piece.bytes : this.#join(piece)
    took(bytes.length)
    const size = decoder.open(bytes)
    return new RecordBatch(decoder.items(), size)
  }

  #join(last: FramePiece): Buffer {
    const pieces = [...this.#taken, last]
    this.#taken = []
    return Buffer.concat(pieces.map(piece => piece.bytes))
  }
}

function malformed(what: string): Error {
  return networkErrors.WEIR_FRAME_MALFORMED({ what })
}
