/** Fires as another trigger does, or when nothing fired for a while. */
import { type Duration, formatDuration } from '../../common/duration.ts'
import { typeOf } from '../../schema/type-of.ts'
import { z } from '../../schema/z.ts'
import type { ValueState } from '../state.ts'
import { type StateDescriptors, valueState } from '../state-descriptor.ts'
import type { Trigger, TriggerContext } from '../window.ts'
import { positiveMs } from './window-arithmetic.ts'

export interface ProcessingTimeoutOptions {
  /** Each record starts the clock anew. Default: the first one starts it. */
  readonly resetOnElement?: boolean
  /** After a timeout the inner trigger starts anew. Default true. */
  readonly clearOnTimeout?: boolean
}

/**
 * Asks `inner` at each record; a firing ends the wait. When `timeout` passes without one, the
 * window fires. As in Flink every timer of the window fires it, its cleanup timer too.
 */
export function processingTimeoutTrigger<T>(
  inner: Trigger<T>,
  timeout: Duration,
  options: ProcessingTimeoutOptions = {},
): Trigger<T> {
  const timeoutMs = positiveMs('timeout', timeout)
  const { resetOnElement = false, clearOnTimeout = true } = options
  const stateName = freeName(inner.state ?? {})

  function pendingOf(context: TriggerContext): ValueState<number> {
    return context.state[stateName] as ValueState<number>
  }

  function clear(context: TriggerContext): void {
    dropTimeout(context)
    inner.clear(context)
  }

  function dropTimeout(context: TriggerContext): void {
    const pending = pendingOf(context)
    const at = pending.value()
    if (at === undefined) return
    context.deleteProcessingTimeTimer(at)
    pending.clear()
  }

  function fireOnTimer(result: string, context: TriggerContext): 'fire' | 'fire-and-purge' {
    if (clearOnTimeout) clear(context)
    return result === 'purge' || result === 'fire-and-purge' ? 'fire-and-purge' : 'fire'
  }

  return {
    name: `processingTimeout(${inner.name}, ${formatDuration(timeoutMs)})`,
    canMerge: false,
    state: { ...inner.state, [stateName]: valueState(typeOf(z.number())) },
    onElement(value, timestamp, context) {
      const result = inner.onElement(value, timestamp, context)
      if (result === 'fire' || result === 'fire-and-purge') {
        clear(context)
        return result
      }
      if (resetOnElement) dropTimeout(context)
      const pending = pendingOf(context)
      if (pending.value() === undefined) {
        pending.update(context.processingTime + timeoutMs)
        context.registerProcessingTimeTimer(context.processingTime + timeoutMs)
      }
      return result
    },
    onEventTime: (time, context) => fireOnTimer(inner.onEventTime(time, context), context),
    onProcessingTime: (time, context) =>
      fireOnTimer(inner.onProcessingTime(time, context), context),
    clear,
  }
}

/** A name that the inner trigger does not use: it may be of this kind too. */
function freeName(taken: StateDescriptors): string {
  let name = 'timeout'
  while (name in taken) name = `outer-${name}`
  return name
}
