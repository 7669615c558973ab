/** State with a time to live: every value beside the time of its last use. */
import type { Row } from '../vectors.ts'

export interface TtlVector {
  readonly ttl: number
  readonly updateType: 'OnCreateAndWrite' | 'OnReadAndWrite'
  readonly visibility: 'NeverReturnExpired' | 'ReturnExpiredIfNotCleanedUp'
}

interface Stamped {
  readonly value: number
  readonly at: number
}

export type TtlOp = readonly [kind: string, ...args: (string | number)[]]

export class TtlModel {
  readonly #vector: TtlVector
  #now = 0
  readonly #values = new Map<string, Stamped>()
  readonly #lists = new Map<string, readonly Stamped[]>()
  readonly #maps = new Map<string, Map<string, Stamped>>()

  constructor(vector: TtlVector) {
    this.#vector = vector
  }

  /** `[value]`, or 0 where the op returns nothing. */
  run([kind, first, a, b]: TtlOp): Row | 0 {
    if (kind === 't') {
      this.#now = first as number
      return 0
    }
    const key = first as string
    if (kind.startsWith('l')) return this.#list(kind, key, [a, b] as number[])
    if (kind.startsWith('m')) return this.#map(kind, key, [a, b] as [string, number])
    switch (kind) {
      case 'vget':
      case 'rget':
        return [this.#read(this.#values, key) ?? null]
      case 'vput':
        this.#values.set(key, this.#stamp(a as number))
        return 0
      case 'radd': {
        const before = this.#read(this.#values, key) ?? 0
        this.#values.set(key, this.#stamp(before + (a as number)))
        return 0
      }
      default:
        this.#values.delete(key)
        return 0
    }
  }

  #stamp(value: number): Stamped {
    return { value, at: this.#now }
  }

  #isExpired({ at }: Stamped): boolean {
    return at + this.#vector.ttl <= this.#now
  }

  get #showsExpired(): boolean {
    return this.#vector.visibility === 'ReturnExpiredIfNotCleanedUp'
  }

  get #renews(): boolean {
    return this.#vector.updateType === 'OnReadAndWrite'
  }

  #read(from: Map<string, Stamped>, key: string): number | undefined {
    const stored = from.get(key)
    if (stored === undefined) return undefined
    if (this.#isExpired(stored)) {
      from.delete(key)
      return this.#showsExpired ? stored.value : undefined
    }
    if (this.#renews) from.set(key, this.#stamp(stored.value))
    return stored.value
  }

  #list(kind: string, key: string, numbers: readonly number[]): Row | 0 {
    const stored = this.#lists.get(key) ?? []
    if (kind === 'lget') return [this.#readList(key, stored)]
    const [first = 0] = numbers
    if (kind === 'ladd') this.#lists.set(key, [...stored, this.#stamp(first)])
    else if (kind === 'lput')
      this.#lists.set(
        key,
        numbers.map(value => this.#stamp(value)),
      )
    else this.#lists.delete(key)
    return 0
  }

  #readList(key: string, stored: readonly Stamped[]): readonly number[] {
    const live = stored.filter(one => !this.#isExpired(one))
    if (live.length === 0) this.#lists.delete(key)
    else if (this.#renews)
      this.#lists.set(
        key,
        live.map(({ value }) => this.#stamp(value)),
      )
    return (this.#showsExpired ? stored : live).map(({ value }) => value)
  }

  #map(kind: string, key: string, [k, n]: readonly [string, number]): Row | 0 {
    const entries = this.#maps.get(key) ?? new Map<string, Stamped>()
    this.#maps.set(key, entries)
    switch (kind) {
      case 'mget':
        return [this.#read(entries, k) ?? null]
      case 'mhas':
        return [this.#read(entries, k) !== undefined]
      case 'mempty':
        return [entries.size === 0]
      case 'mall': {
        const all = [...entries.keys()].toSorted().map(one => [one, this.#read(entries, one)])
        return [all.filter(([, value]) => value !== undefined)]
      }
      case 'mput':
        entries.set(k, this.#stamp(n))
        return 0
      default:
        entries.delete(k)
        return 0
    }
  }
}
