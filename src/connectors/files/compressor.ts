/** Compresses a file as one stream, piece by piece, beside the task. */
import { createGzip, createZstdCompress } from 'node:zlib'
import type { Compression } from './byte-input.ts'

export interface Compressor {
  /** What of the file is ready with these bytes; often nothing yet. */
  write(chunk: Uint8Array): Promise<readonly Uint8Array[]>
  /** The rest of the file. */
  end(): Promise<readonly Uint8Array[]>
  /** Gives the stream up. */
  close(): void
}

/** `undefined` for a file that is written as it is. */
export function makeCompressor(compression: Compression): Compressor | undefined {
  if (compression === 'none') return undefined
  const stream = compression === 'gzip' ? createGzip() : createZstdCompress()
  let ready: Uint8Array[] = []
  let failure: Error | undefined
  stream.on('data', (piece: Uint8Array) => void ready.push(piece))
  // A stream that was closed early has nobody to tell.
  stream.on('error', error => {
    failure = error
  })
  const take = (): readonly Uint8Array[] => {
    const taken = ready
    ready = []
    return taken
  }
  return {
    async write(chunk) {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      stream.write(chunk, error => (error ? reject(error) : resolve()))
      await promise
      return take()
    },
    async end() {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      stream.once('end', resolve).once('error', reject)
      if (failure !== undefined) throw failure
      stream.end()
      await promise
      return take()
    },
    close: () => void stream.destroy(),
  }
}
