/** Fires when records have moved far enough. */
import type { Schema } from '../../schema/type.ts'
import { type ValueStateDescriptor, valueState } from '../state-descriptor.ts'
import type { Trigger } from '../window.ts'

type DeltaState<T> = {
  /** The record that fired last, or the first one. */
  readonly reference: ValueStateDescriptor<T>
}

export interface DeltaOptions<T> {
  /** The schema of the records, which the trigger keeps one of. */
  readonly type?: Schema<T>
}

/**
 * Fires when `delta(reference, record) > threshold`; that record becomes the reference. The first
 * record only becomes the reference.
 */
export function deltaTrigger<T>(
  threshold: number,
  delta: (reference: T, value: T) => number,
  options: DeltaOptions<T> = {},
): Trigger<T, DeltaState<T>> {
  return {
    name: `delta(${threshold})`,
    canMerge: false,
    state: { reference: valueState(options.type) },
    onElement(value, _timestamp, context) {
      const reference = context.state.reference.value()
      const fires = reference !== undefined && delta(reference, value) > threshold
      if (reference === undefined || fires) context.state.reference.update(value)
      return fires ? 'fire' : 'continue'
    },
    onEventTime: () => 'continue',
    onProcessingTime: () => 'continue',
    clear: context => context.state.reference.clear(),
  }
}
