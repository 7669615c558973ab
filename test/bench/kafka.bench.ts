/**
 * Records of 100 bytes through a real broker on this machine: Weir, kafkajs as a program would use
 * it, and Kafka's own Java tools, in turn.
 *
 *   --records N --rounds N --only copy,delivery,write,read,partitions,latency
 *
 * Not measured: several slots, brokers on other machines, records that the job does much with.
 */
import { type BenchCase, type BenchIo, compare, defineBench } from './bench-harness.ts'
import { readByJava, writeByJava } from './kafka/java-cases.ts'
import { copyByKafkajs, readByKafkajs, writeByKafkajs } from './kafka/kafkajs-cases.ts'
import { Rig } from './kafka/rig.ts'
import { copyByWeir, copyInProcess, latencies, readByWeir } from './kafka/weir-cases.ts'
import { percentile } from './percentile.ts'

type Part = (rig: Rig, io: BenchIo) => Promise<void>

const recordsOf = (io: BenchIo): number => io.count('records', 1_000_000)

async function report(
  io: BenchIo,
  title: string,
  [baseline, ...cases]: readonly [BenchCase, ...BenchCase[]],
): Promise<void> {
  const rounds = io.count('rounds', 3)
  io.report(await compare({ title, rounds, warmUpRounds: 1, baseline, cases }))
}

const copy: Part = async (rig, io) => {
  const count = recordsOf(io)
  const topic = await rig.filled(count)
  await report(io, `copy ${count} records exactly once, a commit each second`, [
    { name: 'kafkajs', run: () => copyByKafkajs(rig, topic, count) },
    { name: 'Weir, whole job', run: () => copyByWeir(rig, { topic, count }) },
  ])
  await rig.drop(topic)
}

const delivery: Part = async (rig, io) => {
  const count = recordsOf(io) * 2
  const topic = await rig.filled(count)
  await report(io, `copy ${count} records, a checkpoint each second`, [
    { name: 'at least once', run: () => copyByWeir(rig, { topic, count }, 'at-least-once') },
    { name: 'exactly once', run: () => copyByWeir(rig, { topic, count }, 'exactly-once') },
  ])
  await rig.drop(topic)
}

const write: Part = async (rig, io) => {
  const count = recordsOf(io)
  const large = ['batch.size=900000', 'linger.ms=10', 'buffer.memory=67108864']
  await report(io, `write ${count} records`, [
    { name: 'kafkajs, transactional', run: () => writeByKafkajs(rig, count) },
    { name: 'Java tool', run: () => writeByJava(rig, count) },
    { name: 'Java tool, large batches', run: () => writeByJava(rig, count, large) },
    {
      name: 'Weir, exactly once',
      run: async () => {
        const topic = await rig.topic()
        const figures = await rig.write({ topic }, count)
        await rig.drop(topic)
        return figures
      },
    },
  ])
}

const read: Part = async (rig, io) => {
  const count = recordsOf(io)
  const topic = await rig.filled(count)
  await report(io, `read ${count} records`, [
    { name: 'kafkajs', run: () => readByKafkajs(rig, topic, count) },
    { name: 'Java tool, fetch time', run: () => readByJava(rig, topic, count) },
    { name: 'Weir', run: () => readByWeir(rig, topic, count) },
  ])
  await rig.drop(topic)
}

const partitions: Part = async (rig, io) => {
  const count = recordsOf(io) * 2
  const peaks = new Map<number, number[]>()
  const topics = new Map<number, { readonly input: string; readonly output: string }>()
  for (const many of [4, 200]) {
    topics.set(many, { input: await rig.filled(count, many), output: await rig.begun(many) })
  }
  const over = (many: number): BenchCase => ({
    name: `${many} partitions`,
    async run() {
      const { input = '', output = '' } = topics.get(many) ?? {}
      const figures = await copyInProcess(rig, { input, output, count })
      peaks.set(many, [...(peaks.get(many) ?? []), figures.peakBytes])
      return figures
    },
  })
  await report(io, `copy ${count} records by weir run, one slot`, [over(4), over(200)])
  for (const [many, bytes] of peaks) {
    io.print(`  ${many} partitions: at most ${Math.round(Math.max(...bytes) / 1e6)} MB resident`)
  }
}

const latency: Part = async (rig, io) => {
  const rate = io.count('rate', 20_000)
  const { records, timers } = await latencies(rig, { rate, seconds: io.count('seconds', 20) })
  // In the first part job and broker compile code, and catch up.
  const settled = records.slice(records.length / 2)
  const [p50, p99, worst] = [0.5, 0.99, 1].map(share => percentile(settled, share).toFixed(1))
  io.print(`topic to topic to reader, at least once, ${rate} records/s`)
  io.print(`  p50 ${p50} ms, p99 ${p99} ms, worst ${worst} ms, of ${settled.length} records`)
  io.print(`  timers of 5 ms were late by ${percentile(timers, 0.99).toFixed(1)} ms at p99`)
}

const parts: Readonly<Record<string, Part>> = { copy, delivery, write, read, partitions, latency }

async function run(io: BenchIo): Promise<void> {
  const only = io.option('only', Object.keys(parts).join(',')).split(',')
  const rig = await Rig.start()
  try {
    for (const name of only) await parts[name]?.(rig, io)
  } finally {
    await rig.stop()
  }
}

export const kafkaBench = defineBench({
  name: 'kafka',
  summary: 'a real broker, read, written and copied exactly once, against kafkajs and Java',
  run,
})
