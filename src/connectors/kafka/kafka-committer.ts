/**
 * Commits transactions that writers prepared, also those of a process that is gone: the producer's
 * id and epoch are all that the broker wants to see.
 *
 * That there is no such transaction has several meanings: it was committed before and its name used
 * again or forgotten, or the broker ended it, which is a loss. The log tells them apart.
 */
import type { CommitRequest, Committer } from '../../api/sink.ts'
import { isWeirError } from '../../common/errors.ts'
import { errorName, isDenied } from './error-codes.ts'
import type { KafkaCluster } from './kafka-cluster.ts'
import { kafkaErrors } from './kafka-errors.ts'
import { splitId } from './kafka-split.ts'
import type { WrittenRange } from './partition-lane.ts'
import type { TransactionIdentity } from './produce-requests.ts'
import type { TransactionClient } from './transaction-client.ts'
import { type TransactionFate, transactionFate } from './transaction-fate.ts'
import type { DescribedTransaction } from './transaction-lists.ts'

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

  /** Readers would wait for them until their time is over. */
  async abort(committables: readonly KafkaCommittable[]): Promise<void> {
    const { transactions } = this.#options
    await Promise.all(committables.map(one => transactions.end(identityOf(one), 'abort')))
  }

  close(): Promise<void> {
    return this.#options.cluster.close()
  }

  async #commitOne(request: CommitRequest<KafkaCommittable>): Promise<void> {
    const identity = identityOf(request.committable)
    const { transactionalId } = identity
    try {
      const code = await this.#options.transactions.end(identity, 'commit')
      if (code === 0) this.#options.committed(transactionalId)
      else if (isDenied(code)) request.failed(this.#denied(transactionalId, code))
      else if (later.has(code)) request.retryLater(this.#failed(transactionalId, code))
      else await this.#settle(request, identity, code)
    } catch (error) {
      // A right or a password: no try later than now would find it otherwise.
      if (isWeirError(error) && error.domain === 'user') request.failed(error)
      else request.retryLater(error)
    }
  }

  /** The broker says that there is no such transaction to commit. */
  async #settle(
    request: CommitRequest<KafkaCommittable>,
    identity: TransactionIdentity,
    code: number,
  ): Promise<void> {
    const { cluster, transactions, onLost, committed, lost } = this.#options
    const { transactionalId, producerId } = identity
    const { partitions, records } = request.committable
    const now = await transactions.describe(transactionalId)
    const told = await transactionFate(cluster, { producerId, partitions })
    const fate = told === 'unknown' ? fateByName(identity, now) : told
    if (fate === 'open') return request.retryLater(this.#failed(transactionalId, code))
    const isLost = fate === 'aborted' || fate === 'unknown'
    if (isLost && onLost === 'fail') {
      const reason = errorName(code)
      const places = partitions.map(placeOf).join(', ')
      const loss = { transactionalId, partitions: places, records, reason }
      const isKnown = fate === 'aborted'
      return request.failed(
        isKnown
          ? kafkaErrors.WEIR_KAFKA_TRANSACTION_LOST(loss)
          : kafkaErrors.WEIR_KAFKA_TRANSACTION_UNCLEAR(loss),
      )
    }
    // A restore went back behind it: whatever a later holder of the name has open is no one's now.
    if (now?.state === 'Ongoing' && isLater(now, identity)) await transactions.end(now, 'abort')
    if (isLost) lost()
    else request.alreadyCommitted()
    committed(transactionalId)
  }

  #denied(transactionalId: string, code: number): Error {
    const what = `the transaction ${transactionalId}`
    return kafkaErrors.WEIR_KAFKA_DENIED({ what, reason: errorName(code) })
  }

  #failed(transactionalId: string, code: number): Error {
    const what = `the transaction ${transactionalId}`
    const reason = errorName(code)
    return kafkaErrors.WEIR_KAFKA_REQUEST_FAILED({ request: 'EndTxn', what, reason })
  }
}

function identityOf(committable: KafkaCommittable): TransactionIdentity {
  const { transactionalId, producerId, producerEpoch } = committable
  return { transactionalId, producerId: BigInt(producerId), producerEpoch }
}

function placeOf({ topic, partition, first, last }: WrittenRange): string {
  const id = splitId(topic, partition)
  return first < 0 ? id : `${id} at offsets ${first} to ${last}`
}

function isLater(
  now: TransactionIdentity,
  { producerId, producerEpoch }: TransactionIdentity,
): boolean {
  return now.producerId !== producerId || now.producerEpoch > producerEpoch
}

/** Where no offset is known. A name is used again only after a commit, and under a new epoch. */
function fateByName(
  own: TransactionIdentity,
  now: DescribedTransaction | undefined,
): TransactionFate {
  if (now === undefined) return 'unknown'
  if (!isLater(now, own)) return 'aborted'
  const isNext = now.producerId === own.producerId && now.producerEpoch === own.producerEpoch + 1
  // The broker raises the epoch once when a transaction's time is over.
  return isNext && /Abort|EpochFence/.test(now.state) ? 'aborted' : 'committed'
}
