/**
 * One state's entries by (key, namespace): extendible hashing over {@link Segment}s. The high bits of
 * the mixed tag pick the segment; a full one is doubled up to SEGMENT_SLOTS, then split in two, so
 * that no insert ever moves more than one segment, whatever the table's size.
 *
 * Owns        the directory, growth, and which entries a running snapshot has not written yet.
 * Leaves out  what the values mean, TTL, how an entry is encoded (the sink does that).
 *
 * Every entry carries the stamp of the last snapshot that is done with it. Beginning a snapshot
 * raises the table's stamp, and so makes every entry pending, at no cost.
 *
 * Invariants
 *  E1  A segment of depth d stands in 2^(directory depth - d) neighbouring places.
 *  E2  While a snapshot runs, an entry that was there when it began is written before it is changed,
 *      removed, handed out, or moved within the segment being walked; exactly once.
 *
 * Source: Fagin, Nievergelt, Pippenger, Strong, "Extendible Hashing" (1979); deletion by backward
 * shift after Knuth, TAOCP 3, 6.4, algorithm R.
 */
import { assert } from '../../common/assert.ts'
import type { CurrentKey } from './current-key.ts'
import { mix, Segment, type SegmentShape, tagOf } from './segment.ts'

/** Writes one entry into the running snapshot. */
export interface EntrySink {
  writeEntry(table: EntryTable, segment: Segment, slot: number): void
}

/** Is told before entries are added or removed, and so may move. */
export interface MoveGuard {
  beforeMove(): void
}

export interface TableOptions extends SegmentShape {
  /** Lets go of what an entry's value holds outside its cell. */
  release(segment: Segment, slot: number): void
  /** What an empty value cell holds. */
  readonly emptyValue: unknown
  /** Refuses the hash of a key that belongs to another subtask (K2). */
  checkOwned(hash: number): void
}

/** A split moves some 23,000 entries: a fraction of a millisecond. */
const SEGMENT_SLOTS = 32_768
const FIRST_SLOTS = 16
/** Beyond this depth tags are so alike that splitting does not help: the segment is doubled. */
const DEPTH_MAX = 16

export class EntryTable {
  /** Where the entry that was made last is. */
  segment: Segment
  count = 0
  readonly #options: TableOptions
  /** The namespace of all entries, where each namespace has a table of its own. */
  readonly #outerNamespace: number
  #directory: Segment[]
  #depth = 0
  /** 32 - depth; a shift by 32 is none in JavaScript, which the mask of depth 0 makes good. */
  #shift = 32
  #mask = 0
  /** Entries with a smaller stamp are pending. */
  #stamp = 1
  #sink: EntrySink | undefined = undefined
  readonly #pending: Segment[] = []
  #cursor = 0
  readonly #visits: MoveGuard[] = []

  constructor(options: TableOptions, outerNamespace = 0) {
    this.#options = options
    this.#outerNamespace = outerNamespace
    this.segment = new Segment(FIRST_SLOTS, 0, options)
    this.#directory = [this.segment]
  }

  /** The segment that holds an entry of this tag, if any does. */
  segmentOf(tag: number): Segment {
    return this.#directory[(mix(tag) >>> this.#shift) & this.#mask] as Segment
  }

  has(current: CurrentKey, namespace: number): boolean {
    const tag = tagOf(current.hash, namespace)
    const segment = this.segmentOf(tag)
    if (segment.keys !== undefined) return segment.findKey(tag, current.key, namespace) >= 0
    return current.isInt && namespace === 0 && segment.findTag(tag) >= 0
  }

