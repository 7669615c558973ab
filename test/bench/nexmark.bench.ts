/**
 * Nexmark: the queries over the same events, and what each costs a record.
 *
 *   --query q5,q7     which; all if absent
 *   --input bytes     JSON in memory, every field parsed (the default); or generator
 *   --lazy            parses only what the query reads, beside the full parse
 *   --events N --rate R --parallelism P --state heap --rounds N
 *                     with P > 1 each slot is a process; a run then warms itself up with the first
 *                     third of the events, which does not count
 *   --rows FILE       runs once and writes the result rows instead of figures
 *   --flink RUN       a command that measures Apache Flink on the same query in the same minutes:
 *                     called as `RUN QUERY STATE PARALLELISM input=bytes`, it prints JSON lines with
 *                     `median` (records/s) and `perCpuSec`
 */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { nexmarkQueryNames, upsertKeyOf } from '../../src/examples/nexmark/nexmark-job.ts'
import { AuctionTotal } from '../../src/examples/nexmark/running-counts.ts'
import { json } from '../../src/schema/json-format.ts'
import {
  type BenchCase,
  type BenchIo,
  type CaseRun,
  compare,
  defineBench,
} from './bench-harness.ts'
import { JobRun } from './job-run.ts'
import type { SinkReport, SourceReport } from './jobs/measure.ts'
import { plainParse } from './nexmark-baseline.ts'
import { lazyFields } from './nexmark-fields.ts'
import { type NexmarkOptions, prepareNexmark } from './nexmark-runner.ts'
import { droppingSink, encodingSink, RowCollector } from './nexmark-sinks.ts'
import { rateOf } from './rate-of.ts'

/** Events of one round: a second or more each, so that starting a job does not count. */
const EVENTS: Readonly<Record<string, number>> = {
  wordcount: 12_000_000,
  json: 6_000_000,
  cep: 300_000,
}
const EVENTS_DEFAULT = 3_000_000
/** Of event time; the fewer, the less state. */
const RATES: Readonly<Record<string, number>> = { cep: 500 }
const RATE_DEFAULT = 10_000

function optionsOf(io: BenchIo, query: string): NexmarkOptions {
  const input = io.option('input', 'bytes')
  if (input !== 'bytes' && input !== 'generator') throw new Error('--input: bytes or generator')
  const state = io.option('state', 'heap')
  if (state !== 'heap' && state !== 'rocksdb') throw new Error('--state: heap or rocksdb')
  return {
    query,
    input,
    state,
    count: io.count('events', EVENTS[query] ?? EVENTS_DEFAULT),
    rate: io.count('rate', RATES[query] ?? RATE_DEFAULT),
    parallelism: io.count('parallelism', 1),
    sink: droppingSink({ rows: 0 }),
  }
}

async function writeRows(io: BenchIo, query: string, file: string): Promise<void> {
  const rows = new RowCollector(upsertKeyOf(query))
  const options = optionsOf(io, query)
  // `--events` counts events of all kinds; the json query reads the bids among them.
  const count = query === 'json' ? bidsAmong(options.count) : options.count
  await prepareNexmark({ ...options, count, sink: rows.sink })()
  const lines = rows.lines()
  writeFileSync(file, lines.map(line => `${line}\n`).join(''))
  io.print(`${query}: ${lines.length} rows of ${options.count} events in ${file}`)
}

function bidsAmong(events: number): number {
  return 46 * Math.floor(events / 50) + Math.max(0, (events % 50) - 4)
}

function weirCase(name: string, options: NexmarkOptions): BenchCase {
  if (options.parallelism > 1) return { name, run: () => runProcesses(options) }
  const sink =
    options.query === 'json'
      ? encodingSink(json(AuctionTotal).makeEncoder() as never, { rows: 0 })
      : options.sink
  return { name, run: prepareNexmark({ ...options, sink }) }
}

/** As a user runs it: a jobmanager and a process for each slot. */
async function runProcesses(options: NexmarkOptions): Promise<CaseRun> {
  const { query, input = 'generator', state, count, rate = RATE_DEFAULT, parallelism } = options
  const job = new JobRun({
    job: 'nexmark',
    parallelism,
    args: { query, input, events: count, rate },
    // No checkpoint but the last one, as where everything runs in one process.
    fields: { 'checkpoint.interval': '1h', 'stateBackend.type': state },
  })
  try {
    await job.finished()
    return rateOf(job.reportsOf<SourceReport>('source'), count, job.reportsOf<SinkReport>('sink'))
  } finally {
    await job.end()
  }
}

function flinkCase(command: string, options: NexmarkOptions): BenchCase {
  return {
    name: 'Apache Flink',
    run(): CaseRun {
      const { query, state, parallelism, input } = options
      const kind = input === 'bytes' ? 'bytes' : 'gen'
      const args = [query, state, String(parallelism), `input=${kind}`, 'runs=1']
      const out = execFileSync(command, args, { stdio: ['ignore', 'pipe', 'ignore'] }).toString()
      const line = out.trim().split('\n').at(-1) ?? ''
      // A build before it may have left codes for colours.
      const last = JSON.parse(line.slice(line.indexOf('{'))) as FlinkFigures
      const seconds = 1
      const cpuMs = (1_000 * last.median) / last.perCpuSec
      return { count: last.median * seconds, elapsedMs: 1_000 * seconds, cpuMs }
    },
  }
}

interface FlinkFigures {
  readonly median: number
  readonly perCpuSec: number
}

async function measure(io: BenchIo, query: string): Promise<void> {
  const options = optionsOf(io, query)
  const { input, parallelism, state } = options
  const single = { ...options, parallelism: 1 }
  const flink = io.option('flink', '')
  const cases = [weirCase(`weir ${query}`, options)]
  const fields = lazyFields(query)
  if (io.args.includes('--lazy') && input === 'bytes' && fields !== undefined) {
    cases.push(weirCase(`weir ${query}, lazy`, { ...options, fields }))
  }
  // Over several processes nothing runs beside them in this one.
  const other = parallelism > 1 ? weirCase(`weir ${query}, one slot`, single) : plainParse(options)
  const baseline = flink === '' ? other : flinkCase(flink, options)
  const title = `nexmark ${query}, ${input}, ${state}, parallelism ${parallelism}`
  const rounds = io.count('rounds', 3)
  // Processes and Flink warm themselves up; what runs in this one needs a round for it.
  const warmUpRounds = parallelism === 1 ? 2 : flink === '' ? 1 : 0
  io.report(await compare({ title, rounds, warmUpRounds, baseline, cases }))
}

export const nexmark = defineBench({
  name: 'nexmark',
  summary: 'the Nexmark queries against a bare JSON.parse of the same bytes, or Apache Flink',
  async run(io) {
    const wanted = io.option('query', nexmarkQueryNames.join(',')).split(',')
    const unknown = wanted.filter(name => !nexmarkQueryNames.includes(name))
    if (unknown.length > 0) {
      throw new Error(`no query ${unknown.join(', ')}; there are ${nexmarkQueryNames.join(', ')}`)
    }
    const file = io.option('rows', '')
    for (const query of wanted) {
      if (file === '') await measure(io, query)
      else await writeRows(io, query, file)
    }
  },
})
