import type { Key, KeySelector } from '../../../api/functions.ts'
import type { KeyedStateBackend } from '../../../state/keyed-state-backend.ts'
import type { OperatorMetrics, Push } from '../../stream-operator.ts'
import type { ErrorHandler } from '../../user-function-errors.ts'
import type { OutputCollector } from '../output-collector.ts'
import type { PaneStore } from './pane-store.ts'

/**
 * The pane that records go to without further questions; closed when the start is above the end.
 */
export interface PaneGate {
  start: number
  end: number
  /** From here on panes may be opened. */
  openFrom: number
}

export interface PaneInputParts {
  readonly select: KeySelector<unknown, Key>
  readonly input: number
  readonly backend: KeyedStateBackend
  readonly collector: OutputCollector
  readonly gate: PaneGate
  readonly store: PaneStore
  /** Opens the gate for a record's pane, if it may. */
  readonly enter: (timestamp: number) => boolean
  /** For records of panes that may not be opened. */
  readonly slow: Push
  readonly metrics: OperatorMetrics
  readonly errors: ErrorHandler
}

/** Self-contained: see `cloneFunction`. Most records are in the same pane as the one before. */
export function paneInput(parts: PaneInputParts): Push {
  const { select, input, backend, collector, gate, store, enter, slow } = parts
  const { metrics, errors } = parts
  return (value, timestamp) => {
    metrics.recordsIn++
    try {
      if ((timestamp >= gate.start && timestamp < gate.end) || enter(timestamp)) {
        backend.setCurrentKey(select(value))
        store.add(value, input)
      } else {
        slow(value, timestamp)
      }
    } catch (error) {
      if (collector.emitting) throw error
      errors.handle(error, value)
    }
  }
}
