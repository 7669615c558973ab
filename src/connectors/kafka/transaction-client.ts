/**
 * Asks the coordinators of transactions, and asks again while the answer is "later": they move,
 * load, and finish the transaction before.
 */
import type { Clock } from '../../common/clock.ts'
import { isWeirError } from '../../common/errors.ts'
import type { BrokerConnection, BrokerRequest } from './broker-connection.ts'
import { errorName, isCoordinatorMoved, isDenied } from './error-codes.ts'
import type { KafkaCluster } from './kafka-cluster.ts'
import { kafkaErrors } from './kafka-errors.ts'
import type { TopicPartition } from './offset-requests.ts'
import {
  type AdmissionResult,
  addPartitionsRequest,
  endTransactionRequest,
  initProducerRequest,
  type ProducerIdentity,
  type TransactionIdentity,
} from './produce-requests.ts'
import {
  type DescribedTransaction,
  describeTransactionRequest,
  listTransactionsRequest,
} from './transaction-lists.ts'

const CONCURRENT_TRANSACTIONS = 51
const REQUEST_TIMED_OUT = 7
const INVALID_TIMEOUT = 50
const PAUSE_MS = 5
const PAUSE_MAX_MS = 500
const PATIENCE_MS = 60_000
/** Whose coordinator is known: a writer asks about its transaction and its fence in turn. */
const COORDINATORS_KEPT = 4

export class TransactionClient {
  readonly #cluster: KafkaCluster
  readonly #clock: Clock
  readonly #coordinators = new Map<string, BrokerConnection>()

  constructor(cluster: KafkaCluster, clock: Clock) {
    this.#cluster = cluster
    this.#clock = clock
  }

  /** A producer without transactions, whose batches are taken once each. */
  async initPlain(): Promise<ProducerIdentity> {
    const answer = await this.#again(() => this.#cluster.askAny(initProducerRequest(null, 0)))
    return answer
  }

  /** Ends whatever was open under this id, and fences off whoever opened it. */
  async init(transactionalId: string, timeoutMs: number): Promise<TransactionIdentity> {
    const answer = await this.#ask(transactionalId, initProducerRequest(transactionalId, timeoutMs))
    if (answer.errorCode === INVALID_TIMEOUT) {
      throw kafkaErrors.WEIR_KAFKA_TRANSACTION_TIMEOUT({ timeoutMs, limitMs: undefined })
    }
    this.#requireSuccess('InitProducerId', transactionalId, answer.errorCode)
    const { producerId, producerEpoch } = answer
    return { transactionalId, producerId, producerEpoch }
  }

  addPartitions(
    transaction: TransactionIdentity,
    partitions: readonly TopicPartition[],
  ): Promise<AdmissionResult> {
    return this.#ask(transaction.transactionalId, addPartitionsRequest(transaction, partitions))
  }

  /** Gives the code of the answer. */
  async end(transaction: TransactionIdentity, outcome: 'commit' | 'abort'): Promise<number> {
    const request = coded(endTransactionRequest(transaction, outcome))
    return (await this.#ask(transaction.transactionalId, request)).errorCode
  }

  async describe(transactionalId: string): Promise<DescribedTransaction | undefined> {
    const request = describeTransactionRequest(transactionalId)
    const answer = await this.#ask(transactionalId, {
      ...request,
      read: from => request.read(from) ?? { errorCode: -1 },
    })
    return 'state' in answer && answer.errorCode === 0 ? answer : undefined
  }

  /** The ids of all transactions that are open in the cluster. */
  async open(): Promise<readonly string[]> {
    const brokers = await this.#cluster.brokers()
    const lists = await Promise.all(
      brokers.map(broker => broker.ask(listTransactionsRequest(['Ongoing']))),
    )
    return lists.flat().map(one => one.transactionalId)
  }

  #ask<T extends { readonly errorCode: number }>(
    transactionalId: string,
    request: BrokerRequest<T>,
  ): Promise<T> {
    return this.#again(async () => {
      const coordinator = await this.#coordinatorOf(transactionalId)
      // Known again only when it answered and still is the one: it may move at any time.
      this.#coordinators.delete(transactionalId)
      const answer = await coordinator.ask(request)
      if (!isCoordinatorMoved(answer.errorCode)) this.#remember(transactionalId, coordinator)
      return answer
    })
  }

  async #coordinatorOf(transactionalId: string): Promise<BrokerConnection> {
    const known = this.#coordinators.get(transactionalId)
    if (known?.isOpen === true) return known
    return this.#cluster.coordinator('transaction', transactionalId)
  }

  #remember(transactionalId: string, coordinator: BrokerConnection): void {
    this.#coordinators.set(transactionalId, coordinator)
    const [oldest] = this.#coordinators.keys()
    if (this.#coordinators.size > COORDINATORS_KEPT && oldest !== undefined) {
      this.#coordinators.delete(oldest)
    }
  }

  async #again<T extends { readonly errorCode: number }>(send: () => Promise<T>): Promise<T> {
    const startedMs = this.#clock.monotonic()
    for (let pauseMs = PAUSE_MS; ; pauseMs = Math.min(PAUSE_MAX_MS, pauseMs * 2)) {
      const isLate = this.#clock.monotonic() - startedMs > PATIENCE_MS
      try {
        const answer = await send()
        const { errorCode } = answer
        const isLater =
          errorCode === CONCURRENT_TRANSACTIONS ||
          errorCode === REQUEST_TIMED_OUT ||
          isCoordinatorMoved(errorCode)
        if (!isLater || isLate) return answer
      } catch (error) {
        // An answer that was lost: each of these requests may be repeated.
        if (isLate || (isWeirError(error) && error.domain === 'user')) throw error
        if (this.#cluster.isClosed) throw error
      }
      await this.#cluster.pause(pauseMs)
    }
  }

  #requireSuccess(request: string, transactionalId: string, code: number): void {
    if (code === 0) return
    const what = `the transaction ${transactionalId}`
    const reason = errorName(code)
    if (isDenied(code)) throw kafkaErrors.WEIR_KAFKA_DENIED({ what, reason })
    throw kafkaErrors.WEIR_KAFKA_REQUEST_FAILED({ request, what, reason })
  }
}

function coded(request: BrokerRequest<number>): BrokerRequest<{ readonly errorCode: number }> {
  return { ...request, read: answer => ({ errorCode: request.read(answer) }) }
}
