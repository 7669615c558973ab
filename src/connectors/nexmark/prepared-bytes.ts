/**
 * Records as bytes in memory, encoded before a job starts: what a job reads where the cost of
 * reading from somewhere must not count. Chunks are as large as a batch from a broker would be.
 */
import { ByteWriter } from '../../common/bytes.ts'
import { cloneFunction } from '../../common/clone-function.ts'
import type { Decoder, Format } from '../../schema/format.ts'

/** 512 records of 176 bytes are a chunk of 90 kB. */
const CHUNK_RECORDS = 512

/**
 * Memory behind the records of a chunk, as behind a batch within a broker's answer: a decoder that
 * looks a little ahead would have to copy what ends with its memory.
 */
const BYTES_BEHIND = 4096

interface Chunk {
  readonly buffer: Buffer
  /** Record i lies from `offsets[i]` to before `offsets[i + 1]`. */
  readonly offsets: Int32Array
}

export interface PreparedBytes {
  readonly chunks: readonly Chunk[]
  readonly count: number
}

/** Encodes records 0 to count - 1. */
export function prepareBytes<T>(
  format: Format<T>,
  count: number,
  recordAt: (n: number) => T,
): PreparedBytes {
  const encoder = format.makeEncoder()
  const out = new ByteWriter(1 << 17)
  const chunks: Chunk[] = []
  for (let first = 0; first < count; first += CHUNK_RECORDS) {
    const size = Math.min(CHUNK_RECORDS, count - first)
    const offsets = new Int32Array(size + 1)
    out.clear()
    for (let i = 0; i < size; i++) {
      encoder.write(out, recordAt(first + i))
      offsets[i + 1] = out.length
    }
    chunks.push({ buffer: copyOf(out), offsets })
  }
  return { chunks, count }
}

function copyOf(out: ByteWriter): Buffer {
  const buffer = Buffer.allocUnsafeSlow(out.length + BYTES_BEHIND)
  return buffer.subarray(0, out.view().copy(buffer))
}

/** Record n, decoded from its bytes; numbers from `count` on begin again at record 0. */
export function makeBytesReader<T>(
  { chunks, count }: PreparedBytes,
  format: Format<T>,
): (n: number) => T {
  return cloneFunction(readerOver<T>)({
    chunks,
    count,
    chunkRecords: CHUNK_RECORDS,
    decoder: format.makeDecoder(),
  })
}

interface ReaderParts<T> extends PreparedBytes {
  readonly chunkRecords: number
  readonly decoder: Decoder<T>
}

/** Self-contained: see `cloneFunction`. */
function readerOver<T>({ chunks, count, chunkRecords, decoder }: ReaderParts<T>): (n: number) => T {
  let current = -1
  let first = 0
  let offsets = new Int32Array(0)
  return n => {
    const at = n < count ? n : n % count
    let index = at - first
    if (index < 0 || index >= chunkRecords || current < 0) {
      current = Math.floor(at / chunkRecords)
      first = current * chunkRecords
      index = at - first
      const chunk = chunks[current] as Chunk
      offsets = chunk.offsets as Int32Array<ArrayBuffer>
      decoder.setBatch(chunk.buffer)
    }
    return decoder.read(offsets[index] as number, offsets[index + 1] as number)
  }
}
