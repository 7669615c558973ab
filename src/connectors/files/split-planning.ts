/** Cuts a file into splits that readers can take independently. */
import { compressionOf, openInput } from './byte-input.ts'
import { readError } from './file-errors.ts'
import type { ListedFile } from './file-listing.ts'
import { type FileSplit, fileSplit } from './file-split.ts'
import type { Framing } from './framing.ts'
import { byteOrderMark } from './line-batch-reader.ts'
import { openParquetFile } from './open-parquet-file.ts'

export type PlanSplits = (file: ListedFile) => Promise<readonly FileSplit[]>

export interface TextPlanOptions {
  readonly framing: Framing
  /** True when the first record of a file names its columns. */
  readonly hasHeader: boolean
  readonly splitBytes: number
}

/** Ranges of bytes of about equal size, or the whole file where nobody can begin in its middle. */
export function planTextSplits(options: TextPlanOptions): PlanSplits {
  const { framing, hasHeader, splitBytes } = options
  return async ({ path, sizeBytes }) => {
    const compressed = compressionOf(path) !== 'none'
    if (hasHeader) {
      const first = await readHeader(path, framing)
      if (first === undefined) return []
      const range = compressed ? { start: first.end } : { start: first.end, end: sizeBytes }
      return [{ ...fileSplit(path, sizeBytes, range), header: first.text }]
    }
    if (compressed) return [fileSplit(path, sizeBytes, { start: 0 })]
    const pieces = framing.splittable ? Math.ceil(sizeBytes / splitBytes) : Math.min(1, sizeBytes)
    return Array.from({ length: pieces }, (_, i) => {
      const start = Math.floor((i * sizeBytes) / pieces)
      const end = Math.floor(((i + 1) * sizeBytes) / pieces)
      return fileSplit(path, sizeBytes, { start, end })
    })
  }
}

interface Header {
  readonly text: string
  /** Where the next record begins. */
  readonly end: number
}

const HEADER_BYTES_MAX = 1024 * 1024

/** The first record of the file; `undefined` when the file is empty. */
async function readHeader(path: string, framing: Framing): Promise<Header | undefined> {
  const input = await openInput(path, compressionOf(path), 0)
  try {
    const buffer = Buffer.alloc(HEADER_BYTES_MAX)
    let length = 0
    let lineFeed = -1
    while (lineFeed < 0 && length < buffer.length) {
      const count = await input.read(buffer, length)
      length += count
      lineFeed = framing.findEnd(buffer.subarray(0, length), byteOrderMark(buffer))
      if (count === 0) break
    }
    if (length === 0) return undefined
    const end = lineFeed < 0 ? length : lineFeed
    const text = buffer.toString('utf8', byteOrderMark(buffer), end).replace(/\r$/, '')
    return { text, end: lineFeed < 0 ? length : lineFeed + 1 }
  } catch (error) {
    throw readError({ path, position: 'its header' }, error)
  } finally {
    await input.close()
  }
}

/** One split for each row group. */
export const planParquetSplits: PlanSplits = async ({ path, sizeBytes }) => {
  const file = await openParquetFile(path)
  try {
    const groups = file.rowGroups.filter(range => range.end > range.start)
    return groups.map(range => fileSplit(path, sizeBytes, range))
  } finally {
    await file.close()
  }
}
