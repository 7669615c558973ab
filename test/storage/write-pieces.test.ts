import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { writePieces } from '../../src/storage/write-pieces.ts'

/** A disk that takes so many bytes at a call, at most. */
function shortFile(most: number) {
  const written: Buffer[] = []
  return {
    written,
    async writev(pieces: readonly NodeJS.ArrayBufferView[]) {
      const all = Buffer.concat(pieces as Uint8Array[])
      const taken = Buffer.from(all.subarray(0, most))
      written.push(taken)
      return { bytesWritten: taken.length, buffers: pieces }
    },
  }
}

test('goes on behind what a short write took', async () => {
  const pieces = fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 10 })
  await fc.assert(
    fc.asyncProperty(pieces, fc.integer({ min: 1, max: 30 }), async (given, most) => {
      const file = shortFile(most)
      await writePieces(file as never, given)
      expect(Buffer.concat(file.written).equals(Buffer.concat(given))).toBe(true)
    }),
  )
})

test('writes one piece alone', async () => {
  const file = shortFile(100)
  await writePieces(file as never, Buffer.from('one'))
  expect(file.written.map(String)).toEqual(['one'])
})
