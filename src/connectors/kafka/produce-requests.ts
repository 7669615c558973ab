/** The requests of a producer, transactional or not. All in their last plain versions. */
import type { BrokerRequest } from './broker-connection.ts'
import type { TopicPartition } from './offset-requests.ts'
import { WireWriter } from './wire-writer.ts'

export interface ProducerIdentity {
  readonly producerId: bigint
  readonly producerEpoch: number
}

/** A new epoch of a transactional id: whoever had it before is fenced off. `null`: of none. */
export function initProducerRequest(
  transactionalId: string | null,
  timeoutMs: number,
): BrokerRequest<ProducerIdentity & { readonly errorCode: number }> {
  return {
    name: 'InitProducerId',
    key: 22,
    version: 1,
    body: new WireWriter().string(transactionalId).int32(timeoutMs).finish(),
    read: answer => {
      answer.int32()
      const errorCode = answer.int16()
      return { errorCode, producerId: answer.bigint64(), producerEpoch: answer.int16() }
    },
  }
}

/** A transaction of some producer. */
export interface TransactionIdentity extends ProducerIdentity {
  readonly transactionalId: string
}

/** What became of partitions: 0 and no topic, or why and for which the first was refused. */
export interface AdmissionResult {
  readonly errorCode: number
  readonly topic: string | undefined
}

/** Refused because another was. */
const NOT_ATTEMPTED = 55

/** Must come before the first record of a partition in a transaction. */
export function addPartitionsRequest(
  transaction: TransactionIdentity,
  partitions: readonly TopicPartition[],
): BrokerRequest<AdmissionResult> {
  const { transactionalId, producerId, producerEpoch } = transaction
  const body = new WireWriter().string(transactionalId).int64(producerId).int16(producerEpoch)
  body.list([...Map.groupBy(partitions, one => one.topic)], ([topic, own]) => {
    body.string(topic).list(own, ({ partition }) => void body.int32(partition))
  })
  return {
    name: 'AddPartitionsToTxn',
    key: 24,
    version: 1,
    body: body.finish(),
    read: answer => {
      answer.int32()
      const results = answer.list(() => {
        const topic = answer.string() ?? ''
        return answer.list(() => {
          answer.int32()
          return { topic, errorCode: answer.int16() }
        })
      })
      const refused = results.flat().filter(({ errorCode }) => errorCode !== 0)
      const cause = refused.find(({ errorCode }) => errorCode !== NOT_ATTEMPTED) ?? refused[0]
      return cause ?? { errorCode: 0, topic: undefined }
    },
  }
}

/** Commits or aborts; by whichever process knows the producer's id and epoch. */
export function endTransactionRequest(
  { transactionalId, producerId, producerEpoch }: TransactionIdentity,
  outcome: 'commit' | 'abort',
): BrokerRequest<number> {
  const body = new WireWriter().string(transactionalId).int64(producerId).int16(producerEpoch)
  return {
    name: 'EndTxn',
    key: 26,
    version: 1,
    body: body.int8(outcome === 'commit' ? 1 : 0).finish(),
    read: answer => {
      answer.int32()
      return answer.int16()
    },
  }
}

export interface ProduceResult extends TopicPartition {
  readonly errorCode: number
  /** Of the first record; -1 where the broker does not say. */
  readonly offset: number
}

export interface ProducedBatch extends TopicPartition {
  readonly batch: Buffer
}

/** One batch for each of several partitions; answered when all replicas in sync have them. */
export function produceRequest(
  transactionalId: string | null,
  batches: readonly ProducedBatch[],
): BrokerRequest<readonly ProduceResult[]> {
  const body: Buffer[] = []
  let head = new WireWriter().string(transactionalId).int16(-1).int32(PRODUCE_TIMEOUT_MS)
  const byTopic = [...Map.groupBy(batches, one => one.topic)]
  head.int32(byTopic.length)
  for (const [topic, own] of byTopic) {
    head.string(topic).int32(own.length)
    for (const { partition, batch } of own) {
      body.push(head.int32(partition).int32(batch.length).finish(), batch)
      head = new WireWriter()
    }
  }
  return {
    name: 'Produce',
    key: 0,
    version: 7,
    body,
    timeoutMs: PRODUCE_TIMEOUT_MS,
    read: answer => {
      const topics = answer.list(() => {
        const topic = answer.string() ?? ''
        return answer.list(() => {
          const partition = answer.int32()
          const errorCode = answer.int16()
          const offset = answer.int64()
          answer.int64()
          answer.int64()
          return { topic, partition, errorCode, offset }
        })
      })
      return topics.flat()
    },
  }
}

const PRODUCE_TIMEOUT_MS = 30_000
