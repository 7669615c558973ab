/**
 * The slots of a table at one size: open addressing with linear probing over arrays side by side. A
 * probe reads the slot's pair (tag, stamp) in one cache line, the value is at the same slot of
 * another array: the processor fetches both at once, which no table of entry numbers allows.
 *
 * Owns        where a pair is placed and how gaps are closed.
 * Leaves out  growth and snapshots (`EntryTable`).
 *
 * Invariants
 *  G1  A slot is empty when its stamp is 0. Between the home slot of a tag and its own none is
 *      empty.
 *  G2  Without `keys` and `pairs` every tag is its key: 32-bit integers without namespaces. With
 *      `pairs` alone every key is a pair of 32-bit integers.
 */
import type { PrimitiveKey } from '../key.ts'
import { hashKey } from '../key.ts'
import { foldPair, hashPair, type IntPair } from '../pair-key.ts'
import { GOLDEN, ObjectPages } from './object-pages.ts'
import type { RecordArena } from './record-arena.ts'

export type Values = Int32Array | Float64Array | ObjectPages

export interface GenerationShape {
  makeValues(slots: number): Values
  /** Cells of `values` a slot. */
  readonly width: number
  /** With TTL times. */
  readonly timed: boolean
  /** Where values are kept encoded, if they are: shared by the generations of a table. */
  makeArena?(): RecordArena
  /** Puts a value that was kept as it is into the arena; throws where its type refuses it. */
  readonly encode?: (arena: RecordArena, value: unknown) => number
}

/** Slots of a page: what a snapshot copies at once, some 16 kB in a few microseconds. */
export const PAGE_SHIFT = 10

/** The stamp of an entry that went to the next generation, or was removed before it could. */
const GONE = -1

export class Generation {
  readonly capacity: number
  /** Pairs of a tag (the hash of key and namespace) and a stamp. */
  readonly slots: Int32Array
  readonly values: Values
  /** Of the values, if they are encoded. */
  readonly arena: RecordArena | undefined
  keys: ObjectPages | undefined = undefined
  /** The two integers of each key. Once there are `keys`, only a snapshot begun before reads it. */
  pairs: Int32Array | undefined = undefined
  namespaces: Float64Array | undefined = undefined
  /** When each value was last renewed; `undefined` without TTL. */
  readonly times: Float64Array | undefined
  /** While a snapshot runs: 1 for pages of slots that it still needs as they are. */
  #pending: Uint8Array | undefined = undefined
  readonly #width: number
  readonly #encode: GenerationShape['encode']
  /** 32 less the bits of a slot number: the high bits of the product are a tag's home. */
  readonly #shift: number

  /** `capacity` is a power of two. */
  constructor(capacity: number, shape: GenerationShape, arena: RecordArena | undefined) {
    this.capacity = capacity
    this.slots = new Int32Array(capacity * 2)
    this.values = shape.makeValues(capacity)
    this.arena = this.values instanceof ObjectPages ? undefined : arena
    this.times = shape.timed ? new Float64Array(capacity) : undefined
    this.#width = shape.width
    this.#encode = shape.encode
    this.#shift = 1 + Math.clz32(capacity)
  }

  /** A snapshot begins: all pages are pending. */
  beginPending(): void {
    this.#pending = new Uint8Array(((this.capacity - 1) >>> PAGE_SHIFT) + 1).fill(1)
  }

  endPending(): void {
    this.#pending = undefined
  }

  /** Whether the running snapshot must have seen to a slot before it is changed. */
  isPending(slot: number): boolean {
    return this.#pending !== undefined && this.#pending[slot >>> PAGE_SHIFT] === 1
  }

