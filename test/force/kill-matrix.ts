/**
 * The matrix of faults: how checkpoints align, what strikes, and how many slots go on after it. One
 * cell is one run of the all-round job: it is struck, recovers, is struck again; then all of it is
 * killed, restored with the cell's number of slots, and judged at its end.
 */
import { messageOf } from '../../src/common/errors.ts'
import { SeededRandom } from '../../src/common/random.ts'
import { type Fault, type FaultName, faults } from './faults.ts'
import { ForceRun } from './force-run.ts'
import { SmallDisk } from './small-disk.ts'

export type Alignment = 'aligned' | 'unaligned' | 'timeout'
export type Slots = 'same' | 'more' | 'fewer'

export interface Cell {
  readonly alignment: Alignment
  readonly fault: FaultName
  readonly slots: Slots
}

export interface CellResult {
  /** Empty: all is well. */
  readonly wrong: readonly string[]
  readonly strikes: number
  readonly restarts: number
  /** The most that a checkpoint after a strike held. */
  readonly inFlightBytes: number
  readonly seconds: number
  /** What is left of a run that failed. */
  readonly folder: string
}

const alignments: readonly Alignment[] = ['aligned', 'unaligned', 'timeout']
const slotChoices: readonly Slots[] = ['same', 'more', 'fewer']
const restoredSlots = { same: 3, more: 4, fewer: 2 } as const
const FIRST_SLOTS = 3
/** Some checkpoints fit, and a filler is soon written. */
const DISK_BYTES = 24 * 1024 * 1024
/** Strikes come some time after a checkpoint: before, in or after the next one. */
const DELAY_MS = 400

/** All cells, those of one fault beside each other. */
export const matrix: readonly Cell[] = faults.flatMap(({ name }) =>
  alignments.flatMap(alignment => slotChoices.map(slots => ({ alignment, fault: name, slots }))),
)

export function nameOf({ alignment, fault, slots }: Cell): string {
  return `${alignment}/${fault}/${slots}`
}

/** Too long for every day: the others hold most of what they do. */
const onlyLong: ReadonlySet<FaultName> = new Set(['pause-short', 'storm'])

/** One cell of most faults, other ones for another seed. */
export function sliceOf(seed: number): readonly Cell[] {
  const daily = faults.filter(({ name }) => !onlyLong.has(name))
  return daily.map(({ name }, index) => ({
    fault: name,
    alignment: alignments[(seed + index) % 3] as Alignment,
    slots: slotChoices[(seed + index * 2 + Math.floor(index / 3)) % 3] as Slots,
  }))
}

/** `undefined`: the cell can be run here; else why not. */
export function obstacleTo({ fault }: Cell): string | undefined {
  const needsRoot = fault === 'full-disk' && !SmallDisk.isPossible
  return needsRoot ? 'only root may mount a small disk' : undefined
}

export async function runCell(cell: Cell, seed: number): Promise<CellResult> {
  const fault = faults.find(({ name }) => name === cell.fault) as Fault
  const startedMs = performance.now()
  const run = new ForceRun({
    seed,
    args: { splits: 12, records: 1_500 },
    fields: fieldsOf(cell),
    ...(cell.fault === 'full-disk' ? { diskBytes: DISK_BYTES } : {}),
    relays: ['cut-connection', 'mute-connection', 'storm'].includes(cell.fault),
  })
  const tally = { strikes: 0, restarts: 0, inFlightBytes: 0 }
  let wrong: readonly string[] = []
  try {
    wrong = await strikeAndJudge({ run, cell, fault, seed, tally })
  } catch (error) {
    wrong = [messageOf(error)]
  } finally {
    await run.end({ keep: wrong.length > 0 })
  }
  const seconds = (performance.now() - startedMs) / 1_000
  return { wrong, ...tally, seconds, folder: run.kept }
}

function fieldsOf({ alignment }: Cell): Readonly<Record<string, string | number>> {
  return {
    'checkpoint.interval': '200ms',
    'checkpoint.alignment': alignment,
    ...(alignment === 'timeout' ? { 'checkpoint.alignmentTimeout': '50ms' } : {}),
    // A full disk fails checkpoints, one after the other; the job goes on.
    'checkpoint.tolerableFailures': 1_000,
  }
}

interface Strike {
  readonly run: ForceRun
  readonly cell: Cell
  readonly fault: Fault
  readonly seed: number
  readonly tally: { strikes: number; restarts: number; inFlightBytes: number }
}

async function strikeAndJudge({ run, cell, fault, seed, tally }: Strike): Promise<string[]> {
  const random = new SeededRandom(seed)
  // Slow enough to be struck as often as it should, with a sink that holds up all queues.
  run.start({ parallelism: FIRST_SLOTS, args: { rate: 1_500, sinkRate: 8_000 } })
  if (!(await run.job.untilCheckpoints(1)))
    return [`it ended before its first checkpoint: ${run.job.said}`]
  for (let i = 0; i < fault.strikes; i++) {
    await new Promise(resolve => setTimeout(resolve, random.int(DELAY_MS)))
    if (!run.job.isRunning) return [`it ended after ${i} strikes: ${run.job.said}`]
    await fault.strike(run, random)
    tally.strikes++
    if (!(await recovered(run))) return [`it did not recover from strike ${i + 1}: ${run.job.said}`]
    tally.inFlightBytes = Math.max(tally.inFlightBytes, await run.job.inFlightBytes())
  }
  tally.restarts = (await run.job.figures())?.restarts ?? 0
  await run.job.kill()
  run.start({ parallelism: restoredSlots[cell.slots], restore: 'latest' })
  // What was in flight may come out in another order on other channels.
  const order = cell.slots === 'same' || cell.alignment === 'aligned' ? 'kept' : 'any'
  return [...(await run.judge(order))]
}

/** The job completed a checkpoint again, one that began after it was struck. */
async function recovered(run: ForceRun): Promise<boolean> {
  return await run.job.untilCheckpoints(2)
}