  /** Makes the entry of the current key, which has none. Gives its slot in `segment`. */
  insert(current: CurrentKey, namespace: number): number {
    assert(current.key !== undefined, 'K1: a key is set before state is used')
    this.#options.checkOwned(current.hash)
    if (this.#visits.length > 0) this.#warnVisits()
    const tag = tagOf(current.hash, namespace)
    const mixed = mix(tag)
    let segment = this.segmentOf(tag)
    while (isFull(segment)) {
      this.#grow(segment, mixed)
      segment = this.segmentOf(tag)
    }
    const slot = segment.place(tag, this.#stamp)
    const keys = segment.keys ?? (current.isInt && namespace === 0 ? undefined : segment.addKeys())
    if (keys !== undefined) keys[slot] = current.owned()
    if (segment.namespaces !== undefined) segment.namespaces[slot] = namespace
    else if (namespace !== 0) segment.addNamespaces()[slot] = namespace
    this.count++
    this.segment = segment
    return slot
  }

  remove(segment: Segment, slot: number): void {
    assert(segment.stamp(slot) !== 0 && !segment.isRetired, 'E2: a removed entry is there')
    if (this.#visits.length > 0) this.#warnVisits()
    if (segment.isPending) this.#preserveRun(segment, slot)
    this.#options.release(segment, slot)
    segment.close(slot, this.#options.emptyValue)
    this.count--
  }

  /** The namespace as the state's user knows it. */
  namespaceOf(segment: Segment, slot: number): number {
    return segment.namespaces === undefined ? this.#outerNamespace : segment.namespace(slot)
  }

  /** Each once, as they are now. */
  segments(): Segment[] {
    return this.#directory.filter((segment, i) => segment !== this.#directory[i - 1])
  }

  /** `visit` is told before entries move, until `endVisit`. Visits may nest. */
  beginVisit(visit: MoveGuard): void {
    this.#visits.push(visit)
  }

  endVisit(): void {
    this.#visits.pop()
  }

  #warnVisits(): void {
    for (const visit of this.#visits) visit.beforeMove()
  }

  /** Removes all entries for which `isGone` holds. */
  removeWhere(isGone: (segment: Segment, slot: number) => boolean): void {
    for (const segment of this.segments()) this.removeBetween(segment, 0, isGone)
  }

  /** The same among the slots from `from` on, up to `count` of them. */
  removeBetween(
    segment: Segment,
    from: number,
    isGone: (segment: Segment, slot: number) => boolean,
    count = segment.capacity,
  ): void {
    const stop = Math.min(from + count, segment.capacity)
    let slot = from
    while (slot < stop) {
      // Another entry may move into the slot: it is looked at again.
      if (segment.stamp(slot) !== 0 && isGone(segment, slot)) this.remove(segment, slot)
      else slot++
    }
  }

  /**
   * Reads where the entries of these hashes are likely to be, so that they are in the cache when they
   * are asked for: in a loop this short the processor waits for many of them at once. The result
   * means nothing; it keeps the loop from being optimised away.
   */
  touch(hashes: Int32Array, count: number): number {
    const directory = this.#directory
    const shift = this.#shift
    const mask = this.#mask
    let seen = 0
    for (let i = 0; i < count; i++) {
      const mixed = mix(hashes[i] as number)
      const { slots, values, keys } = directory[(mixed >>> shift) & mask] as Segment
      const at = (mixed << 1) & (slots.length - 1)
      seen += slots[at] as number
      // Asking for the type reads the head of an object.
      if (typeof values[at >>> 1] === 'object') seen++
      if (keys !== undefined && typeof keys[at >>> 1] === 'string') seen++
    }
    return seen
  }

  /** A pending segment's entry is about to be read or changed (E2). */
  preserve(segment: Segment, slot: number): void {
    if (segment.stamp(slot) < this.#stamp) this.#preserve(segment, slot)
  }

  beginSnapshot(sink: EntrySink): void {
    assert(this.#sink === undefined, 'E2: one snapshot at a time')
    this.#sink = sink
    this.#stamp++
    this.#cursor = 0
    for (const segment of this.segments()) this.#makePending(segment)
  }

  /** Walks over the next `count` slots and writes their entries; true when the snapshot has all. */
  writeSome(count: number): boolean {
    let left = count
    while (left > 0) {
      const segment = this.#pending.at(-1)
      if (segment === undefined) return true
      const stop = Math.min(this.#cursor + left, segment.capacity)
      left -= stop - this.#cursor
      if (segment.isRetired) this.#cursor = segment.capacity
      for (; this.#cursor < stop; this.#cursor++) {
        if (segment.stamp(this.#cursor) !== 0) this.preserve(segment, this.#cursor)
      }
      if (this.#cursor < segment.capacity) continue
      segment.isPending = false
      this.#pending.pop()
      this.#cursor = 0
    }
    return this.#pending.length === 0
  }

  endSnapshot(): void {
    for (const segment of this.#pending) segment.isPending = false
    this.#pending.length = 0
    this.#sink = undefined
  }

  get bytes(): number {
    let sum = this.#directory.length * 8
    for (const segment of this.segments()) sum += segment.bytes
    return sum
  }

  #makePending(segment: Segment): void {
    segment.isPending = true
    // The last one is being walked: others go before it.
    if (this.#cursor === 0) this.#pending.push(segment)
    else this.#pending.splice(-1, 0, segment)
  }

  /** Writes a pending entry; after a cancelled snapshot there is nothing to write it for. */
  #preserve(segment: Segment, slot: number): void {
    segment.slots[slot * 2 + 1] = this.#stamp
    this.#sink?.writeEntry(this, segment, slot)
  }

  /** Closing the gap may move entries from ahead of the walk to behind it (E2). */
  #preserveRun(segment: Segment, slot: number): void {
    this.preserve(segment, slot)
    if (segment !== this.#pending.at(-1)) return
    for (const follower of segment.followers(slot)) this.preserve(segment, follower)
  }

  /** Doubles or splits. Pending entries stay so: the new segments are walked instead. */
  #grow(segment: Segment, mixed: number): void {
    const splits = segment.capacity >= SEGMENT_SLOTS && segment.depth < DEPTH_MAX
    if (splits && segment.depth === this.#depth) this.#doubleDirectory()
    const capacity = splits ? segment.capacity : segment.capacity * 2
    const depth = segment.depth + (splits ? 1 : 0)
    const low = this.#sibling(segment, capacity, depth)
    const high = splits ? this.#sibling(segment, capacity, depth) : low
    const bit = 32 - depth
    const { slots } = segment
    for (let slot = 0; slot < segment.capacity; slot++) {
      if (slots[slot * 2 + 1] === 0) continue
      const isHigh = splits && ((mix(slots[slot * 2] as number) >>> bit) & 1) === 1
      segment.moveTo(isHigh ? high : low, slot)
    }
    segment.isRetired = true
    if (!splits) {
      this.#replace(mixed, low)
      return
    }
    this.#replace(mixed & ~(1 << bit), low)
    this.#replace(mixed | (1 << bit), high)
  }

  /** An empty segment with the same columns. */
  #sibling(segment: Segment, capacity: number, depth: number): Segment {
    const sibling = new Segment(capacity, depth, this.#options)
    if (segment.keys !== undefined) sibling.addKeys()
    if (segment.namespaces !== undefined) sibling.addNamespaces()
    if (segment.isPending) this.#makePending(sibling)
    return sibling
  }

  /** Puts a segment in all places of its prefix (E1). */
  #replace(mixed: number, segment: Segment): void {
    const span = 2 ** (this.#depth - segment.depth)
    const index = (mixed >>> this.#shift) & this.#mask
    const first = index - (index % span)
    for (let i = first; i < first + span; i++) this.#directory[i] = segment
  }

  #doubleDirectory(): void {
    this.#directory = this.#directory.flatMap(segment => [segment, segment])
    this.#depth++
    this.#shift = 32 - this.#depth
    this.#mask = this.#directory.length - 1
  }
}

/** Above 70 % the runs of linear probing grow long. */
function isFull(segment: Segment): boolean {
  return segment.used * 10 >= segment.capacity * 7
}
