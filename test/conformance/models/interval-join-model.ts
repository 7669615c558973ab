/** The interval join: two lists a key, and every pair tried. */
import { type Op, type Row, timeOf, timeRow } from '../vectors.ts'

export interface IntervalVector {
  readonly lower: number
  readonly upper: number
  readonly lowerInclusive: boolean
  readonly upperInclusive: boolean
}

interface Element {
  readonly key: string
  readonly ts: number
  readonly id: number
}

export class IntervalJoinModel {
  readonly #lower: number
  readonly #upper: number
  readonly #watermarks = { l: Number.NEGATIVE_INFINITY, r: Number.NEGATIVE_INFINITY }
  #watermark = Number.NEGATIVE_INFINITY
  #left: readonly Element[] = []
  #right: readonly Element[] = []

  constructor({ lower, upper, lowerInclusive, upperInclusive }: IntervalVector) {
    this.#lower = lowerInclusive ? lower : lower + 1
    this.#upper = upperInclusive ? upper : upper - 1
  }

  run(op: Op): Row[] {
    const [kind, first] = op
    if (kind === 'wl') return this.#advance('l', timeOf(first))
    if (kind === 'wr') return this.#advance('r', timeOf(first))
    if (kind === 'w') {
      return [...this.#advance('l', timeOf(first)), ...this.#advance('r', timeOf(first))]
    }
    return this.#element(op)
  }

  #advance(side: 'l' | 'r', watermark: number): Row[] {
    this.#watermarks[side] = Math.max(this.#watermarks[side], watermark)
    const combined = Math.min(this.#watermarks.l, this.#watermarks.r)
    if (combined <= this.#watermark) return []
    this.#watermark = combined
    this.#left = this.#left.filter(({ ts }) => ts + Math.max(0, this.#upper) > combined)
    this.#right = this.#right.filter(({ ts }) => ts + Math.max(0, -this.#lower) > combined)
    return [['w', timeRow(combined)]]
  }

  #element([side, key, time, id]: Op): Row[] {
    if (time === null) throw new Error('an element without a timestamp')
    const element: Element = { key: key as string, ts: time as number, id: id as number }
    if (element.ts < this.#watermark) return [[`${side}l`, element.ts, element.id]]
    const isLeft = side === 'l'
    if (isLeft) this.#left = [...this.#left, element]
    else this.#right = [...this.#right, element]
    return isLeft
      ? this.#right.flatMap(right => this.#pair(element, right))
      : this.#left.flatMap(left => this.#pair(left, element))
  }

  #pair(left: Element, right: Element): Row[] {
    const distance = right.ts - left.ts
    if (left.key !== right.key || distance < this.#lower || distance > this.#upper) return []
    const ts = Math.max(left.ts, right.ts)
    return [['r', ts, left.key, left.id, right.id, left.ts, right.ts, ts]]
  }
}
