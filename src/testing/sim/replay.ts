/** Seeds in a row, and how a failing one is shown: what it broke, and how to replay it. */
import type { Protection } from './protections.ts'
import { runSeed, type SeedResult } from './run-seed.ts'

export interface SeedsOptions {
  readonly first: number
  readonly count: number
  readonly off?: readonly Protection[]
  readonly onResult: (result: SeedResult) => void | Promise<void>
}

/** Runs the seeds one after the other; resolves to the number of those that failed. */
export async function runSeeds(options: SeedsOptions): Promise<number> {
  const { first, count, off = [], onResult } = options
  let failed = 0
  for (let seed = first; seed < first + count; seed++) {
    const result = await runSeed({ seed, off })
    if (result.violations.length > 0) failed++
    await onResult(result)
  }
  return failed
}

/** The first seed in a row that fails, if one does. */
export async function firstFailing(
  options: Omit<SeedsOptions, 'onResult'>,
): Promise<SeedResult | undefined> {
  const { first, count, off = [] } = options
  for (let seed = first; seed < first + count; seed++) {
    const result = await runSeed({ seed, off })
    if (result.violations.length > 0) return result
  }
  return undefined
}

/** Steps shown before the first violation. */
const STEPS_SHOWN = 25

/** What it broke, with the steps that led there where the run was traced. */
export function describeFailure({ seed, violations, trace }: SeedResult): string {
  const found = violations.map(({ checker, detail }) => `  ${checker}: ${detail}\n`)
  const replay = `./weir sim --seeds 1 --first ${seed} --trace`
  const at = trace.findIndex(line => line.includes('VIOLATION'))
  const end = at < 0 ? trace.length : at + 1
  const steps = trace.slice(Math.max(0, end - STEPS_SHOWN), end).map(line => `  | ${line}\n`)
  return `seed ${seed} failed\n${found.join('')}${steps.join('')}  replay: ${replay}\n`
}

/** The same of a run that was not traced: it is run again. */
export async function explainFailure(
  { seed }: SeedResult,
  off: readonly Protection[] = [],
): Promise<string> {
  return describeFailure(await runSeed({ seed, off, trace: true }))
}

/** What the seed stands for, in a line or two. */
export function describeScenario({ seed, scenario }: SeedResult): string {
  const { mode, alignment, parallelism, bank, intervalMs, maxConcurrent, retained } = scenario
  const transfers = bank.splits.reduce((sum, split) => sum + split.length, 0)
  const job = `${transfers} transfers in ${bank.splits.length} splits, ${bank.accounts} accounts`
  const barriers =
    alignment.kind === 'timeout' ? `${alignment.timeoutMs} ms aligned` : alignment.kind
  const how = `${parallelism} slots, ${mode}, ${barriers}, every ${intervalMs} ms`
  const limits = `${maxConcurrent} at once, ${retained} kept`
  const out = scenario.store.outages.map(([from, to]) => `${from.toFixed()} to ${to.toFixed()} ms`)
  const outages = out.length === 0 ? '' : `; no store from ${out.join(', ')}`
  const kinds = scenario.faults.map(fault => fault.kind).join(', ')
  return `seed ${seed}: ${job}; ${how}, ${limits}\nfaults: ${kinds || 'none'}${outages}\n`
}
