/**
 * The compressions of record batches. gzip and zstd are Node's own; the libraries of the others are
 * loaded by the first reader or writer.
 */
import { gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib'

export type Compression = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'

/** In the order of their numbers in a batch. */
export const compressions: readonly Compression[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']

/** A batch that claims to be larger is damaged, or meant to do harm. */
const PLAIN_BYTES_MAX = 256 * 1024 * 1024

/** Java's snappy writes blocks, each with its length, behind this. */
const XERIAL = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00])
const XERIAL_HEADER = 16

export interface Codecs {
  readonly crc32c: (bytes: Uint8Array) => number
  compress(compression: Compression, plain: Buffer): Buffer
  /** Throws what the library throws at bytes that are none of it. */
  decompress(compression: Compression, packed: Buffer): Buffer
}

let loading: Promise<Codecs> | undefined

export function loadCodecs(): Promise<Codecs> {
  loading ??= makeCodecs()
  return loading
}

async function makeCodecs(): Promise<Codecs> {
  const [snappy, lz4, crc] = await Promise.all([
    import('snappy'),
    import('lz4-napi'),
    import('@node-rs/crc32'),
  ])
  const unsnappy = (packed: Buffer): Buffer =>
    snappy.uncompressSync(packed, { asBuffer: true }) as Buffer
  return {
    crc32c: bytes => crc.crc32c(bytes),
    compress(compression, plain) {
      switch (compression) {
        case 'none':
          return plain
        case 'gzip':
          return gzipSync(plain)
        case 'snappy':
          return snappy.compressSync(plain)
        case 'lz4':
          return lz4.compressFrameSync(plain)
        case 'zstd':
          return zstdCompressSync(plain)
      }
    },
    decompress(compression, packed) {
      switch (compression) {
        case 'none':
          return packed
        case 'gzip':
          return gunzipSync(packed, { maxOutputLength: PLAIN_BYTES_MAX })
        case 'snappy':
          return packed.subarray(0, XERIAL.length).equals(XERIAL)
            ? unpackBlocks(packed, unsnappy)
            : unsnappy(packed)
        case 'lz4':
          return lz4.decompressFrameSync(packed)
        case 'zstd':
          return zstdDecompressSync(packed, { maxOutputLength: PLAIN_BYTES_MAX })
      }
    },
  }
}

function unpackBlocks(packed: Buffer, unpack: (block: Buffer) => Buffer): Buffer {
  const blocks: Buffer[] = []
  for (let at = XERIAL_HEADER; at + 4 <= packed.length; ) {
    const size = packed.readInt32BE(at)
    blocks.push(unpack(packed.subarray(at + 4, at + 4 + size)))
    at += 4 + size
  }
  return Buffer.concat(blocks)
}
