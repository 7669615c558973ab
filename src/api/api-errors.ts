/** What can be wrong with a job as it is written. */
import { defineErrors } from '../common/errors.ts'

interface At {
  /** `file:line` in the job. */
  readonly location: string
}

export const apiErrors = defineErrors({
  WEIR_UID_INVALID: {
    domain: 'user',
    retry: 'never',
    message: (e: At & { uid: string }) => `${e.location}: ${JSON.stringify(e.uid)} is not a uid`,
    next: 'use 1 to 100 letters, digits, dots, underscores and hyphens',
  },
  WEIR_PARALLELISM_INVALID: {
    domain: 'user',
    retry: 'never',
    message: (e: At & { parallelism: number }) =>
      `${e.location}: parallelism ${e.parallelism} is not a whole number from 1 on`,
    next: 'give a whole number of subtasks, or leave it out to take the job’s parallelism',
  },
  WEIR_STREAM_FOREIGN: {
    domain: 'user',
    retry: 'never',
    message: (e: At) => `${e.location}: a stream of another job is used here`,
    next: 'use only streams that come from the env this job was given',
  },
  WEIR_WINDOW_INVALID: {
    domain: 'user',
    retry: 'never',
    message: (e: At & { what: string; next: string }) => `${e.location}: ${e.what}`,
    next: (e: { next: string }) => e.next,
  },
  WEIR_TIMESTAMP_MISSING: {
    domain: 'user',
    retry: 'never',
    message: (e: { assigner: string }) => `${e.assigner} got a record without timestamp`,
    next: 'give the source a watermark strategy with .timestamp(), or use processing-time windows',
  },
  WEIR_OPTION_INVALID: {
    domain: 'user',
    retry: 'never',
    message: (e: At & { option: string; value: string; expected: string }) =>
      `${e.location}: ${e.option} is ${e.value}, expected ${e.expected}`,
    next: (e: { expected: string }) => `give ${e.expected}`,
  },
  WEIR_ARGUMENT_MISSING: {
    domain: 'user',
    retry: 'never',
    message: (e: { argument: string; given: readonly string[] }) =>
      `the job needs the argument ${e.argument}; given: ${e.given.join(', ') || 'none'}`,
    next: (e: { argument: string }) =>
      `add ${e.argument} under spec.job.args, or --set spec.job.args.${e.argument}=…`,
  },
  WEIR_ARGUMENT_INVALID: {
    domain: 'user',
    retry: 'never',
    message: (e: { argument: string; value: string; expected: string }) =>
      `the job's argument ${e.argument} is ${JSON.stringify(e.value)}, expected ${e.expected}`,
    next: (e: { argument: string }) => `correct spec.job.args.${e.argument}`,
  },
  WEIR_JOB_ASYNC: {
    domain: 'user',
    retry: 'never',
    message: (e: { job: string }) => `the builder of job ${e.job} is asynchronous`,
    next: 'build the streams without await; do what must wait in a source, or in open()',
  },
})
