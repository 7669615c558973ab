/** Source of the code that reads one JSON number, string or the like at `p`. */
import type { ReadSource } from './json-read-source.ts'
import type { ChoiceNode, LeafNode, TypeNode, ZodNode, ZodPayload } from './type-node.ts'
import { makeShaper } from './value-shaper.ts'

/** More digits would not be exact in a double. */
const DIGITS_MAX = 15

/** Four bytes at `p` into `w`, digits as 0 to 9; `c` marks the first byte that is none. */
const NEXT_FOUR = [
  'w = view.getInt32(p, true) ^ 0x30303030',
  'c = (w | (w + 0x76767676)) & 0x80808080',
]

/** The four digits in `w` as one number: in pairs, then the pairs. */
const FOUR_DIGITS = '(Math.imul((Math.imul(w, 10) + (w >>> 8)) & 0xff00ff, 0x640001) >>> 16)'

/** The head of a loop over digits, each in `c`, up to the place `q`. */
const WHILE_DIGITS = 'for (; p < q && (c = bytes[p] - 48) >= 0 && c <= 9; p++)'

export function readLeaf(s: ReadSource, node: LeafNode): string {
  switch (node.kind) {
    case 'null':
      s.expect('null')
      return 'null'
    case 'boolean':
      return readBoolean(s)
    case 'string':
      return readString(s)
    case 'bytes':
      return readBase64(s)
    case 'int64':
      return readDigits(s)
    case 'timestamp':
      return node.json === 'iso' ? readIso(s, node) : readInteger(s, node.kind)
    case 'int32':
    case 'int':
      return readInteger(s, node.kind)
    default:
      return readFloat(s)
  }
}

/**
 * A number's digits into `v`, four at a time; `neg` tells the sign. As far as eight digits `v` is a
 * small integer; `more` emits what reads on from there. A loop over single digits costs twice as
 * much, half of it for the turn at its end that no processor foresees.
 */
function scanDigits(s: ReadSource, v: string, more: () => void): void {
  s.line(
    `let ${v} = 0`,
    'neg = bytes[p] === 45',
    'if (neg) p++',
    'acc = p',
    ...NEXT_FOUR,
    `if (c === 0) { ${v} = ${FOUR_DIGITS}; p += 4`,
    ...NEXT_FOUR,
    '}',
    `if (c === 0) { ${v} = (Math.imul(${v}, 10000) + ${FOUR_DIGITS}) | 0; p += 4`,
  )
  more()
  s.line('} else {', ...LAST_DIGITS)
  s.line(`${v} = (Math.imul(${v}, ${s.constant(SMALL_POWERS, 'powers')}[q]) + ${FOUR_DIGITS}) | 0`)
  s.line('p += q', '}')
  // No digit at all, or a zero before others: no JSON.
  s.line(`if (p === acc || (bytes[acc] === 48 && p !== acc + 1)) ${s.miss}`)
}

/** The `q` digits before the byte that `c` marks, three at most: moved to the end of the word. */
const LAST_DIGITS = ['q = Math.clz32(c ^ (c - 1))', 'w = w << q << 8; q = 3 - (q >> 3)']

/** Kept as integers, so that V8 converts nothing on the way to a field. */
const SMALL_POWERS = Int32Array.of(1, 10, 100, 1000)

/** The ninth to the fifteenth digit. A sixteenth is left for whoever looks at the next byte. */
function scanMoreDigits(s: ReadSource, v: string): void {
  s.line(...NEXT_FOUR, `if (c === 0) { ${v} = ${v} * 10000 + ${FOUR_DIGITS}; p += 4`)
  s.line(...NEXT_FOUR, '}', 'if (c !== 0) {', ...LAST_DIGITS)
  s.line(`${v} = ${v} * ${s.constant(POWERS, 'powers')}[q] + ${FOUR_DIGITS}; p += q`, '}')
}

function readInteger(s: ReadSource, kind: 'int32' | 'int' | 'timestamp'): string {
  s.flush()
  const v = s.name('v')
  scanDigits(s, v, () => {
    if (kind === 'int32') scanInt32End(s, v)
    else scanMoreDigits(s, v)
  })
  // JSON.parse knows -0; so does zod.
  s.line(`if (neg) { if (${v} === 0) ${s.miss}; ${v} = -${v} }`)
  // A further digit, a fraction or an exponent: the next byte is none that can follow.
  return v
}

/** The ninth and the tenth digit, as far as they are within the range. */
function scanInt32End(s: ReadSource, v: string): void {
  const wide = s.name('wide')
  s.line('while ((c = bytes[p] - 48) >= 0 && c <= 9) {')
  s.line(`const ${wide} = ${v} * 10 + c`, `if (${wide} > 2147483647) ${s.miss}`)
  s.line(`${v} = ${wide} | 0; p++`, '}')
}

function readFloat(s: ReadSource): string {
  s.flush()
  const [v, start, scale] = [s.name('v'), s.name('start'), s.name('scale')]
  s.line(`const ${start} = p`)
  scanDigits(s, v, () => scanMoreDigits(s, v))
  s.line(
    'c = bytes[p]',
    'if (c === 46) {',
    `const ${scale} = ++p`,
    // Fifteen digits and the point, so that the digits are an exact integer.
    `q = ${start} + ${DIGITS_MAX + 1}`,
    `${WHILE_DIGITS} ${v} = ${v} * 10 + c`,
    `if (p === ${scale} && p < q) ${s.miss}`,
    // Both are exact doubles here, so that one division rounds as the shortest parse does.
    `${v} = ${v} / ${s.constant(POWERS, 'powers')}[p - ${scale}]`,
    'c = bytes[p]',
    '}',
    // More digits, or an exponent.
    `if ((c >= 48 && c <= 57) || c === 46 || c === 101 || c === 69) {`,
    `${v} = batch.unusualNumber(${start}, end)`,
    `if (!Number.isFinite(${v})) ${s.miss}`,
    'p = batch.position',
    `} else if (neg) ${v} = -${v}`,
  )
  return v
}

