/**
 * What became of a transaction, by what the log says: its records are there, and readers of
 * committed records see them, or are told to pass them over. That stays true when the broker has
 * forgotten the name, and when the name was used again.
 */
import { errorName, isDenied, OFFSET_OUT_OF_RANGE, UNKNOWN_TOPIC } from './error-codes.ts'
import { fetchRequest } from './fetch-request.ts'
import type { KafkaCluster } from './kafka-cluster.ts'
import { kafkaErrors } from './kafka-errors.ts'
import { splitId } from './kafka-split.ts'
import { EARLIEST, listOffsetsRequest } from './offset-requests.ts'
import type { WrittenRange } from './partition-lane.ts'

/**
 * `deleted`: retention took the records since, or somebody the topic. `open`: not decided yet.
 * `unknown`: no broker said where the records came to lie, or we may not read there.
 */
export type TransactionFate = 'committed' | 'aborted' | 'deleted' | 'open' | 'unknown'

export interface PastTransaction {
  readonly producerId: bigint
  readonly partitions: readonly WrittenRange[]
}

/** Rejects when the partition cannot be read now. */
export async function transactionFate(
  cluster: KafkaCluster,
  { producerId, partitions }: PastTransaction,
): Promise<TransactionFate> {
  // It ended the same way in all of them.
  const range = partitions.find(({ last }) => last >= 0)
  if (range === undefined) return 'unknown'
  const { topic, partition, last } = range
  const [metadata] = await cluster.metadata([topic])
  const found = metadata?.partitions.find(one => one.partition === partition)
  if (metadata?.errorCode === UNKNOWN_TOPIC) return 'deleted'
  const leader = await cluster.broker(found?.leader ?? -1)
  const limits = { waitMs: 0, bytesMax: 1, partitionBytesMax: 1 }
  const wanted = [{ topic, partition, offset: last }]
  const [answer] = await leader.ask(
    fetchRequest({ partitions: wanted, committed: true, ...limits }),
  )
  if (answer?.errorCode === OFFSET_OUT_OF_RANGE) {
    const earliest = [{ topic, partition, timestamp: EARLIEST }]
    const [begin] = await leader.ask(listOffsetsRequest(earliest, false))
    // Beyond the end there is nothing that could ever be seen.
    return begin !== undefined && last < begin.offset ? 'deleted' : 'aborted'
  }
  // Who may only write there: the name has to tell.
  if (answer !== undefined && isDenied(answer.errorCode)) return 'unknown'
  if (answer === undefined || answer.errorCode !== 0) {
    const reason = errorName(answer?.errorCode ?? -1)
    const what = splitId(topic, partition)
    throw kafkaErrors.WEIR_KAFKA_REQUEST_FAILED({ request: 'Fetch', what, reason })
  }
  if (answer.end <= last) return 'open'
  // Of one producer no two overlap: what is aborted and began before this record holds it.
  const isAborted = answer.aborted.some(one => {
    return one.producerId === producerId && one.firstOffset <= last
  })
  return isAborted ? 'aborted' : 'committed'
}
