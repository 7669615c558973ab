/** Weir's side: its reader alone, and whole jobs from one topic to another. */
import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { SourceOutput } from '../../../src/api/source.ts'
import { SystemClock } from '../../../src/common/clock.ts'
import { kafkaSink, kafkaSource } from '../../../src/connectors/kafka/index.ts'
import { job } from '../../../src/index.ts'
import { raw } from '../../../src/schema/text-format.ts'
import type { CaseRun } from '../bench-harness.ts'
import { JobRun } from '../job-run.ts'
import type { CopyReport } from '../jobs/kafka-copy-job.ts'
import { runToEnd } from '../run-to-end.ts'
import { type Rig, VALUE } from './rig.ts'

export type Delivery = 'exactly-once' | 'at-least-once'

/** Reads the only partition of a topic; `seen` gets each value, and says when it is enough. */
export async function readPartition(
  { brokers }: Pick<Rig, 'brokers'>,
  topic: string,
  seen: (value: Uint8Array) => boolean,
): Promise<void> {
  let wake = (): void => {}
  let isDone = false
  const reader = kafkaSource({ brokers, topics: topic, value: raw() }).createReader({
    runtime: { operatorName: 'k', subtaskIndex: 0, parallelism: 1, attempt: 0, count() {} },
    clock: new SystemClock(),
    requestSplit: () => {},
    wakeUp: () => wake(),
  })
  const output: SourceOutput<Uint8Array> = {
    batchSize: 512,
    blocked: false,
    offset: 0,
    selectSplit: () => {},
    finishSplit: () => {},
    collect: value => {
      isDone = seen(value)
    },
    reject: error => {
      throw error
    },
  }
  await reader.start()
  reader.addSplits([{ id: `${topic}-0`, topic, partition: 0, offset: 0 }])
  while (!isDone) {
    const woken = new Promise<void>(resolve => {
      wake = resolve
    })
    if (reader.poll(output) === 'nothing' && !isDone) await woken
  }
  await reader.close()
}

export async function readByWeir(rig: Rig, topic: string, count: number): Promise<CaseRun> {
  let seen = 0
  await readPartition(rig, topic, value => {
    if (value.length === VALUE.length) seen++
    return seen >= count
  })
  return { count }
}

/** A whole job of one slot in this process, with a checkpoint each second into a folder. */
export async function copyByWeir(
  rig: Rig,
  input: { readonly topic: string; readonly count: number },
  delivery: Delivery = 'exactly-once',
): Promise<CaseRun> {
  const { brokers } = rig
  const output = await rig.topic()
  const copies = job(env =>
    env
      .from(kafkaSource({ brokers, topics: input.topic, value: raw(), stop: 'latest' }))
      .uid('in')
      .to(kafkaSink({ brokers, topic: output, value: raw(), delivery }))
      .uid('out'),
  )
  const folder = mkdtempSync(join(rig.folder, 'checkpoints-'))
  const { elapsedMs, cpuMs } = await runToEnd(copies, { checkpoints: { folder, everyMs: 1_000 } })
  await rig.drop(output)
  return { count: input.count, elapsedMs, cpuMs }
}

/** The same as a user runs it; also how much memory it took at most. */
export async function copyInProcess(
  rig: Rig,
  {
    input,
    output,
    count,
  }: { readonly input: string; readonly output: string; readonly count: number },
): Promise<CaseRun & { readonly peakBytes: number }> {
  const args = { brokers: rig.brokers, input, output }
  const fields = { 'checkpoint.interval': '1s' }
  const run = new JobRun({ job: 'kafka-copy', parallelism: 1, args, fields })
  try {
    await run.finished()
    const [report] = run.reportsOf<CopyReport>('copy')
    return { count, elapsedMs: Number.NaN, peakBytes: 0, ...report }
  } finally {
    await run.end()
  }
}

const TICK_MS = 5

export interface Latencies {
  /** Of each record, in ms. */
  readonly records: readonly number[]
  /** Of the timers of the process that measures: what the machine had no time for. */
  readonly timers: readonly number[]
}

/**
 * Records at a steady rate into one topic, copied by a job of its own process into another, and read
 * from there: how late each came there.
 */
export async function latencies(
  rig: Rig,
  { rate, seconds }: { readonly rate: number; readonly seconds: number },
): Promise<Latencies> {
  const [input, output] = [await rig.topic(), await rig.topic()]
  const args = { brokers: rig.brokers, input, output, until: 'never', delivery: 'at-least-once' }
  const run = new JobRun({ job: 'kafka-copy', parallelism: 1, args })
  const late: number[] = []
  const timers: number[] = []
  try {
    await run.run.untilCheckpoints(1)
    const count = rate * seconds
    const reading = readPartition(rig, output, value => {
      late.push(performance.now() - Number(Buffer.from(value).toString('latin1', 0, 20)))
      return late.length >= count
    })
    await rig.feed(input, async write => {
      const startedMs = performance.now()
      for (let sent = 0; sent < count; timers.push(await tick())) {
        const due = Math.min(count, ((performance.now() - startedMs) / 1_000) * rate)
        // Each carries the time at which it was due, not the one at which it was sent.
        for (; sent < due; sent++) {
          const dueMs = startedMs + (sent / rate) * 1_000
          write(Buffer.from(dueMs.toFixed(6).padStart(20).padEnd(VALUE.length)))
        }
      }
    })
    await reading
    return { records: late, timers }
  } finally {
    await run.end()
  }
}

/** Waits for a moment; how much longer than that, in ms. */
async function tick(): Promise<number> {
  const beganMs = performance.now()
  await pause(TICK_MS)
  return performance.now() - beganMs - TICK_MS
}
