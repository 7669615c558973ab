/** Errors of running tasks: user functions, sources, sinks. */
import { AssertionError } from '../common/assert.ts'
import { defineErrors, WeirError } from '../common/errors.ts'

export interface FailedRecord {
  readonly operator: string
  /** What the function or the format threw. */
  readonly reason: string
  /** ` for key "a"`, or empty. */
  readonly key: string
  /** ` (source orders, split orders-3, offset 17)`, or empty where it is not known. */
  readonly place: string
}

export const runtimeErrors = defineErrors({
  WEIR_USER_FUNCTION_FAILED: {
    domain: 'user',
    retry: 'never',
    message: (e: FailedRecord) =>
      `operator ${e.operator} failed on a record${e.key}${e.place}: ${e.reason}`,
    next: 'mend the function, or let such records pass with an error policy: dead letter or skip',
  },
  WEIR_TIMER_FUNCTION_FAILED: {
    domain: 'user',
    retry: 'never',
    message: (e: Pick<FailedRecord, 'operator' | 'key' | 'reason'>) =>
      `operator ${e.operator} failed when a timer fired${e.key}: ${e.reason}`,
    next:
      'mend onTimer or the window function; an error policy does not help, there is no record ' +
      'that could be left out',
  },
  WEIR_RECORD_MALFORMED: {
    domain: 'user',
    retry: 'never',
    message: (e: FailedRecord) =>
      `source ${e.operator} cannot read a record${e.place}: ${e.reason}`,
    next: 'mend the input, or let such records pass with an error policy: dead letter or skip',
  },
  WEIR_SKIP_BUDGET_EXCEEDED: {
    domain: 'user',
    retry: 'never',
    message: (e: FailedRecord & { budget: number }) =>
      `operator ${e.operator} skipped more than ${e.budget} records; ` +
      `the last${e.key}${e.place}: ${e.reason}`,
    next: 'look into the rejected records; raise the budget only if they may be lost',
  },
  WEIR_TIMESTAMP_INVALID: {
    domain: 'user',
    retry: 'never',
    message: (e: { timestamp: string }) => `the timestamp assigner returned ${e.timestamp}`,
    next: 'return milliseconds since the epoch as a number, for every record',
  },
  WEIR_COMMIT_FAILED: {
    domain: 'external',
    retry: 'later',
    message: (e: { sink: string; checkpointId: number; tries: number; reason: string }) =>
      `sink ${e.sink} could not commit its part of checkpoint ${e.checkpointId} ` +
      `(tries: ${e.tries}): ${e.reason}`,
    next: 'see whether the system written to is well; the commit is repeated on restart',
  },
  WEIR_TASK_FAILED: {
    domain: 'external',
    retry: 'later',
    message: (e: { task: string; reason: string }) => `task ${e.task} failed: ${e.reason}`,
    next: 'see the cause; the job restarts from its last completed checkpoint',
  },
})

/** What went wrong, in one line. */
export function reasonOf(error: unknown): string {
  if (error instanceof Error) return error.message === '' ? error.name : error.message
  return String(error)
}

/**
 * The error a task fails with. One that says already what it is stays as it is; any other came from
 * a connector or the machine, and a restart may help.
 */
export function taskError(task: string, error: unknown): unknown {
  if (error instanceof WeirError || error instanceof AssertionError) return error
  return runtimeErrors.WEIR_TASK_FAILED({ task, reason: reasonOf(error) }, error)
}
