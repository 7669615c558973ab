/**
 * How long transactions may stay open, settled before the first record: longer than a job can need
 * between opening one and committing it, and not longer than the brokers allow. What is found out
 * here would otherwise show as lost records, in the first long outage.
 */
import type { CheckpointPlan } from '../../api/sink.ts'
import { type Duration, durationMs, formatDuration } from '../../common/duration.ts'
import type { BrokerRequest } from './broker-connection.ts'
import type { KafkaCluster } from './kafka-cluster.ts'
import { kafkaErrors } from './kafka-errors.ts'
import { WireWriter } from './wire-writer.ts'

/** What brokers allow unless they are told otherwise. */
const USUAL_LIMIT_MS = 15 * 60_000
const DOWNTIME: Duration = '2m'
const LIMIT_NAME = 'transaction.max.timeout.ms'

export interface TimeoutOptions {
  readonly cluster: KafkaCluster
  readonly transactionTimeout: Duration | undefined
  readonly expectedDowntime: Duration | undefined
  /** Absent where nothing checkpoints. */
  readonly checkpoints: CheckpointPlan | undefined
}

/** In ms. Throws WEIR_KAFKA_TRANSACTION_TIMEOUT and WEIR_KAFKA_TRANSACTION_TIMEOUT_SHORT. */
export async function settleTimeout(options: TimeoutOptions): Promise<number> {
  const { cluster, transactionTimeout, expectedDowntime = DOWNTIME, checkpoints } = options
  const limitMs = await brokerLimit(cluster)
  const timeoutMs =
    transactionTimeout === undefined
      ? Math.min(USUAL_LIMIT_MS, limitMs ?? USUAL_LIMIT_MS)
      : durationMs(transactionTimeout)
  if (limitMs !== undefined && timeoutMs > limitMs) {
    throw kafkaErrors.WEIR_KAFKA_TRANSACTION_TIMEOUT({ timeoutMs, limitMs })
  }
  const { intervalMs, timeoutMs: checkpointMs = 0 } = checkpoints ?? {}
  // Without an interval a transaction lasts until somebody asks for a savepoint: nobody knows when.
  if (intervalMs === undefined) return timeoutMs
  const downtimeMs = durationMs(expectedDowntime)
  const neededMs = intervalMs + checkpointMs + downtimeMs
  if (timeoutMs >= neededMs) return timeoutMs
  throw kafkaErrors.WEIR_KAFKA_TRANSACTION_TIMEOUT_SHORT({
    timeout: formatDuration(timeoutMs),
    needed: formatDuration(neededMs),
    interval: formatDuration(intervalMs),
    checkpointTimeout: formatDuration(checkpointMs),
    downtime: formatDuration(downtimeMs),
    limit: limitMs === undefined ? undefined : formatDuration(limitMs),
  })
}

/** The lowest of all brokers: any may coordinate. `undefined`: the user may not ask. */
async function brokerLimit(cluster: KafkaCluster): Promise<number | undefined> {
  const limits = await Promise.all(
    (await cluster.brokerIds()).map(async id => {
      const broker = await cluster.broker(id)
      return broker.ask(limitRequest(id))
    }),
  )
  const known = limits.filter(limit => limit !== undefined)
  return known.length === 0 ? undefined : Math.min(...known)
}

function limitRequest(broker: number): BrokerRequest<number | undefined> {
  const body = new WireWriter().int32(1).int8(BROKER).string(String(broker))
  body.list([LIMIT_NAME], name => void body.string(name)).int8(0)
  return {
    name: 'DescribeConfigs',
    key: 32,
    version: 1,
    body: body.finish(),
    read: answer => {
      answer.int32()
      const values = answer.list(() => {
        const errorCode = answer.int16()
        answer.string()
        answer.int8()
        answer.string()
        const entries = answer.list(() => {
          const name = answer.string()
          const value = answer.string()
          for (let i = 0; i < 3; i++) answer.int8()
          answer.list(() => [answer.string(), answer.string(), answer.int8()])
          return { name, value }
        })
        return errorCode === 0 ? entries.find(({ name }) => name === LIMIT_NAME)?.value : undefined
      })
      const [value] = values
      return value === null || value === undefined ? undefined : Number(value)
    },
  }
}

/** The number of this kind of thing that has a configuration. */
const BROKER = 4
