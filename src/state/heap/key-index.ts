/**
 * Finds the entry of a hash: extendible hashing over small open-addressing segments.
 *
 * Owns        (tag, entry) pairs, side by side in one `Int32Array` a segment, so that a probe
 *             touches one cache line. The tag is the 32-bit hash.
 * Leaves out  keys and values. Where equal tags do not prove equal keys, the caller compares.
 *
 * The directory picks a segment by the high bits of the mixed tag, linear probing goes on from its
 * low bits. A full segment is doubled up to SEGMENT_PAIRS, then split in two: no insert ever moves
 * more than one segment, whatever the table's size, so that growth never stops the task.
 *
 * Invariants
 *  I1  Between the home slot of a tag and its pair no slot is empty.
 *  I2  A segment of local depth d stands in 2^(depth - d) neighbouring directory places.
 *
 * Source: Fagin, Nievergelt, Pippenger, Strong, "Extendible Hashing" (1979); deletion by backward
 * shift after Knuth, TAOCP 3, 6.4, algorithm R.
 */
import { assert } from '../../common/assert.ts'

/** Decides whether an entry with the right tag is the wanted one. */
export interface EntryMatcher {
  matches(entry: number): boolean
}

/** A split moves at most this many pairs: 128 kB, a fraction of a millisecond. */
const SEGMENT_PAIRS = 16_384
const FIRST_PAIRS = 16
/** Beyond this, tags are so alike that splitting does not help: the segment grows instead. */
const DEPTH_MAX = 16
/** Behind the pairs: how many are used, and the local depth. */
const TRAILER = 2

export class KeyIndex {
  #directory: Int32Array[] = [makeSegment(FIRST_PAIRS, 0)]
  #depth = 0
  /** 32 - depth; a shift by 32 is none in JavaScript, which the mask of depth 0 makes good. */
  #shift = 32
  #mask = 0

  /** The entry of a tag where equal tags mean equal keys; -1 when there is none. */
  findExact(tag: number): number {
    const mixed = mix(tag)
    const segment = this.#directory[(mixed >>> this.#shift) & this.#mask] as Int32Array
    const wrap = segment.length - TRAILER - 1
    let slot = (mixed << 1) & wrap
    for (;;) {
      const stored = segment[slot + 1] as number
      if (stored === 0) return -1
      if (segment[slot] === tag) return stored - 1
      slot = (slot + 2) & wrap
    }
  }

  /** The entry of a tag that also matches; -1 when there is none. */
  find(tag: number, matcher: EntryMatcher): number {
    const mixed = mix(tag)
    const segment = this.#directory[(mixed >>> this.#shift) & this.#mask] as Int32Array
    const wrap = segment.length - TRAILER - 1
    let slot = (mixed << 1) & wrap
    for (;;) {
      const stored = segment[slot + 1] as number
      if (stored === 0) return -1
      if (segment[slot] === tag && matcher.matches(stored - 1)) return stored - 1
      slot = (slot + 2) & wrap
    }
  }

  /** Reads the home slot of a tag, so that it is in the cache soon. The result means nothing. */
  touch(tag: number): number {
    const mixed = mix(tag)
    const segment = this.#directory[(mixed >>> this.#shift) & this.#mask] as Int32Array
    return segment[(mixed << 1) & (segment.length - TRAILER - 1)] as number
  }

  /** Adds a pair that is not there. */
  insert(tag: number, entry: number): void {
    const mixed = mix(tag)
    let segment = this.#segment(mixed)
    const used = segment[segment.length - TRAILER] as number
    // Above 70 % the runs of linear probing grow long.
    if (used * 20 >= (segment.length - TRAILER) * 7) {
      this.#grow(mixed)
      segment = this.#segment(mixed)
    }
    place(segment, tag, entry + 1)
  }

  /** Removes a pair that is there. */
  remove(tag: number, entry: number): void {
    const mixed = mix(tag)
    const segment = this.#segment(mixed)
    const wrap = segment.length - TRAILER - 1
    let slot = (mixed << 1) & wrap
    while (segment[slot + 1] !== entry + 1) {
      assert(segment[slot + 1] !== 0, 'I1: a removed pair is in the index')
      slot = (slot + 2) & wrap
    }
    closeGap(segment, slot)
    segment[segment.length - TRAILER] = (segment[segment.length - TRAILER] as number) - 1
  }

