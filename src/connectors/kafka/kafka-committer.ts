/**
 * Commits transactions that writers prepared, also those of a process that is gone: the producer's
 * id and epoch are all that the broker wants to see.
 *
 * "Fenced" has two meanings: the broker ended the transaction, which is a loss, or the name was
 * used again, which happens only after its commit. The state of the name tells them apart.
 */
import type { CommitRequest, Committer } from '../../api/sink.ts'
import { errorName } from './error-codes.ts'
import type { KafkaCluster } from './kafka-cluster.ts'
import { kafkaErrors } from './kafka-errors.ts'
import { splitId } from './kafka-split.ts'
import type { WrittenRange } from './partition-lane.ts'
import type { TransactionIdentity } from './produce-requests.ts'
import type { TransactionClient } from './transaction-client.ts'

/** One prepared transaction: all that is needed to commit it. */
export type KafkaCommittable = {
  readonly transactionalId: string
  /** A number of 64 bits, as text. */
  readonly producerId: string
  readonly producerEpoch: number
  /** By which rules it was opened: 1 is AddPartitionsToTxn and EndTxn without a new epoch. */
  readonly protocol: 1
  readonly partitions: readonly WrittenRange[]
  readonly records: number
}

export interface KafkaCommitterOptions {
  readonly cluster: KafkaCluster
  readonly transactions: TransactionClient
  readonly onLost: 'fail' | 'continue'
  /** Told what is committed for good. */
  readonly committed: (transactionalId: string) => void
  /** Told of each transaction that was lost and passed over. */
  readonly lost: () => void
}

const later = new Set([7, 14, 15, 16, 51])

export class KafkaCommitter implements Committer<KafkaCommittable> {
  readonly #options: KafkaCommitterOptions

  constructor(options: KafkaCommitterOptions) {
    this.#options = options
  }

  /** Those of different checkpoints one after the other, those of one at once. */
  async commit(requests: readonly CommitRequest<KafkaCommittable>[]): Promise<void> {
    for (const [, same] of Map.groupBy(requests, request => request.checkpointId)) {
      await Promise.all(same.map(request => this.#commitOne(request)))
    }
  }

  close(): Promise<void> {
    return this.#options.cluster.close()
  }

  async #commitOne(request: CommitRequest<KafkaCommittable>): Promise<void> {
    const { committable } = request
    const { transactionalId, producerEpoch } = committable
    const producerId = BigInt(committable.producerId)
    const identity = { transactionalId, producerId, producerEpoch }
    try {
      const code = await this.#options.transactions.end(identity, 'commit')
      if (code === 0) this.#options.committed(transactionalId)
      else if (later.has(code)) request.retryLater(this.#failed(transactionalId, code))
      else await this.#settle(request, identity, code)
    } catch (error) {
      request.retryLater(error)
    }
  }

  /** The broker says that there is no such transaction to commit. */
  async #settle(
    request: CommitRequest<KafkaCommittable>,
    identity: TransactionIdentity,
    code: number,
  ): Promise<void> {
    const { transactions, onLost, committed, lost } = this.#options
    const { transactionalId } = identity
    const now = await transactions.describe(transactionalId)
    const wasUsedAgain =
      now !== undefined &&
      (now.producerId !== identity.producerId ||
        now.producerEpoch > identity.producerEpoch + 1 ||
        (now.producerEpoch > identity.producerEpoch && now.state !== 'CompleteAbort'))
    if (wasUsedAgain) {
      // A restore went back behind it: whatever the later holder has open is no one's any more.
      if (now.state === 'Ongoing') await transactions.end(now, 'abort')
      committed(transactionalId)
      request.alreadyCommitted()
      return
    }
    const { partitions, records } = request.committable
    if (onLost === 'continue') {
      lost()
      committed(transactionalId)
      return
    }
    request.failed(
      kafkaErrors.WEIR_KAFKA_TRANSACTION_LOST({
        transactionalId,
        partitions: partitions.map(placeOf).join(', '),
        records,
        reason: errorName(code),
      }),
    )
  }

  #failed(transactionalId: string, code: number): Error {
    const what = `the transaction ${transactionalId}`
    const reason = errorName(code)
    return kafkaErrors.WEIR_KAFKA_REQUEST_FAILED({ request: 'EndTxn', what, reason })
  }
}

function placeOf({ topic, partition, first, last }: WrittenRange): string {
  const id = splitId(topic, partition)
  return first < 0 ? id : `${id} at offsets ${first} to ${last}`
}
