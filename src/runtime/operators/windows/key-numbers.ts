/**
 * Numbers the keys of one walk: 0, 1, 2 … in the order they are first seen. 32-bit integers go into
 * a flat table of their own, which is several times as fast as a `Map`.
 */
import type { PrimitiveKey } from '../../../state/key.ts'

const FIRST_SLOTS = 1024

export class KeyNumbers {
  /** The keys by their numbers. */
  readonly keys: PrimitiveKey[] = []
  /** Pairs of integer key and number + 1; 0 marks a free slot. */
  #slots = new Int32Array(FIRST_SLOTS * 2)
  #integers = 0
  readonly #others = new Map<PrimitiveKey, number>()

  /** The number of a key; equal to `keys.length` before the call when the key is new. */
  numberOf(key: PrimitiveKey): number {
    return typeof key === 'number' && (key | 0) === key
      ? this.#ofInteger(key | 0)
      : this.#ofOther(key)
  }

  /** Forgets all keys; keeps the room. */
  clear(): void {
    this.keys.length = 0
    this.#slots.fill(0)
    this.#integers = 0
    this.#others.clear()
  }

  #ofInteger(key: number): number {
    const slots = this.#slots
    const mask = slots.length - 1
    let at = placeOf(key, mask)
    while (slots[at + 1] !== 0) {
      if (slots[at] === key) return (slots[at + 1] as number) - 1
      at = (at + 2) & mask
    }
    const number = this.keys.push(key)
    slots[at] = key
    slots[at + 1] = number
    // Half full: runs stay short.
    if (++this.#integers * 4 > slots.length) this.#grow()
    return number - 1
  }

  #ofOther(key: PrimitiveKey): number {
    const known = this.#others.get(key)
    if (known !== undefined) return known
    const number = this.keys.push(key) - 1
    this.#others.set(key, number)
    return number
  }

  #grow(): void {
    const old = this.#slots
    const slots = new Int32Array(old.length * 2)
    const mask = slots.length - 1
    for (let from = 0; from < old.length; from += 2) {
      if (old[from + 1] === 0) continue
      let at = placeOf(old[from] as number, mask)
      while (slots[at + 1] !== 0) at = (at + 2) & mask
      slots[at] = old[from] as number
      slots[at + 1] = old[from + 1] as number
    }
    this.#slots = slots
  }
}

/** An even place in the table, from all bits of the key. */
function placeOf(key: number, mask: number): number {
  const mixed = Math.imul(key ^ (key >>> 15), 0x9e3779b1)
  return ((mixed ^ (mixed >>> 13)) << 1) & mask
}