  get bytes(): number {
    let sum = this.#directory.length * 8
    for (let i = 0; i < this.#directory.length; i++) {
      if (i === 0 || this.#directory[i] !== this.#directory[i - 1]) {
        sum += (this.#directory[i] as Int32Array).byteLength
      }
    }
    return sum
  }

  #segment(mixed: number): Int32Array {
    return this.#directory[(mixed >>> this.#shift) & this.#mask] as Int32Array
  }

  #grow(mixed: number): void {
    const segment = this.#segment(mixed)
    const pairs = (segment.length - TRAILER) / 2
    const local = segment[segment.length - 1] as number
    if (pairs < SEGMENT_PAIRS || local >= DEPTH_MAX) {
      const larger = makeSegment(pairs * 2, local)
      for (let slot = 0; slot < pairs * 2; slot += 2) {
        const stored = segment[slot + 1] as number
        if (stored !== 0) place(larger, segment[slot] as number, stored)
      }
      this.#replace(mixed, local, larger)
      return
    }
    if (local === this.#depth) this.#doubleDirectory()
    this.#split(mixed, segment)
    // All pairs may have gone to one side.
    const next = this.#segment(mixed)
    if ((next[next.length - TRAILER] as number) * 20 >= (next.length - TRAILER) * 7) {
      this.#grow(mixed)
    }
  }

  #split(mixed: number, segment: Int32Array): void {
    const length = segment.length - TRAILER
    const local = (segment[segment.length - 1] as number) + 1
    const low = makeSegment(length / 2, local)
    const high = makeSegment(length / 2, local)
    const bit = 32 - local
    for (let slot = 0; slot < length; slot += 2) {
      const stored = segment[slot + 1] as number
      if (stored === 0) continue
      const tag = segment[slot] as number
      place(((mix(tag) >>> bit) & 1) === 0 ? low : high, tag, stored)
    }
    const flipped = 1 << bit
    this.#replace(mixed & ~flipped, local, low)
    this.#replace(mixed | flipped, local, high)
  }

  /** Puts a segment in all places of its prefix (I2). */
  #replace(mixed: number, local: number, segment: Int32Array): void {
    const span = 2 ** (this.#depth - local)
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

function makeSegment(pairs: number, depth: number): Int32Array {
  const segment = new Int32Array(pairs * 2 + TRAILER)
  segment[segment.length - 1] = depth
  return segment
}

/** `stored` is the entry plus one: zero marks an empty slot. */
function place(segment: Int32Array, tag: number, stored: number): void {
  const wrap = segment.length - TRAILER - 1
  let slot = (mix(tag) << 1) & wrap
  while (segment[slot + 1] !== 0) slot = (slot + 2) & wrap
  segment[slot] = tag
  segment[slot + 1] = stored
  segment[segment.length - TRAILER] = (segment[segment.length - TRAILER] as number) + 1
}

/** Moves pairs back over an emptied slot until no probe would miss one (I1). */
function closeGap(segment: Int32Array, slot: number): void {
  const wrap = segment.length - TRAILER - 1
  let gap = slot
  let next = (slot + 2) & wrap
  while (segment[next + 1] !== 0) {
    const home = (mix(segment[next] as number) << 1) & wrap
    if (((next - home) & wrap) >= ((next - gap) & wrap)) {
      segment[gap] = segment[next] as number
      segment[gap + 1] = segment[next + 1] as number
      gap = next
    }
    next = (next + 2) & wrap
  }
  segment[gap + 1] = 0
}

/**
 * Spreads a hash over 32 bits: the high ones choose the segment, the low ones the slot. Constants:
 * lowbias32 of Chris Wellons, "Prospecting for Hash Functions" (2018).
 */
function mix(hash: number): number {
  let h = Math.imul(hash ^ (hash >>> 16), 0x7feb352d)
  h = Math.imul(h ^ (h >>> 15), 0x846ca68b)
  return h ^ (h >>> 16)
}
