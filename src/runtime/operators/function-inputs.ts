/**
 * The inputs of operators that hand each record to a function of the user's. An error of that
 * function goes to the operator's error policy; one of the operators behind passes through.
 */
import type { Key, KeySelector } from '../../api/functions.ts'
import { cloneFunction } from '../../common/clone-function.ts'
import type { KeyedStateBackend } from '../../state/keyed-state-backend.ts'
import type { OperatorContext, OperatorMetrics, Push } from '../stream-operator.ts'
import { type ErrorHandler, makeErrorHandler } from '../user-function-errors.ts'
import type { OutputCollector } from './output-collector.ts'

interface Handing<C> {
  /** A method of the user's function, bound to it. */
  readonly process: (value: unknown, functionContext: C, collector: OutputCollector) => void
  readonly functionContext: C
}

interface KeyedHanding<C> extends Handing<C> {
  readonly select: KeySelector<unknown, Key>
  readonly backend: KeyedStateBackend
}

interface Shared {
  readonly collector: OutputCollector
  readonly metrics: OperatorMetrics
  readonly errors: ErrorHandler
}

/** Makers of the inputs of one operator, which share its error policy and its budget. */
export interface FunctionInputs {
  plain<C>(handing: Handing<C>): Push
  keyed<C>(handing: KeyedHanding<C>): Push
}

/** Self-contained: see `cloneFunction`. */
function plainInput<C>(parts: Handing<C> & Shared): Push {
  const { process, functionContext, collector, metrics, errors } = parts
  return (value, timestamp) => {
    metrics.recordsIn++
    collector.timestamp = timestamp
    try {
      process(value, functionContext, collector)
    } catch (error) {
      if (collector.emitting) throw error
      errors.handle(error, value)
    }
  }
}

/** Self-contained: see `cloneFunction`. */
function keyedInput<C>(parts: KeyedHanding<C> & Shared): Push {
  const { process, functionContext, select, backend, collector, metrics, errors } = parts
  return (value, timestamp) => {
    metrics.recordsIn++
    collector.timestamp = timestamp
    try {
      backend.setCurrentKey(select(value))
      process(value, functionContext, collector)
    } catch (error) {
      if (collector.emitting) throw error
      errors.handle(error, value)
    }
  }
}

export function functionInputs(
  context: OperatorContext,
  collector: OutputCollector,
): FunctionInputs {
  const shared: Shared = { collector, metrics: context.metrics, errors: makeErrorHandler(context) }
  return {
    plain: handing => cloneFunction(plainInput)({ ...handing, ...shared }),
    keyed: handing => cloneFunction(keyedInput)({ ...handing, ...shared }),
  }
}
