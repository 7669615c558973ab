/** One run of the ledger job for each fault and seed: struck, recovered, struck again, judged. */
import { setTimeout as pause } from 'node:timers/promises'
import { messageOf } from '../../../src/common/errors.ts'
import { SeededRandom } from '../../../src/common/random.ts'
import { type LedgerFault, ledgerFaults } from './ledger-faults.ts'
import { type LedgerParts, LedgerRun } from './ledger-run.ts'

export interface LedgerCell {
  readonly fault: LedgerFault
  readonly seed: number
}

export interface LedgerResult {
  /** Empty: all is well. */
  readonly wrong: readonly string[]
  readonly strikes: number
  readonly restarts: number
  readonly seconds: number
  /** What is left of a run that failed. */
  readonly folder: string
}

const RUNS = 60
const DAILY_STRIKES = 2
const TRANSFERS = 8_000
/** Strikes come some time after a checkpoint. */
const DELAY_MS = 500

/** Each fault with as many seeds as make 60 runs together. */
export function wholeMatrix(seed: number): readonly LedgerCell[] {
  return Array.from({ length: RUNS }, (_, run) => ({
    fault: ledgerFaults[run % ledgerFaults.length] as LedgerFault,
    seed: seed + Math.floor(run / ledgerFaults.length),
  }))
}

/** What is worth its time every day. */
const daily = [
  'before-flush',
  'before-commit',
  'in-commit-all',
  'before-ack',
  'after-completion',
  'stale-jobmanager',
]

export function dailySlice(seed: number): readonly LedgerCell[] {
  return ledgerFaults
    .filter(({ name }) => daily.includes(name))
    .map(fault => ({ fault: { ...fault, strikes: Math.min(DAILY_STRIKES, fault.strikes) }, seed }))
}

export function nameOf({ fault, seed }: LedgerCell): string {
  return `${fault.name}/${seed}`
}

export async function runLedgerCell(
  { fault, seed }: LedgerCell,
  parts: LedgerParts,
): Promise<LedgerResult> {
  const startedMs = performance.now()
  const run = await LedgerRun.open({ seed, transfers: TRANSFERS }, parts)
  const tally = { strikes: 0, restarts: 0 }
  let wrong: readonly string[] = []
  try {
    run.start()
    wrong = await strikeAll(run, { fault, seed }, tally)
    tally.restarts = (await run.job.figures())?.restarts ?? 0
    if (wrong.length === 0) wrong = await run.judge()
  } catch (error) {
    wrong = [messageOf(error)]
  } finally {
    await run.end({ keep: wrong.length > 0 })
  }
  const seconds = (performance.now() - startedMs) / 1_000
  return { wrong, ...tally, seconds, folder: run.kept }
}

async function strikeAll(
  run: LedgerRun,
  { fault, seed }: LedgerCell,
  tally: { strikes: number },
): Promise<readonly string[]> {
  const random = new SeededRandom(seed)
  if (!(await run.job.untilCheckpoints(1))) return [`it ended before a checkpoint: ${run.job.said}`]
  for (let strike = 1; strike <= fault.strikes; strike++) {
    await pause(random.int(DELAY_MS))
    const wrong = await fault.strike(run, random)
    if (wrong.length > 0) return [...wrong, `at strike ${strike}: ${run.job.said}`]
    tally.strikes++
    if (!(await run.job.untilCheckpoints(2))) {
      return [`it did not recover from strike ${strike}: ${run.job.said}`]
    }
  }
  return []
}
