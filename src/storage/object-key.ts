import { storageErrors } from './storage-errors.ts'

const KEY_LENGTH_MAX = 1024
/** The limit of most file systems is 255 bytes; the rest is left for what adapters add. */
const SEGMENT_LENGTH_MAX = 200
const segment = /^(?!\.)[A-Za-z0-9_.=%+@-]+$/

/** Throws WEIR_STORE_KEY_INVALID unless every adapter can hold an object of this name. */
export function checkObjectKey(key: string): void {
  const segments = key.split('/')
  const valid = segments.every(s => segment.test(s) && s.length <= SEGMENT_LENGTH_MAX)
  if (!valid || key.length > KEY_LENGTH_MAX) throw storageErrors.WEIR_STORE_KEY_INVALID({ key })
}

/**
 * Turns any name into one segment of a key, and different names into different ones. A name that is
 * too long keeps its beginning and ends in its own hash.
 */
export function keySegment(name: string): string {
  const encoded = Array.from(name, character =>
    /[A-Za-z0-9_=-]/.test(character) ? character : percentEncode(character),
  ).join('')
  if (encoded.length <= 120) return encoded
  return `${encoded.slice(0, 104).replace(/%[0-9a-f]?$/, '')}+${fnv64(name)}`
}

function percentEncode(character: string): string {
  return Array.from(Buffer.from(character), byte => `%${byte.toString(16).padStart(2, '0')}`).join(
    '',
  )
}

/** FNV-1a of 64 bits. Fowler, Noll and Vo, 1991. */
function fnv64(text: string): string {
  let hash = 0xcbf29ce484222325n
  for (const byte of Buffer.from(text)) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n)
  }
  return hash.toString(16).padStart(16, '0')
}
