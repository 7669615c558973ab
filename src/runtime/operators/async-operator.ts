/**
 * Asks a service per record, many requests at a time.
 *
 * Owns        the requests in flight, their timeouts and retries; that they outlive a failure.
 * Leaves out  the order of results (`async-queue.ts`), threads: completions come through the
 *             mailbox and so run between two records.
 *
 * Invariants
 *  Y1  A request completes once: what comes after its timeout, or after `hold` or `close`, is
 *      ignored.
 *  Y2  A snapshot holds every record whose results were not emitted; a restore asks for them again,
 *      before any new record.
 */
import type { AsyncFunction } from '../../api/functions.ts'
import type { ListState } from '../../api/state.ts'
import type { AsyncOptions } from '../../api/transformation.ts'
import type { TimestampedValue } from '../../api/window.ts'
import type { TimerHandle } from '../../common/clock.ts'
import { generalType } from '../../schema/general-type.ts'
import { timestampedType } from '../../schema/timestamped-type.ts'
import type { OperatorContext, WatermarkStatus } from '../stream-operator.ts'
import { type ErrorHandler, makeErrorHandler } from '../user-function-errors.ts'
import { AbstractStreamOperator } from './abstract-stream-operator.ts'
import {
  type AsyncEntry,
  type AsyncQueue,
  OrderedAsyncQueue,
  UnorderedAsyncQueue,
} from './async-queue.ts'
import { operatorErrors } from './operator-errors.ts'
import { makeCollector } from './output-collector.ts'

interface Request extends AsyncEntry {
  /** Tries begun so far. */
  tries: number
  /** Aborted when the time is over. */
  readonly abort: AbortController
  timeout: TimerHandle | undefined
  /** Waits for the next try. */
  retry: TimerHandle | undefined
}

type AnyAsyncFunction = AsyncFunction<unknown, unknown>

export class AsyncOperator extends AbstractStreamOperator {
  readonly #fn: AnyAsyncFunction
  readonly #options: AsyncOptions
  readonly #queue: AsyncQueue
  readonly #errors: ErrorHandler
  readonly #waiting: ListState<TimestampedValue<unknown>>
  /** For requests without a timeout of their own: making a controller costs more than a record. */
  readonly #abortAll = new AbortController()
  readonly #retrying = new Set<Request>()
  #ending = false
  /** No answer counts any more. */
  #deaf = false

  constructor(context: OperatorContext, fn: AnyAsyncFunction, options: AsyncOptions) {
    super(context)
    this.#fn = fn
    this.#options = options
    this.#errors = makeErrorHandler(context)
    const type = timestampedType(context.inputTypes[0] ?? generalType)
    this.#waiting = context.operatorState.listState('$in-flight', 'split', type)
    const collector = makeCollector(context)
    const emit = (entry: AsyncEntry): void => {
      collector.timestamp = entry.timestamp
      context.locate(entry.coordinates)
      for (const result of entry.results ?? []) collector.collect(result)
      context.locate(undefined)
    }
    this.#queue = options.ordered ? new OrderedAsyncQueue(emit) : new UnorderedAsyncQueue(emit)
  }

