/**
 * Randomness is passed in: a seed replays a run. `SeededRandom` is for everything that must repeat
 * (jitter under simulation, generators, tests); `SystemRandom` for names that must never collide.
 */
import { randomUUID } from 'node:crypto'
import { assert } from './assert.ts'

export interface Random {
  /** A double in [0, 1) with 53 random bits. */
  next(): number
  /** An integer in [0, bound); `bound` is 1 to 2^32. */
  int(bound: number): number
  /** A version 4 UUID. */
  uuid(): string
}

/** xoshiro128** (Blackman and Vigna, 2018), its state filled from the seed by splitmix32. */
export class SeededRandom implements Random {
  #a: number
  #b: number
  #c: number
  #d: number

  constructor(seed: number) {
    let state = seed | 0
    const mix = (): number => {
      state = (state + 0x9e3779b9) | 0
      let z = state ^ (state >>> 16)
      z = Math.imul(z, 0x21f0aaad)
      z ^= z >>> 15
      z = Math.imul(z, 0x735a2d97)
      return z ^ (z >>> 15)
    }
    this.#a = mix()
    this.#b = mix()
    this.#c = mix()
    this.#d = mix()
  }

  /** 32 random bits as an unsigned integer. */
  uint32(): number {
    const scrambled = Math.imul(rotateLeft(Math.imul(this.#b, 5), 7), 9)
    const shifted = this.#b << 9
    this.#c ^= this.#a
    this.#d ^= this.#b
    this.#b ^= this.#c
    this.#a ^= this.#d
    this.#c ^= shifted
    this.#d = rotateLeft(this.#d, 11)
    return scrambled >>> 0
  }

  next(): number {
    const high = this.uint32() >>> 5
    const low = this.uint32() >>> 6
    return (high * 67_108_864 + low) / 9_007_199_254_740_992
  }

  int(bound: number): number {
    return intBelow(bound, this.next())
  }

  uuid(): string {
    const words = Array.from({ length: 4 }, () => this.uint32())
    const hex = words.map(word => word.toString(16).padStart(8, '0')).join('')
    const variant = '89ab'[Number.parseInt(hex.charAt(16), 16) & 3]
    return [
      hex.slice(0, 8),
      hex.slice(8, 12),
      `4${hex.slice(13, 16)}`,
      `${variant}${hex.slice(17, 20)}`,
      hex.slice(20),
    ].join('-')
  }
}

/** The machine's own randomness; the only caller of Math.random and randomUUID. */
export class SystemRandom implements Random {
  next(): number {
    return Math.random()
  }

  int(bound: number): number {
    return intBelow(bound, Math.random())
  }

  uuid(): string {
    return randomUUID()
  }
}

function intBelow(bound: number, fraction: number): number {
  assert(
    Number.isInteger(bound) && bound > 0 && bound <= 0x1_0000_0000,
    `bound ${bound} in 1..2^32`,
  )
  return Math.floor(fraction * bound)
}

function rotateLeft(value: number, count: number): number {
  return (value << count) | (value >>> (32 - count))
}
