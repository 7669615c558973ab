import { isWeirError, WeirError } from '../common/errors.ts'
import type { FailureReport } from './slot-messages.ts'

/**
 * Never again by their code, but thrown by a function that may talk to the world: worth another
 * try, as long as it does not fail at the same record each time.
 */
const retriedAnyway: ReadonlySet<string> = new Set([
  'WEIR_USER_FUNCTION_FAILED',
  'WEIR_TIMER_FUNCTION_FAILED',
])

/** An error as data that can be sent to another process. */
export function failureReport(error: unknown): FailureReport {
  const stack = error instanceof Error ? error.stack : undefined
  if (!isWeirError(error)) {
    const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
    const own = { code: undefined, domain: 'internal', next: undefined, retry: 'now' } as const
    return { ...own, message, stack }
  }
  const { code, domain, message, next } = error
  const retry = retriedAnyway.has(code) ? 'now' : error.retry
  return { code, domain, message, next, stack, retry }
}

/** The error again, as a result of the job. */
export function errorOf(report: FailureReport): Error {
  const { code, domain, message, next, stack, retry } = report
  const error =
    code === undefined
      ? new Error(message)
      : new WeirError({ code, domain, retry, message, next: next ?? '', details: undefined })
  if (stack !== undefined) error.stack = stack
  return error
}
