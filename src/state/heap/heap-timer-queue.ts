/**
 * Timers on the heap: a 4-ary heap by timestamp (a node's children share a cache line) over typed
 * arrays, and an index of all timers, so that adding one twice, or removing one, finds it at once.
 *
 * Owns        the timers' columns, heap order, the snapshot's view of them.
 * Leaves out  clocks and watermarks: the caller says up to when to poll.
 *
 * Invariants (beside T1 and T2 of the port)
 *  H1  No node's timestamp is below its parent's.
 *  H2  The position of the timer at heap place i is i.
 *  H3  Places beyond the last node have an infinite time: every node has four children to compare.
 */
import { assert } from '../../common/assert.ts'
import { MAX_TIMESTAMP } from '../../common/timestamps.ts'
import { hashKey } from '../key.ts'
import type { SectionWriter } from '../section-writer.ts'
import { writeEntryKey } from '../snapshot-format.ts'
import type { TimerQueue } from '../timer-queue.ts'
import { Float64Column } from './column.ts'
import type { CurrentKey } from './current-key.ts'
import { KeyColumn } from './key-column.ts'
import { type EntryMatcher, KeyIndex } from './key-index.ts'
import { PendingEntries } from './pending-entries.ts'

export interface TimerQueueOptions {
  readonly current: CurrentKey
  /** Refuses the hash of a key that belongs to another subtask (K2). */
  checkOwned(hash: number): void
}

const FREE = -1
/**
 * The root is at place 3 of the arrays, so that the four children of any node begin at a multiple
 * of four: they are in one cache line.
 */
const ROOT = 3
const FIRST_PLACES = 16

/** The first of four children of the node at a place, and the parent of the node at a place. */
const firstChildOf = (at: number): number => (at - 2) << 2
const parentOf = (at: number): number => (at >>> 2) + 2

export class HeapTimerQueue implements TimerQueue, EntryMatcher {
  polledNamespace = 0
  polledTimestamp = 0
  readonly #current: CurrentKey
  readonly #checkOwned: (hash: number) => void
  readonly #index = new KeyIndex()
  readonly #keys = new KeyColumn()
  readonly #namespaces = new Float64Column()
  #positions = new Int32Array(FIRST_PLACES)
  readonly #pending = new PendingEntries()
  readonly #free: number[] = []
  #end = 0
  #times = new Float64Array(FIRST_PLACES).fill(Number.POSITIVE_INFINITY)
  #timers = new Int32Array(FIRST_PLACES)
  #size = 0
  #wantedNamespace = 0
  #wantedTimestamp = 0
  #writer: SectionWriter | undefined = undefined

  constructor(options: TimerQueueOptions) {
    this.#current = options.current
    this.#checkOwned = options.checkOwned
  }

  get size(): number {
    return this.#size
  }

