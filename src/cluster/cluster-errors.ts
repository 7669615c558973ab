import { defineErrors } from '../common/errors.ts'

export const clusterErrors = defineErrors({
  WEIR_CHECKPOINTS_FAILING: {
    domain: 'external',
    retry: 'later',
    message: (e: { reason: string }) => e.reason,
    next: 'see the reason, or raise spec.checkpoint.tolerableFailures to let the job go on without',
  },
  WEIR_JOB_FENCED: {
    domain: 'external',
    retry: 'never',
    message: (e: { jobId: string; own: number; newer: number }) =>
      `another run of ${e.jobId} took over (generation ${e.newer}; this one is ${e.own})`,
    next: 'nothing is lost: let the other one run, or stop it and start again',
  },
  WEIR_STATE_BACKEND_UNKNOWN: {
    domain: 'user',
    retry: 'never',
    message: (e: { type: string }) => `this Weir has no state backend ${e.type}`,
    next: 'set spec.stateBackend.type to heap',
  },
})
