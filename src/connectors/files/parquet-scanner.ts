/**
 * Emits the rows of one row group. Its columns are decoded one after the other beside the task, and
 * held until the last row is out: memory is bounded by the row groups of the file.
 */
import type { PollResult, SourceOutput } from '../../api/source.ts'
import { cloneFunction } from '../../common/clone-function.ts'
import { MIN_TIMESTAMP } from '../../common/timestamps.ts'
import type { ObjectNode } from '../../schema/type-node.ts'
import { fileErrors } from './file-errors.ts'
import type { ScannerFactory } from './file-reader.ts'
import type { FileSplit } from './file-split.ts'
import { openParquetFile } from './open-parquet-file.ts'
import type { ParquetColumn, ParquetFile } from './parquet-file.ts'
import type { ParquetFormat } from './parquet-format.ts'
import { type MakeRow, ParquetRowMaker } from './parquet-row.ts'
import type { SplitScanner } from './split-scanner.ts'

/** The rows of a decoded row group from `at` on; row 0 of the arrays is row `base` of the file. */
interface RowBatch<T> {
  readonly makeRow: MakeRow<T>
  readonly base: number
  readonly length: number
  at: number
}

type RowLoop<T> = (output: SourceOutput<T>, batch: RowBatch<T>) => void

/** Emits up to `output.batchSize` rows. Cloned per reader: self-contained. */
function makeRowLoop<T>(noTimestamp: number): RowLoop<T> {
  return (output, batch) => {
    const { makeRow, base, length } = batch
    for (let left = output.batchSize; left > 0 && batch.at < length && !output.blocked; left--) {
      const i = batch.at++
      output.offset = base + i
      let row: T
      try {
        row = makeRow(i)
      } catch (error) {
        output.reject(error, `row ${base + i}`)
        continue
      }
      output.collect(row, noTimestamp)
    }
  }
}

/** Keeps the file of the last split open: the next row group is most often of the same. */
export class ParquetScannerFactory<T> implements ScannerFactory<T> {
  readonly #node: ObjectNode
  readonly #rowMaker: ParquetRowMaker<T>
  readonly #loop: RowLoop<T>
  #opened: { readonly path: string; readonly file: Promise<ParquetFile> } | undefined

  constructor(format: ParquetFormat<T>) {
    this.#node = format.node
    this.#rowMaker = new ParquetRowMaker(format.node)
    this.#loop = cloneFunction<typeof makeRowLoop<T>>(makeRowLoop)(MIN_TIMESTAMP)
  }

  open(split: FileSplit, wakeUp: () => void): SplitScanner<T> {
    return new ParquetScanner(split, {
      columns: this.#decode(split),
      loop: this.#loop,
      wakeUp,
    })
  }

  async close(): Promise<void> {
    await closeFile(this.#opened?.file)
    this.#opened = undefined
  }

  async #decode(split: FileSplit): Promise<RowBatch<T>> {
    const file = await this.#fileOf(split.path)
    const { path, sizeBytes } = split
    if (file.sizeBytes !== sizeBytes) {
      const details = { path, expectedBytes: sizeBytes, actualBytes: file.sizeBytes }
      throw fileErrors.WEIR_FILE_TRUNCATED(details)
    }
    const found = file.columnNames
    const group = file.rowGroups.find(range => range.start === split.start)
    if (group === undefined) {
      const details = { path, position: `row ${split.start}`, reason: 'no row group begins here' }
      throw fileErrors.WEIR_FILE_DAMAGED(details)
    }
    const columns = new Map<string, ParquetColumn>()
    for (const { name } of this.#node.fields) {
      if (found.includes(name)) columns.set(name, await file.readColumn(name, group))
    }
    const makeRow = this.#rowMaker.bind(columns, { path, found })
    const length = group.end - group.start
    return { makeRow, base: group.start, length, at: split.position - group.start }
  }

  #fileOf(path: string): Promise<ParquetFile> {
    if (this.#opened?.path !== path) {
      void closeFile(this.#opened?.file)
      this.#opened = { path, file: openParquetFile(path) }
    }
    return this.#opened.file
  }
}

/** A file that could not be opened needs no closing; who opened it has the reason. */
async function closeFile(file: Promise<ParquetFile> | undefined): Promise<void> {
  await file?.then(
    opened => opened.close(),
    () => {},
  )
}

interface ParquetScannerOptions<T> {
  readonly columns: Promise<RowBatch<T>>
  readonly loop: RowLoop<T>
  readonly wakeUp: () => void
}

class ParquetScanner<T> implements SplitScanner<T> {
  readonly #loop: RowLoop<T>
  readonly #split: FileSplit
  readonly #decoding: Promise<void>
  #batch: RowBatch<T> | undefined
  #failure: { readonly error: unknown } | undefined

  constructor(split: FileSplit, options: ParquetScannerOptions<T>) {
    this.#split = split
    this.#loop = options.loop
    this.#decoding = options.columns.then(
      batch => {
        this.#batch = batch
        options.wakeUp()
      },
      (error: unknown) => {
        this.#failure = { error }
        options.wakeUp()
      },
    )
  }

  get position(): number {
    return this.#batch === undefined ? this.#split.position : this.#batch.base + this.#batch.at
  }

  emit(output: SourceOutput<T>): PollResult {
    if (this.#failure !== undefined) throw this.#failure.error
    if (this.#batch === undefined) return 'nothing'
    this.#loop(output, this.#batch)
    return this.#batch.at < this.#batch.length ? 'more' : 'end'
  }

  close(): Promise<void> {
    return this.#decoding
  }
}
