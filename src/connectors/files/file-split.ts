import type { SourceSplit } from '../../api/source.ts'

/**
 * A piece of one file. Lines are counted in bytes (of the decompressed text), Parquet in rows: the
 * split owns every record that begins in [start, end).
 */
export interface FileSplit extends SourceSplit {
  readonly path: string
  /** Of the file when it was listed. */
  readonly sizeBytes: number
  readonly start: number
  /** Absent: to the end of the file, which is not known before it is decompressed. */
  readonly end?: number
  /** Where the next record begins; as long as it is `start`, nothing was read. */
  readonly position: number
  /** The record that names the columns, where the format has one. */
  readonly header?: string
}

export interface FileRange {
  readonly start: number
  readonly end?: number
}

export function fileSplit(path: string, sizeBytes: number, range: FileRange): FileSplit {
  const { start, end } = range
  const split = { id: `${path}@${start}`, path, sizeBytes, start, position: start }
  return end === undefined ? split : { ...split, end }
}
