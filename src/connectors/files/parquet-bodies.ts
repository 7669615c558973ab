/**
 * Writes the records of a part as Parquet: rows are gathered by column, a row group at a time. The
 * home of hyparquet-writer.
 */
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { ByteWriter as ParquetBytes, ParquetWriter } from 'hyparquet-writer'
import { ByteWriter } from '../../common/bytes.ts'
import type { Compression } from './byte-input.ts'
import { type ParquetColumnPlan, planColumn } from './parquet-columns.ts'
import type { ParquetFormat } from './parquet-format.ts'
import type { MakePartBody, PartBody } from './part-body.ts'
import type { PartFile } from './part-file.ts'

/**
 * A row group is held as objects until it is encoded at one go: larger ones compress hardly better,
 * and keep the task waiting for longer.
 */
const GROUP_ROWS_MAX = 50_000
const GROUP_BYTES_MAX = 16 * 1024 * 1024

const codecs = {
  none: { codec: 'UNCOMPRESSED', compressors: {} },
  gzip: { codec: 'GZIP', compressors: { GZIP: (input: Uint8Array) => gzipSync(input) } },
  zstd: { codec: 'ZSTD', compressors: { ZSTD: (input: Uint8Array) => zstdCompressSync(input) } },
} as const

/** Throws WEIR_SCHEMA_UNSUPPORTED for fields that no column can hold. */
export function parquetBodies<IN>(
  { type, node }: ParquetFormat<IN>,
  compression: Compression,
): MakePartBody<IN> {
  const columns = node.fields.map(field => planColumn(field.name, field.node.schema))
  return part => new ParquetBody({ part, columns, compression, check: type.write })
}

interface ParquetBodyOptions<IN> {
  readonly part: PartFile
  readonly columns: readonly ParquetColumnPlan[]
  readonly compression: Compression
  /** Throws WEIR_VALUE_UNSERIALIZABLE for a record that is not what the schema says. */
  readonly check: (out: ByteWriter, value: IN) => void
}

class ParquetBody<IN> implements PartBody<IN> {
  readonly #options: ParquetBodyOptions<IN>
  readonly #bytes = new ParquetBytes()
  readonly #file: ParquetWriter
  /** By column. */
  #cells: unknown[][]
  #rows = 0
  #heldBytes = 0

  constructor(options: ParquetBodyOptions<IN>) {
    const { columns, compression } = options
    this.#options = options
    this.#cells = columns.map(() => [])
    const root = { name: 'root', num_children: columns.length }
    this.#file = new ParquetWriter({
      writer: this.#bytes,
      schema: [root, ...columns.flatMap(({ elements }) => elements)],
      createdBy: 'weir',
      ...codecs[compression],
    })
  }

  write(value: IN): void {
    const { columns, check } = this.#options
    scratch.clear()
    check(scratch, value)
    const held = value as Readonly<Record<string, unknown>>
    columns.forEach(({ name, toCell }, index) => this.#cells[index]?.push(toCell(held[name])))
    this.#heldBytes += scratch.length
    this.#rows++
    if (this.#rows >= GROUP_ROWS_MAX || this.#heldBytes >= GROUP_BYTES_MAX) this.#writeGroup()
  }

  close(): void {
    if (this.#rows > 0) this.#writeGroup()
    void this.#file.finish()
    this.#handOver()
  }

  #writeGroup(): void {
    const { columns } = this.#options
    const columnData = columns.map(({ name }, index) => ({ name, data: this.#cells[index] ?? [] }))
    void this.#file.write({ columnData, rowGroupSize: this.#rows })
    this.#cells = columns.map(() => [])
    this.#rows = 0
    this.#heldBytes = 0
    this.#handOver()
  }

  /** The package counts on in `offset`; what it has written is ours. */
  #handOver(): void {
    this.#options.part.out.writeBytes(this.#bytes.getBytes())
    this.#bytes.index = 0
  }
}

/** What a record looks like in bytes is only measured here. */
const scratch = new ByteWriter()
