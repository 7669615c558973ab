/** The trigger that time windows have unless told otherwise. */
import type { TimeDomain, Trigger } from '../window.ts'
import { eventTimeTrigger } from './event-time-trigger.ts'
import { processingTimeTrigger } from './processing-time-trigger.ts'

export function defaultTimeTrigger(timeDomain: TimeDomain): Trigger<unknown> {
  return timeDomain === 'event' ? eventTimeTrigger() : processingTimeTrigger()
}
