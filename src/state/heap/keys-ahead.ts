/**
 * The hashes of keys that come next: computed in one loop with `prefetch`, and not again when each
 * becomes the current one.
 */
import type { Key } from '../../api/functions.ts'
import { foldKey, hashKey, type PrimitiveKey } from '../key.ts'

export class KeysAhead {
  hashes = new Int32Array(1024)
  #keys: readonly Key[] = []
  #count = 0
  #next = 0

  /** `keys` must stay as they are until they were all used. */
  hash(keys: readonly Key[], count: number): void {
    if (count > this.hashes.length) this.hashes = new Int32Array(count * 2)
    const { hashes } = this
    for (let i = 0; i < count; i++) {
      const key = keys[i] as Key
      hashes[i] = typeof key === 'number' && (key | 0) === key ? key : hashKey(foldKey(key))
    }
    this.#keys = keys
    this.#count = count
    this.#next = 0
  }

  /** The hash of a key that is no 32-bit integer. */
  hashOf(key: Key, folded: PrimitiveKey): number {
    const at = this.#next
    if (at < this.#count && this.#keys[at] === key) {
      this.#next = at + 1
      return this.hashes[at] as number
    }
    return hashKey(folded)
  }
}
