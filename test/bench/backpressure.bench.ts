/**
 * Checkpoints of a job whose sink cannot keep up: source -> keyBy(bidder) -> count -> rebalance ->
 * sink at 10,000 rows/s in all, two slots. All queues are full; an aligned barrier waits until they
 * have drained, an unaligned one passes by.
 *
 *   --seconds N     of each alignment, after the queues are full
 *   --every MS      from checkpoint to checkpoint
 *   --flink JAVA    a command that runs Apache Flink on the same job in the same minutes: called as
 *                   `JAVA bp heap 2 aligned|unaligned secs=N`, it prints a JSON line with `stats`
 *                   as Flink's REST API gives them
 */
import { execFileSync } from 'node:child_process'
import { setTimeout as pause } from 'node:timers/promises'
import { type BenchIo, defineBench, median } from './bench-harness.ts'
import { JobRun, type Snapshot } from './job-run.ts'

type Alignment = 'aligned' | 'unaligned'

/** Until all queues are full and the code is compiled. */
const FILL_MS = 6_000

async function measure(io: BenchIo, alignment: Alignment): Promise<void> {
  const job = new JobRun({
    job: 'backpressure',
    parallelism: 2,
    args: { sinkRate: io.count('rate', 10_000) },
    fields: {
      'checkpoint.interval': `${io.count('every', 2_000)}ms`,
      'checkpoint.alignment': alignment,
    },
  })
  try {
    await job.run.untilCheckpoints(1)
    await pause(FILL_MS)
    const before = Math.max(0, ...(await job.snapshots()).map(({ id }) => id))
    await pause(io.count('seconds', 20) * 1_000)
    const snapshots = (await job.snapshots()).filter(({ id }) => id > before)
    const { recordsOut } = (await job.run.figures()) ?? {}
    print(io, alignment, snapshots)
    io.print(`  ${recordsOut ?? 0} rows written so far`)
  } finally {
    await job.end()
  }
}

function print(io: BenchIo, alignment: Alignment, snapshots: readonly Snapshot[]): void {
  const spread = (values: readonly number[], digits = 0): string => {
    const [least, most] = [Math.min(...values), Math.max(...values)]
    return `${median(values).toFixed(digits)} (${least.toFixed(digits)}–${most.toFixed(digits)})`
  }
  const slowest = (of: keyof Snapshot['parts'][number]): readonly number[] =>
    snapshots.map(({ parts }) => Math.max(...parts.map(part => part[of])))
  io.print(`weir, ${alignment}: ${snapshots.length} checkpoints, median (min–max)`)
  io.print(`  end to end          ${spread(snapshots.map(one => one.durationMs))} ms`)
  io.print(`  slowest start delay ${spread(slowest('startDelayMs'))} ms`)
  io.print(`  slowest alignment   ${spread(slowest('alignmentMs'))} ms`)
  io.print(`  slowest upload      ${spread(slowest('asyncMs'))} ms`)
  const kilobytes = snapshots.map(one => (one.sizeBytes ?? 0) / 1_000)
  io.print(`  stored              ${spread(kilobytes)} kB`)
}

function measureFlink(io: BenchIo, command: string, alignment: Alignment): void {
  const args = ['bp', 'heap', '2', alignment, `secs=${io.count('seconds', 20) + 12}`, 'ckpt=2000']
  const out = execFileSync(command, args, { stdio: ['ignore', 'pipe', 'ignore'] }).toString()
  // The line may be cut: the figures wanted stand at its beginning or in its list.
  const durations = [...out.matchAll(/"status":"COMPLETED"[^}]*?"end_to_end_duration":(\d+)/g)]
  const values = durations.map(found => Number(found[1]))
  if (values.length === 0) throw new Error(`no checkpoint in ${out.slice(0, 300)}`)
  const [least, most] = [Math.min(...values), Math.max(...values)]
  io.print(`Apache Flink, ${alignment}: ${values.length} checkpoints, median (min–max)`)
  io.print(`  end to end          ${median(values)} (${least}–${most}) ms`)
}

export const backpressure = defineBench({
  name: 'backpressure',
  summary: 'checkpoints behind a sink of 10,000 rows/s, aligned and unaligned',
  async run(io) {
    const flink = io.option('flink', '')
    for (const alignment of ['unaligned', 'aligned'] as const) {
      await measure(io, alignment)
      if (flink !== '') measureFlink(io, flink, alignment)
      io.print('')
    }
  },
})
