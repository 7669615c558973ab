/**
 * Timers on the heap: a 4-ary heap by timestamp (a node's children share a cache line) over typed
 * arrays, and an index of all timers, so that adding one twice, or removing one, finds it at once.
 *
 * Owns        the timers' columns, heap order, the snapshot's view of them.
 * Leaves out  clocks and watermarks: the caller says up to when to poll.
 *
 * Invariants (beside T1 and T2 of the port)
 *  H1  No node's timestamp is below its parent's.
 *  H2  `#positions` of the timer at heap place i is i.
 */
import { assert } from '../../common/assert.ts'
import { MAX_TIMESTAMP } from '../../common/timestamps.ts'
import { hashKey } from '../key.ts'
import type { SectionWriter } from '../section-writer.ts'
import { writeEntryKey } from '../snapshot-format.ts'
import type { TimerQueue } from '../timer-queue.ts'
import { Float64Column, Int32Column } from './column.ts'
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
const ARITY_SHIFT = 2

export class HeapTimerQueue implements TimerQueue, EntryMatcher {
  polledNamespace = 0
  polledTimestamp = 0
  readonly #current: CurrentKey
  readonly #checkOwned: (hash: number) => void
  readonly #index = new KeyIndex()
  readonly #keys = new KeyColumn()
  readonly #namespaces = new Float64Column()
  readonly #positions = new Int32Column()
  readonly #pending = new PendingEntries()
  readonly #free: number[] = []
  #end = 0
  #times = new Float64Array(16)
  #timers = new Int32Array(16)
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
      this.#positions.reserve(timer)
    } else if (timer < this.#pending.end) {
      this.#pending.take(timer)
    }
    this.#keys.add(timer, this.#current.owned(), count)
    this.#namespaces.set(timer, namespace)
    this.#index.insert(tag, timer)
    if (this.#size === this.#times.length) this.#growHeap()
    this.#siftUp(this.#size++, timer, timestamp)
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
    return this.#size === 0 ? MAX_TIMESTAMP : (this.#times[0] as number)
  }

  poll(limit: number): boolean {
    if (this.#size === 0) return false
    const timestamp = this.#times[0] as number
    if (timestamp > limit) return false
    const timer = this.#timers[0] as number
    const namespace = this.#namespaces.get(timer)
    this.#current.set(this.#keys.get(timer))
    this.#removeTimer(timer, timerTag(this.#current.hash, namespace, timestamp))
    this.polledNamespace = namespace
    this.polledTimestamp = timestamp
    return true
  }

  matches(timer: number): boolean {
    if (this.#namespaces.get(timer) !== this.#wantedNamespace) return false
    if (this.#times[this.#positions.get(timer)] !== this.#wantedTimestamp) return false
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
      if (this.#positions.get(t) !== FREE) this.#write(t)
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
      this.#positions.bytes +
      this.#times.byteLength +
      this.#timers.byteLength
    )
  }

  #write(timer: number): void {
    const key = this.#keys.get(timer)
    const out = (this.#writer as SectionWriter).begin(hashKey(key))
    writeEntryKey(out, key, this.#namespaces.get(timer))
    out.writeFloat64(this.#times[this.#positions.get(timer)] as number)
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
    const hole = this.#positions.get(timer)
    this.#positions.set(timer, FREE)
    this.#size--
    if (hole === this.#size) return
    // The last one fills the hole; it may belong further down or further up.
    const last = this.#timers[this.#size] as number
    const time = this.#times[this.#size] as number
    if (hole > 0 && time < (this.#times[(hole - 1) >>> ARITY_SHIFT] as number)) {
      this.#siftUp(hole, last, time)
    } else {
      this.#siftDown(hole, last, time)
    }
  }

  #siftUp(from: number, timer: number, time: number): void {
    const times = this.#times
    const timers = this.#timers
    let at = from
    while (at > 0) {
      const parent = (at - 1) >>> ARITY_SHIFT
      const parentTime = times[parent] as number
      if (parentTime <= time) break
      times[at] = parentTime
      timers[at] = timers[parent] as number
      this.#positions.set(timers[at] as number, at)
      at = parent
    }
    times[at] = time
    timers[at] = timer
    this.#positions.set(timer, at)
  }

  #siftDown(from: number, timer: number, time: number): void {
    const times = this.#times
    const timers = this.#timers
    const size = this.#size
    let at = from
    for (;;) {
      const first = (at << ARITY_SHIFT) + 1
      if (first >= size) break
      const stop = Math.min(first + 4, size)
      let least = first
      let leastTime = times[first] as number
      for (let child = first + 1; child < stop; child++) {
        const childTime = times[child] as number
        if (childTime < leastTime) {
          least = child
          leastTime = childTime
        }
      }
      if (leastTime >= time) break
      times[at] = leastTime
      timers[at] = timers[least] as number
      this.#positions.set(timers[at] as number, at)
      at = least
    }
    times[at] = time
    timers[at] = timer
    this.#positions.set(timer, at)
  }

  #growHeap(): void {
    const times = new Float64Array(this.#size * 2)
    times.set(this.#times)
    this.#times = times
    const timers = new Int32Array(this.#size * 2)
    timers.set(this.#timers)
    this.#timers = timers
  }
}

function timerTag(hash: number, namespace: number, timestamp: number): number {
  const time = Math.imul(hashKey(timestamp), 0x9e3779b1)
  return hash ^ time ^ (namespace === 0 ? 0 : Math.imul(hashKey(namespace), 0x85ebca6b))
}
