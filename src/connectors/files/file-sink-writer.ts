/**
 * Writes parts under hidden names. At a barrier every open part is closed and made durable: it is
 * the committable, and the records after the barrier go into new parts. A part thus belongs to one
 * checkpoint, and a restore needs no part of a file.
 */
import { dirname, join } from 'node:path'
import type { SinkContext, SinkWriter } from '../../api/sink.ts'
import type { JsonValue } from '../../api/source.ts'
import type { TimerHandle } from '../../common/clock.ts'
import type { Compression } from './byte-input.ts'
import { fileErrors, reasonOf } from './file-errors.ts'
import type { OutputDisk } from './output-file.ts'
import type { MakePartBody, PartBody } from './part-body.ts'
import { PartFile } from './part-file.ts'
import { inProgressName, type PartNaming, partName } from './part-name.ts'

/** A finished part: where it lies hidden follows from its name. */
export type FileCommittable = {
  readonly folder: string
  /** Relative to the folder. */
  readonly file: string
  readonly bytes: number
  /** Absent in checkpoints of before there were proofs. */
  readonly records?: number
}

/** The folder of a record, below the sink's; empty for the sink's own. */
export type PartitionBy<IN> = (value: IN, timestamp: number) => string

export interface RollingPolicy {
  /** A part that reached this size is closed; default 128 MiB. */
  readonly sizeBytes: number
  /** A part this old is closed. */
  readonly intervalMs: number | undefined
  /** A part that got no record for this long is closed. */
  readonly inactivityMs: number | undefined
}

export interface FileWriterOptions<IN> {
  readonly context: SinkContext
  readonly folder: string
  readonly naming: PartNaming
  readonly makeBody: MakePartBody<IN>
  /** Of each part as a whole. */
  readonly compression: Compression
  readonly partitionBy: PartitionBy<IN> | undefined
  readonly rolling: RollingPolicy
  readonly disk: OutputDisk
  /** The mark of the run, see `PartId`. */
  readonly run: string
  readonly epoch: number
}

/** Beyond this the task waits for the disk; it goes on at half. */
const IN_FLIGHT_BYTES_MAX = 8 * 1024 * 1024
/** Each open part holds a buffer and a file descriptor. */
const OPEN_PARTS_MAX = 100

interface OpenPart<IN> {
  readonly partition: string
  readonly file: string
  readonly part: PartFile
  readonly body: PartBody<IN>
  /** As of the last look: for telling quiet parts. */
  seenRecords: number
  quietSinceMs: number
}

export class FileSinkWriter<IN> implements SinkWriter<IN, FileCommittable> {
  readonly #options: FileWriterOptions<IN>
  readonly #partitionBy: PartitionBy<IN> | undefined
  readonly #sizeBytesMax: number
  /** By partition, in the order in which they were opened. */
  readonly #open = new Map<string, OpenPart<IN>>()
  readonly #finishing = new Set<Promise<void>>()
  #current: OpenPart<IN> | undefined
  #finished: FileCommittable[] = []
  #unsyncedFolders = new Set<string>()
  #epoch: number
  #counter = 0
  /** Never more than were in flight at once. */
  readonly #spareChunks: Buffer[] = []
  #inFlightBytes = 0
  #failure: Error | undefined
  #timer: TimerHandle | undefined
  blocked = false

  constructor(options: FileWriterOptions<IN>) {
    this.#options = options
    this.#partitionBy = options.partitionBy
    this.#sizeBytesMax = options.rolling.sizeBytes
    this.#epoch = options.epoch
    this.#scheduleRolling()
  }

