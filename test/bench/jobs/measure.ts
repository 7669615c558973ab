/**
 * What the jobs of benchmarks note about themselves while they run as processes, and where: one JSON
 * file a source or sink subtask in the folder that the argument `report` names.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Sink, SinkWriter, Source, SourceSplit } from 'weir'

/** How far a source was, and what its process had used by then. */
export interface Sample {
  readonly atMs: number
  /** The number of the next record. */
  readonly next: number
  readonly cpuMs: number
}

export interface SourceReport {
  readonly subtask: number
  readonly samples: readonly Sample[]
}

export interface SinkReport {
  readonly subtask: number
  readonly rows: number
  readonly endMs: number
  readonly cpuMs: number
  /** Rows by latency, in steps of `LATENCY_STEP_MS`, the last for all above; empty if not asked. */
  readonly latencies: readonly number[]
}

const SAMPLE_MS = 20
export const LATENCY_STEP_MS = 0.1
const LATENCY_STEPS = 20_000

/** The same for all processes of a machine. */
export function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

export function writeReport(folder: string, name: string, report: unknown): void {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, `${name}.json`), JSON.stringify(report))
}

interface NumberedSplit extends SourceSplit {
  readonly next: number
}

/** Notes the progress of a source whose splits say how far they are. */
export function sampled<T, S extends NumberedSplit>(
  source: Source<T, S>,
  folder: string,
): Source<T, S> {
  return {
    ...source,
    createReader(context) {
      const reader = source.createReader(context)
      const samples: Sample[] = []
      let dueMs = 0
      const { subtaskIndex } = context.runtime
      return {
        start: () => reader.start(),
        addSplits: splits => reader.addSplits(splits),
        notifyNoMoreSplits: () => reader.notifyNoMoreSplits(),
        snapshotState: id => reader.snapshotState(id),
        poll(output) {
          const result = reader.poll(output)
          const atMs = nowMs()
          if (atMs < dueMs) return result
          dueMs = atMs + SAMPLE_MS
          const next = reader.snapshotState(0)[0]?.next
          if (next !== undefined) samples.push({ atMs, next, cpuMs: cpuMs() })
          return result
        },
        async close() {
          await reader.close()
          const report: SourceReport = { subtask: subtaskIndex, samples }
          writeReport(folder, `source-${subtaskIndex}`, report)
        },
      }
    },
  }
}

export interface CountingSinkOptions<T> {
  readonly folder: string
  /** Rows a second, of all subtasks together; absent: as many as come. */
  readonly rate?: number
  /** When the record was due at its source, on the clock of `nowMs`. */
  readonly dueMs?: (value: T) => number
  /** Rows at the start whose latency does not count. */
  readonly warmUpRows?: number
}

/** Counts and drops. */
export function countingSink<T>(options: CountingSinkOptions<T>): Sink<T> {
  return {
    name: 'counting',
    delivery: 'exactly-once',
    createWriter(context) {
      const { subtaskIndex, parallelism } = context.runtime
      const writer = new CountingWriter<T>(options)
      return Object.assign(writer.open(parallelism, context), {
        close: () => writer.report(subtaskIndex),
      })
    },
  }
}

class CountingWriter<T> {
  readonly #options: CountingSinkOptions<T>
  readonly #latencies: Uint32Array
  #rows = 0
  #endMs = 0

  constructor(options: CountingSinkOptions<T>) {
    this.#options = options
    this.#latencies = new Uint32Array(options.dueMs === undefined ? 0 : LATENCY_STEPS)
  }

  open(
    parallelism: number,
    context: {
      readonly clock: { monotonic(): number; schedule(ms: number, action: () => void): unknown }
      wakeUp(): void
    },
  ): Omit<SinkWriter<T>, 'close'> {
    const { rate = 0, dueMs, warmUpRows = 0 } = this.#options
    const perMs = rate / 1_000 / parallelism
    const { clock } = context
    let freeAtMs = clock.monotonic()
    const writer = {
      blocked: false,
      write: (value: T): void => {
        this.#rows++
        if (dueMs !== undefined && this.#rows > warmUpRows) this.#note(nowMs() - dueMs(value))
        if (perMs === 0) return
        // A row takes its time: what was not used before is not caught up.
        freeAtMs += 1 / perMs
        const aheadMs = freeAtMs - clock.monotonic()
        if (aheadMs < -10) freeAtMs -= aheadMs
        if (aheadMs < 1) return
        writer.blocked = true
        clock.schedule(Math.ceil(aheadMs), () => {
          writer.blocked = false
          context.wakeUp()
        })
      },
      flush: (endOfInput: boolean): void => {
        if (endOfInput) this.#endMs = nowMs()
      },
      prepareCommit: () => [],
      snapshotState: () => [],
    }
    return writer
  }

  report(subtask: number): void {
    const report: SinkReport = {
      subtask,
      rows: this.#rows,
      endMs: this.#endMs,
      cpuMs: cpuMs(),
      latencies: [...this.#latencies],
    }
    writeReport(this.#options.folder, `sink-${subtask}`, report)
  }

  #note(ms: number): void {
    const step = Math.min(LATENCY_STEPS - 1, Math.max(0, Math.floor(ms / LATENCY_STEP_MS)))
    this.#latencies[step] = (this.#latencies[step] as number) + 1
  }
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}
