/** Finds offsets: where partitions begin, where they end, and what a group has noted. */
import { errorName, isCoordinatorMoved, isDenied } from './error-codes.ts'
import type { KafkaCluster } from './kafka-cluster.ts'
import { kafkaErrors } from './kafka-errors.ts'
import { splitId } from './kafka-split.ts'
import {
  EARLIEST,
  LATEST,
  listOffsetsRequest,
  offsetFetchRequest,
  type PartitionOffset,
  type TopicPartition,
} from './offset-requests.ts'
import type { KafkaOffsets, KafkaStart, KafkaStop } from './source-options.ts'

/** A partition and the broker that leads it. */
export interface LedPartition extends TopicPartition {
  readonly leader: number
}

export interface FindOffsetsOptions {
  readonly cluster: KafkaCluster
  readonly partitions: readonly LedPartition[]
  /** The end of a partition is that of what is committed. */
  readonly committed: boolean
}

/** Split id -> offset. */
export type FoundOffsets = ReadonlyMap<string, number>

/** The offsets to start from. */
export async function findStart(
  options: FindOffsetsOptions,
  start: KafkaStart,
  group: string | undefined,
): Promise<FoundOffsets> {
  if (start === 'earliest') return listOffsets(options, EARLIEST)
  if (start === 'latest') return listOffsets(options, LATEST)
  if ('timestamp' in start) return atTimestamp(options, start.timestamp)
  if ('offsets' in start) {
    const earliest = await listOffsets(options, EARLIEST)
    return explicit(options.partitions, start.offsets, earliest)
  }
  return noted(options, start.committed, group ?? '')
}

/** The offsets to end before. */
export function findStop(options: FindOffsetsOptions, stop: KafkaStop): Promise<FoundOffsets> {
  if (stop === 'latest') return listOffsets(options, LATEST)
  if ('timestamp' in stop) return atTimestamp(options, stop.timestamp)
  return Promise.resolve(explicit(options.partitions, stop.offsets, new Map()))
}

function explicit(
  partitions: readonly TopicPartition[],
  given: KafkaOffsets,
  otherwise: FoundOffsets,
): FoundOffsets {
  const found = new Map<string, number>()
  for (const { topic, partition } of partitions) {
    const id = splitId(topic, partition)
    const offset = given[topic]?.[partition] ?? otherwise.get(id)
    if (offset !== undefined) found.set(id, offset)
  }
  return found
}

async function atTimestamp(options: FindOffsetsOptions, timestamp: number): Promise<FoundOffsets> {
  const found = await listOffsets(options, timestamp)
  if ([...found.values()].every(offset => offset >= 0)) return found
  const latest = await listOffsets(options, LATEST)
  return new Map([...found].map(([id, at]) => [id, at >= 0 ? at : (latest.get(id) ?? 0)]))
}

async function noted(
  options: FindOffsetsOptions,
  otherwise: 'earliest' | 'latest' | 'fail',
  group: string,
): Promise<FoundOffsets> {
  const { cluster, partitions } = options
  const answer = await askGroup(cluster, group, partitions)
  requireSuccess('OffsetFetch', answer)
  const missing = answer.filter(({ offset }) => offset < 0)
  if (missing.length > 0 && otherwise === 'fail') {
    const [first] = missing as [PartitionOffset]
    const value = `no offset for ${splitId(first.topic, first.partition)} in the group ${group}`
    const expected = "'earliest' or 'latest' for partitions without one"
    throw kafkaErrors.WEIR_KAFKA_OPTION_INVALID({ option: 'start.committed', value, expected })
  }
  const names = new Set(missing.map(({ topic, partition }) => splitId(topic, partition)))
  const rest = partitions.filter(({ topic, partition }) => names.has(splitId(topic, partition)))
  const time = otherwise === 'latest' ? LATEST : EARLIEST
  const fallback =
    rest.length === 0 ? new Map() : await listOffsets({ ...options, partitions: rest }, time)
  return new Map(
    answer.map(({ topic, partition, offset }) => {
      const id = splitId(topic, partition)
      return [id, offset >= 0 ? offset : (fallback.get(id) ?? 0)]
    }),
  )
}

const GROUP_TRIES = 100
const GROUP_PAUSE_MS = 100

/** A coordinator that was just made one loads for a moment. */
async function askGroup(
  cluster: KafkaCluster,
  group: string,
  partitions: readonly TopicPartition[],
): Promise<readonly PartitionOffset[]> {
  for (let tries = 1; ; tries++) {
    const coordinator = await cluster.coordinator('group', group)
    const answer = await coordinator.ask(offsetFetchRequest(group, partitions))
    const isReady = !answer.some(({ errorCode }) => isCoordinatorMoved(errorCode))
    if (isReady || tries >= GROUP_TRIES) return answer
    await cluster.pause(GROUP_PAUSE_MS)
  }
}

/** Asks each leader once; -1 where the partition has no such offset. */
export async function listOffsets(
  { cluster, partitions, committed }: FindOffsetsOptions,
  timestamp: number,
): Promise<FoundOffsets> {
  const found = new Map<string, number>()
  for (const [leader, led] of Map.groupBy(partitions, one => one.leader)) {
    const broker = await cluster.broker(leader)
    const wanted = led.map(({ topic, partition }) => ({ topic, partition, timestamp }))
    const answer = await broker.ask(listOffsetsRequest(wanted, committed))
    requireSuccess('ListOffsets', answer)
    for (const { topic, partition, offset } of answer) found.set(splitId(topic, partition), offset)
  }
  return found
}

function requireSuccess(request: string, answer: readonly PartitionOffset[]): void {
  const bad = answer.find(({ errorCode }) => errorCode !== 0)
  if (bad === undefined) return
  const what = splitId(bad.topic, bad.partition)
  const reason = errorName(bad.errorCode)
  if (isDenied(bad.errorCode)) throw kafkaErrors.WEIR_KAFKA_DENIED({ what, reason })
  throw kafkaErrors.WEIR_KAFKA_REQUEST_FAILED({ request, what, reason })
}
