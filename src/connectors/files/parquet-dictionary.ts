/**
 * Dictionary-coded columns kept as they lie in the file: the distinct values once, and for each row
 * the index of its value. hyparquet's own assembly makes an array of all values through several
 * others; this takes a tenth of the time and a fraction of the memory, and the values need checking
 * only once each. Most columns of most files have this form; hyparquet reads the others.
 */
import type { DecodedArray, PageHeader } from 'hyparquet'
import { parquetHeader, readPage } from 'hyparquet/src/column.js'
import { convert } from 'hyparquet/src/convert.js'
import { decompressPage } from 'hyparquet/src/datapage.js'
import { readRleBitPackedHybrid } from 'hyparquet/src/encoding.js'
import { getMaxDefinitionLevel, isFlatColumn } from 'hyparquet/src/schema.js'
import type { ColumnDecoder } from 'hyparquet/src/types.js'

export interface DictionaryColumn {
  /** The distinct values; one of them is `undefined` when the column has nulls. */
  readonly cells: readonly unknown[]
  /** For each row of the row group, its value's place in `cells`. */
  readonly indexes: Int32Array
}

interface Page {
  readonly bytes: Uint8Array
  readonly valueCount: number
  readonly header: PageHeader
}

/** The column chunk in `bytes`, or `undefined` when it has another form. Throws on broken bytes. */
export function decodeDictionaryColumn(
  bytes: ArrayBuffer,
  decoder: ColumnDecoder,
  rows: number,
): DictionaryColumn | undefined {
  const depth = getMaxDefinitionLevel(decoder.schemaPath)
  if (!isFlatColumn(decoder.schemaPath) || depth > 1) return undefined
  const reader = { view: new DataView(bytes), offset: 0 }
  const indexes = new Int32Array(rows)
  let dictionary: DecodedArray | undefined
  let at = 0
  while (at < rows) {
    const header = parquetHeader(reader)
    if (header.type === 'DICTIONARY_PAGE') {
      const { data } = readPage(reader, header, decoder, undefined, undefined, 0)
      if (data === undefined) return undefined
      dictionary = convert(data, decoder)
      continue
    }
    const start = reader.offset
    reader.offset += header.compressed_page_size
    const page = pageOf(new Uint8Array(bytes, start, header.compressed_page_size), header)
    if (page === undefined || dictionary === undefined) return undefined
    const target = indexes.subarray(at, at + page.valueCount)
    readIndexes(page, { decoder, optional: depth === 1, nullIndex: dictionary.length, target })
    at += page.valueCount
  }
  return { cells: [...(dictionary ?? []), undefined], indexes }
}

/** `undefined` for a page that is not dictionary-coded. */
function pageOf(bytes: Uint8Array, header: PageHeader): Page | undefined {
  const details = header.data_page_header ?? header.data_page_header_v2
  if (details === undefined || !details.encoding.endsWith('_DICTIONARY')) return undefined
  return { bytes, valueCount: details.num_values, header }
}

interface IndexTarget {
  readonly decoder: ColumnDecoder
  readonly optional: boolean
  readonly nullIndex: number
  readonly target: Int32Array
}

function readIndexes(page: Page, options: IndexTarget): void {
  const { decoder, optional, nullIndex, target } = options
  const { codec, compressors } = decoder
  const size = page.header.uncompressed_page_size
  const v2 = page.header.data_page_header_v2
  const levels = optional ? new Uint8Array(target.length) : undefined
  let values: Uint8Array
  if (v2 === undefined) {
    values = decompressPage(page.bytes, size, codec, compressors)
    if (levels !== undefined) values = values.subarray(readLevels(values, levels))
  } else {
    const skipped = v2.repetition_levels_byte_length
    const levelsLength = v2.definition_levels_byte_length
    const body = page.bytes.subarray(skipped + levelsLength)
    if (levels !== undefined) readLevels(page.bytes.subarray(skipped), levels, levelsLength)
    values = v2.is_compressed
      ? decompressPage(body, size - skipped - levelsLength, codec, compressors)
      : body
  }
  if (levels === undefined || !levels.includes(0)) unpack(values, target)
  else scatter(values, { levels, nullIndex, target })
}

/**
 * Reads definition levels; returns how many bytes they took. Without `length` they tell it
 * themselves.
 */
function readLevels(bytes: Uint8Array, levels: Uint8Array, length?: number): number {
  const reader = { view: viewOf(bytes), offset: 0 }
  readRleBitPackedHybrid(reader, 1, levels, length)
  return reader.offset
}

/** The first byte says how many bits an index has; with none, all rows have the first value. */
function unpack(bytes: Uint8Array, target: Int32Array): void {
  const width = bytes[0] ?? 0
  if (width === 0) return
  readRleBitPackedHybrid({ view: viewOf(bytes), offset: 1 }, width, target, bytes.length - 1)
}

/** Only rows that are not null have an index in the page. */
function scatter(
  bytes: Uint8Array,
  { levels, nullIndex, target }: Omit<IndexTarget, 'decoder' | 'optional'> & { levels: Uint8Array },
): void {
  let present = 0
  for (const level of levels) present += level
  const packed = new Int32Array(present)
  unpack(bytes, packed)
  let next = 0
  for (let i = 0; i < target.length; i++) {
    target[i] = levels[i] === 1 ? (packed[next++] as number) : nullIndex
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
