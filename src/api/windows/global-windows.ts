/** One window a key that never ends. */
import { MAX_TIMESTAMP, MIN_TIMESTAMP } from '../../common/timestamps.ts'
import type { Trigger, Window, WindowAssigner } from '../window.ts'

const everything: readonly Window[] = [{ start: MIN_TIMESTAMP, end: MAX_TIMESTAMP }]

/**
 * `global()`: useful with a trigger only, such as `triggers.count(100)`: by itself it never
 * fires.
 */
export function global(): WindowAssigner<unknown> {
  return {
    name: 'global()',
    timeDomain: 'event',
    merging: false,
    shape: { kind: 'global' },
    assign: () => everything,
    defaultTrigger: neverTrigger,
  }
}

/** Never fires. */
export function neverTrigger(): Trigger<unknown> {
  return {
    name: 'never()',
    canMerge: true,
    onElement: () => 'continue',
    onEventTime: () => 'continue',
    onProcessingTime: () => 'continue',
    onMerge() {},
    clear() {},
  }
}
