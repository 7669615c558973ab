/**
 * What was in flight between an old sender and an old receiver when a checkpoint was cut: its new
 * receiver takes it before anything new. Each has its own half-received frame, so the order of its
 * records is kept whatever else is restored.
 *
 * Invariants
 *  VC1  Items come as they were sent: those recorded by the receiver, then those of the sender.
 *  VC2  No frame is left half.
 */
import { assert } from '../../common/assert.ts'
import type { Type } from '../../schema/type.ts'
import type { InFlightItem, InputChannel } from './channel.ts'
import { decodeItems, type StoredItem } from './channel-state.ts'
import { makePieceDecoder, type PieceDecoder } from './frame-pieces.ts'
import { RecordBatch, type StreamItem } from './stream-item.ts'

export interface VirtualChannelOptions {
  readonly type: Type<unknown>
  readonly sections: readonly Buffer[]
  /** Makes what the edge carries now of what was stored; `undefined`: it is the same. */
  readonly adapt?: ((value: unknown) => unknown) | undefined
  /** Which records belong here; `undefined`: all. */
  readonly keep: ((value: unknown) => boolean) | undefined
}

export class VirtualChannel implements InputChannel {
  readonly #items: Iterator<StoredItem>
  readonly #decode: PieceDecoder
  readonly #adapt: ((value: unknown) => unknown) | undefined
  readonly #keep: ((value: unknown) => boolean) | undefined
  #half = false
  #over = false

  constructor({ type, sections, adapt, keep }: VirtualChannelOptions) {
    this.#items = itemsOf(sections)
    this.#decode = makePieceDecoder(type)
    this.#adapt = adapt
    this.#keep = keep
  }

  get isEmpty(): boolean {
    return this.#over
  }

  poll(): StreamItem | undefined {
    for (;;) {
      const next = this.#items.next()
      if (next.done === true) {
        assert(!this.#half, 'VC2: the last frame of a channel is whole')
        this.#over = true
        return undefined
      }
      const item = next.value
      if (item.kind !== 'frame') return item
      this.#half = item.more
      const batch = this.#decode(item)
      const kept = batch && this.#filtered(this.#adapted(batch))
      if (kept !== undefined && kept.size > 0) return kept
    }
  }

  /** Everything is here from the beginning. */
  listen(): void {}

  pollPriority(): undefined {
    return undefined
  }

  /** No checkpoint begins before a task has taken what it restores. */
  beginRecording(): readonly InFlightItem[] {
    return []
  }

  endRecording(): readonly InFlightItem[] {
    return []
  }

  #adapted(batch: RecordBatch): RecordBatch {
    const adapt = this.#adapt
    if (adapt === undefined) return batch
    const items = batch.items.map((item, at) => (at % 2 === 0 ? adapt(item) : item))
    return new RecordBatch(items, batch.size)
  }

  #filtered(batch: RecordBatch): RecordBatch {
    const keep = this.#keep
    if (keep === undefined) return batch
    const kept: unknown[] = []
    for (let at = 0; at < batch.size * 2; at += 2) {
      if (keep(batch.items[at])) kept.push(batch.items[at], batch.items[at + 1])
    }
    return new RecordBatch(kept, kept.length / 2)
  }
}

function* itemsOf(sections: readonly Buffer[]): Generator<StoredItem> {
  for (const section of sections) yield* decodeItems(section)
}
