/** What can be seen to be wrong with a window before anything runs. */
import { apiErrors } from '../api-errors.ts'
import { callLocation } from '../call-location.ts'
import type { WindowSpec } from '../transformation.ts'

/** The part of a process window function that is checked. */
interface WindowStates {
  readonly windowState?: object
}

/** Throws WEIR_WINDOW_INVALID. */
export function checkWindow(window: WindowSpec, fn?: WindowStates): void {
  const { assigner } = window
  const trigger = window.trigger ?? assigner.defaultTrigger()
  if (assigner.merging && !(trigger.canMerge && trigger.onMerge !== undefined)) {
    refuse(
      `trigger ${trigger.name} cannot be used with ${assigner.name}: its windows merge`,
      'use a trigger that can merge: eventTime, processingTime, count, or a continuous one',
    )
  }
  if (assigner.merging && Object.keys(fn?.windowState ?? {}).length > 0) {
    refuse(
      `windowState cannot be kept in ${assigner.name}: its windows merge, their states cannot`,
      'keep it per key under globalState, or aggregate it from the records',
    )
  }
  if (window.allowedLatenessMs > 0 && assigner.timeDomain === 'processing') {
    refuse(
      `allowedLateness has no meaning for ${assigner.name}: processing time has no late records`,
      'leave it out, or use event-time windows',
    )
  }
}

function refuse(what: string, next: string): never {
  throw apiErrors.WEIR_WINDOW_INVALID({ location: callLocation(), what, next })
}