  add(namespace: number, timestamp: number): boolean {
    const tag = timerTag(this.#current.hash, namespace, timestamp)
    if (this.#find(tag, namespace, timestamp) >= 0) return false
    const { key } = this.#current
    assert(key !== undefined, 'K1: a key is set before state is used')
    this.#checkOwned(this.#current.hash)
    const count = this.#end
    const timer = this.#free.pop() ?? this.#end++
    if (timer === count) {
      this.#namespaces.reserve(timer)
      if (timer === this.#positions.length) this.#positions = doubled(this.#positions)
    } else if (timer < this.#pending.end) {
      this.#pending.take(timer)
    }
    this.#keys.add(timer, this.#current.owned(), count)
    this.#namespaces.set(timer, namespace)
    this.#index.insert(tag, timer)
    if (ROOT + this.#size === this.#times.length) this.#growHeap()
    this.#siftUp(ROOT + this.#size++, timer, timestamp)
    return true
  }

  remove(namespace: number, timestamp: number): boolean {
    const tag = timerTag(this.#current.hash, namespace, timestamp)
    const timer = this.#find(tag, namespace, timestamp)
    if (timer < 0) return false
    this.#removeTimer(timer, tag)
    return true
  }

  nextTimestamp(): number {
    return this.#size === 0 ? MAX_TIMESTAMP : (this.#times[ROOT] as number)
  }

  poll(limit: number): boolean {
    if (this.#size === 0) return false
    const timestamp = this.#times[ROOT] as number
    if (timestamp > limit) return false
    const timer = this.#timers[ROOT] as number
    const namespace = this.#namespaces.get(timer)
    this.#current.set(this.#keys.get(timer))
    this.#removeTimer(timer, timerTag(this.#current.hash, namespace, timestamp))
    this.polledNamespace = namespace
    this.polledTimestamp = timestamp
    return true
  }

  matches(timer: number): boolean {
    if (this.#namespaces.get(timer) !== this.#wantedNamespace) return false
    if (this.#times[this.#positions[timer] as number] !== this.#wantedTimestamp) return false
    const key = this.#keys.get(timer)
    return key === this.#current.key || (Number.isNaN(key) && Number.isNaN(this.#current.key))
  }

  beginSnapshot(writer: SectionWriter): void {
    assert(this.#writer === undefined, 'K3: one snapshot at a time')
    this.#writer = writer
    this.#pending.begin(this.#end)
  }

  /** Walks over the next `count` timers; true when the snapshot has all. */
  writeSome(count: number): boolean {
    const stop = this.#pending.cursor + count
    for (let t = this.#pending.next(stop); t >= 0; t = this.#pending.next(stop)) {
      if (this.#positions[t] !== FREE) this.#write(t)
    }
    return this.#pending.isDone
  }

  endSnapshot(): void {
    this.#pending.finish()
    this.#writer = undefined
  }

  get bytes(): number {
    return (
      this.#index.bytes +
      this.#keys.bytes +
      this.#namespaces.bytes +
      this.#positions.byteLength +
      this.#times.byteLength +
      this.#timers.byteLength
    )
  }

  #write(timer: number): void {
    const key = this.#keys.get(timer)
    const out = (this.#writer as SectionWriter).begin(hashKey(key))
    writeEntryKey(out, key, this.#namespaces.get(timer))
    out.writeFloat64(this.#times[this.#positions[timer] as number] as number)
  }

  #find(tag: number, namespace: number, timestamp: number): number {
    this.#wantedNamespace = namespace
    this.#wantedTimestamp = timestamp
    return this.#index.find(tag, this)
  }

  #removeTimer(timer: number, tag: number): void {
    if (timer < this.#pending.end && this.#pending.take(timer)) this.#write(timer)
    this.#index.remove(tag, timer)
    this.#keys.release(timer)
    this.#free.push(timer)
    const hole = this.#positions[timer] as number
    this.#positions[timer] = FREE
    const last = ROOT + --this.#size
    if (hole === last) {
      this.#times[last] = Number.POSITIVE_INFINITY
      return
    }
    // The last one fills the hole; it may belong further down or further up.
    const moved = this.#timers[last] as number
    const time = this.#times[last] as number
    this.#times[last] = Number.POSITIVE_INFINITY
    if (hole > ROOT && time < (this.#times[parentOf(hole)] as number)) {
      this.#siftUp(hole, moved, time)
    } else {
      this.#siftDown(hole, moved, time)
    }
  }

  #siftUp(from: number, timer: number, time: number): void {
    const times = this.#times
    const timers = this.#timers
    const positions = this.#positions
    let at = from
    while (at > ROOT) {
      const parent = parentOf(at)
      const parentTime = times[parent] as number
      if (parentTime <= time) break
      const lowered = timers[parent] as number
      times[at] = parentTime
      timers[at] = lowered
      positions[lowered] = at
      at = parent
    }
    times[at] = time
    timers[at] = timer
    positions[timer] = at
  }

  #siftDown(from: number, timer: number, time: number): void {
    const times = this.#times
    const timers = this.#timers
    const positions = this.#positions
    const end = ROOT + this.#size
    let at = from
    for (let first = firstChildOf(at); first < end; first = firstChildOf(at)) {
      // Which child is least is a coin toss: chosen by arithmetic, there is no branch to guess.
      const left = first + +((times[first + 1] as number) < (times[first] as number))
      const right = first + 2 + +((times[first + 3] as number) < (times[first + 2] as number))
      const least = left + (right - left) * +((times[right] as number) < (times[left] as number))
      const leastTime = times[least] as number
      if (leastTime >= time) break
      const raised = timers[least] as number
      times[at] = leastTime
      timers[at] = raised
      positions[raised] = at
      at = least
    }
    times[at] = time
    timers[at] = timer
    positions[timer] = at
  }

  #growHeap(): void {
    const times = new Float64Array(this.#times.length * 2).fill(Number.POSITIVE_INFINITY)
    times.set(this.#times)
    this.#times = times
    this.#timers = doubled(this.#timers)
  }
}

function doubled(array: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(array.length * 2)
  larger.set(array)
  return larger
}

function timerTag(hash: number, namespace: number, timestamp: number): number {
  const time = Math.imul(hashKey(timestamp), 0x9e3779b1)
  return hash ^ time ^ (namespace === 0 ? 0 : Math.imul(hashKey(namespace), 0x85ebca6b))
}
