/**
 * Keys inside the state backends. A user's key is a primitive or a tuple of primitives; a tuple is
 * folded into one string, so that tables, timers and partitioners only meet primitives.
 */
import type { Key } from '../api/functions.ts'
import { defineErrors } from '../common/errors.ts'

/** What tables hash and compare. -0 is 0; NaN equals NaN. */
export type PrimitiveKey = string | number | bigint | boolean

export const keyErrors = defineErrors({
  WEIR_KEY_INVALID: {
    domain: 'user',
    retry: 'never',
    message: (e: { key: string }) => `a key selector returned ${e.key}`,
    next: 'return a string, number, bigint or boolean, or a tuple of these',
  },
})

/** Starts every folded tuple; a user's string that starts so is escaped by doubling it. */
const TUPLE_MARK = '\u0000'

/** Folds a key into a primitive; `unfoldKey` turns it back. */
export function foldKey(key: Key): PrimitiveKey {
  switch (typeof key) {
    case 'string':
      return key.charCodeAt(0) === 0 ? TUPLE_MARK + key : key
    case 'number':
      return key === 0 ? 0 : key
    case 'bigint':
    case 'boolean':
      return key
    default:
      return foldTuple(key)
  }
}

function foldTuple(key: readonly PrimitiveKey[]): string {
  if (!Array.isArray(key)) {
    throw keyErrors.WEIR_KEY_INVALID({ key: describe(key) })
  }
  let folded = `${TUPLE_MARK}t`
  for (const item of key) {
    switch (typeof item) {
      case 'string':
        folded += `s${item.length}:${item}`
        break
      case 'number':
        folded += `n${item === 0 ? 0 : item};`
        break
      case 'bigint':
        folded += `i${item};`
        break
      case 'boolean':
        folded += item ? 'T' : 'F'
        break
      default:
        throw keyErrors.WEIR_KEY_INVALID({ key: describe(key) })
    }
  }
  return folded
}

function describe(key: unknown): string {
  if (key === undefined || key === null) return String(key)
  return Array.isArray(key) ? `[${key.map(describe).join(', ')}]` : `a value of type ${typeof key}`
}

/** The key that was folded. */
export function unfoldKey(folded: PrimitiveKey): Key {
  if (typeof folded !== 'string' || folded.charCodeAt(0) !== 0) return folded
  return folded.charCodeAt(1) === 0 ? folded.slice(1) : unfoldTuple(folded)
}

function unfoldTuple(folded: string): readonly PrimitiveKey[] {
  const items: PrimitiveKey[] = []
  let at = 2
  while (at < folded.length) {
    const tag = folded[at++]
    if (tag === 'T' || tag === 'F') {
      items.push(tag === 'T')
      continue
    }
    const stop = folded.indexOf(tag === 's' ? ':' : ';', at)
    const text = folded.slice(at, stop)
    at = stop + 1
    if (tag === 's') {
      items.push(folded.slice(at, at + Number(text)))
      at += Number(text)
    } else {
      items.push(tag === 'i' ? BigInt(text) : Number(text))
    }
  }
  return items
}

const float = new Float64Array(1)
const words = new Int32Array(float.buffer)

/**
 * The 32-bit hash of a folded key: Java's, for strings and 32-bit integers, so that these keys live
 * in the same key group as in Flink. Part of the state format: never change it.
 */
export function hashKey(key: PrimitiveKey): number {
  switch (typeof key) {
    case 'number': {
      const int = key | 0
      if (int === key) return int
      float[0] = key
      return (words[0] as number) ^ (words[1] as number)
    }
    case 'string': {
      let hash = 0
      for (let i = 0; i < key.length; i++) hash = (Math.imul(hash, 31) + key.charCodeAt(i)) | 0
      return hash
    }
    case 'boolean':
      return key ? 1231 : 1237
    default: {
      const low = BigInt.asUintN(64, key)
      return Number(BigInt.asIntN(32, low ^ (low >> 32n)))
    }
  }
}
