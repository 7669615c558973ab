/** The options of asynchronous operators, checked and with their defaults. */
import { durationMs } from '../../common/duration.ts'
import { apiErrors } from '../api-errors.ts'
import { callLocation } from '../call-location.ts'
import type { AsyncMapOptions } from '../data-stream.ts'
import type { AsyncFunction } from '../functions.ts'
import type { AsyncOptions, AsyncRetry } from '../transformation.ts'

/** Flink's. Requests are small; more in flight hide more latency but cost memory in snapshots. */
const CAPACITY_DEFAULT = 100
/** Nobody waits longer for an answer; without a limit a lost answer would stop the job for ever. */
const TIMEOUT_DEFAULT = '1m'
const RETRY_MAX_DELAY_DEFAULT = '1m'

export function resolveAsyncOptions<OUT>(options: AsyncMapOptions<OUT>): AsyncOptions {
  return {
    ordered: options.ordered ?? true,
    timeoutMs: durationMs(options.timeout ?? TIMEOUT_DEFAULT),
    capacity: atLeast(1, 'capacity', options.capacity ?? CAPACITY_DEFAULT),
    retry: resolveRetry(options.retry),
  }
}

/** An asynchronous function whose promise is the one result. */
export function singleAnswer<IN, OUT>(
  fn: (value: IN, signal: AbortSignal) => Promise<OUT>,
): AsyncFunction<IN, OUT> {
  return { invoke: async (value, signal) => [await fn(value, signal)] }
}

function resolveRetry<OUT>(retry: AsyncMapOptions<OUT>['retry']): AsyncRetry | undefined {
  if (retry === undefined) return undefined
  const { onError, onResult } = retry
  return {
    maxAttempts: atLeast(1, 'retry.maxAttempts', retry.maxAttempts),
    delayMs: durationMs(retry.delay),
    backoff: atLeast(1, 'retry.backoff', retry.backoff ?? 1),
    maxDelayMs: durationMs(retry.maxDelay ?? RETRY_MAX_DELAY_DEFAULT),
    ...(onError === undefined ? {} : { onError }),
    ...(onResult === undefined ? {} : { onResult: results => onResult(results as OUT[]) }),
  }
}

function atLeast(least: number, option: string, value: number): number {
  if (value >= least) return value
  throw apiErrors.WEIR_OPTION_INVALID({
    location: callLocation(),
    option,
    value: String(value),
    expected: `a number from ${least} on`,
  })
}
