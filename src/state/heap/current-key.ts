/**
 * The key that all handles of one backend work on, with its hash. A handle that has looked an entry
 * up remembers it until `epoch` changes, so that `value()` and `update()` probe once.
 */
import { flatten } from '../../schema/flatten.ts'
import { hashKey, type PrimitiveKey } from '../key.ts'

export class CurrentKey {
  key: PrimitiveKey | undefined = undefined
  hash = 0
  /** The key is a 32-bit integer: its hash is the key, and equal hashes mean equal keys. */
  isInt = false
  /** Grows with every change of the key, and when state changed behind the handles' back. */
  epoch = 0

  setInt(key: number): void {
    if (this.isInt && this.key === key) return
    this.key = key
    this.hash = key
    this.isInt = true
    this.epoch++
  }

  /** Any folded key. */
  set(key: PrimitiveKey): void {
    if (typeof key === 'number' && (key | 0) === key) {
      this.setInt(key | 0)
      return
    }
    this.setHashed(key, hashKey(key))
  }

  /** A folded key that is no 32-bit integer, with its hash. */
  setHashed(key: PrimitiveKey, hash: number): void {
    this.key = key
    this.hash = hash
    this.isInt = false
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
