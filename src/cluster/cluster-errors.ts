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
  WEIR_STOP_REFUSED: {
    domain: 'user',
    retry: 'later',
    message: (e: { status: string }) =>
      `the job cannot be stopped with a savepoint now: it is ${e.status}`,
    next: 'wait until weir status says running; without --savepoint it can be stopped at any time',
  },
  WEIR_STOP_FAILED: {
    domain: 'external',
    retry: 'later',
    message: (e: { reason: string }) =>
      `the job was not stopped: its savepoint failed, and it goes on after a restart: ${e.reason}`,
    next: 'see the reason, then stop it again',
  },
  WEIR_STOP_UNFINISHED: {
    domain: 'external',
    retry: 'later',
    message: (e: { path: string; reason: string }) =>
      `savepoint ${e.path} completed, but the job failed before it ended, and goes on from there ` +
      `after a restart: ${e.reason}`,
    next: 'see the reason, then stop it again: the savepoint holds nothing of what comes after it',
  },
  WEIR_RESCALE_REFUSED: {
    domain: 'user',
    retry: 'later',
    message: (e: { parallelism: number; reason: string }) =>
      `the job cannot go on at parallelism ${e.parallelism}: ${e.reason}`,
    next: 'correct the number, or wait until weir status says running',
  },
  WEIR_STATE_BACKEND_UNKNOWN: {
    domain: 'user',
    retry: 'never',
    message: (e: { type: string }) => `this Weir has no state backend ${e.type}`,
    next: 'set spec.stateBackend.type to heap',
  },
})
