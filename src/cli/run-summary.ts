/**
 * The live summary of a running job: where a person looks, one block that is redrawn; elsewhere a
 * line now and then. At the end one line stays. It writes to standard error, so that the records of
 * a console sink stay alone on standard output.
 */
import type { JobProgress, VertexProgress } from '../cluster/job-progress.ts'
import { formatDuration } from '../common/duration.ts'
import type { Terminal } from './cli-io.ts'
import { formatBytes } from './format-bytes.ts'

/** How often a block is redrawn: often enough to look alive, too seldom to cost anything. */
const REDRAW_INTERVAL_MS = 250

/** How often a line is written where nobody looks. */
const LINE_INTERVAL_MS = 10_000

/** Rates are taken over at least this time, so that they do not jump. */
const RATE_WINDOW_MS = 1_000

/** More vertices than this are counted, not listed. */
const VERTICES_SHOWN_MAX = 12

interface Rates {
  readonly inPerSecond: number
  readonly outPerSecond: number
}

export class RunSummary {
  readonly #terminal: Terminal
  #blockLines = 0
  #rateFrom: JobProgress | undefined
  #rates: Rates = { inPerSecond: 0, outPerSecond: 0 }

  constructor(terminal: Terminal) {
    this.#terminal = terminal
  }

  /** When the next `update` is due. */
  get intervalMs(): number {
    return this.#terminal.isTty ? REDRAW_INTERVAL_MS : LINE_INTERVAL_MS
  }

  update(progress: JobProgress): void {
    this.#measure(progress)
    if (!this.#terminal.isTty) {
      this.#terminal.write(`${statusLine(progress, this.#rates)}\n`)
      return
    }
    const lines = block(progress, this.#rates).map(line => this.#fit(line))
    this.#terminal.write(`${this.#erase()}${lines.join('\n')}\n`)
    this.#blockLines = lines.length
  }

  /** A line that stays, above the block; the next `update` draws the block again. */
  note(text: string): void {
    this.#terminal.write(`${this.#erase()}${text}\n`)
    this.#blockLines = 0
  }

  /** Replaces the block by the line that stays. */
  end(progress: JobProgress): void {
    this.#terminal.write(`${this.#erase()}${endLine(progress)}\n`)
    this.#blockLines = 0
  }

  /** Moves to the block's first line and clears from there: nothing flickers. */
  #erase(): string {
    return this.#blockLines === 0 ? '' : `\u001b[${this.#blockLines}A\u001b[J`
  }

  /** A line that wrapped would be counted as one and leave a rest behind. */
  #fit(line: string): string {
    const width = Math.max(20, this.#terminal.columns - 1)
    return line.length <= width ? line : `${line.slice(0, width - 1)}…`
  }

  #measure(progress: JobProgress): void {
    const from = this.#rateFrom
    const elapsedMs = progress.elapsedMs - (from?.elapsedMs ?? 0)
    if (elapsedMs < RATE_WINDOW_MS) {
      this.#rateFrom ??= progress
      return
    }
    // Of the first line: since the start.
    this.#rates = {
      inPerSecond: ((progress.recordsIn - (from?.recordsIn ?? 0)) * 1_000) / elapsedMs,
      outPerSecond: ((progress.recordsOut - (from?.recordsOut ?? 0)) * 1_000) / elapsedMs,
    }
    this.#rateFrom = progress
  }
}

function block(progress: JobProgress, rates: Rates): string[] {
  const { vertices } = progress
  const shown = vertices.slice(0, VERTICES_SHOWN_MAX)
  const nameWidth = Math.min(40, Math.max(0, ...shown.map(vertex => vertex.name.length)))
  const lines = [
    `${progress.name}  ${progress.status}  ${formatDuration(progress.elapsedMs)}`,
    `  in   ${count(progress.recordsIn).padStart(13)}  ${rate(rates.inPerSecond).padStart(9)}`,
    `  out  ${count(progress.recordsOut).padStart(13)}  ${rate(rates.outPerSecond).padStart(9)}`,
    `  watermark ${watermark(progress.watermark)}   ${stateAndCheckpoints(progress)}`,
    ...shown.map(vertex => vertexLine(vertex, nameWidth)),
  ]
  if (vertices.length > shown.length) lines.push(`  and ${vertices.length - shown.length} more`)
  const { waiting } = progress
  if (waiting !== undefined) lines.push(`  waiting for slots ${waiting.slots.join(', ')}`)
  const failure = progress.lastFailure
  if (failure !== undefined) lines.push(`  last failure: ${failure.message.split('\n', 1)[0]}`)
  return lines
}

