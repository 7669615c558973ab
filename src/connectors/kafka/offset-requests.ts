/** Where partitions begin and end, and what a group has noted. */
import type { BrokerRequest } from './broker-connection.ts'
import { WireWriter } from './wire-writer.ts'

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

export interface PartitionOffset extends TopicPartition {
  /** -1: there is none. */
  readonly offset: number
  readonly errorCode: number
}

/** The first offset that is there, and the one after the last. */
export const EARLIEST = -2
export const LATEST = -1

/** `timestamp`: of the first record at or after it; or EARLIEST, or LATEST. */
export function listOffsetsRequest(
  wanted: readonly (TopicPartition & { readonly timestamp: number })[],
  committed: boolean,
): BrokerRequest<readonly PartitionOffset[]> {
  const body = new WireWriter().int32(-1).int8(committed ? 1 : 0)
  body.list(byTopic(wanted), ([topic, partitions]) => {
    body.string(topic).list(partitions, ({ partition, timestamp }) => {
      body.int32(partition).int64(timestamp)
    })
  })
  return {
    name: 'ListOffsets',
    key: 2,
    version: 3,
    body: body.finish(),
    read: answer => {
      answer.int32()
      const topics = answer.list(() => {
        const topic = answer.string() ?? ''
        return answer.list(() => {
          const partition = answer.int32()
          const errorCode = answer.int16()
          answer.int64()
          return { topic, partition, errorCode, offset: answer.int64() }
        })
      })
      return topics.flat()
    },
  }
}

/** What the group has noted for these partitions. */
export function offsetFetchRequest(
  group: string,
  partitions: readonly TopicPartition[],
): BrokerRequest<readonly PartitionOffset[]> {
  const body = new WireWriter().string(group)
  body.list(byTopic(partitions), ([topic, wanted]) => {
    body.string(topic).list(wanted, ({ partition }) => void body.int32(partition))
  })
  return {
    name: 'OffsetFetch',
    key: 9,
    version: 4,
    body: body.finish(),
    read: answer => {
      answer.int32()
      const topics = answer.list(() => {
        const topic = answer.string() ?? ''
        return answer.list(() => {
          const partition = answer.int32()
          const offset = answer.int64()
          answer.string()
          return { topic, partition, offset, errorCode: answer.int16() }
        })
      })
      const groupError = answer.int16()
      return topics.flat().map(one => (groupError === 0 ? one : { ...one, errorCode: groupError }))
    },
  }
}

/** Notes offsets for a group that has no members: for people who watch its lag. */
export function offsetCommitRequest(
  group: string,
  offsets: readonly (TopicPartition & { readonly offset: number })[],
): BrokerRequest<readonly number[]> {
  const body = new WireWriter().string(group).int32(-1).string('')
  body.list(byTopic(offsets), ([topic, partitions]) => {
    body.string(topic).list(partitions, ({ partition, offset }) => {
      body.int32(partition).int64(offset).string(null)
    })
  })
  return {
    name: 'OffsetCommit',
    key: 8,
    version: 5,
    body: body.finish(),
    read: answer => {
      answer.int32()
      const topics = answer.list(() => {
        answer.string()
        return answer.list(() => {
          answer.int32()
          return answer.int16()
        })
      })
      return topics.flat()
    },
  }
}

function byTopic<T extends TopicPartition>(all: readonly T[]): readonly [string, readonly T[]][] {
  return [...Map.groupBy(all, ({ topic }) => topic)]
}
