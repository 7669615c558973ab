/**
 * What checkpoints cost, and how long barriers wait for each other.
 *
 *   cost        a job with a checkpoint each second against the same job without: one slot, heap
 *               state, a local folder. `--every MS`, `--rounds N`, `--events N`, `--keys N`.
 *   alignment   two slots at 70 % of what they can do, a checkpoint each 200 ms: how long a subtask
 *               holds back its first barrier's channel until the last barrier is there.
 *               `--load 70`, `--seconds N`.
 *   --only cost|alignment
 *
 * Not measured: a store that is far away.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { reducingState } from '../../src/api/state-descriptor.ts'
import { numberedSource } from '../../src/connectors/numbered-source.ts'
import { nexmarkJob } from '../../src/examples/nexmark/nexmark-job.ts'
import { type Job, job, z } from '../../src/index.ts'
import { typeOf } from '../../src/schema/type-of.ts'
import { type BenchCase, type BenchIo, compare, defineBench } from './bench-harness.ts'
import { JobRun, type Snapshot } from './job-run.ts'
import type { SourceReport } from './jobs/measure.ts'
import { droppingSink } from './nexmark-sinks.ts'
import { percentile } from './percentile.ts'
import { rateOf } from './rate-of.ts'
import { runToEnd } from './run-to-end.ts'

const sink = droppingSink({ rows: 0 })

/** Integers counted by key: little work a record, much state. */
function keyedCount(records: number, keys: number): Job {
  return job(env =>
    env
      .from(
        numberedSource({
          name: 'keys',
          type: typeOf(z.int32()),
          count: records,
          makeRecordAt: () => n => (Math.imul(n, 0x9e3779b1) >>> 0) % keys,
        }),
      )
      .uid('keys')
      .keyBy(key => key)
      .process({
        output: z.int32(),
        state: { count: reducingState((a: number, b: number) => a + b, z.int32()) },
        processElement(key, { state }, out) {
          state.count.add(1)
          out.collect(key)
        },
      })
      .uid('count')
      .to(sink)
      .uid('drop'),
  )
}

interface CostCase {
  readonly name: string
  readonly made: Job
  /** Records of a run. */
  readonly count: number
}

async function measureCost(io: BenchIo, { name, made, count }: CostCase): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'weir-bench-'))
  const everyMs = io.count('every', 1_000)
  let checkpoints = 0
  let runs = 0
  const without: BenchCase = {
    name: 'without checkpoints',
    run: async () => ({ ...(await runToEnd(made)), count }),
  }
  const withThem: BenchCase = {
    name: `a checkpoint each ${everyMs} ms`,
    run: async () => {
      const figures = await runToEnd(made, { checkpoints: { folder, everyMs } })
      checkpoints += figures.checkpointsCompleted
      runs++
      return { ...figures, count }
    },
  }
  try {
    const rounds = io.count('rounds', 3)
    io.report(
      await compare({ title: name, rounds, warmUpRounds: 1, baseline: without, cases: [withThem] }),
    )
    io.print(`${(checkpoints / runs).toFixed(1)} checkpoints a run\n`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function measureAlignment(io: BenchIo): Promise<void> {
  const full = new JobRun({ job: 'counting', parallelism: 2, args: { records: 8_000_000 } })
  let perSecond = 0
  try {
    await full.finished()
    perSecond = rateOf(full.reportsOf<SourceReport>('source'), 8_000_000).perSecond
  } finally {
    await full.end()
  }
  const load = io.count('load', 70)
  const rate = Math.round((perSecond * load) / 100)
  const loaded = new JobRun({
    job: 'counting',
    parallelism: 2,
    args: { records: 1_000_000_000, rate },
    fields: { 'checkpoint.interval': '200ms' },
  })
  try {
    // The code is compiled and the state has its keys.
    await loaded.run.untilCheckpoints(15)
    const seen = new Map<number, Snapshot>()
    const first = Math.max(0, ...(await loaded.snapshots()).map(({ id }) => id))
    const endMs = performance.now() + io.count('seconds', 15) * 1_000
    while (performance.now() < endMs) {
      await pause(2_000)
      for (const one of await loaded.snapshots()) if (one.id > first) seen.set(one.id, one)
    }
    report(io, `counting at ${load} % of ${Math.round(perSecond / 1_000)} K records/s`, [
      ...seen.values(),
    ])
  } finally {
    await loaded.end()
  }
}

function report(io: BenchIo, title: string, snapshots: readonly Snapshot[]): void {
  const parts = snapshots.flatMap(({ parts }) => parts)
  const line = (name: string, values: readonly number[]): void => {
    const [p50, p99] = [0.5, 0.99].map(share => percentile(values, share).toFixed(1))
    io.print(`  ${name.padEnd(30)} p50 ${p50} ms, p99 ${p99} ms, of ${values.length}`)
  }
  io.print(`${title}, two slots, ${snapshots.length} checkpoints`)
  line(
    'alignment of a subtask',
    parts.map(part => part.alignmentMs),
  )
  line(
    'start delay of a subtask',
    parts.map(part => part.startDelayMs),
  )
  line(
    'whole checkpoint',
    snapshots.map(one => one.durationMs),
  )
  io.print('')
}

export const checkpoint = defineBench({
  name: 'checkpoint',
  summary: 'what a checkpoint each second costs on q5 and 1e6 keys, and how long barriers align',
  async run(io) {
    const only = io.option('only', '')
    if (only !== 'alignment') {
      const events = io.count('events', 4_000_000)
      const q5 = nexmarkJob({ query: 'q5', input: 'bytes', count: events, sink })
      await measureCost(io, { name: 'nexmark q5, bytes, one slot', made: q5, count: events })
      const keys = io.count('keys', 1_000_000)
      const records = io.count('records', 20_000_000)
      const name = `count by ${keys.toLocaleString('en-US')} keys, one slot`
      await measureCost(io, { name, made: keyedCount(records, keys), count: records })
    }
    if (only !== 'cost') await measureAlignment(io)
  },
})
