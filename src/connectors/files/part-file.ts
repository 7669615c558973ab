/**
 * One part while it is written: records are encoded into a buffer, full buffers go to the disk one
 * after the other while the next is filled.
 */
import { ByteWriter } from '../../common/bytes.ts'
import type { Compression } from './byte-input.ts'
import { type Compressor, makeCompressor } from './compressor.ts'
import type { OutputDisk, OutputFile } from './output-file.ts'

/** Large writes cost less each; larger ones than this gain nothing more. */
const CHUNK_BYTES = 128 * 1024
/** A part of few records should not hold a whole chunk. */
const FIRST_BYTES = 4 * 1024

export interface PartFileOptions {
  readonly path: string
  readonly disk: OutputDisk
  /** Of the file as a whole; what compresses inside of itself says `none`. */
  readonly compression: Compression
  readonly openedMs: number
  /**
   * Chunks that were written and are to be filled again, of all parts of a writer. Outside of its
   * heap the collector lets garbage lie: there were tens of megabytes of it.
   */
  readonly spareChunks: Buffer[]
  /** Told of bytes handed to the disk (positive) and of bytes that arrived there (negative). */
  readonly onInFlight: (bytes: number) => void
  readonly onFailure: (error: unknown) => void
}

export class PartFile {
  readonly #options: PartFileOptions
  readonly out = new ByteWriter(FIRST_BYTES)
  /** Records written: tells an active part from a quiet one without reading the clock. */
  records = 0
  readonly #compressor: Compressor | undefined
  /** Handed to the disk, before it is compressed. */
  #sentBytes = 0
  /** In the file. */
  #writtenBytes = 0
  #file: OutputFile | undefined
  #work: Promise<void> = Promise.resolve()
  #failed = false

  constructor(options: PartFileOptions) {
    this.#options = options
    this.#compressor = makeCompressor(options.compression)
  }

  get openedMs(): number {
    return this.#options.openedMs
  }

  /** Compressed, only what is on the disk is known. */
  get sizeBytes(): number {
    if (this.#compressor !== undefined) return this.#writtenBytes
    return this.#sentBytes + this.out.length
  }

  /** Call after each record: sends the buffer on when it is full. */
  sendIfFull(): void {
    if (this.out.length >= CHUNK_BYTES) this.#send()
  }

  /** Writes the rest and makes all of it durable; the size of the file. */
  async finish(): Promise<number> {
    this.#send()
    this.#enqueue(async file => {
      await this.#writeAll(file, await this.#compressor?.end())
      await file.sync()
      this.#file = undefined
      await file.close()
    })
    await this.#work
    return this.#writtenBytes
  }

  /** Gives the part up; what was written stays on the disk under its hidden name. */
  async abandon(): Promise<void> {
    await this.#work
    this.#compressor?.close()
    await this.#file?.close().catch(() => {})
  }

  #send(): void {
    const size = this.out.length
    if (size === 0) return
    const { buffer } = this.out
    const chunk = buffer.subarray(0, size)
    const spare = this.#options.spareChunks.pop()
    this.out.buffer = spare ?? Buffer.allocUnsafeSlow(CHUNK_BYTES + FIRST_BYTES)
    this.out.length = 0
    this.#sentBytes += size
    this.#options.onInFlight(size)
    this.#enqueue(async file => {
      const pieces = this.#compressor === undefined ? [chunk] : await this.#compressor.write(chunk)
      await this.#writeAll(file, pieces)
      if (buffer.length >= CHUNK_BYTES) this.#options.spareChunks.push(buffer)
      this.#options.onInFlight(-size)
    })
  }

  async #writeAll(file: OutputFile, pieces: readonly Uint8Array[] = []): Promise<void> {
    for (const piece of pieces) {
      await file.write(piece)
      this.#writtenBytes += piece.length
    }
  }

  /** After the first failure nothing more is tried: the writer fails as a whole. */
  #enqueue(step: (file: OutputFile) => Promise<void>): void {
    this.#work = this.#work.then(async () => {
      if (this.#failed) return
      try {
        this.#file ??= await this.#options.disk.create(this.#options.path)
        await step(this.#file)
      } catch (error) {
        this.#failed = true
        this.#options.onFailure(error)
        this.#compressor?.close()
        await this.#file?.close().catch(() => {})
        this.#file = undefined
      }
    })
  }
}
