/**
 * The key that all handles of one backend work on, with its hash. A handle that has looked an entry
 * up remembers it until `epoch` changes, so that `value()` and `update()` probe once.
 */
import { flatten } from '../../schema/flatten.ts'
import { hashKey, type PrimitiveKey } from '../key.ts'
import { foldPair, unfoldPair } from '../pair-key.ts'

export class CurrentKey {
  hash = 0
  /** The key is a 32-bit integer: its hash is the key, and equal hashes mean equal keys. */
  isInt = false
  /** The key is a tuple of two 32-bit integers: `first` and `second`. */
  isPair = false
  first = 0
  second = 0
  /** Grows with every change of the key, and when state changed behind the handles' back. */
  epoch = 0
  /** Of a pair: made when it is asked for. */
  #key: PrimitiveKey | undefined = undefined

  /** The folded key; `undefined` before one is set. */
  get key(): PrimitiveKey | undefined {
    if (this.#key === undefined && this.isPair) this.#key = foldPair(this)
    return this.#key
  }

  get isSet(): boolean {
    return this.isPair || this.#key !== undefined
  }

  setInt(key: number): void {
    if (this.isInt && this.hash === key) return
    this.#key = key
    this.hash = key
    this.isInt = true
    this.isPair = false
    this.epoch++
  }

  setPair(first: number, second: number, hash: number): void {
    if (this.isPair && this.first === first && this.second === second) return
    this.#key = undefined
    this.hash = hash
    this.isInt = false
    this.isPair = true
    this.first = first
    this.second = second
    this.epoch++
  }

  /** Any folded key. */
  set(key: PrimitiveKey): void {
    if (typeof key === 'number' && (key | 0) === key) {
      this.setInt(key | 0)
      return
    }
    const hash = hashKey(key)
    const pair = typeof key === 'string' ? unfoldPair(key) : undefined
    if (pair === undefined) this.setHashed(key, hash)
    else this.setPair(pair.first, pair.second, hash)
  }

  /** A folded key that is neither a 32-bit integer nor a pair of them, with its hash. */
  setHashed(key: PrimitiveKey, hash: number): void {
    this.#key = key
    this.hash = hash
    this.isInt = false
    this.isPair = false
    this.epoch++
  }

  /** Makes every handle look its entry up again. */
  invalidate(): void {
    this.epoch++
  }

  /** The key as a table may keep it: a piece of a batch's text must not keep the batch alive. */
  owned(): PrimitiveKey {
    const key = this.key as PrimitiveKey
    return typeof key === 'string' ? flatten(key) : key
  }
}
