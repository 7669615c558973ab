/**
 * Keys of two 32-bit integers, the commonest tuples. Everywhere a tuple may be folded into its
 * string; where tables keep pairs as the two numbers, that string is never made.
 */
import type { Key } from '../api/functions.ts'
import { foldKey, hashKey, unfoldKey } from './key.ts'

export interface IntPair {
  readonly first: number
  readonly second: number
}

/** Whether the key is a tuple of two 32-bit integers. */
export function isIntPair(key: Key): key is readonly [number, number] {
  return Array.isArray(key) && key.length === 2 && isInt32(key[0]) && isInt32(key[1])
}

/** What `foldKey` makes of `[first, second]`. */
export function foldPair({ first, second }: IntPair): string {
  return foldKey([first, second]) as string
}

/** The pair that was folded; `undefined` of any other key. */
export function unfoldPair(folded: string): IntPair | undefined {
  if (!folded.startsWith(HEAD)) return undefined
  const key = unfoldKey(folded)
  if (!Array.isArray(key) || key.length !== 2) return undefined
  const [first, second] = key
  return isInt32(first) && isInt32(second) ? { first, second } : undefined
}

function isInt32(value: unknown): value is number {
  return typeof value === 'number' && (value | 0) === value
}

/** How the fold of a tuple that begins with a number begins. */
const HEAD = '\u0000tn'
const HEAD_HASH = hashKey(HEAD)
const ZERO = 48
const MINUS = 45
const END = 59
const NEXT = 110

/** `hashKey(foldPair(pair))`, from the digits alone. */
export function hashPair(first: number, second: number): number {
  const between = step(step(hashDigits(HEAD_HASH, first), END), NEXT)
  return step(hashDigits(between, second), END)
}

function step(hash: number, code: number): number {
  return (Math.imul(hash, 31) + code) | 0
}

/** The hash after the decimal digits of an integer, last digit first. */
function hashDigits(before: number, value: number): number {
  let left = Math.abs(value)
  let power = 1
  let sum = 0
  do {
    const rest = Math.floor(left / 10)
    sum = (sum + Math.imul(ZERO + left - rest * 10, power)) | 0
    power = Math.imul(power, 31)
    left = rest
  } while (left > 0)
  const signed = value < 0 ? step(before, MINUS) : before
  return (Math.imul(signed, power) + sum) | 0
}
