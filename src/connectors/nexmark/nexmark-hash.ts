/**
 * The hashes that the events are made of, and the texts made of hashes. All arithmetic is that of
 * unsigned 32-bit numbers: a signed result is brought back by `>>> 0`.
 */

/** The part of a hash that depends on the event's number: computed once an event. */
export function numberPart(n: number): number {
  return Math.imul(n, 0x9e3779b1)
}

/** The part that depends on what the hash is for: computed once. */
export function saltPart(salt: number): number {
  return Math.imul(salt, 0x85ebca77)
}

/** The finaliser of murmur3 over the sum of both parts. */
export function hash(number: number, salt: number): number {
  let x = (number + salt) | 0
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b)
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35)
  return (x ^ (x >>> 16)) >>> 0
}

const LETTER_1 = 'abcdefghijklmnopqrstuvwxyz'.split('')
/** Texts of two and three letters by number, the lowest digit first. Small enough for the cache. */
const LETTER_2 = pairs(LETTER_1, LETTER_1)
const LETTER_3 = pairs(LETTER_2, LETTER_1)

/** Digits of the number to base 26 as letters, the lowest first. */
export function letters5(x: number): string {
  const rest = (x / 17_576) >>> 0
  return (LETTER_3[x % 17_576] as string) + (LETTER_2[rest % 676] as string)
}

export function letters6(x: number): string {
  const rest = (x / 17_576) >>> 0
  return (LETTER_3[x % 17_576] as string) + (LETTER_3[rest % 17_576] as string)
}

export function letters7(x: number): string {
  const rest = (x / 17_576) >>> 0
  const first = (LETTER_3[x % 17_576] as string) + (LETTER_3[rest % 17_576] as string)
  return first + (LETTER_1[((rest / 17_576) >>> 0) % 26] as string)
}

const URL_HEAD = textTable(LETTER_3, text => `https://weir.test/${text}`)
const URL_MIDDLE = textTable(LETTER_2, text => `${text}/item?q=`)
const URL_QUERY = textTable([...new Array(1_000).keys()], String)

/** `https://weir.test/`, five letters, `/item?q=`, a number below 1000. */
export function urlOf(x: number): string {
  const rest = (x / 17_576) >>> 0
  const head = (URL_HEAD[x % 17_576] as string) + (URL_MIDDLE[rest % 676] as string)
  return head + (URL_QUERY[x % 1_000] as string)
}

function pairs(firsts: readonly string[], seconds: readonly string[]): readonly string[] {
  return textTable(
    seconds.flatMap(second => firsts.map(first => [first, second] as const)),
    ([first, second]) => first + second,
  )
}

/** Each text is made anew from bytes: one put together would be walked again at every use. */
export function textTable<T>(keys: readonly T[], textOf: (key: T) => string): readonly string[] {
  return keys.map(key => Buffer.from(textOf(key), 'latin1').toString('latin1'))
}
