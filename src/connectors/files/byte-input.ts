/**
 * The bytes of one file from a position on, decompressed if need be, in pieces that the caller
 * asks.
 */
import { createReadStream } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { createGunzip, createZstdDecompress } from 'node:zlib'

export interface ByteInput {
  /** Fills the buffer from `at` on; how many bytes came, 0 at the end of the input. */
  read(buffer: Buffer, at: number): Promise<number>
  /** The size of the file now, as it lies on the disk. */
  sizeBytes(): Promise<number>
  close(): Promise<void>
}

export type Compression = 'none' | 'gzip' | 'zstd'

export function compressionOf(path: string): Compression {
  if (path.endsWith('.gz')) return 'gzip'
  return path.endsWith('.zst') ? 'zstd' : 'none'
}

export async function openInput(
  path: string,
  compression: Compression,
  position: number,
): Promise<ByteInput> {
  const handle = await open(path, 'r')
  if (compression === 'none') return new PlainInput(handle, position)
  return new CompressedInput(handle, compression, position)
}

class PlainInput implements ByteInput {
  readonly #handle: FileHandle
  #position: number

  constructor(handle: FileHandle, position: number) {
    this.#handle = handle
    this.#position = position
  }

  async read(buffer: Buffer, at: number): Promise<number> {
    const { bytesRead } = await this.#handle.read(buffer, at, buffer.length - at, this.#position)
    this.#position += bytesRead
    return bytesRead
  }

  async sizeBytes(): Promise<number> {
    return (await this.#handle.stat()).size
  }

  close(): Promise<void> {
    return this.#handle.close()
  }
}

const PIECE_BYTES = 128 * 1024

/** A compressed file has no way in but from its start: what was read before is read and dropped. */
class CompressedInput implements ByteInput {
  readonly #handle: FileHandle
  readonly #stream: Readable
  readonly #pieces: AsyncIterator<Buffer>
  #rest: Buffer = Buffer.alloc(0)
  #skip: number

  constructor(handle: FileHandle, compression: 'gzip' | 'zstd', position: number) {
    this.#handle = handle
    this.#skip = position
    const file = createReadStream('', { fd: handle, autoClose: false })
    const options = { chunkSize: PIECE_BYTES }
    const decompress =
      compression === 'gzip' ? createGunzip(options) : createZstdDecompress(options)
    file.on('error', error => decompress.destroy(error))
    this.#stream = file.pipe(decompress)
    this.#pieces = this.#stream[Symbol.asyncIterator]()
  }

  async read(buffer: Buffer, at: number): Promise<number> {
    while (this.#rest.length === 0) {
      const { value, done } = await this.#pieces.next()
      if (done) return 0
      this.#rest = value.subarray(this.#skip)
      this.#skip = Math.max(0, this.#skip - value.length)
    }
    const count = this.#rest.copy(buffer, at)
    this.#rest = this.#rest.subarray(count)
    return count
  }

  async sizeBytes(): Promise<number> {
    return (await this.#handle.stat()).size
  }

  async close(): Promise<void> {
    this.#stream.destroy()
    await this.#handle.close()
  }
}
