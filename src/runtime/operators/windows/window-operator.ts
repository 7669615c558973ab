import type { OperatorContext, Push } from '../../stream-operator.ts'
import { type ErrorHandler, makeErrorHandler } from '../../user-function-errors.ts'
import { AbstractStreamOperator } from '../abstract-stream-operator.ts'
import { makeCollector } from '../output-collector.ts'
import { makeWindowBody, type WindowBody } from './window-body.ts'
import type { WindowOperatorSpec } from './window-operator-spec.ts'
import { WindowProcessor } from './window-processor.ts'

/**
 * The window operator for any assigner, trigger and evictor: one contents entry, trigger state and
 * timers a window and key. Common shapes run on faster operators with the same results: see
 * `choose-window-operator.ts`.
 */
export class WindowOperator extends AbstractStreamOperator {
  readonly #spec: WindowOperatorSpec
  #body: WindowBody | undefined

  constructor(context: OperatorContext, spec: WindowOperatorSpec) {
    super(context)
    this.#spec = spec
  }

  open(): void | Promise<void> {
    const { context } = this
    const { metrics } = context
    const spec = this.#spec
    const backend = context.keyedState()
    const collector = makeCollector(context)
    this.collector = collector
    let processor: WindowProcessor
    const timers = this.openTimers({
      onEventTime: (namespace, timestamp) => processor.onEventTime(namespace, timestamp),
      onProcessingTime: (namespace, timestamp) => processor.onProcessingTime(namespace, timestamp),
    })
    const body = makeWindowBody(spec, { context, backend, timers, collector })
    processor = new WindowProcessor({ window: spec.window, body, context, backend, timers })
    const errors: ErrorHandler = makeErrorHandler(context)
    this.inputs = context.keySelectors.map((select, input): Push => {
      return (value, timestamp) => {
        metrics.recordsIn++
        try {
          backend.setCurrentKey(select(value))
          processor.processElement(value, timestamp, input)
        } catch (error) {
          if (collector.emitting) throw error
          errors.handle(error, value)
        }
      }
    })
    this.#body = body
    return body.open()
  }

  override close(): void | Promise<void> {
    return this.#body?.close()
  }
}
