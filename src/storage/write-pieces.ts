/** Writes pieces one behind the other, all in one call: one each would cost several times more. */
import type { FileHandle } from 'node:fs/promises'
import type { ObjectBytes } from './object-store.ts'

export async function writePieces(
  file: Pick<FileHandle, 'writev'>,
  bytes: ObjectBytes,
): Promise<void> {
  const pieces = bytes instanceof Uint8Array ? [bytes] : bytes
  let left = pieces.filter(piece => piece.length > 0)
  while (left.length > 0) {
    const { bytesWritten } = await file.writev(left)
    left = piecesAfter(left, bytesWritten)
  }
}

/** What is left of the pieces after `count` bytes: a write may stop anywhere. */
function piecesAfter(pieces: readonly Uint8Array[], count: number): Uint8Array[] {
  let passed = 0
  let at = 0
  for (; at < pieces.length; at++) {
    const { length } = pieces[at] as Uint8Array
    if (passed + length > count) break
    passed += length
  }
  const [partial, ...rest] = pieces.slice(at)
  return partial === undefined ? [] : [partial.subarray(count - passed), ...rest]
}
