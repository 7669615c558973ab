/** Why a Savepoint fails, beside what the jobmanager says. */
import { defineErrors } from '../../common/errors.ts'

export const savepointErrors = defineErrors({
  WEIR_SAVEPOINT_TIMEOUT: {
    domain: 'external',
    retry: 'later',
    message: (e: { timeout: string }) => `it did not complete within spec.timeout, ${e.timeout}`,
    next: 'see the Checkpoints of the job for the slow phase, or raise spec.timeout',
  },
  WEIR_SAVEPOINT_JOB_GONE: {
    domain: 'external',
    retry: 'later',
    message: (e: { job: string; why: string }) => `job ${e.job} ${e.why}`,
    next: 'let the job run, then make another Savepoint',
  },
})
