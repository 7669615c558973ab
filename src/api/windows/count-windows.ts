/** Windows of a number of records: global windows with the right trigger and evictor. */
import type { Evictor, Trigger, WindowAssigner } from '../window.ts'
import { countEvictor } from './count-evictor.ts'
import { countTrigger } from './count-trigger.ts'
import { global } from './global-windows.ts'
import { purgingTrigger } from './purging-trigger.ts'
import { positiveCount } from './window-arithmetic.ts'

export interface CountWindows<T> {
  readonly assigner: WindowAssigner<T>
  readonly trigger: Trigger<T>
  readonly evictor: Evictor<T> | undefined
}

/** `size` records each, a new window every `slide` records. The last window may stay open. */
export function countWindows<T>(size: number, slide: number): CountWindows<T> {
  positiveCount('size', size)
  const trigger = countTrigger(slide)
  return size === slide
    ? { assigner: global(), trigger: purgingTrigger(trigger), evictor: undefined }
    : { assigner: global(), trigger, evictor: countEvictor(size) }
}
