/** Fires when enough records came. */
import { typeOf } from '../../schema/type-of.ts'
import { z } from '../../schema/z.ts'
import { type ReducingStateDescriptor, reducingState } from '../state-descriptor.ts'
import type { Trigger } from '../window.ts'
import { positiveCount } from './window-arithmetic.ts'

/** Fires at every `count` records of the window and starts counting anew. */
export function countTrigger(
  count: number,
): Trigger<unknown, { readonly count: ReducingStateDescriptor<number> }> {
  positiveCount('count', count)
  return {
    name: `count(${count})`,
    canMerge: true,
    state: { count: reducingState((a, b) => a + b, typeOf(z.int())) },
    onElement(_value, _timestamp, context) {
      const counted = context.state.count
      counted.add(1)
      if ((counted.get() ?? 0) < count) return 'continue'
      counted.clear()
      return 'fire'
    },
    onEventTime: () => 'continue',
    onProcessingTime: () => 'continue',
    onMerge: context => context.mergeState('count'),
    clear: context => context.state.count.clear(),
  }
}
