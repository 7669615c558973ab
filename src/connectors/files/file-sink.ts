/**
 * Files as a sink, exactly once: parts become visible with the checkpoint that holds their records.
 */
import { createHash } from 'node:crypto'
import { resolve } from 'node:path'
import type { Sink, SinkContext } from '../../api/sink.ts'
import type { JsonValue } from '../../api/source.ts'
import { type Duration, durationMs } from '../../common/duration.ts'
import { type Random, SystemRandom } from '../../common/random.ts'
import type { Compression } from './byte-input.ts'
import { isCsvFormat } from './csv-format.ts'
import { FileCommitter } from './file-committer.ts'
import { fileErrors } from './file-errors.ts'
import { type FileCommittable, FileSinkWriter, type PartitionBy } from './file-sink-writer.ts'
import { localDisk, type OutputDisk } from './output-file.ts'
import { firstEpoch, type OnExisting, prepareFolder } from './output-folder.ts'
import { type FileFormat, isParquet } from './parquet-format.ts'
import { lineBodies, type MakePartBody } from './part-body.ts'

/** Where the records go, and in what form. */
export interface FileSinkOptions<IN> {
  /** The folder; it is made if need be. */
  readonly path: string
  /** `json(T)`, `text()`, `csv(T)` or `parquet(T)`. */
  readonly format: FileFormat<IN>
  /**
   * Of lines: the whole file, default `none`. Of Parquet: the pages inside of it, default `zstd`.
   */
  readonly compression?: Compression
  /** The folder below `path` for a record, such as `date=2001-01-01/hour=06`. */
  readonly partitionBy?: PartitionBy<IN>
  /** Parts are closed at every checkpoint, and earlier when one of these is reached. */
  readonly rolling?: {
    /** Default 128 MiB. */
    readonly sizeBytes?: number
    /** Since the part was begun. */
    readonly interval?: Duration
    /** Since its last record. */
    readonly inactivity?: Duration
  }
  /**
   * What to do when the folder holds finished parts and the job is not restored. `fail` (the
   * default): refuse to start, so that no row is there twice by accident. `replace`: remove them.
   * `append`: keep them; the new parts are named apart. Files of other names are never touched.
   */
  readonly onExisting?: OnExisting
  /** Parts are named `<prefix>-<subtask>-<epoch>-<counter><suffix>`; default `part`. */
  readonly prefix?: string
  /** Default `.jsonl`, `.csv`, `.txt` or `.parquet`, by the format; then `.gz` or `.zst`. */
  readonly suffix?: string
  readonly name?: string
}

/** What is passed in besides, for tests. */
export interface FileSinkParts {
  readonly disk?: OutputDisk
  readonly random?: Random
}

const ROLL_BYTES = 128 * 1024 * 1024
const SUFFIXES: { readonly [format: string]: string | undefined } = {
  json: '.jsonl',
  csv: '.csv',
  text: '.txt',
  parquet: '.parquet',
}
const ENDINGS: Readonly<Record<Compression, string>> = { none: '', gzip: '.gz', zstd: '.zst' }

/**
 * A sink that writes one record a line, or rows of Parquet. Readers see a part only after the
 * checkpoint that covers its records, under a name without a leading dot. When a job is restored,
 * what later attempts wrote is removed, also if it was visible already: the folder then holds each
 * record once.
 */
export function fileSink<IN>(
  options: FileSinkOptions<IN>,
  parts: FileSinkParts = {},
): Sink<IN, FileCommittable> {
  const { disk = localDisk } = parts
  requireNames(options)
  return {
    name: options.name ?? 'files',
    delivery: 'exactly-once',
    createWriter: (context, restored) => openWriter(options, parts, { context, restored }),
    describeCommittable: ({ file, records = 0 }) => ({ name: file, records }),
    createCommitter: () => new FileCommitter(disk),
  }
}

interface WriterRequest {
  readonly context: SinkContext
  readonly restored: readonly JsonValue[]
}

async function openWriter<IN>(
  options: FileSinkOptions<IN>,
  { disk = localDisk, random = new SystemRandom() }: FileSinkParts,
  { context, restored }: WriterRequest,
): Promise<FileSinkWriter<IN>> {
  const { format, partitionBy, rolling = {}, onExisting = 'fail' } = options
  const lines = isParquet(format) ? 'none' : (options.compression ?? 'none')
  const { prefix = 'part', suffix = `${SUFFIXES[format.name] ?? ''}${ENDINGS[lines]}` } = options
  const naming = { prefix, suffix }
  const folder = resolve(options.path)
  const runs = restored.map(state => (state as { readonly run: string }).run)
  const derivedRun = (checkpointId: number, subtask: number): string =>
    digest(`${context.jobId}/${context.operatorUid}/${checkpointId}/${subtask}`)
  const { restoredCheckpointId, runtime } = context
  const { subtaskIndex, parallelism, attempt } = runtime
  await prepareFolder(folder, {
    naming,
    onExisting,
    subtaskIndex,
    parallelism,
    attempt,
    restoredCheckpointId,
    runs,
    derivedRun,
  })
  const ownRun = (): string =>
    restoredCheckpointId === undefined
      ? random.uuid().slice(0, 8)
      : derivedRun(restoredCheckpointId, subtaskIndex)
  return new FileSinkWriter({
    context,
    folder,
    naming,
    makeBody: await bodiesOf(options),
    compression: lines,
    partitionBy,
    rolling: {
      sizeBytes: rolling.sizeBytes ?? ROLL_BYTES,
      intervalMs: optionalMs(rolling.interval),
      inactivityMs: optionalMs(rolling.inactivity),
    },
    disk,
    run: onExisting === 'append' ? (runs[0] ?? ownRun()) : '',
    epoch: firstEpoch(restoredCheckpointId),
  })
}

/** What writes Parquet is loaded by jobs that do. */
async function bodiesOf<IN>(options: FileSinkOptions<IN>): Promise<MakePartBody<IN>> {
  const { format, compression = 'zstd' } = options
  if (isParquet(format)) {
    const { parquetBodies } = await import('./parquet-bodies.ts')
    return parquetBodies(format, compression)
  }
  const header = isCsvFormat(format) ? format.headerLine() : undefined
  return lineBodies({ encoder: format.makeEncoder(), header })
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8)
}

function optionalMs(duration: Duration | undefined): number | undefined {
  return duration === undefined ? undefined : durationMs(duration)
}

/** A prefix with a dot or a slash would hide the parts, or put them elsewhere. */
function requireNames(names: Pick<FileSinkOptions<unknown>, 'prefix' | 'suffix'>): void {
  const { prefix = 'part', suffix = '' } = names
  if (!/^[\w][\w.=-]*$/.test(prefix) || prefix.startsWith('_')) {
    const value = JSON.stringify(prefix)
    const expected = 'letters, digits, ".", "-", "_" and "=", beginning with a letter or a digit'
    throw fileErrors.WEIR_FILE_OPTION_INVALID({ option: 'prefix', value, expected })
  }
  if (/[/\0]/.test(suffix)) {
    const value = JSON.stringify(suffix)
    throw fileErrors.WEIR_FILE_OPTION_INVALID({ option: 'suffix', value, expected: 'no slash' })
  }
}
