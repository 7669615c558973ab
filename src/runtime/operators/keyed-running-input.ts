/** The input of a running reduction or aggregate: each record gives the result that includes it. */
import type { Key, KeySelector } from '../../api/functions.ts'
import type { AggregatingState } from '../../api/state.ts'
import type { KeyedStateBackend } from '../../state/keyed-state-backend.ts'
import type { OperatorMetrics, Push } from '../stream-operator.ts'
import type { ErrorHandler } from '../user-function-errors.ts'

export interface KeyedRunningParts {
  readonly select: KeySelector<unknown, Key>
  readonly backend: KeyedStateBackend
  readonly state: AggregatingState<unknown, unknown>
  readonly emit: Push
  readonly metrics: OperatorMetrics
  readonly errors: ErrorHandler
}

/** Self-contained: see `cloneFunction`. */
export function keyedRunningInput(parts: KeyedRunningParts): Push {
  const { select, backend, state, emit, metrics, errors } = parts
  return (value, timestamp) => {
    metrics.recordsIn++
    let result: unknown
    try {
      backend.setCurrentKey(select(value))
      state.add(value)
      result = state.get()
    } catch (error) {
      errors.handle(error, value)
      return
    }
    metrics.recordsOut++
    emit(result, timestamp)
  }
}
