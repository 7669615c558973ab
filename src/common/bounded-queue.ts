/**
 * A first-in-first-out queue with a limit, kept in a ring. A full queue refuses: the caller decides
 * what waits. The ring starts small and doubles up to the limit, so that a large limit costs
 * nothing until it is used.
 */
import { assert } from './assert.ts'

const INITIAL_SLOTS = 16

export class BoundedQueue<T> {
  readonly capacity: number
  #slots: (T | undefined)[]
  #head = 0
  #size = 0

  /** `capacity`: the most elements it ever holds. */
  constructor(capacity: number) {
    assert(Number.isInteger(capacity) && capacity > 0, `queue capacity ${capacity} is positive`)
    this.capacity = capacity
    this.#slots = new Array<T | undefined>(INITIAL_SLOTS)
  }

  get size(): number {
    return this.#size
  }

  get isFull(): boolean {
    return this.#size >= this.capacity
  }

  /** Appends, or returns false when the queue is full. */
  offer(value: T): boolean {
    if (this.#size >= this.capacity) return false
    if (this.#size === this.#slots.length) this.#grow()
    this.#slots[(this.#head + this.#size) & (this.#slots.length - 1)] = value
    this.#size++
    return true
  }

  /** Takes the oldest element, or `undefined` when there is none. */
  poll(): T | undefined {
    if (this.#size === 0) return undefined
    const value = this.#slots[this.#head]
    // The slot must not keep a taken element alive.
    this.#slots[this.#head] = undefined
    this.#head = (this.#head + 1) & (this.#slots.length - 1)
    this.#size--
    return value
  }

  /** The oldest element, left where it is. */
  peek(): T | undefined {
    return this.#size === 0 ? undefined : this.#slots[this.#head]
  }

  clear(): void {
    this.#slots = new Array<T | undefined>(INITIAL_SLOTS)
    this.#head = 0
    this.#size = 0
  }

  /** Oldest first. The queue must not change meanwhile. */
  *[Symbol.iterator](): Generator<T> {
    for (let i = 0; i < this.#size; i++) {
      yield this.#slots[(this.#head + i) & (this.#slots.length - 1)] as T
    }
  }

  /** The length stays a power of two: positions wrap by a mask. */
  #grow(): void {
    const grown = new Array<T | undefined>(this.#slots.length * 2)
    let at = 0
    for (const value of this) grown[at++] = value
    this.#slots = grown
    this.#head = 0
  }
}
