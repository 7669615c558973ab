/**
 * Cuts one split of a text file into batches of whole records. The next batches are read while the
 * task works on this one; at most `BATCHES_AHEAD` wait.
 *
 * A record belongs to the split in which its first byte lies. A split that does not begin the file
 * therefore skips to the first line feed from one byte before its start on, and the last record is
 * read to its end, beyond the split's.
 */
import { WeirError } from '../../common/errors.ts'
import { type ByteInput, compressionOf, openInput } from './byte-input.ts'
import { fileErrors, readError } from './file-errors.ts'
import type { FileSplit } from './file-split.ts'
import type { Framing } from './framing.ts'

export interface LineBatch {
  /** Holds whole records only, from `at` on. */
  readonly buffer: Buffer
  /** The offset of the buffer's first byte in the file. */
  readonly base: number
  /** Records that begin here or later belong to the next split. */
  readonly stop: number
  /** The next record to emit. */
  at: number
}

/**
 * Large enough to spread the cost of a read, small enough to stay in the cache while decoded. Text
 * of 128 kB and more is a large object to V8, which only a collection of the whole heap frees: with
 * reads of that size a small job held 100 MB more.
 */
const READ_BYTES = 96 * 1024
const READ_BYTES_MIN = 4 * 1024
/** What compression makes of text at most, and more than enough for a small file. */
const UNPACKED_TIMES = 64
const BATCHES_AHEAD = 3
/** A longer record is rather a file without line ends, and would fill the memory. */
const RECORD_BYTES_MAX = 64 * 1024 * 1024

export class LineBatchReader {
  readonly #split: FileSplit
  readonly #framing: Framing
  readonly #wakeUp: () => void
  readonly #batches: LineBatch[] = []
  #input: ByteInput | undefined
  /** Bytes read but not yet cut into a batch; `#base` is the offset of the first of them. */
  #tail: Buffer = Buffer.alloc(0)
  #base: number
  #skipsPartialRecord: boolean
  #reading: Promise<void> | undefined
  #failure: unknown
  #ended = false
  #closed = false

  constructor(split: FileSplit, framing: Framing, wakeUp: () => void) {
    const { start, position } = split
    this.#split = split
    this.#framing = framing
    this.#wakeUp = wakeUp
    this.#skipsPartialRecord = framing.splittable && position === start && position > 0
    this.#base = this.#skipsPartialRecord ? position - 1 : position
    this.#readAhead()
  }

  /** The next batch, `undefined` when none is there yet, `'end'` after the last. */
  take(): LineBatch | undefined | 'end' {
    const batch = this.#batches.shift()
    this.#readAhead()
    if (batch !== undefined) return batch
    // What was read before the failure has been handed over by now: nothing of it is lost.
    if (this.#failure !== undefined) throw this.#failure
    return this.#ended ? 'end' : undefined
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#batches.length = 0
    await this.#reading
    await this.#input?.close()
  }

  #readAhead(): void {
    if (this.#reading !== undefined || this.#ended || this.#failure !== undefined) return
    this.#reading = this.#readBatches()
      .catch((error: unknown) => {
        this.#failure = this.#explain(error)
      })
      .finally(() => {
        this.#reading = undefined
        if (!this.#closed) this.#wakeUp()
      })
  }

  async #readBatches(): Promise<void> {
    this.#input ??= await this.#open()
    while (!this.#ended && !this.#closed && this.#batches.length < BATCHES_AHEAD) {
      const batch = await this.#readBatch(this.#input)
      if (batch === undefined) continue
      this.#batches.push(batch)
      this.#wakeUp()
    }
  }

  async #open(): Promise<ByteInput> {
    const { path, sizeBytes } = this.#split
    const input = await openInput(path, compressionOf(path), this.#base)
    const actualBytes = await input.sizeBytes()
    if (actualBytes < sizeBytes) {
      await input.close()
      throw fileErrors.WEIR_FILE_TRUNCATED({ path, expectedBytes: sizeBytes, actualBytes })
    }
    return input
  }

  /** One read; `undefined` when it did not complete a record. */
  async #readBatch(input: ByteInput): Promise<LineBatch | undefined> {
    const kept = this.#tail.length
    const buffer = Buffer.allocUnsafeSlow(Math.max(this.#readBytes(), kept * 2))
    this.#tail.copy(buffer)
    const count = await input.read(buffer, kept)
    const held = buffer.subarray(0, kept + count)
    if (count === 0) this.#ended = true
    const from = this.#firstRecord(held)
    if (from < 0) return undefined
    const cut = this.#ended ? held.length : this.#lastEnd(held, from)
    return this.#cutBatch(held, from, cut)
  }

  /** No more than is left of a small file: large buffers of many files keep the collector busy. */
  #readBytes(): number {
    const { path, sizeBytes } = this.#split
    if (compressionOf(path) !== 'none') return Math.min(READ_BYTES, sizeBytes * UNPACKED_TIMES)
    const left = sizeBytes - this.#base
    // One more than there is, so that the next read is the one that finds the end.
    return Math.max(READ_BYTES_MIN, Math.min(READ_BYTES, left + 1))
  }

  #cutBatch(held: Buffer, from: number, cut: number): LineBatch | undefined {
    const base = this.#base
    const stop = (this.#split.end ?? Number.POSITIVE_INFINITY) - base
    this.#tail = held.subarray(cut)
    this.#base += cut
    if (cut >= stop) this.#ended = true
    if (this.#tail.length > RECORD_BYTES_MAX) {
      const { path } = this.#split
      const limitBytes = RECORD_BYTES_MAX
      throw fileErrors.WEIR_FILE_RECORD_TOO_LONG({ path, position: this.#base, limitBytes })
    }
    return cut > from ? { buffer: held.subarray(0, cut), base, stop, at: from } : undefined
  }

  /** Where the first whole record begins, -1 when that is not among the bytes yet. */
  #firstRecord(held: Buffer): number {
    if (this.#skipsPartialRecord) {
      const lineFeed = this.#framing.findEnd(held, 0)
      if (lineFeed < 0) {
        this.#base += held.length
        this.#tail = Buffer.alloc(0)
        return -1
      }
      this.#skipsPartialRecord = false
      return lineFeed + 1
    }
    return this.#base === 0 ? byteOrderMark(held) : 0
  }

  /** The end of the last whole record. */
  #lastEnd(held: Buffer, from: number): number {
    if (this.#framing.splittable) return Math.max(from, held.lastIndexOf('\n') + 1)
    let end = from
    for (;;) {
      const lineFeed = this.#framing.findEnd(held, end)
      if (lineFeed < 0) return end
      end = lineFeed + 1
    }
  }

  #explain(error: unknown): unknown {
    if (error instanceof WeirError) return error
    const position = `byte ${this.#base + this.#tail.length}`
    return readError({ path: this.#split.path, position }, error)
  }
}

/** The length of a UTF-8 byte order mark, which some programs put first and nobody wants. */
export function byteOrderMark(bytes: Buffer): number {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0
}
