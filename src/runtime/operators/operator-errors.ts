/** Errors of dataflow operators, beside those of user functions (`runtime-errors.ts`). */
import { defineErrors } from '../../common/errors.ts'

export const operatorErrors = defineErrors({
  WEIR_ASYNC_TIMEOUT: {
    domain: 'external',
    retry: 'later',
    message: (e: { operator: string; timeoutMs: number }) =>
      `operator ${e.operator}: a request did not complete in ${e.timeoutMs} ms, retries included`,
    next: 'raise the timeout, or give the function a timeout() that says what to emit instead',
  },
})
