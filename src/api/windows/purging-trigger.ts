/** Empties the window whenever another trigger fires. */
import type { StateDescriptors } from '../state-descriptor.ts'
import type { Trigger, TriggerResult } from '../window.ts'

/** Fires as `inner` does; the window then starts empty. */
export function purgingTrigger<T, S extends StateDescriptors>(inner: Trigger<T, S>): Trigger<T, S> {
  return {
    name: `purging(${inner.name})`,
    canMerge: inner.canMerge,
    ...(inner.state === undefined ? {} : { state: inner.state }),
    onElement: (value, timestamp, context) => purged(inner.onElement(value, timestamp, context)),
    onEventTime: (time, context) => purged(inner.onEventTime(time, context)),
    onProcessingTime: (time, context) => purged(inner.onProcessingTime(time, context)),
    onMerge: context => inner.onMerge?.(context),
    clear: context => inner.clear(context),
  }
}

function purged(result: TriggerResult): TriggerResult {
  return result === 'fire' ? 'fire-and-purge' : result
}
