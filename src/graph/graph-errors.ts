/** What can be wrong with a pipeline as a whole. */
import { defineErrors } from '../common/errors.ts'

/** An operator for messages. */
export interface NamedOperator {
  readonly operator: string
  /** `file:line` in the job. */
  readonly location: string
}

/** `<name> at <file:line>`. */
export function place({ operator, location }: NamedOperator): string {
  return `${operator} at ${location}`
}

export const graphErrors = defineErrors({
  WEIR_JOB_EMPTY: {
    domain: 'user',
    retry: 'never',
    message: (e: { job: string }) => `job ${e.job} has no source`,
    next: 'begin it with env.from(source)',
  },
  WEIR_UID_MISSING: {
    domain: 'user',
    retry: 'never',
    message: (e: { missing: readonly (NamedOperator & { reason: string })[] }) =>
      e.missing.map(m => `operator ${place(m)} ${m.reason} and has no uid`).join('; '),
    next: 'add .uid(…) with a name that stays the same, so that its state is found again',
  },
  WEIR_STATE_NAME_INVALID: {
    domain: 'user',
    retry: 'never',
    message: (e: NamedOperator & { state: string }) =>
      `${place(e)} declares a state named ${JSON.stringify(e.state)}`,
    next: 'use 1 to 100 letters, digits, dots, underscores and hyphens, a letter first',
  },
  WEIR_UID_DUPLICATE: {
    domain: 'user',
    retry: 'never',
    message: (e: { uid: string; first: NamedOperator; second: NamedOperator }) =>
      `uid ${e.uid} is given twice: to ${place(e.first)} and to ${place(e.second)}`,
    next: 'give each operator a uid of its own',
  },
  WEIR_PARALLELISM_EXCEEDED: {
    domain: 'user',
    retry: 'never',
    message: (e: NamedOperator & { parallelism: number; maxParallelism: number }) =>
      `${place(e)} has parallelism ${e.parallelism}, above maxParallelism ${e.maxParallelism}`,
    next: 'lower the parallelism, or start a job without state with a greater maxParallelism',
  },
  WEIR_MAX_PARALLELISM_INVALID: {
    domain: 'user',
    retry: 'never',
    message: (e: { maxParallelism: number; limit: number }) =>
      `maxParallelism is ${e.maxParallelism}, expected a whole number from 1 to ${e.limit}`,
    next: 'correct spec.maxParallelism, or leave it out',
  },
  WEIR_FORWARD_UNEQUAL: {
    domain: 'user',
    retry: 'never',
    message: (e: { from: NamedOperator; to: NamedOperator; senders: number; receivers: number }) =>
      [
        `forward() joins different parallelisms: ${place(e.from)} has ${e.senders}`,
        `${place(e.to)} has ${e.receivers}`,
      ].join(', '),
    next: 'give both the same parallelism, or use rebalance() or rescale()',
  },
})
