/**
 * A piece of a state table: open addressing with linear probing over arrays side by side. A probe
 * reads the slot's pair (tag, stamp) in one cache line, the value is at the same slot of another
 * array: the processor fetches both at once, which no table of entry numbers allows.
 *
 * Owns        where a pair is placed and how gaps are closed.
 * Leaves out  which segment a key belongs to, growth, snapshots (`EntryTable`).
 *
 * Invariants
 *  G1  A slot is empty when its stamp is 0. Between the home slot of a tag and its own none is empty.
 *  G2  Without `keys` every tag is its key: 32-bit integers without namespaces.
 */
import { hashKey, type PrimitiveKey } from '../key.ts'

/** An array or a typed array. */
export interface Page {
  readonly length: number
  [slot: number]: unknown
}

export interface SegmentShape {
  makeValues(slots: number): Page
  /** With TTL times. */
  readonly timed: boolean
}

export class Segment {
  /** Pairs of a tag (the hash of key and namespace) and a stamp. */
  readonly slots: Int32Array
  readonly values: Page
  keys: PrimitiveKey[] | undefined = undefined
  namespaces: Float64Array | undefined = undefined
  /** When each value was last renewed; `undefined` without TTL. */
  readonly times: Float64Array | undefined
  used = 0
  /** How many bits of the mixed tag all its entries share. */
  readonly depth: number
  /** A running snapshot has not walked over it yet. */
  isPending = false
  /** Its entries went to larger or other segments. */
  isRetired = false

  constructor(capacity: number, depth: number, shape: SegmentShape) {
    this.slots = new Int32Array(capacity * 2)
    this.values = shape.makeValues(capacity)
    this.times = shape.timed ? new Float64Array(capacity) : undefined
    this.depth = depth
  }

  get capacity(): number {
    return this.slots.length >>> 1
  }

  stamp(slot: number): number {
    return this.slots[slot * 2 + 1] as number
  }

  key(slot: number): PrimitiveKey {
    return this.keys === undefined
      ? (this.slots[slot * 2] as number)
      : (this.keys[slot] as PrimitiveKey)
  }

  namespace(slot: number): number {
    return this.namespaces === undefined ? 0 : (this.namespaces[slot] as number)
  }

  /** The slot of a tag where tags are keys (G2); -1 when absent. */
  findTag(tag: number): number {
    const { slots } = this
    const wrap = slots.length - 1
    let at = (mix(tag) << 1) & wrap
    while (slots[at] !== tag || slots[at + 1] === 0) {
      if (slots[at + 1] === 0) return -1
      at = (at + 2) & wrap
    }
    return at >>> 1
  }

  /** The slot of a key in a namespace, whose tag is given; -1 when absent. */
  findKey(tag: number, key: PrimitiveKey | undefined, namespace: number): number {
    const { slots, namespaces } = this
    const keys = this.keys as PrimitiveKey[]
    const wrap = slots.length - 1
    let at = (mix(tag) << 1) & wrap
    while (slots[at + 1] !== 0) {
      const slot = at >>> 1
      if (slots[at] === tag && isSameKey(keys[slot], key)) {
        if ((namespaces === undefined ? 0 : namespaces[slot]) === namespace) return slot
      }
      at = (at + 2) & wrap
    }
    return -1
  }

  /** Takes the first free slot for a tag. */
  place(tag: number, stamp: number): number {
    const { slots } = this
    const wrap = slots.length - 1
    let at = (mix(tag) << 1) & wrap
    while (slots[at + 1] !== 0) at = (at + 2) & wrap
    slots[at] = tag
    slots[at + 1] = stamp
    this.used++
    return at >>> 1
  }

  /** Keeps keys beside the tags from now on (G2). */
  addKeys(): PrimitiveKey[] {
    const { slots, capacity } = this
    // Filled first: an array of one kind of elements in every segment.
    const keys = new Array<PrimitiveKey>(capacity).fill(undefined as unknown as PrimitiveKey)
    for (let slot = 0; slot < capacity; slot++) {
      if (slots[slot * 2 + 1] !== 0) keys[slot] = slots[slot * 2] as number
    }
    this.keys = keys
    return keys
  }

  addNamespaces(): Float64Array {
    if (this.keys === undefined) this.addKeys()
    this.namespaces = new Float64Array(this.capacity)
    return this.namespaces
  }

  /** Copies an entry to a free slot of `target`, which has the same columns. */
  moveTo(target: Segment, from: number): void {
    const to = target.place(this.slots[from * 2] as number, this.slots[from * 2 + 1] as number)
    this.copy(target, from, to)
  }

  /** Empties a slot, then moves entries back over the gap until no probe would miss one (G1). */
  close(slot: number, emptyValue: unknown): void {
    const { slots } = this
    const wrap = slots.length - 1
    let gap = slot * 2
    let next = (gap + 2) & wrap
    while (slots[next + 1] !== 0) {
      const home = (mix(slots[next] as number) << 1) & wrap
      if (((next - home) & wrap) >= ((next - gap) & wrap)) {
        slots[gap] = slots[next] as number
        slots[gap + 1] = slots[next + 1] as number
        this.copy(this, next >>> 1, gap >>> 1)
        gap = next
      }
      next = (next + 2) & wrap
    }
    slots[gap + 1] = 0
    // What no entry points at must not be kept alive.
    this.values[gap >>> 1] = emptyValue
    if (this.keys !== undefined) this.keys[gap >>> 1] = undefined as unknown as PrimitiveKey
    this.used--
  }

  /** The slots whose entries `close(slot)` would move. */
  *followers(slot: number): Iterable<number> {
    const { capacity } = this
    for (let at = (slot + 1) % capacity; this.stamp(at) !== 0; at = (at + 1) % capacity) yield at
  }

  private copy(target: Segment, from: number, to: number): void {
    target.values[to] = this.values[from]
    if (this.keys !== undefined)
      (target.keys as PrimitiveKey[])[to] = this.keys[from] as PrimitiveKey
    if (this.namespaces !== undefined) {
      ;(target.namespaces as Float64Array)[to] = this.namespaces[from] as number
    }
    if (this.times !== undefined) {
      ;(target.times as Float64Array)[to] = this.times[from] as number
    }
  }

  get bytes(): number {
    return (
      this.slots.byteLength +
      this.values.length * 8 +
      (this.keys === undefined ? 0 : this.keys.length * 8) +
      (this.namespaces?.byteLength ?? 0) +
      (this.times?.byteLength ?? 0)
    )
  }
}

/** Equal for equal (key, namespace); without a namespace the key's own hash. */
export function tagOf(hash: number, namespace: number): number {
  return namespace === 0 ? hash : hash ^ Math.imul(hashKey(namespace), 0x9e3779b1)
}

/**
 * Spreads a tag over 32 bits by the golden ratio (Knuth, TAOCP 3, 6.4): the high bits choose the
 * segment, the low ones, into which higher ones are folded, the slot.
 */
export function mix(tag: number): number {
  const h = Math.imul(tag, 0x9e3779b1)
  return h ^ (h >>> 15)
}

function isSameKey(a: PrimitiveKey | undefined, b: PrimitiveKey | undefined): boolean {
  return a === b || (Number.isNaN(a) && Number.isNaN(b))
}
