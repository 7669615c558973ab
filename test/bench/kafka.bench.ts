/**
 * Records of 100 bytes through a real broker on this machine, against kafkajs as a program would use
 * it: reading one partition, and writing it exactly once (transactions of all records of a round).
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Kafka, logLevel } from 'kafkajs'
import type { SinkContext } from '../../src/api/sink.ts'
import type { SourceOutput } from '../../src/api/source.ts'
import { SystemClock } from '../../src/common/clock.ts'
import { kafkaSink, kafkaSource } from '../../src/connectors/kafka/index.ts'
import { text } from '../../src/schema/text-format.ts'
import { kafkaPart } from '../testbed/kafka-part.ts'
import { stopServer } from '../testbed/server-process.ts'
import { type BenchCase, type BenchIo, compare, defineBench } from './bench-harness.ts'

const VALUE = 'x'.repeat(100)
const BATCH = 5_000
const runtime = { operatorName: 'kafka', subtaskIndex: 0, parallelism: 1, attempt: 0 }

interface Broker {
  readonly brokers: string
  readonly kafka: Kafka
  readonly count: number
  makeTopic(): Promise<string>
}

function readers({ brokers, kafka, count }: Broker, topic: string): readonly BenchCase[] {
  let groups = 0
  const theirs: BenchCase = {
    name: 'kafkajs consumer',
    async run() {
      const consumer = kafka.consumer({ groupId: `bench-${Date.now()}-${groups++}` })
      await consumer.connect()
      await consumer.subscribe({ topic, fromBeginning: true })
      let seen = 0
      let startedMs = 0
      await new Promise<void>(resolve => {
        void consumer.run({
          eachBatch: async ({ batch }) => {
            // Joining a group is not reading.
            if (startedMs === 0) startedMs = performance.now()
            for (const { value } of batch.messages) if (value?.toString() === VALUE) seen++
            if (seen >= count) resolve()
          },
        })
      })
      const elapsedMs = performance.now() - startedMs
      await consumer.disconnect()
      return { count, elapsedMs }
    },
  }
  const ours: BenchCase = { name: 'kafkaSource', run: () => readOnce(brokers, topic, count) }
  return [theirs, ours]
}

async function readOnce(brokers: string, topic: string, count: number): Promise<number> {
  let wake = (): void => {}
  let seen = 0
  const reader = kafkaSource({ brokers, topics: topic, value: text() }).createReader({
    runtime: { ...runtime, count: () => {} },
    clock: new SystemClock(),
    requestSplit: () => {},
    wakeUp: () => wake(),
  })
  const output: SourceOutput<string> = {
    batchSize: 512,
    blocked: false,
    offset: 0,
    selectSplit: () => {},
    finishSplit: () => {},
    collect: value => {
      if (value === VALUE) seen++
    },
    reject: error => {
      throw error
    },
  }
  await reader.start()
  reader.addSplits([{ id: `${topic}-0`, topic, partition: 0, offset: 0 }])
  while (seen < count) {
    const woken = new Promise<void>(resolve => {
      wake = resolve
    })
    if (reader.poll(output) === 'nothing' && seen < count) await woken
  }
  await reader.close()
  return count
}

function writers(broker: Broker): readonly BenchCase[] {
  const { kafka, count } = broker
  let ids = 0
  const theirs: BenchCase = {
    name: 'kafkajs transactional producer',
    async run() {
      const topic = await broker.makeTopic()
      const producer = kafka.producer({
        transactionalId: `bench-${Date.now()}-${ids++}`,
        idempotent: true,
        maxInFlightRequests: 1,
      })
      await producer.connect()
      const startedMs = performance.now()
      const transaction = await producer.transaction()
      const messages = Array.from({ length: BATCH }, () => ({ value: VALUE }))
      for (let i = 0; i < count; i += BATCH) await transaction.send({ topic, messages })
      await transaction.commit()
      const elapsedMs = performance.now() - startedMs
      await producer.disconnect()
      return { count, elapsedMs }
    },
  }
  const ours: BenchCase = { name: 'kafkaSink', run: () => writeOnce(broker, `ours-${ids++}`) }
  return [theirs, ours]
}

async function writeOnce({ brokers, count, makeTopic }: Broker, jobId: string) {
  const sink = kafkaSink({ brokers, topic: await makeTopic(), value: text() })
  let wake = (): void => {}
  const context: SinkContext = {
    runtime: { ...runtime, count: () => {} },
    clock: new SystemClock(),
    jobId,
    operatorUid: 'bench',
    restoredCheckpointId: undefined,
    wakeUp: () => wake(),
  }
  const committer = await sink.createCommitter?.(context)
  const writer = await sink.createWriter(context, [])
  const startedMs = performance.now()
  for (let i = 0; i < count; i++) {
    if (writer.blocked) {
      await new Promise<void>(resolve => {
        wake = resolve
      })
    }
    writer.write(VALUE, i)
  }
  await writer.flush(true)
  const requests = (await writer.prepareCommit()).map(committable => ({
    committable,
    checkpointId: 1,
    retries: 0,
    alreadyCommitted: () => {},
    retryLater: (cause: unknown) => Promise.reject(cause),
    failed: (cause: unknown) => Promise.reject(cause),
  }))
  await committer?.commit(requests as never)
  const elapsedMs = performance.now() - startedMs
  await writer.close()
  await committer?.close()
  return { count, elapsedMs }
}

async function run(io: BenchIo): Promise<void> {
  const count = io.count('records', 500_000)
  const rounds = io.count('rounds', 3)
  const folder = mkdtempSync(join(tmpdir(), 'weir-bench-kafka-'))
  try {
    const environment = await kafkaPart.start({ folder, owner: process.pid })
    const brokers = environment.WEIR_TESTBED_KAFKA ?? ''
    const kafka = new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING })
    const admin = kafka.admin()
    await admin.connect()
    let topics = 0
    const makeTopic = async (): Promise<string> => {
      const topic = `bench-${topics++}`
      await admin.createTopics({ topics: [{ topic, numPartitions: 1 }], waitForLeaders: true })
      return topic
    }
    const broker = { brokers, kafka, count, makeTopic }
    const compared = async (title: string, cases: readonly BenchCase[]): Promise<void> => {
      const [baseline, ours] = cases as [BenchCase, BenchCase]
      io.report(await compare({ title, rounds, warmUpRounds: 1, baseline, cases: [ours] }))
    }
    await compared(`write ${count} records of 100 B exactly once`, writers(broker))
    await writeOnce(broker, 'input')
    await compared(`read ${count} records of 100 B`, readers(broker, `bench-${topics - 1}`))
    await admin.disconnect()
  } finally {
    await stopServer(folder)
    rmSync(folder, { recursive: true, force: true })
  }
}

export const kafkaBench = defineBench({
  name: 'kafka',
  summary: 'one partition of a real broker, read and written exactly once, against kafkajs',
  run,
})
