/**
 * The keys that come next: hashed in one loop by `prefetch`, and not again when each becomes the
 * current one.
 */
import type { Key } from '../../api/functions.ts'
import { foldKey, hashKey, type PrimitiveKey } from '../key.ts'
import { hashPair, isIntPair } from '../pair-key.ts'

const FIRST_ROOM = 512

export class KeysAhead {
  /** Of all keys noted. */
  hashes = new Int32Array(FIRST_ROOM)
  count = 0
  /** Of those that are no 32-bit integers: the key, `undefined` for a pair; the pair; the hash. */
  readonly #keys: (Key | undefined)[] = []
  #pairs = new Int32Array(FIRST_ROOM * 2)
  #hashed = new Int32Array(FIRST_ROOM)
  #hashedCount = 0
  /** The next of them to become the current key. */
  #next = 0

  clear(): void {
    this.count = 0
    this.#hashedCount = 0
    this.#next = 0
  }

  note(key: Key): void {
    if (this.count === this.hashes.length) this.#grow()
    const isInt = typeof key === 'number' && (key | 0) === key
    this.hashes[this.count] = isInt ? key : this.#noteHashed(key)
    this.count++
  }

  #noteHashed(key: Key): number {
    const at = this.#hashedCount++
    let hash = 0
    if (isIntPair(key)) {
      hash = hashPair(key[0], key[1])
      this.#pairs[at * 2] = key[0]
      this.#pairs[at * 2 + 1] = key[1]
      this.#keys[at] = undefined
    } else {
      hash = hashKey(foldKey(key))
      this.#keys[at] = key
    }
    this.#hashed[at] = hash
    return hash
  }

  hashOfPair(first: number, second: number): number {
    const at = this.#next
    const isNext = this.#pairs[at * 2] === first && this.#pairs[at * 2 + 1] === second
    if (at < this.#hashedCount && isNext && this.#keys[at] === undefined) {
      this.#next = at + 1
      return this.#hashed[at] as number
    }
    return hashPair(first, second)
  }

  /** The hash of a key that is neither a 32-bit integer nor a pair of them. */
  hashOf(key: Key, folded: PrimitiveKey): number {
    const at = this.#next
    if (at < this.#hashedCount && this.#keys[at] === key) {
      this.#next = at + 1
      return this.#hashed[at] as number
    }
    return hashKey(folded)
  }

  #grow(): void {
    const room = this.hashes.length * 2
    this.hashes = enlarged(this.hashes, room)
    this.#hashed = enlarged(this.#hashed, room)
    this.#pairs = enlarged(this.#pairs, room * 2)
  }
}

function enlarged(array: Int32Array, length: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(length)
  larger.set(array)
  return larger
}
