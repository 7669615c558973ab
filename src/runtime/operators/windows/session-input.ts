import type { Key, KeySelector } from '../../../api/functions.ts'
import type { InternalValueState, KeyedStateBackend } from '../../../state/keyed-state-backend.ts'
import type { InternalTimerService } from '../../internal-timer-service.ts'
import type { OperatorMetrics, Push } from '../../stream-operator.ts'
import type { ErrorHandler } from '../../user-function-errors.ts'
import type { OutputCollector } from '../output-collector.ts'
import type { Combiner } from './combiner.ts'
import type { SessionList } from './session-list.ts'

export interface SessionInputParts {
  readonly select: KeySelector<unknown, Key>
  readonly backend: KeyedStateBackend
  readonly state: InternalValueState<SessionList>
  readonly combiner: Combiner
  readonly gapMs: number
  readonly timers: InternalTimerService
  readonly collector: OutputCollector
  /** For records that do more than make the key's only session longer. The key is set. */
  readonly slow: Push
  readonly metrics: OperatorMetrics
  readonly errors: ErrorHandler
}

/** Self-contained: see `cloneFunction`. Most records make their key's only session longer. */
export function sessionInput(parts: SessionInputParts): Push {
  const { select, backend, state, gapMs, timers, collector, slow, metrics, errors } = parts
  const { add } = parts.combiner
  return (value, timestamp) => {
    metrics.recordsIn++
    try {
      backend.setCurrentKey(select(value))
      const sessions = state.value()
      const only = sessions !== undefined && sessions.length === 1 ? sessions[0] : undefined
      if (
        only?.isPending === true &&
        timestamp <= only.end &&
        only.start <= timestamp + gapMs &&
        only.end - 1 > timers.watermark
      ) {
        only.accumulator = add(value, only.accumulator)
        if (timestamp < only.start) only.start = timestamp
        else if (timestamp + gapMs > only.end) only.end = timestamp + gapMs
        state.update(sessions as SessionList)
      } else {
        slow(value, timestamp)
      }
    } catch (error) {
      if (collector.emitting) throw error
      errors.handle(error, value)
    }
  }
}
