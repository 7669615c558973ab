/**
 * Key groups: the unit of keyed state and of rescaling. Every key belongs to one of
 * `maxParallelism` groups; every subtask owns a contiguous range of them. The steps after the key's
 * hash are Flink's, and so are the hashes of strings and 32-bit integers.
 *
 * Invariants
 *  G1  The group of a key depends on the key and maxParallelism only, never on the parallelism.
 *  G2  The ranges of all subtasks cover every group once.
 */
import { assert } from '../common/assert.ts'

export const MAX_PARALLELISM_LIMIT = 32_768
const MAX_PARALLELISM_FLOOR = 128

/** First and last group, both inclusive. */
export interface KeyGroupRange {
  readonly start: number
  readonly end: number
}

/** MurmurHash3 (x86, 32 bit) of the four bytes of `hash` with hash seed 0, made non-negative. */
export function murmurHash(hash: number): number {
  let k = Math.imul(hash, 0xcc9e2d51)
  k = (k << 15) | (k >>> 17)
  k = Math.imul(k, 0x1b873593)
  let h = (k << 13) | (k >>> 19)
  h = (Math.imul(h, 5) + 0xe6546b64) | 0
  h ^= 4
  h ^= h >>> 16
  h = Math.imul(h, 0x85ebca6b)
  h ^= h >>> 13
  h = Math.imul(h, 0xc2b2ae35)
  h ^= h >>> 16
  if (h >= 0) return h
  return h === -2_147_483_648 ? 0 : -h
}

/** The group of a key with this hash. */
export function keyGroupOf(hash: number, maxParallelism: number): number {
  const murmur = murmurHash(hash)
  // Of a power of two, as the default is, without a division.
  const mask = maxParallelism - 1
  return (maxParallelism & mask) === 0 ? murmur & mask : murmur % maxParallelism
}

/** The subtask that owns a group. */
export function subtaskOfKeyGroup(
  keyGroup: number,
  maxParallelism: number,
  parallelism: number,
): number {
  return Math.floor((keyGroup * parallelism) / maxParallelism)
}

/** The groups that a subtask owns. */
export function keyGroupRange(
  subtaskIndex: number,
  maxParallelism: number,
  parallelism: number,
): KeyGroupRange {
  assert(parallelism >= 1 && parallelism <= maxParallelism, 'G2: 1 <= p <= maxParallelism')
  assert(maxParallelism <= MAX_PARALLELISM_LIMIT, 'G2: maxParallelism <= 32768')
  return {
    start: Math.ceil((subtaskIndex * maxParallelism) / parallelism),
    end: Math.floor(((subtaskIndex + 1) * maxParallelism - 1) / parallelism),
  }
}

/** Flink's default: the next power of two of 1.5 p, within [128, 32768]. */
export function defaultMaxParallelism(parallelism: number): number {
  const wanted = parallelism + Math.floor(parallelism / 2)
  const power = wanted <= 1 ? 1 : 2 ** Math.ceil(Math.log2(wanted))
  return Math.min(Math.max(power, MAX_PARALLELISM_FLOOR), MAX_PARALLELISM_LIMIT)
}
