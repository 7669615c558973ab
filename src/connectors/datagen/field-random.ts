import { assert } from '../../common/assert.ts'
import type { Random } from '../../common/random.ts'

const GOLDEN = 0x9e3779b9

/**
 * The randomness of one field of one record: a function of (seed, field, record number), so that
 * record n can be made again without making those before it.
 */
export class FieldRandom implements Random {
  readonly #seed: number
  #state = 0

  constructor(seed: number) {
    this.#seed = mix((seed ^ Math.floor(seed / 0x1_0000_0000)) | 0)
  }

  /** Begins the draws of this record's field. Returns itself. */
  at(n: number, field: number): this {
    const low = mix(this.#seed + Math.imul(n, GOLDEN))
    const high = Math.floor(n / 0x1_0000_0000)
    this.#state = mix(low ^ Math.imul(high, 0x85ebca77) ^ Math.imul(field + 1, 0xc2b2ae3d))
    return this
  }

  next(): number {
    const high = this.#uint32() >>> 5
    const low = this.#uint32() >>> 6
    return (high * 67_108_864 + low) / 9_007_199_254_740_992
  }

  int(bound: number): number {
    assert(Number.isInteger(bound) && bound > 0, `bound ${bound} is a positive integer`)
    return Math.floor(this.next() * bound)
  }

  uuid(): string {
    const words = [this.#uint32(), this.#uint32(), this.#uint32(), this.#uint32()]
    // The version and variant bits of RFC 9562, version 4.
    words[1] = ((words[1] as number) & 0xffff_0fff) | 0x4000
    words[2] = ((words[2] as number) & 0x3fff_ffff) | 0x8000_0000
    const hex = words.map(word => (word >>> 0).toString(16).padStart(8, '0')).join('')
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
  }

  #uint32(): number {
    this.#state = (this.#state + GOLDEN) | 0
    return mix(this.#state)
  }
}

/** The finaliser of murmur3: every bit of the input changes about half of the output's. */
function mix(value: number): number {
  let x = value | 0
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b)
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35)
  return (x ^ (x >>> 16)) | 0
}
