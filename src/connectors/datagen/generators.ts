/**
 * Ready-made field generators. A generator is a plain function of the record's number and of a
 * randomness that belongs to that field of that record, so your own needs no more than
 * `(n, random) => ...`.
 */
import { type Duration, durationMs } from '../../common/duration.ts'
import type { Random } from '../../common/random.ts'

/** Makes a field of record `n`. Must depend on its arguments only. */
export type Generator<T> = (n: number, random: Random) => T

/** `start`, `start + step`, ... */
export function sequence(start = 0, step = 1): Generator<number> {
  return n => start + n * step
}

/** Doubles from `min` up to, but not including, `max`. */
export function uniform(min: number, max: number): Generator<number> {
  return (_n, random) => min + (max - min) * random.next()
}

/** Integers from `min` to `max`, both included. */
export function uniformInt(min: number, max: number): Generator<number> {
  return (_n, random) => min + random.int(max - min + 1)
}

/** One of the values, each as likely as any other. */
export function oneOf<const T>(values: readonly T[]): Generator<T> {
  return (_n, random) => values[random.int(values.length)] as T
}

/** One of the keys of `weights`, as often as its weight says: `weighted({ card: 3, cash: 1 })`. */
export function weighted<K extends string>(weights: { readonly [key in K]: number }): Generator<K> {
  const entries = Object.entries<number>(weights) as [K, number][]
  const total = entries.reduce((sum, [, weight]) => sum + weight, 0)
  return (_n, random) => {
    let rest = random.next() * total
    for (const [key, weight] of entries) {
      rest -= weight
      if (rest < 0) return key
    }
    return (entries.at(-1) as [K, number])[0]
  }
}

/** Lower-case letters, `length` of them. */
export function letters(length: number): Generator<string> {
  return (_n, random) => {
    let text = ''
    for (let i = 0; i < length; i++) text += 'abcdefghijklmnopqrstuvwxyz'.charAt(random.int(26))
    return text
  }
}

/** How event time runs through the records. */
export interface TimestampsOptions {
  /** The time of record 0: milliseconds since the epoch, or ISO 8601 text. */
  readonly start: number | string
  /**
   * From one record to the next. Fractions of a millisecond add up: `1000 / 3` gives 3 a second.
   */
  readonly every: Duration
  /** A record may be older than its turn by up to this: out of order by at most so much. */
  readonly jitter?: Duration
}

/** Event times that advance steadily, in milliseconds. */
export function timestamps(options: TimestampsOptions): Generator<number> {
  const { start, every, jitter = 0 } = options
  const startMs = typeof start === 'number' ? start : Date.parse(start)
  const everyMs = typeof every === 'number' ? every : durationMs(every)
  const jitterMs = durationMs(jitter)
  return (n, random) => {
    const turn = Math.floor(startMs + n * everyMs)
    return jitterMs === 0 ? turn : turn - random.int(jitterMs + 1)
  }
}