  write(value: IN, timestamp: number): void {
    if (this.#failure !== undefined) throw this.#failure
    const partition = this.#partitionBy === undefined ? '' : this.#partitionBy(value, timestamp)
    let current = this.#current
    if (current === undefined || current.partition !== partition) current = this.#select(partition)
    const { part } = current
    current.body.write(value)
    part.records++
    part.sendIfFull()
    if (part.sizeBytes >= this.#sizeBytesMax) this.#finish(current)
  }

  async flush(): Promise<void> {
    for (const open of [...this.#open.values()]) this.#finish(open)
    await Promise.all(this.#finishing)
    if (this.#failure !== undefined) throw this.#failure
    for (const folder of this.#unsyncedFolders) await this.#options.disk.syncFolder(folder)
    this.#unsyncedFolders.clear()
  }

  prepareCommit(): readonly FileCommittable[] {
    return this.#finished.splice(0)
  }

  snapshotState(checkpointId: number): readonly JsonValue[] {
    this.#epoch = checkpointId + 1
    return this.#options.run === '' ? [] : [{ run: this.#options.run }]
  }

  async close(): Promise<void> {
    this.#timer?.cancel()
    this.#timer = undefined
    await Promise.all([...this.#open.values()].map(open => open.part.abandon()))
    await Promise.all(this.#finishing)
    this.#open.clear()
    this.#current = undefined
  }

  #select(partition: string): OpenPart<IN> {
    let current = this.#open.get(partition)
    if (current === undefined) {
      current = this.#openPart(partition)
      this.#open.set(partition, current)
    }
    this.#current = current
    return current
  }

  #openPart(partition: string): OpenPart<IN> {
    const { folder, context, naming, run, disk, compression } = this.#options
    requirePartition(partition)
    const [oldest] = this.#open.values()
    if (this.#open.size >= OPEN_PARTS_MAX && oldest !== undefined) this.#finish(oldest)
    const id = { run, subtask: context.runtime.subtaskIndex, epoch: this.#epoch }
    const name = partName(naming, { ...id, counter: this.#counter++ })
    const path = join(folder, partition, inProgressName(name))
    const openedMs = context.clock.monotonic()
    const part = new PartFile({
      path,
      disk,
      compression,
      openedMs,
      spareChunks: this.#spareChunks,
      onInFlight: bytes => this.#onInFlight(bytes),
      onFailure: error => this.#fail(path, error),
    })
    const body = this.#options.makeBody(part)
    const file = join(partition, name)
    return { partition, file, part, body, seenRecords: 0, quietSinceMs: openedMs }
  }

  /** Closes the part beside the task; the next record of its partition opens another. */
  #finish(open: OpenPart<IN>): void {
    const { folder } = this.#options
    this.#open.delete(open.partition)
    if (this.#current === open) this.#current = undefined
    // Its first record could not be encoded: there is no file.
    if (open.part.records === 0) return
    open.body.close()
    const { records } = open.part
    const finishing = open.part.finish().then(bytes => {
      this.#finishing.delete(finishing)
      this.#finished.push({ folder, file: open.file, bytes, records })
      for (const above of foldersAbove(open.file)) this.#unsyncedFolders.add(join(folder, above))
    })
    this.#finishing.add(finishing)
  }

  #onInFlight(bytes: number): void {
    this.#inFlightBytes += bytes
    if (this.#inFlightBytes > IN_FLIGHT_BYTES_MAX) {
      this.blocked = true
    } else if (this.blocked && this.#inFlightBytes < IN_FLIGHT_BYTES_MAX / 2) {
      this.blocked = false
      this.#options.context.wakeUp()
    }
  }

  #fail(path: string, error: unknown): void {
    const inUse = (error as NodeJS.ErrnoException).code === 'EEXIST'
    this.#failure ??= inUse
      ? fileErrors.WEIR_FILE_OUTPUT_IN_USE({ path }, error)
      : fileErrors.WEIR_FILE_WRITE_FAILED({ path, reason: reasonOf(error) }, error)
    // A task that waits for the disk must learn that it waits in vain.
    this.blocked = false
    this.#options.context.wakeUp()
  }

  #scheduleRolling(): void {
    const { intervalMs, inactivityMs } = this.#options.rolling
    const shortest = Math.min(intervalMs ?? Infinity, inactivityMs ?? Infinity)
    if (shortest === Infinity) return
    // Four looks a period: a part is at most a quarter too old.
    this.#timer = this.#options.context.clock.schedule(Math.max(1, shortest / 4), () => {
      this.#rollByTime()
      this.#scheduleRolling()
    })
  }

  #rollByTime(): void {
    const { context, rolling } = this.#options
    const { intervalMs = Infinity, inactivityMs = Infinity } = rolling
    const nowMs = context.clock.monotonic()
    for (const open of [...this.#open.values()]) {
      if (open.part.records !== open.seenRecords) {
        open.seenRecords = open.part.records
        open.quietSinceMs = nowMs
      }
      const tooOld = nowMs - open.part.openedMs >= intervalMs
      const tooQuiet = nowMs - open.quietSinceMs >= inactivityMs
      if (tooOld || tooQuiet) this.#finish(open)
    }
  }
}

/** The folders that hold the file, down from the output folder itself. */
function foldersAbove(file: string): readonly string[] {
  const folders: string[] = []
  for (let folder = dirname(file); folder !== '.'; folder = dirname(folder)) folders.push(folder)
  return [...folders, '.']
}

/** A partition is a path below the output folder and must stay there. */
function requirePartition(partition: string): void {
  const names = partition.split('/')
  const bad = names.some(name => name === '' || name === '.' || name === '..')
  if (partition === '' || (!bad && !partition.includes('\0'))) return
  throw fileErrors.WEIR_FILE_PARTITION_INVALID({ partition: JSON.stringify(partition) })
}