  /** The snapshot needs nothing of a page any more. */
  settlePage(page: number): void {
    if (this.#pending !== undefined) this.#pending[page] = 0
  }

  tag(slot: number): number {
    return this.slots[slot * 2] as number
  }

  /** Above 0 for an entry. */
  stamp(slot: number): number {
    return this.slots[slot * 2 + 1] as number
  }

  isEntry(slot: number): boolean {
    return (this.slots[slot * 2 + 1] as number) > 0
  }

  key(slot: number): PrimitiveKey {
    const { keys, pairs } = this
    if (keys !== undefined) return keys.get(slot) as PrimitiveKey
    if (pairs === undefined) return this.slots[slot * 2] as number
    return foldPair({
      first: pairs[slot * 2] as number,
      second: pairs[slot * 2 + 1] as number,
    })
  }

  /** What `hashKey` gives of the entry's key. */
  hash(slot: number): number {
    const { keys, pairs } = this
    if (keys !== undefined) return hashKey(keys.get(slot) as PrimitiveKey)
    if (pairs === undefined) return this.slots[slot * 2] as number
    return hashPair(pairs[slot * 2] as number, pairs[slot * 2 + 1] as number)
  }

  namespace(slot: number): number {
    return this.namespaces === undefined ? 0 : (this.namespaces[slot] as number)
  }

  /** The slot of a tag where tags are keys (G2); -1 when absent. */
  findTag(tag: number): number {
    const { slots } = this
    const wrap = slots.length - 1
    let at = (Math.imul(tag, GOLDEN) >>> this.#shift) << 1
    while (slots[at] !== tag || (slots[at + 1] as number) <= 0) {
      if (slots[at + 1] === 0) return -1
      at = (at + 2) & wrap
    }
    return at >>> 1
  }

  /** The slot of a key in a namespace, whose tag is given; -1 when absent. */
  findKey(tag: number, key: PrimitiveKey | undefined, namespace: number): number {
    const { slots, namespaces } = this
    const keys = this.keys as ObjectPages
    const wrap = slots.length - 1
    let at = this.#home(tag)
    for (;;) {
      const stamp = slots[at + 1] as number
      if (stamp === 0) return -1
      const slot = at >>> 1
      if (slots[at] === tag && stamp > 0 && isSameKey(keys.get(slot), key)) {
        if ((namespaces === undefined ? 0 : namespaces[slot]) === namespace) return slot
      }
      at = (at + 2) & wrap
    }
  }

  /** The slot of a pair in a namespace, whose tag is given; -1 when absent. */
  findPair(tag: number, { first, second }: IntPair, namespace: number): number {
    const { slots, namespaces } = this
    const pairs = this.pairs as Int32Array
    const wrap = slots.length - 1
    let at = this.#home(tag)
    for (;;) {
      const stamp = slots[at + 1] as number
      if (stamp === 0) return -1
      const isSame = slots[at] === tag && pairs[at] === first && pairs[at + 1] === second
      if (isSame && stamp > 0) {
        const slot = at >>> 1
        if ((namespaces === undefined ? 0 : namespaces[slot]) === namespace) return slot
      }
      at = (at + 2) & wrap
    }
  }

  /** The first free slot for a tag. */
  freeSlot(tag: number): number {
    const { slots } = this
    const wrap = slots.length - 1
    let at = this.#home(tag)
    while (slots[at + 1] !== 0) at = (at + 2) & wrap
    return at >>> 1
  }

  /** Puts a tag into its free slot. */
  occupy(slot: number, tag: number, stamp: number): void {
    this.slots[slot * 2] = tag
    this.slots[slot * 2 + 1] = stamp
  }

  /** Keeps keys beside the tags from now on (G2). */
  addKeys(): ObjectPages {
    const keys = new ObjectPages(this.capacity)
    for (let slot = 0; slot < this.capacity; slot++) {
      if (this.isEntry(slot)) keys.set(slot, this.key(slot))
    }
    this.keys = keys
    return keys
  }

  /** Keeps pairs as keys from now on: there is no entry yet (G2). */
  addPairs(): Int32Array {
    this.pairs = new Int32Array(this.capacity * 2)
    return this.pairs
  }

  addNamespaces(): Float64Array {
    if (this.keys === undefined && this.pairs === undefined) this.addKeys()
    this.namespaces = new Float64Array(this.capacity)
    return this.namespaces
  }

  /** Moves an entry to its free slot of the next generation; probes here still pass over (G1). */
  moveTo(next: Generation, slot: number, to: number): void {
    if (this.keys !== undefined && next.keys === undefined) next.addKeys()
    if (this.namespaces !== undefined && next.namespaces === undefined) next.addNamespaces()
    // First: encoding a value may throw.
    this.#copy(next, slot, to)
    next.occupy(to, this.tag(slot), this.stamp(slot))
    this.#copyKey(next, slot, to)
    this.drop(slot)
  }

  /** Empties a slot of a generation that is being drained. */
  drop(slot: number): void {
    this.slots[slot * 2 + 1] = GONE
    this.#release(slot)
  }

  /** Gives back the memory that the entry's value has in the arena. */
  freeRecord(slot: number): void {
    this.arena?.free((this.values as Int32Array)[slot] as number)
  }

  /** Empties a slot, then moves entries back over the gap until no probe would miss one (G1). */
  close(slot: number): void {
    const { slots } = this
    const wrap = slots.length - 1
    let gap = slot * 2
    let next = (gap + 2) & wrap
    while (slots[next + 1] !== 0) {
      const home = this.#home(slots[next] as number)
      if (((next - home) & wrap) >= ((next - gap) & wrap)) {
        slots[gap] = slots[next] as number
        slots[gap + 1] = slots[next + 1] as number
        this.#copyKey(this, next >>> 1, gap >>> 1)
        this.#copy(this, next >>> 1, gap >>> 1)
        gap = next
      }
      next = (next + 2) & wrap
    }
    slots[gap + 1] = 0
    this.#release(gap >>> 1)
  }

  /** The slots whose entries `close(slot)` may move. */
  *followers(slot: number): Iterable<number> {
    const { capacity } = this
    for (let at = (slot + 1) % capacity; this.stamp(at) !== 0; at = (at + 1) % capacity) yield at
  }

  /**
   * Reads where the entries of these tags are likely to be, so that they are in the cache when they
   * are asked for: in loops this short the processor waits for many of them at once. The result
   * means nothing; it keeps the loops from being optimised away.
   */
  touch(tags: Int32Array, count: number): number {
    const { slots, values, keys, pairs } = this
    const shift = this.#shift
    const width = this.#width
    let seen = 0
    for (let i = 0; i < count; i++) {
      seen ^= slots[(Math.imul(tags[i] as number, GOLDEN) >>> shift) << 1] as number
    }
    if (keys !== undefined) seen ^= keys.touch(tags, count, shift)
    else if (pairs !== undefined) {
      for (let i = 0; i < count; i++) {
        seen ^= pairs[(Math.imul(tags[i] as number, GOLDEN) >>> shift) << 1] as number
      }
    }
    if (values instanceof ObjectPages) return seen ^ values.touch(tags, count, shift)
    for (let i = 0; i < count; i++) {
      seen ^= values[(Math.imul(tags[i] as number, GOLDEN) >>> shift) * width] as number
    }
    return seen
  }

  get bytes(): number {
    const { values } = this
    return (
      this.slots.byteLength +
      (values instanceof ObjectPages ? values.bytes : values.byteLength) +
      (this.keys?.bytes ?? 0) +
      (this.pairs?.byteLength ?? 0) +
      (this.namespaces?.byteLength ?? 0) +
      (this.times?.byteLength ?? 0)
    )
  }

  /** Where probing for a tag begins, as an index into `slots`. Fibonacci hashing: TAOCP 3, 6.4. */
  #home(tag: number): number {
    return (Math.imul(tag, GOLDEN) >>> this.#shift) << 1
  }

  /** Nothing where tags are keys. */
  #copyKey(target: Generation, from: number, to: number): void {
    const { keys, pairs } = target
    if (keys !== undefined) keys.set(to, this.key(from))
    else if (pairs !== undefined) {
      const own = this.pairs as Int32Array
      pairs[to * 2] = own[from * 2] as number
      pairs[to * 2 + 1] = own[from * 2 + 1] as number
    }
  }

  #copy(target: Generation, from: number, to: number): void {
    const { values } = this
    if (values instanceof ObjectPages) {
      target.#take(to, values.get(from))
    } else {
      const width = this.#width
      for (let i = 0; i < width; i++) {
        ;(target.values as Float64Array)[to * width + i] = values[from * width + i] as number
      }
    }
    if (this.namespaces !== undefined) {
      ;(target.namespaces as Float64Array)[to] = this.namespaces[from] as number
    }
    if (this.times !== undefined) {
      ;(target.times as Float64Array)[to] = this.times[from] as number
    }
  }

  /** Puts a value that was kept as it is. */
  #take(slot: number, value: unknown): void {
    const { values } = this
    if (values instanceof ObjectPages) values.set(slot, value)
    else values[slot] = this.#encode?.(this.arena as RecordArena, value) ?? 0
  }

  /** What no entry points at must not be kept alive. */
  #release(slot: number): void {
    this.keys?.set(slot, undefined)
    if (this.values instanceof ObjectPages) this.values.set(slot, undefined)
    else if (this.arena !== undefined) this.values[slot] = 0
  }
}

/** Equal for equal (key, namespace); without a namespace the key's own hash. */
export function tagOf(hash: number, namespace: number): number {
  return namespace === 0 ? hash : hash ^ Math.imul(hashKey(namespace), 0x85ebca6b)
}

function isSameKey(a: unknown, b: PrimitiveKey | undefined): boolean {
  return a === b || (Number.isNaN(a) && Number.isNaN(b))
}
