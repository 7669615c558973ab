/** Topics of Kafka as a sink. */
import type { Sink, SinkContext } from '../../api/sink.ts'
import type { JsonValue } from '../../api/source.ts'
import { type Random, SystemRandom } from '../../common/random.ts'
import { loadCodecs } from './compression.ts'
import { bootstrapOf } from './connection-options.ts'
import { KafkaCluster } from './kafka-cluster.ts'
import { type KafkaCommittable, KafkaCommitter } from './kafka-committer.ts'
import { kafkaErrors } from './kafka-errors.ts'
import { KafkaWriter } from './kafka-writer.ts'
import type { TransactionIdentity } from './produce-requests.ts'
import type { KafkaSinkOptions } from './sink-options.ts'
import { TransactionClient } from './transaction-client.ts'
import { fenceName, prefixOf, readName, type WriterState } from './transaction-names.ts'
import { TransactionSweeper } from './transaction-sweeper.ts'
import { settleTimeout } from './transaction-timeout.ts'

/** What is passed in besides, for tests. */
export interface KafkaSinkParts {
  readonly random?: Random
}

/**
 * A sink that writes records to topics. Exactly once by default: each subtask writes one
 * transaction for each checkpoint, which is committed when the checkpoint completed, also by
 * another process after a crash. Readers must read committed records only
 * (`isolation.level=read_committed`).
 *
 * Throws WEIR_KAFKA_OPTION_INVALID.
 */
export function kafkaSink<IN>(
  options: KafkaSinkOptions<IN>,
  { random = new SystemRandom() }: KafkaSinkParts = {},
): Sink<IN, KafkaCommittable> {
  checkOptions(options)
  const { name = 'kafka', delivery = 'exactly-once', onLostTransaction = 'fail' } = options
  /** Shared by writers and committers: a name in it is not used again. */
  const pending = new Set<string>()
  const sink: Sink<IN, KafkaCommittable> = {
    name,
    delivery,
    describeCommittable: ({ transactionalId, records }) => ({ name: transactionalId, records }),
    createWriter: (context, restored) =>
      openWriter(options, context, { restored, pending, random }),
  }
  if (delivery === 'at-least-once') return sink
  return {
    ...sink,
    createCommitter(context) {
      const cluster = new KafkaCluster(options, context.clock)
      return new KafkaCommitter({
        cluster,
        transactions: new TransactionClient(cluster, context.clock),
        onLost: onLostTransaction,
        committed: id => void pending.delete(id),
        lost: () => context.runtime.count('lost transactions'),
      })
    },
  }
}

interface WriterStart {
  readonly restored: readonly JsonValue[]
  readonly pending: Set<string>
  readonly random: Random
}

async function openWriter<IN>(
  options: KafkaSinkOptions<IN>,
  context: SinkContext,
  { restored, pending, random }: WriterStart,
): Promise<KafkaWriter<IN>> {
  const cluster = new KafkaCluster(options, context.clock)
  let sweeper: TransactionSweeper | undefined
  try {
    const transactions = new TransactionClient(cluster, context.clock)
    const prefix = prefixOf(options.transactionalIdPrefix, context)
    const base = context.restoredCheckpointId ?? 0
    // What an earlier attempt prepared in this process is in the restored checkpoint, or nowhere.
    const { subtaskIndex } = context.runtime
    for (const id of [...pending]) {
      if (readName(prefix, id)?.writer === subtaskIndex) pending.delete(id)
    }
    const codecs = await loadCodecs()
    const run = random.uuid().slice(0, 8)
    const names = { prefix, base, run, pending }
    let timeoutMs = 0
    let requireNewest = (): Promise<void> => Promise.resolve()
    if (options.delivery !== 'at-least-once') {
      timeoutMs = await settleTimeout({
        cluster,
        checkpoints: context.checkpoints,
        transactionTimeout: options.transactionTimeout,
        expectedDowntime: options.expectedDowntime,
      })
      const fence = await transactions.init(fenceName(prefix, subtaskIndex), timeoutMs)
      requireNewest = async () => {
        if (await isNewest(transactions, fence)) return
        throw kafkaErrors.WEIR_KAFKA_WRITER_SUCCEEDED({ prefix, writer: subtaskIndex })
      }
      const states = restored as unknown as readonly WriterState[]
      const own = { ...names, restored: states, requireNewest }
      sweeper = new TransactionSweeper({ transactions, context, ...own })
      await sweeper.sweep()
    }
    const ports = { context, cluster, transactions, codecs, timeoutMs, requireNewest, sweeper }
    const parts = { ...ports, ...names }
    const writer = new KafkaWriter(options, parts)
    if (typeof options.topic === 'string') await writer.prepareTopic(options.topic)
    return writer
  } catch (error) {
    sweeper?.close()
    await cluster.close()
    throw error
  }
}

async function isNewest(
  transactions: TransactionClient,
  own: TransactionIdentity,
): Promise<boolean> {
  const now = await transactions.describe(own.transactionalId)
  return now?.producerId === own.producerId && now.producerEpoch === own.producerEpoch
}

function checkOptions<IN>(options: KafkaSinkOptions<IN>): void {
  bootstrapOf(options)
  const { topic, batchBytes = 1 << 19, bufferBytes = 1 << 23 } = options
  const refuse = (option: string, given: unknown, expected: string): never => {
    const value = given === undefined ? 'absent' : JSON.stringify(given)
    throw kafkaErrors.WEIR_KAFKA_OPTION_INVALID({ option, value, expected })
  }
  if (topic === '' || topic === undefined) refuse('topic', topic, 'the name of a topic')
  if (!(batchBytes >= 1)) refuse('batchBytes', batchBytes, 'at least 1')
  if (!(bufferBytes >= batchBytes)) refuse('bufferBytes', bufferBytes, 'at least batchBytes')
}
