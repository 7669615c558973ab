/**
 * From the time a record was due at its source to the time its sink has it, through one shuffle:
 * two slots, 100,000 records/s in all. What a source is late by counts.
 *
 *   --rate N --seconds N
 *
 * Not measured: an exactly-once sink makes its output visible with the next checkpoint only.
 */
import { type BenchIo, defineBench } from './bench-harness.ts'
import { JobRun } from './job-run.ts'
import { LATENCY_STEP_MS, type SinkReport } from './jobs/measure.ts'

const WARM_UP_SECONDS = 4

async function measure(io: BenchIo): Promise<void> {
  const rate = io.count('rate', 100_000)
  const seconds = io.count('seconds', 8) + WARM_UP_SECONDS
  const job = new JobRun({
    job: 'latency',
    parallelism: 2,
    args: { rate, seconds, warmUpSeconds: WARM_UP_SECONDS },
  })
  try {
    await job.finished()
    const sinks = job.reportsOf<SinkReport>('sink')
    const [p50, p99, worst] = [0.5, 0.99, 1].map(share => latencyAt(sinks, share).toFixed(1))
    const counted = sinks.flatMap(({ latencies }) => latencies).reduce((sum, n) => sum + n, 0)
    io.print(`source to sink at ${rate.toLocaleString('en-US')} records/s, two slots`)
    io.print(`  p50 ${p50} ms, p99 ${p99} ms, worst ${worst} ms, of ${counted} records`)
  } finally {
    await job.end()
  }
}

/** The upper end of the step that the record of this rank lies in. */
function latencyAt(sinks: readonly SinkReport[], share: number): number {
  const steps = sinks[0]?.latencies.map((_, step) =>
    sinks.reduce((sum, { latencies }) => sum + (latencies[step] ?? 0), 0),
  )
  const total = (steps ?? []).reduce((sum, count) => sum + count, 0)
  let left = Math.ceil(total * share)
  const at = (steps ?? []).findIndex(count => {
    left -= count
    return left <= 0
  })
  return (at + 1) * LATENCY_STEP_MS
}

export const latency = defineBench({
  name: 'latency',
  summary: 'source to sink at 100,000 records/s through one shuffle between two slots',
  run: measure,
})
