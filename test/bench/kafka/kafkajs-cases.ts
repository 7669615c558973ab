/** kafkajs as a program would use it. */
import type { EachBatchPayload, Transaction } from 'kafkajs'
import type { CaseRun } from '../bench-harness.ts'
import { type Rig, VALUE } from './rig.ts'

const BATCH = 5_000
const COMMIT_MS = 1_000

let names = 0

/** Runs a consumer until it has seen `count` records. Joining a group is not reading. */
async function consume(
  { kafka }: Rig,
  topic: string,
  each: (payload: EachBatchPayload) => Promise<boolean>,
): Promise<number> {
  const consumer = kafka.consumer({ groupId: `bench-${Date.now()}-${names++}` })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  let startedMs = 0
  await new Promise<void>((resolve, reject) => {
    consumer
      .run({
        autoCommit: false,
        eachBatch: async payload => {
          if (startedMs === 0) startedMs = performance.now()
          if (await each(payload)) resolve()
        },
      })
      .catch(reject)
  })
  const elapsedMs = performance.now() - startedMs
  await consumer.disconnect()
  return elapsedMs
}

export async function readByKafkajs(rig: Rig, topic: string, count: number): Promise<CaseRun> {
  let seen = 0
  const elapsedMs = await consume(rig, topic, async ({ batch }) => {
    for (const { value } of batch.messages) if (value?.length === VALUE.length) seen++
    return seen >= count
  })
  return { count, elapsedMs }
}

export async function writeByKafkajs(rig: Rig, count: number): Promise<CaseRun> {
  const topic = await rig.topic()
  const producer = transactional(rig)
  await producer.connect()
  const startedMs = performance.now()
  const transaction = await producer.transaction()
  const messages = Array.from({ length: BATCH }, () => ({ value: VALUE }))
  for (let i = 0; i < count; i += BATCH) await transaction.send({ topic, messages })
  await transaction.commit()
  const elapsedMs = performance.now() - startedMs
  await producer.disconnect()
  await rig.drop(topic)
  return { count, elapsedMs }
}

/** Consumer and transactional producer, a commit with the offsets each second. */
export async function copyByKafkajs(rig: Rig, input: string, count: number): Promise<CaseRun> {
  const output = await rig.topic()
  const producer = transactional(rig)
  await producer.connect()
  let seen = 0
  let open: { readonly transaction: Transaction; readonly sinceMs: number } | undefined
  const elapsedMs = await consume(rig, input, async ({ batch }) => {
    open ??= { transaction: await producer.transaction(), sinceMs: performance.now() }
    const { transaction, sinceMs } = open
    const messages = batch.messages.map(({ key, value, headers = {} }) => ({ key, value, headers }))
    await transaction.send({ topic: output, messages })
    seen += messages.length
    if (seen < count && performance.now() - sinceMs < COMMIT_MS) return false
    const offset = (BigInt(batch.lastOffset()) + 1n).toString()
    await transaction.sendOffsets({
      consumerGroupId: 'bench',
      topics: [{ topic: input, partitions: [{ partition: batch.partition, offset }] }],
    })
    await transaction.commit()
    open = undefined
    return seen >= count
  })
  await producer.disconnect()
  await rig.drop(output)
  return { count, elapsedMs }
}

function transactional({ kafka }: Rig) {
  const transactionalId = `bench-${Date.now()}-${names++}`
  return kafka.producer({ transactionalId, idempotent: true, maxInFlightRequests: 1 })
}
