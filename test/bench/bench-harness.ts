/**
 * What every benchmark shares: a declaration, rounds that alternate between the cases, and one table.
 *
 * A figure alone says little on a shared machine. `compare` therefore runs the baseline and the
 * cases in turn, round by round, and takes each ratio inside its round: a slow minute slows both
 * sides. The first rounds warm the code up and are thrown away.
 *
 * A benchmark is a file `test/bench/NAME.bench.ts` with one export made by `defineBench`;
 * `./weir bench NAME` runs it.
 */
import { cpuUsage } from 'node:process'

export interface BenchIo {
  /** The arguments after the benchmark's name. */
  readonly args: readonly string[]
  /** A line for people; nothing is printed with --json. */
  print(line: string): void
  /** A finished table: printed at once, or kept for the JSON at the end. */
  report(comparison: Comparison): void
  /** The value of `--name VALUE`, or the fallback. */
  option(name: string, fallback: string): string
  /** The same as a number. */
  count(name: string, fallback: number): number
}

export interface Bench {
  /** As in the file's name. */
  readonly name: string
  /** One line for --list: what is compared with what. */
  readonly summary: string
  run(io: BenchIo): void | Promise<void>
}

/** What one run of a case did. */
export interface CaseRun {
  /** Units of work done: records, keys, values. */
  readonly count: number
  /** Where the case has its own clock (a child process, a part of the run); else the whole call. */
  readonly elapsedMs?: number
  /** CPU time of the same part, where the case knows it better than this process. */
  readonly cpuMs?: number
}

export interface BenchCase {
  readonly name: string
  /** Does the work once. A plain number is the count of units. */
  run(): number | CaseRun | Promise<number | CaseRun>
}

export interface CompareOptions {
  /** The table's heading. */
  readonly title: string
  /** The plural of the unit of work; `records` if absent. */
  readonly unit?: string
  /** Measured rounds after the warm-up; odd, so that the median is a round. */
  readonly rounds?: number
  /** Rounds that are thrown away; 2 if absent. Fewer where a case warms itself up. */
  readonly warmUpRounds?: number
  readonly baseline: BenchCase
  readonly cases: readonly BenchCase[]
}

export interface CaseFigures {
  readonly name: string
  /** Median of the rounds, in units a second of wall time. */
  readonly perSecond: number
  /** (largest - smallest) / median over the rounds. */
  readonly spread: number
  readonly nsPerUnit: number
  /** Units a second of CPU time, median. */
  readonly perCpuSecond: number
  /** Median over the rounds of (this rate / the baseline's rate in the same round). */
  readonly ratio: number
  /** The same by CPU time. */
  readonly cpuRatio: number
}

export interface Comparison {
  readonly title: string
  readonly unit: string
  readonly rounds: number
  readonly figures: readonly CaseFigures[]
}

/** Declares a benchmark: the only export of its file. */
export function defineBench(bench: Bench): Bench {
  return bench
}

/** One to compile, one to settle after the optimiser's second thoughts. */
const WARM_UP_ROUNDS = 2

interface Sample {
  readonly perSecond: number
  readonly perCpuSecond: number
}

/** Runs the baseline and the cases in alternating rounds. The baseline comes first in the result. */
export async function compare(options: CompareOptions): Promise<Comparison> {
  const cases = [options.baseline, ...options.cases]
  const rounds = options.rounds ?? 5
  const warmUp = options.warmUpRounds ?? WARM_UP_ROUNDS
  const samples: Sample[][] = cases.map(() => [])
  for (let round = -warmUp; round < rounds; round++) {
    for (let turn = 0; turn < cases.length; turn++) {
      // Each round begins with another case: what runs after the garbage of a neighbour changes.
      const index = (turn + Math.max(0, round)) % cases.length
      const sample = await measure(cases[index] as BenchCase)
      if (round >= 0) (samples[index] as Sample[]).push(sample)
    }
  }
  const unit = options.unit ?? 'records'
  const base = samples[0] as Sample[]
  const figures = cases.map((one, index) => summarize(one.name, samples[index] as Sample[], base))
  return { title: options.title, unit, rounds, figures }
}

async function measure(one: BenchCase): Promise<Sample> {
  collectGarbage()
  const cpuBefore = cpuUsage()
  const before = performance.now()
  const result = await one.run()
  const wallMs = performance.now() - before
  const cpu = cpuUsage(cpuBefore)
  const run: CaseRun = typeof result === 'number' ? { count: result } : result
  const elapsedMs = run.elapsedMs ?? wallMs
  const cpuMs = run.cpuMs ?? (cpu.user + cpu.system) / 1_000
  return { perSecond: rate(run.count, elapsedMs), perCpuSecond: rate(run.count, cpuMs) }
}

function rate(count: number, ms: number): number {
  return (count * 1_000) / Math.max(ms, 1e-6)
}

/** `./weir bench` starts node with --expose-gc; without it a round inherits its neighbour's garbage. */
function collectGarbage(): void {
  const { gc } = globalThis as { gc?: () => void }
  gc?.()
}

function summarize(name: string, mine: readonly Sample[], base: readonly Sample[]): CaseFigures {
  const rates = mine.map(sample => sample.perSecond)
  const perSecond = median(rates)
  return {
    name,
    perSecond,
    spread: (Math.max(...rates) - Math.min(...rates)) / perSecond,
    nsPerUnit: 1e9 / perSecond,
    perCpuSecond: median(mine.map(sample => sample.perCpuSecond)),
    ratio: median(mine.map((sample, i) => sample.perSecond / (base[i] as Sample).perSecond)),
    cpuRatio: median(
      mine.map((sample, i) => sample.perCpuSecond / (base[i] as Sample).perCpuSecond),
    ),
  }
}

/** The middle value; the mean of the two middle ones when the count is even. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

/** The table as text: one line a case, the baseline first with ratio 1. */
export function formatComparison(comparison: Comparison): string {
  const { unit } = comparison
  const header = ['case', `${unit}/s`, 'spread', `ns/${singular(unit)}`, 'ratio', 'CPU ratio']
  const rows = comparison.figures.map(figure => [
    figure.name,
    formatRate(figure.perSecond),
    `${Math.round(figure.spread * 100)}%`,
    formatNs(figure.nsPerUnit),
    `${figure.ratio.toFixed(2)}x`,
    `${figure.cpuRatio.toFixed(2)}x`,
  ])
  const widths = header.map((title, i) => {
    return Math.max(title.length, ...rows.map(row => (row[i] as string).length))
  })
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) =>
        i === 0 ? cell.padEnd(widths[i] as number) : cell.padStart(widths[i] as number),
      )
      .join('  ')
  const title = `${comparison.title} (median of ${comparison.rounds} rounds)`
  return [title, line(header), ...rows.map(line)].join('\n')
}

function singular(unit: string): string {
  return unit.endsWith('s') ? unit.slice(0, -1) : unit
}

function formatRate(perSecond: number): string {
  if (perSecond >= 1e6) return `${(perSecond / 1e6).toFixed(2)} M`
  if (perSecond >= 1e3) return `${(perSecond / 1e3).toFixed(1)} k`
  return perSecond.toPrecision(3)
}

function formatNs(ns: number): string {
  return ns >= 100 ? Math.round(ns).toLocaleString('en-US') : ns.toPrecision(3)
}
