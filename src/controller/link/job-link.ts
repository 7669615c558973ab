/**
 * What the controller asks of a jobmanager, as a port: the adapter is `tls-job-link.ts`.
 *
 * Contract
 *  L1  Each call ends within its deadline, with an answer or one of the errors of `link-errors.ts`.
 *  L2  `savepoint` and `stop` may be called again with the same request id, after any failure: the
 *      order is carried out once and its state is given. An id is `<uid>-<epoch>-<n>`.
 *  L3  A jobmanager knows the ids that it was given itself. `savepointState` and `stopState` never
 *      begin anything: `undefined` says that this jobmanager does not know the id. The caller
 *      decides whether what the order was for has happened meanwhile.
 *  L4  A savepoint that completed counts, also when the stop that asked for it failed.
 *  L5  After a stop nobody answers any more: what it ended with stands in `lastWordOf` its pod.
 */
import type { JobFacts, SavepointFacts, StopFacts } from '../../protocol/job-facts.ts'

/** The jobmanager of one epoch, where it is now. */
export interface JobTarget {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly epoch: number
  readonly podIp: string
}

export interface StopOrder {
  readonly requestId: string
  /** The last snapshot is a savepoint; where it fails the job goes on. */
  readonly savepoint: boolean
  /** Event time ends first: for a job that is not to go on from there. */
  readonly drain: boolean
}

export interface JobLink {
  facts(target: JobTarget, signal?: AbortSignal): Promise<JobFacts>
  /** One that is warm begins; any other has already. */
  begin(target: JobTarget, signal?: AbortSignal): Promise<void>
  /** Begins a savepoint, or finds the one of that id. */
  savepoint(target: JobTarget, requestId: string, signal?: AbortSignal): Promise<SavepointFacts>
  savepointState(
    target: JobTarget,
    requestId: string,
    signal?: AbortSignal,
  ): Promise<SavepointFacts | undefined>
  stop(target: JobTarget, order: StopOrder, signal?: AbortSignal): Promise<StopFacts>
  stopState(
    target: JobTarget,
    requestId: string,
    signal?: AbortSignal,
  ): Promise<StopFacts | undefined>
  /** The order is durable when this resolves. */
  rescale(target: JobTarget, parallelism: number, signal?: AbortSignal): Promise<void>
}
