/**
 * What happens when a record makes a user function (or a source's format) throw: the operator's
 * error policy, always with the record's coordinates.
 *
 * Only errors of the operator's own function come here. What the operators behind throw is theirs
 * and passes through; `wrapped` errors therefore carry one operator's name, the one that failed.
 */
import type { DeadLetter, Key } from '../api/functions.ts'
import { AssertionError } from '../common/assert.ts'
import { type ErrorMaker, WeirError } from '../common/errors.ts'
import { MIN_TIMESTAMP } from '../common/timestamps.ts'
import type { RecordCoordinates } from '../schema/located-type.ts'
import { foldKey } from '../state/key.ts'
import { type FailedRecord, reasonOf, runtimeErrors } from './runtime-errors.ts'
import type { OperatorContext } from './stream-operator.ts'

export interface ErrorHandler {
  /**
   * Applies the policy to a record that failed: returns when the operator goes on without it.
   * Throws what fails the task otherwise.
   */
  handle(error: unknown, record: unknown): void
}

/** What the handler needs of an operator's context. */
export type ErrorContext = Pick<
  OperatorContext,
  'name' | 'errorPolicy' | 'metrics' | 'keySelectors' | 'keyedState' | 'coordinates' | 'sideOutput'
>

export function makeErrorHandler(
  context: ErrorContext,
  wrap: ErrorMaker<FailedRecord> = runtimeErrors.WEIR_USER_FUNCTION_FAILED,
): ErrorHandler {
  const { errorPolicy: policy, metrics, name } = context
  const describe = (error: unknown, record: unknown): FailedRecord => ({
    operator: name,
    reason: reasonOf(error),
    key: keyOfRecord(context, record),
    place: placeOf(context.coordinates()),
  })
  return {
    handle(error, record) {
      if (isNotOfTheRecord(error)) throw error
      if (policy.kind === 'fail') throw wrap(describe(error, record), error)
      if (policy.kind === 'skip') {
        metrics.recordsSkipped++
        if (metrics.recordsSkipped <= policy.budget) return
        const details = { ...describe(error, record), budget: policy.budget }
        throw runtimeErrors.WEIR_SKIP_BUDGET_EXCEEDED(details, error)
      }
      metrics.deadLetters++
      const wrapped = wrap(describe(error, record), error)
      const letter = deadLetter(wrapped, name, { record, ...context.coordinates() })
      context.sideOutput(policy.tag.id)(letter, MIN_TIMESTAMP)
    },
  }
}

/** The error that fails a task when a user's selector throws outside of any operator. */
export function wrapUserError(
  context: Pick<OperatorContext, 'name' | 'coordinates'>,
  error: unknown,
): unknown {
  if (isNotOfTheRecord(error)) return error
  const details = {
    operator: context.name,
    reason: reasonOf(error),
    key: '',
    place: placeOf(context.coordinates()),
  }
  return runtimeErrors.WEIR_USER_FUNCTION_FAILED(details, error)
}

/**
 * The error that fails a task when a timer makes the operator's function throw: windows fire by
 * timers, too. No error policy applies, since there is no record.
 */
export function wrapTimerError(context: ErrorContext, error: unknown): unknown {
  if (isNotOfTheRecord(error) || error instanceof WeirError) return error
  const details = { operator: context.name, reason: reasonOf(error), key: keyOfTimer(context) }
  return runtimeErrors.WEIR_TIMER_FUNCTION_FAILED(details, error)
}

function keyOfTimer(context: ErrorContext): string {
  try {
    return currentKey(context)
  } catch {
    return ''
  }
}

/** A broken invariant of the engine, or an error that was attributed before: no policy applies. */
function isNotOfTheRecord(error: unknown): boolean {
  if (error instanceof AssertionError) return true
  return (
    error instanceof WeirError &&
    (error.domain === 'internal' || error.code === 'WEIR_USER_FUNCTION_FAILED')
  )
}

function deadLetter(
  error: WeirError,
  operator: string,
  from: Partial<RecordCoordinates> & { readonly record: unknown },
): DeadLetter {
  return {
    operator,
    code: error.code,
    message: error.message,
    source: from.source,
    split: from.split,
    offset: from.offset,
    record: from.record,
  }
}

/** Nothing where the key itself is what is wrong: then the current one is of another record. */
function keyOfRecord(context: ErrorContext, record: unknown): string {
  if (context.keySelectors.length === 0) return ''
  try {
    const current = context.keyedState().foldedKey()
    const isItsOwn = context.keySelectors.some(select => Object.is(keyBy(select, record), current))
    return isItsOwn ? currentKey(context) : ''
  } catch {
    return ''
  }
}

/** `undefined`: the selector is of another input, or wants what the record has not. */
function keyBy(select: ErrorContext['keySelectors'][number], record: unknown): unknown {
  try {
    return foldKey(select(record))
  } catch {
    return undefined
  }
}

function currentKey(context: Pick<ErrorContext, 'keyedState'>): string {
  return ` for key ${keyText(context.keyedState().currentKey())}`
}

/** JSON knows no bigint. */
function keyText(key: Key): string {
  return JSON.stringify(key, (_, item: unknown) => (typeof item === 'bigint' ? `${item}n` : item))
}

function placeOf(coordinates: RecordCoordinates | undefined): string {
  if (coordinates === undefined) return ''
  const { source, split, offset } = coordinates
  return ` (source ${source}, split ${split}, offset ${offset})`
}
