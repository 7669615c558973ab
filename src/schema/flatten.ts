/**
 * A copy of a string that keeps no other string alive. `substring` of 13 or more characters only
 * points into its parent: a short string in state would hold the whole batch it was cut from.
 */
export function flatten(text: string): string {
  if (text.length < SLICED_MIN) return text
  if (scratch.length < text.length * 2) scratch = Buffer.allocUnsafeSlow(text.length * 2)
  // Latin-1 takes half the memory; UTF-16 keeps every string as it is, lone surrogates too.
  const narrow = scratch.toString('latin1', 0, scratch.write(text, 'latin1'))
  if (narrow === text) return narrow
  return scratch.toString('utf16le', 0, scratch.write(text, 'utf16le'))
}

/** V8 copies shorter pieces at once. */
const SLICED_MIN = 13

let scratch = Buffer.allocUnsafeSlow(1024)