  async open(): Promise<void> {
    const { context } = this
    const { metrics } = context
    this.inputs = [
      (value, timestamp) => {
        metrics.recordsIn++
        this.#submit(value, timestamp)
      },
    ]
    await this.#fn.open?.(context.runtime)
    // More than the capacity may come back after a rescale: then the input waits (Y2).
    for (const { value, timestamp } of this.#waiting.get()) this.#submit(value, timestamp)
    this.#waiting.clear()
  }

  protected override forwardWatermark(watermark: number): void {
    this.#queue.addMark(() => this.context.emitWatermark(watermark))
  }

  override processStatus(status: WatermarkStatus): void {
    this.#queue.addMark(() => this.context.emitStatus(status))
  }

  /** Retries that wait run once, now; further ones are off. */
  override finish(): boolean {
    this.#ending = true
    for (const request of this.#retrying) this.#tryAgain(request)
    return this.#queue.size === 0
  }

  hold(): void {
    this.#deaf = true
  }

  override snapshotState(): void {
    const entries = [...this.#queue.entries()]
    this.#waiting.update(entries.map(({ value, timestamp }) => ({ value, timestamp })))
  }

  override close(): void | Promise<void> {
    this.#deaf = true
    this.#abortAll.abort()
    for (const entry of this.#queue.entries()) this.#stop(entry as Request)
    return this.#fn.close?.()
  }

  #submit(value: unknown, timestamp: number): void {
    const { timeoutMs } = this.#options
    const request: Request = {
      value,
      timestamp,
      coordinates: this.context.coordinates(),
      results: undefined,
      tries: 0,
      abort: timeoutMs > 0 ? new AbortController() : this.#abortAll,
      timeout: undefined,
      retry: undefined,
    }
    this.#queue.add(request)
    this.#measure()
    if (timeoutMs > 0) {
      const { clock, mailbox } = this.context
      const timedOut = (): void => this.#timedOut(request)
      request.timeout = clock.schedule(timeoutMs, () => mailbox.submit(timedOut))
    }
    this.#try(request)
  }

  #try(request: Request): void {
    const { mailbox } = this.context
    request.tries++
    let promise: Promise<readonly unknown[]>
    try {
      promise = this.#fn.invoke(request.value, request.abort.signal)
    } catch (error) {
      promise = Promise.reject(error)
    }
    promise.then(
      results => mailbox.submit(() => this.#answered(request, results)),
      error => mailbox.submit(() => this.#failed(request, error)),
    )
  }

  #answered(request: Request, results: readonly unknown[]): void {
    if (this.#isOver(request)) return
    const { retry } = this.#options
    if (retry?.onResult?.(results) === true && this.#retryLater(request)) return
    this.#complete(request, results)
  }

  #failed(request: Request, error: unknown): void {
    if (this.#isOver(request)) return
    const { retry } = this.#options
    const retried = retry !== undefined && (retry.onError?.(error) ?? true)
    if (retried && this.#retryLater(request)) return
    this.#giveUp(request, error)
  }

  #timedOut(request: Request): void {
    if (this.#isOver(request)) return
    const { timeoutMs } = this.#options
    const operator = this.context.name
    request.abort.abort()
    if (this.#fn.timeout === undefined) {
      this.#giveUp(request, operatorErrors.WEIR_ASYNC_TIMEOUT({ operator, timeoutMs }))
      return
    }
    let results: readonly unknown[]
    try {
      results = this.#fn.timeout(request.value)
    } catch (error) {
      this.#giveUp(request, error)
      return
    }
    this.#complete(request, results)
  }

  /** The record fails: its policy decides. When the job goes on, it goes on without results. */
  #giveUp(request: Request, error: unknown): void {
    this.context.locate(request.coordinates)
    this.#errors.handle(error, request.value)
    this.context.locate(undefined)
    this.#complete(request, [])
  }

  #complete(request: Request, results: readonly unknown[]): void {
    this.#stop(request)
    request.results = results
    this.#queue.completed(request)
    this.#measure()
  }

  #measure(): void {
    this.blocked = this.#queue.size >= this.#options.capacity
  }

  /** False when no try is left. */
  #retryLater(request: Request): boolean {
    const { retry } = this.#options
    if (retry === undefined || this.#ending || request.tries >= retry.maxAttempts) return false
    const { clock, mailbox } = this.context
    const plainMs = retry.delayMs * retry.backoff ** (request.tries - 1)
    const again = (): void => this.#tryAgain(request)
    request.retry = clock.schedule(Math.min(plainMs, retry.maxDelayMs), () => mailbox.submit(again))
    this.#retrying.add(request)
    return true
  }

  #tryAgain(request: Request): void {
    if (!this.#retrying.delete(request)) return
    request.retry?.cancel()
    request.retry = undefined
    this.#try(request)
  }

  #stop(request: Request): void {
    request.timeout?.cancel()
    request.retry?.cancel()
    this.#retrying.delete(request)
  }

  #isOver(request: Request): boolean {
    return this.#deaf || request.results !== undefined
  }
}
