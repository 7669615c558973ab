/**
 * Conditions by which generated code compares bytes with a constant, eight at a time.
 *
 * A key costs a comparison of two doubles instead of one per character: 25 ns less a record of nine
 * fields. Text read as a double is no NaN, which has 0xff, or 0x7f before 0xf0 to 0xff, on
 * top: UTF-8 has neither. Other doubles are equal exactly when their bytes are, but for the zeros,
 * which have bytes that no JSON constant has.
 */
const scratch = new DataView(new ArrayBuffer(8))

/** True in generated code when the bytes at `p + offset` differ from `text`. */
export function differs(text: string, offset = 0): string {
  const at = (i: number) => (i + offset === 0 ? 'p' : `p + ${i + offset}`)
  const conditions: string[] = []
  const word = (i: number) =>
    conditions.push(`view.getFloat64(${at(i)}, true) !== ${doubleOf(text.slice(i, i + 8))}`)
  const half = (i: number) =>
    conditions.push(`view.getInt32(${at(i)}, true) !== ${int32Of(text.slice(i, i + 4))}`)
  const size = text.length
  if (size >= 8) {
    for (let i = 0; i + 8 <= size; i += 8) word(i)
    // The rest as one more word that overlaps the one before.
    if (size % 8 !== 0) word(size - 8)
  } else if (size >= 4) {
    half(0)
    if (size > 4) half(size - 4)
  } else {
    for (let i = 0; i < size; i++) conditions.push(`bytes[${at(i)}] !== ${text.charCodeAt(i)}`)
  }
  return conditions.join(' || ')
}

/** A text as its UTF-8 bytes, one character each: the form in which {@link differs} takes it. */
export function byteText(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1')
}

function doubleOf(text: string): string {
  for (let i = 0; i < 8; i++) scratch.setUint8(i, text.charCodeAt(i))
  return String(scratch.getFloat64(0, true))
}

function int32Of(text: string): string {
  for (let i = 0; i < 4; i++) scratch.setUint8(i, text.charCodeAt(i))
  return String(scratch.getInt32(0, true))
}

/** Statements that put `text` at `p` of the buffer, eight bytes at a time. */
export function storesOf(text: string): string[] {
  const at = (i: number) => (i === 0 ? 'p' : `p + ${i}`)
  const word = (i: number) => `view.setFloat64(${at(i)}, ${doubleOf(text.slice(i, i + 8))}, true)`
  const half = (i: number) => `view.setInt32(${at(i)}, ${int32Of(text.slice(i, i + 4))}, true)`
  const size = text.length
  if (size < 4) return text.split('').map((c, i) => `buffer[${at(i)}] = ${c.charCodeAt(0)}`)
  if (size < 8) return size === 4 ? [half(0)] : [half(0), half(size - 4)]
  const stores: string[] = []
  for (let i = 0; i + 8 <= size; i += 8) stores.push(word(i))
  return size % 8 === 0 ? stores : [...stores, word(size - 8)]
}