const POWERS: readonly number[] = Array.from({ length: DIGITS_MAX + 1 }, (_, i) => 10 ** i)

function readBoolean(s: ReadSource): string {
  s.flush()
  const v = s.name('v')
  s.line(`let ${v} = true`)
  s.line(`if (!(${s.matches('true')})) {`)
  s.line(`if (${s.matches('false')}) ${v} = false`, `else ${s.miss}`, '}')
  return v
}

/** Moves `q` from behind the opening quote to the closing one, four bytes at a time. */
function scanString(s: ReadSource): void {
  s.expect('"')
  s.flush()
  s.line(
    'q = p; acc = 0',
    'for (; q < end; q += 4) {',
    // Bytes below 0x23: a quote, a control character, a blank or !. The first one's mark is right.
    'w = view.getInt32(q, true)',
    'c = (w - 0x23232323) & ~w & 0x80808080',
    'if (c === 0) { acc |= w; continue }',
    'c = c ^ (c - 1); acc |= w & c',
    'q += 3 - (Math.clz32(c) >> 3); c = bytes[q]',
    'if (c === 34) break',
    `if (c < 32) ${s.miss}`,
    // On from behind it.
    'q -= 3',
    '}',
    `if (q >= end) ${s.miss}`,
  )
}

function readString(s: ReadSource): string {
  scanString(s)
  const v = s.name('v')
  s.line(
    `let ${v}`,
    // Not ASCII, or a backslash on the way.
    'if ((acc & 0x80808080) !== 0 || q > bs) {',
    `${v} = batch.unusualString(p, q, end)`,
    `if (${v} === undefined) ${s.miss}`,
    'p = batch.position',
    'bs = batch.backslash',
    `} else { ${v} = text.substring(p, q); p = q + 1 }`,
  )
  return v
}

/** Moves past a value that nobody wants, without making it. */
export function skipOver(s: ReadSource, node: TypeNode | undefined): void {
  if (node?.kind === 'choice' && node.json === 'plain') readChoice(s, node)
  else if (node?.json === 'plain' && INTEGERS.has(node.kind)) {
    s.flush()
    const unwanted = s.name('v')
    scanDigits(s, unwanted, () => scanMoreDigits(s, unwanted))
  } else if (node?.json === 'plain' && node.kind === 'string') {
    scanString(s)
    s.line('if (q <= bs) p = q + 1', 'else {')
    s.line(`if (batch.unusualString(p, q, end) === undefined) ${s.miss}`)
    s.line('p = batch.position', 'bs = batch.backslash', '}')
  } else {
    s.flush()
    s.line('p = batch.skipValue(p, end)', `if (p < 0) ${s.miss}`, 'bs = batch.backslash')
  }
}

const INTEGERS: ReadonlySet<string> = new Set(['int32', 'int', 'timestamp'])

function readBase64(s: ReadSource): string {
  const text = readString(s)
  s.line(`if (${text}.length % 4 !== 0 || !${s.constant(BASE64)}.test(${text})) ${s.miss}`)
  return s.hold(`Buffer.from(${text}, 'base64')`)
}

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/

function readDigits(s: ReadSource): string {
  const text = readString(s)
  s.line(`if (!${s.constant(INT64)}.test(${text})) ${s.miss}`)
  return s.hold(`BigInt(${text})`)
}

/** Up to 18 digits are always within 64 bits. */
const INT64 = /^-?[0-9]{1,18}$/

function readIso(s: ReadSource, node: LeafNode): string {
  s.flush()
  s.line(`if (bytes[p] !== 34) ${s.miss}`)
  const v = s.name('v')
  s.line(`let ${v} = batch.isoTimestamp(p, end)`, `if (${v} === ${v}) p = batch.position`, 'else {')
  // Another form of ISO 8601, with an offset or more digits.
  s.line(`${v} = ${readOpaque(s, node)}`, '}')
  return v
}

/** What only zod can read: the piece of text is parsed, then handed to it. */
export function readOpaque(s: ReadSource, node: TypeNode): string {
  s.flush()
  const parsed = s.hold('batch.anyValue(p, end)')
  s.line(`if (${parsed} === undefined) ${s.miss}`, 'p = batch.position', 'bs = batch.backslash')
  const run = s.constant(runZod, 'zod')
  const payload = s.hold(`${run}(${s.constant(node.zod)}, ${parsed})`)
  s.line(`if (${payload} === undefined) ${s.miss}`)
  return `${s.constant(makeShaper(node), 'shape')}(${payload}.value)`
}

/** Undefined when zod finds fault, throws, or cannot tell at once. */
export function runZod(zod: ZodNode, value: unknown): ZodPayload | undefined {
  try {
    const payload = zod._zod.run({ value, issues: [] }, { async: false })
    return payload instanceof Promise || payload.issues.length > 0 ? undefined : payload
  } catch {
    return undefined
  }
}

/** One of a few constants: each is compared with the bytes, no string is made. */
export function readChoice(s: ReadSource, node: ChoiceNode): string {
  const only = node.values[0]
  const texts = node.values.map(value => JSON.stringify(value))
  if (node.values.length === 1) {
    s.expect(texts[0] as string)
    return JSON.stringify(only)
  }
  s.flush()
  const v = s.name('v')
  s.line(`let ${v}`)
  for (const [i, literal] of texts.entries()) {
    s.line(`${i === 0 ? '' : 'else '}if (${s.matches(literal)}) ${v} = ${literal}`)
  }
  s.line(`else ${s.miss}`)
  return v
}
