/**
 * The receiver's end of a channel from another slot: frames as they came, made into records when the
 * task takes them.
 *
 * Invariants
 *  RI1  Items come out in the order they were sent.
 *  RI2  The pieces of a record come out as one, when the last has come; until then they wait here
 *       without holding credit, for the record may be larger than all credits.
 */
import { assert } from '../../common/assert.ts'
import type { FrameDecoder } from '../../schema/frame-decoder.ts'
import type { FramePiece, InputChannel } from './channel.ts'
import type { CreditAccount } from './credit-pool.ts'
import { decodeEvent } from './event-codec.ts'
import { networkErrors } from './network-errors.ts'
import { readBatch } from './piece-codec.ts'
import { RECORD_BYTES_MAX } from './remote-output.ts'
import type { StreamEvent, StreamItem } from './stream-item.ts'
import { FLAG_MORE, type Frame } from './wire-format.ts'

export interface RemoteInputOptions {
  /** One an input: a batch is read to its end when it is taken. */
  readonly decoder: FrameDecoder<unknown>
  readonly account: CreditAccount
}

type Held = FramePiece | StreamEvent

export class RemoteInput implements InputChannel {
  readonly #options: RemoteInputOptions
  #queue: Held[] = []
  #head = 0
  /** Events and whole records in the queue. */
  #complete = 0
  /** Of the record whose last piece has not come yet. */
  #partialBytes = 0
  #ended = false
  #whenData: (() => void) | undefined

  constructor(options: RemoteInputOptions) {
    this.#options = options
  }

  get isEmpty(): boolean {
    return this.#complete === 0
  }

  /** The end of the partition has come. */
  get isEnded(): boolean {
    return this.#ended
  }

  listen(whenData: () => void): void {
    this.#whenData = whenData
  }

  /** Takes a frame of this channel; throws WEIR_FRAME_MALFORMED. */
  arrived(frame: Frame): void {
    const { account } = this.#options
    if (account.granted === 0) {
      throw networkErrors.WEIR_FRAME_MALFORMED({ what: `${frame.kind} without credit` })
    }
    if (this.#ended) {
      throw networkErrors.WEIR_FRAME_MALFORMED({ what: `${frame.kind} after the end` })
    }
    const wasEmpty = this.isEmpty
    const item = frame.kind === 'data' ? pieceOf(frame) : decodeEvent(frame)
    account.arrived(frame.amount)
    this.#queue.push(item)
    if (item.kind === 'frame') this.#checkPiece(item)
    else if (this.#partialBytes > 0) {
      throw networkErrors.WEIR_FRAME_MALFORMED({ what: `${item.kind} within a record` })
    } else if (item.kind === 'end-of-partition') {
      this.#ended = true
      account.close()
    }
    if (item.kind === 'frame' && item.more) return
    this.#complete++
    if (wasEmpty) this.#whenData?.()
  }

  poll(): StreamItem | undefined {
    if (this.isEmpty) return undefined
    const first = this.#queue[this.#head] as Held
    const isPiece = first.kind === 'frame' && first.more
    const end = isPiece ? this.#endOfRecord() : this.#head + 1
    const pieces = isPiece ? (this.#queue.slice(this.#head, end) as FramePiece[]) : []
    this.#forward(end)
    this.#complete--
    this.#options.account.taken()
    if (first.kind !== 'frame') return first
    const bytes = isPiece ? Buffer.concat(pieces.map(piece => piece.bytes)) : first.bytes
    return readBatch(this.#options.decoder, bytes)
  }

  #checkPiece({ bytes, more }: FramePiece): void {
    if (!more) {
      this.#partialBytes = 0
      return
    }
    this.#partialBytes += bytes.length
    if (this.#partialBytes > RECORD_BYTES_MAX) {
      throw networkErrors.WEIR_FRAME_MALFORMED({ what: `a record of ${this.#partialBytes} bytes` })
    }
    // RI2
    this.#options.account.taken()
  }

  /** Behind the last piece of the first record. */
  #endOfRecord(): number {
    let at = this.#head
    for (;;) {
      const item = this.#queue[at]
      assert(item?.kind === 'frame', 'RI2: the pieces of a record follow each other')
      at++
      if (!item.more) return at
    }
  }

  #forward(to: number): void {
    this.#head = to
    if (to < this.#queue.length) return
    this.#queue = []
    this.#head = 0
  }
}

function pieceOf({ payload, flags }: Frame): FramePiece {
  return { kind: 'frame', bytes: payload, more: (flags & FLAG_MORE) !== 0 }
}