function vertexLine(vertex: VertexProgress, nameWidth: number): string {
  const busy = `${Math.round(vertex.busyMs / 10)}%`.padStart(4)
  const blocked = Math.round(vertex.backpressuredMs / 10)
  const pressure = blocked === 0 ? '' : `  backpressured ${blocked}%`
  const name = vertex.name.slice(0, nameWidth).padEnd(nameWidth)
  const counts = `${count(vertex.recordsIn)} -> ${count(vertex.recordsOut)}`
  return `  ${name}  busy ${busy}  ${counts}${pressure}`
}

function stateAndCheckpoints(progress: JobProgress): string {
  const { lastCheckpoint: last, stateSizeBytes } = progress
  const parts = [`checkpoints ${progress.checkpointsCompleted}`]
  if (last !== undefined) {
    parts.push(`last ${formatDuration(last.durationMs)}, ${formatBytes(last.sizeBytes)}`)
  }
  if (progress.checkpointsFailed > 0) parts.push(`${progress.checkpointsFailed} failed`)
  if (stateSizeBytes !== undefined) parts.push(`state ${formatBytes(stateSizeBytes)}`)
  if (progress.restarts > 0) parts.push(`restarts ${progress.restarts}`)
  return parts.join('  ')
}

function statusLine(progress: JobProgress, rates: Rates): string {
  const { name, status, elapsedMs, recordsIn, recordsOut } = progress
  return [
    `${name} ${status} ${formatDuration(elapsedMs)}`,
    `in ${count(recordsIn)} (${rate(rates.inPerSecond)})`,
    `out ${count(recordsOut)} (${rate(rates.outPerSecond)})`,
    `watermark ${watermark(progress.watermark)}`,
    stateAndCheckpoints(progress),
  ].join('  ')
}

/** The last line of a run: what went in and out, in how much time. */
function endLine(progress: JobProgress): string {
  const { name, status, elapsedMs, recordsIn, recordsOut, recordsRejected } = progress
  const perSecond = (recordsIn * 1_000) / Math.max(1, elapsedMs)
  const parts = [
    `${count(recordsIn)} records in`,
    `${count(recordsOut)} out`,
    `${rate(perSecond)}`,
    `${progress.checkpointsCompleted} checkpoints`,
  ]
  if (recordsRejected > 0) parts.push(`${count(recordsRejected)} rejected`)
  if (progress.restarts > 0) parts.push(`${progress.restarts} restarts`)
  return `${name} ${status} after ${formatDuration(elapsedMs)}: ${parts.join(', ')}`
}

function watermark(timestamp: number): string {
  if (timestamp === Number.POSITIVE_INFINITY) return 'end of input'
  if (timestamp === Number.NEGATIVE_INFINITY) return 'none yet'
  // Custom timestamps may lie beyond what a date can show.
  if (Math.abs(timestamp) > 8.64e15) return String(timestamp)
  return new Date(timestamp).toISOString().replace('.000Z', 'Z')
}

/** By thousands. `toLocaleString` would load the locales: 20 ms and megabytes for some commas. */
function count(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',')
}

function rate(perSecond: number): string {
  if (perSecond >= 1e6) return `${(perSecond / 1e6).toFixed(2)} M/s`
  if (perSecond >= 1e4) return `${Math.round(perSecond / 1e3)} k/s`
  return `${Math.round(perSecond)}/s`
}
