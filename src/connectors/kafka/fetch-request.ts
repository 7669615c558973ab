/** One Fetch for all partitions of a broker. */
import type { BrokerRequest } from './broker-connection.ts'
import type { TopicPartition } from './offset-requests.ts'
import { WireWriter } from './wire-writer.ts'

export interface FetchedPartition extends TopicPartition {
  readonly errorCode: number
  /** One after the last record that may be seen: of committed ones where only those are wanted. */
  readonly end: number
  readonly aborted: readonly AbortedTransaction[]
  /** Whole batches, and perhaps the beginning of one more. A part of the answer, not a copy. */
  readonly batches: Buffer
}

/** Records of this producer from this offset on, up to its next marker, were taken back. */
export interface AbortedTransaction {
  readonly producerId: bigint
  readonly firstOffset: number
}

export interface FetchOptions {
  readonly partitions: readonly (TopicPartition & { readonly offset: number })[]
  /** How long the broker waits for the first byte. */
  readonly waitMs: number
  readonly bytesMax: number
  readonly partitionBytesMax: number
  readonly committed: boolean
}

export function fetchRequest(options: FetchOptions): BrokerRequest<readonly FetchedPartition[]> {
  const { partitions, waitMs, bytesMax, partitionBytesMax, committed } = options
  const body = new WireWriter(64 + partitions.length * 48)
  body.int32(-1).int32(waitMs).int32(1).int32(bytesMax)
  // No session: the list of partitions changes with every request.
  body
    .int8(committed ? 1 : 0)
    .int32(0)
    .int32(-1)
  body.list([...Map.groupBy(partitions, ({ topic }) => topic)], ([topic, wanted]) => {
    body.string(topic).list(wanted, ({ partition, offset }) => {
      body.int32(partition).int32(-1).int64(offset).int64(-1).int32(partitionBytesMax)
    })
  })
  body.int32(0).string('')
  return {
    name: 'Fetch',
    key: 1,
    version: 11,
    body: body.finish(),
    timeoutMs: waitMs,
    read: answer => {
      answer.int32()
      const errorCode = answer.int16()
      answer.int32()
      const topics = answer.list(() => {
        const topic = answer.string() ?? ''
        return answer.list((): FetchedPartition => {
          const partition = answer.int32()
          const partitionError = answer.int16()
          const highWatermark = answer.int64()
          const lastStable = answer.int64()
          answer.int64()
          const aborted = answer.list(() => {
            return { producerId: answer.bigint64(), firstOffset: answer.int64() }
          })
          answer.int32()
          const batches = answer.bytes()
          const code = errorCode === 0 ? partitionError : errorCode
          const end = committed ? lastStable : highWatermark
          return { topic, partition, errorCode: code, end, aborted, batches }
        })
      })
      return topics.flat()
    },
  }
}
