/** Files as a source: lines of text or rows of columns, of one file, a folder or a pattern. */
import type { EnumeratorContext, JsonValue, ReaderContext, Source } from '../../api/source.ts'
import { type Duration, durationMs } from '../../common/duration.ts'
import { isCsvFormat } from './csv-format.ts'
import { FileEnumerator } from './file-enumerator.ts'
import { fileErrors } from './file-errors.ts'
import { FileReader, type ScannerFactory } from './file-reader.ts'
import type { FileSplit } from './file-split.ts'
import { type FileFormat, isParquet } from './parquet-format.ts'
import { ParquetScannerFactory } from './parquet-scanner.ts'
import { planParquetSplits, planTextSplits } from './split-planning.ts'
import { framingOf, TextScannerFactory } from './text-scanner-factory.ts'

/** Which files are read, and how. */
export interface FileSourceOptions<T> {
  /**
   * A file, a folder (all files in it, also in folders below), or a pattern such as
   * `logs/2024-*.jsonl`. Files whose names begin with `.` or `_` are left out; those that end in
   * `.gz` or `.zst` are decompressed. `package:NAME/FILE` is a file of an installed npm package.
   */
  readonly path: string | readonly string[]
  /** `json(T)`, `text()`, `csv(T)` or `parquet(T)`. */
  readonly format: FileFormat<T>
  /**
   * Looks for new files this often; the source then never ends. Files must be moved into the folder
   * when they are whole: each is read once, as far as it went when it was found.
   */
  readonly watch?: Duration
  /**
   * With `watch`: forgets a file that has been gone from the folder for so long. Without it every
   * name that was ever read stays in each checkpoint. One that comes back later is read again.
   */
  readonly forgetAfter?: Duration
  /** Uncompressed text is read in parallel in pieces of this size; default 64 MiB. */
  readonly splitBytes?: number
  readonly name?: string
}

const SPLIT_BYTES = 64 * 1024 * 1024

/**
 * A source that reads files. A single reader takes them in the order of their names, and each from
 * start to end. A checkpoint holds the place in each file, so that a restored job goes on there.
 */
export function fileSource<T>(options: FileSourceOptions<T>): Source<T, FileSplit> {
  const { path, format, watch, forgetAfter, splitBytes = SPLIT_BYTES } = options
  if (!(splitBytes >= 1)) {
    const value = String(splitBytes)
    throw fileErrors.WEIR_FILE_OPTION_INVALID({ option: 'splitBytes', value, expected: '>= 1' })
  }
  if (forgetAfter !== undefined && watch === undefined) {
    const details = { option: 'forgetAfter', value: String(forgetAfter) }
    throw fileErrors.WEIR_FILE_OPTION_INVALID({
      ...details,
      expected: 'the option watch beside it',
    })
  }
  const forgetMs = forgetAfter === undefined ? undefined : Math.max(1, durationMs(forgetAfter))
  const paths = typeof path === 'string' ? [path] : path
  const watchMs = watch === undefined ? undefined : Math.max(1, durationMs(watch))
  return {
    name: options.name ?? 'files',
    boundedness: watchMs === undefined ? 'bounded' : 'unbounded',
    output: format.type,
    createEnumerator(context: EnumeratorContext<FileSplit>, state?: JsonValue) {
      const planSplits = isParquet(format)
        ? planParquetSplits
        : planTextSplits({
            framing: framingOf(format),
            hasHeader: isCsvFormat(format) && format.hasHeader,
            splitBytes,
          })
      return new FileEnumerator(context, { paths, watchMs, forgetMs, planSplits }, state)
    },
    createReader(context: ReaderContext) {
      const scanners: ScannerFactory<T> = isParquet(format)
        ? new ParquetScannerFactory(format)
        : new TextScannerFactory(format)
      return new FileReader(context, scanners)
    },
  }
}
