/**
 * An open Parquet file: its footer, and whole columns of single row groups. The home of hyparquet.
 */
import { type FileHandle, open } from 'node:fs/promises'
import { zstdDecompressSync } from 'node:zlib'
import {
  type Compressors,
  type FileMetaData,
  type ParquetParsers,
  type ParquetScan,
  parquetMetadataAsync,
  parquetScan,
  parquetSchema,
} from 'hyparquet'
import { DEFAULT_PARSERS } from 'hyparquet/src/convert.js'
import { getTreePath } from 'hyparquet/src/schema.js'
import type { ColumnDecoder } from 'hyparquet/src/types.js'
import { compressors } from 'hyparquet-compressors'
import { readError } from './file-errors.ts'
import { decodeDictionaryColumn } from './parquet-dictionary.ts'

export interface RowRange {
  /** Row numbers of the whole file. */
  readonly start: number
  readonly end: number
  /** The number of the row group. */
  readonly group: number
}

/** One column of one row group: `cells[indexes[i]]` is the cell of row i, or `cells[i]` itself. */
export interface ParquetColumn {
  readonly cells: ArrayLike<unknown>
  readonly indexes: Int32Array | undefined
}

/** Node's own zstd is native; the package's is JavaScript. */
const decompressors: Compressors = {
  ...compressors,
  ZSTD: (input, outputLength) => {
    const output = zstdDecompressSync(input, { maxOutputLength: Math.max(1, outputLength) })
    // An aligned copy of its own: columns of numbers are views of it.
    return new Uint8Array(output)
  },
}

/** Times as numbers of milliseconds: no `Date` object a cell. */
const parsers: Partial<ParquetParsers> = {
  timestampFromMilliseconds: millis => Number(millis) as unknown as Date,
  timestampFromMicroseconds: micros => floorDivide(micros, 1_000) as unknown as Date,
  timestampFromNanoseconds: nanos => Number(nanos / 1_000_000n) as unknown as Date,
  dateFromDays: days => (days * 86_400_000) as unknown as Date,
}

/** Microseconds since the epoch are safe integers for the years up to 2255: no bigint division. */
function floorDivide(value: bigint, divisor: number): number {
  return Math.floor(Number(value) / divisor)
}

export class ParquetFile {
  readonly #path: string
  readonly #handle: FileHandle
  readonly #sizeBytes: number
  readonly #metadata: FileMetaData
  #scan: ParquetScan | undefined

  private constructor(
    path: string,
    file: { readonly handle: FileHandle; readonly sizeBytes: number },
    metadata: FileMetaData,
  ) {
    this.#path = path
    this.#handle = file.handle
    this.#sizeBytes = file.sizeBytes
    this.#metadata = metadata
  }

  /** Throws WEIR_FILE_DAMAGED for what is no Parquet file, or not a whole one. */
  static async open(path: string): Promise<ParquetFile> {
    let handle: FileHandle | undefined
    try {
      handle = await open(path, 'r')
      const file = { handle, sizeBytes: (await handle.stat()).size }
      const metadata = await parquetMetadataAsync(asyncBuffer(file))
      return new ParquetFile(path, file, metadata)
    } catch (error) {
      await handle?.close()
      throw readError({ path, position: 'its footer' }, error)
    }
  }

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  get columnNames(): readonly string[] {
    return parquetSchema(this.#metadata).children.map(child => child.element.name)
  }

  /** The rows of each row group. */
  get rowGroups(): readonly RowRange[] {
    let start = 0
    return this.#metadata.row_groups.map(({ num_rows }, group) => {
      const range = { start, end: start + Number(num_rows), group }
      start = range.end
      return range
    })
  }

  /** A column of the row group that begins with row `start`. Throws WEIR_FILE_DAMAGED. */
  async readColumn(column: string, rows: RowRange): Promise<ParquetColumn> {
    try {
      const coded = await this.#readDictionaryColumn(column, rows)
      if (coded !== undefined) return coded
      this.#scan ??= await parquetScan({
        file: asyncBuffer({ handle: this.#handle, sizeBytes: this.#sizeBytes }),
        metadata: this.#metadata,
        compressors: decompressors,
        parsers,
        utf8: false,
        useOffsetIndex: false,
      })
      const range = { column, rowStart: rows.start, rowEnd: rows.end }
      return { cells: await this.#scan.readColumn(range), indexes: undefined }
    } catch (error) {
      throw readError(
        { path: this.#path, position: `column ${column}, rows from ${rows.start}` },
        error,
      )
    }
  }

  async #readDictionaryColumn(column: string, rows: RowRange): Promise<ParquetColumn | undefined> {
    const group = this.#metadata.row_groups[rows.group]
    const chunk = group?.columns.find(({ meta_data }) => meta_data?.path_in_schema[0] === column)
    const details = chunk?.meta_data
    if (details === undefined) return undefined
    const schemaPath = getTreePath(parquetSchema(this.#metadata), details.path_in_schema)
    const leaf = schemaPath.at(-1)
    if (leaf === undefined) return undefined
    const decoder: ColumnDecoder = {
      pathInSchema: details.path_in_schema,
      type: details.type,
      codec: details.codec,
      element: leaf.element,
      schemaPath,
      parsers: { ...DEFAULT_PARSERS, ...parsers },
      compressors: decompressors,
      utf8: false,
    }
    // Some writers leave the first out, and put the dictionary where the second points.
    const start = Number(details.dictionary_page_offset ?? details.data_page_offset)
    const file = asyncBuffer({ handle: this.#handle, sizeBytes: this.#sizeBytes })
    const bytes = await file.slice(start, start + Number(details.total_compressed_size))
    return decodeDictionaryColumn(bytes, decoder, rows.end - rows.start)
  }

  close(): Promise<void> {
    return this.#handle.close()
  }
}

function asyncBuffer(file: { readonly handle: FileHandle; readonly sizeBytes: number }) {
  return {
    byteLength: file.sizeBytes,
    async slice(start: number, end = file.sizeBytes): Promise<ArrayBuffer> {
      const bytes = new Uint8Array(end - start)
      let at = 0
      while (at < bytes.length) {
        const { bytesRead } = await file.handle.read(bytes, at, bytes.length - at, start + at)
        if (bytesRead === 0) throw new Error(`the file ends at byte ${start + at}, within its data`)
        at += bytesRead
      }
      return bytes.buffer
    },
  }
}
