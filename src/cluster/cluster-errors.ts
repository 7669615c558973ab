/** What ends a job, or keeps processes from joining it. */
import { formatDuration } from '../common/duration.ts'
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
  WEIR_CONTROL_MALFORMED: {
    domain: 'internal',
    retry: 'later',
    message: (e: { reason: string }) =>
      `a control connection carries what is no message: ${e.reason}`,
    next: 'see that nothing but a taskmanager of this job talks to the jobmanager',
  },
  WEIR_SLOT_UNKNOWN: {
    domain: 'user',
    retry: 'never',
    message: (e: { slot: number; jobId: string; slots: number; slotsMax: number }) =>
      `there is no slot ${e.slot} in ${e.jobId}: it has ${e.slots}, counted from 0, ` +
      `and can have ${e.slotsMax}`,
    next: 'start as many taskmanagers as the parallelism, with the slots from 0 on',
  },
  WEIR_SLOT_TAKEN: {
    domain: 'external',
    retry: 'later',
    message: (e: { slot: number; by: string }) => `slot ${e.slot} is taken by ${e.by}, which lives`,
    next: 'nothing: this taskmanager takes over when the other one is gone',
  },
  WEIR_SLOT_LOST: {
    domain: 'external',
    retry: 'later',
    message: (e: { slot: number; who: string; how: string }) =>
      `slot ${e.slot} was lost: the connection to ${e.who} ${e.how}`,
    next: 'nothing: the job goes on when the slot is back; its log says why it went',
  },
  WEIR_SLOTS_CUT_OFF: {
    domain: 'external',
    retry: 'later',
    message: (e: { slot: number; peer: string; silentMs: number }) =>
      `slot ${e.slot} has heard nothing from ${e.peer} for ${formatDuration(e.silentMs)} ` +
      'on their connection for data, though both are alive',
    next:
      'the job restarts with new connections; if it comes again, see whether the network ' +
      'between the two drops packets',
  },
  WEIR_SLOTS_MISSING: {
    domain: 'external',
    retry: 'later',
    message: (e: { missing: readonly number[]; slots: number; waitedMs: number }) =>
      `${slotsText(e.missing)} of ${e.slots} did not come within ${formatDuration(e.waitedMs)}`,
    next: 'start the missing taskmanagers, or see their logs for why they ended',
  },
  WEIR_JOB_UNLIKE: {
    domain: 'user',
    retry: 'never',
    message: (e: { slot: number }) =>
      `slot ${e.slot} built another job than the jobmanager, from the same code`,
    next: 'let the builder function depend on its arguments only, not on time or environment',
  },
  WEIR_JOB_FILE_INVALID: {
    domain: 'user',
    retry: 'never',
    message: (e: { file: string; reason: string }) =>
      `${e.file} does not describe a job: ${e.reason}`,
    next: 'let weir run write it, or correct it by src/protocol/job-description.ts',
  },
  WEIR_JOB_BUNDLE_BROKEN: {
    domain: 'external',
    retry: 'later',
    message: (e: { reason: string }) => `the code of the job cannot be used: ${e.reason}`,
    next: 'see that the job and its packages are installed alike for all processes',
  },
})

/** `slot 3`, `slots 0, 2 and 5`. */
export function slotsText(slots: readonly number[]): string {
  const last = slots.at(-1) ?? ''
  if (slots.length <= 1) return `slot ${last}`
  return `slots ${slots.slice(0, -1).join(', ')} and ${last}`
}
