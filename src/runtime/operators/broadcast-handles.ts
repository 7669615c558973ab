import type { MapState } from '../../api/state.ts'
import { defineErrors } from '../../common/errors.ts'

/** Broadcast maps by the names they were declared under. */
export interface BroadcastHandles {
  readonly [name: string]: MapState<unknown, unknown>
}

export const broadcastErrors = defineErrors({
  WEIR_BROADCAST_READ_ONLY: {
    domain: 'user',
    retry: 'never',
    message: (e: { state: string }) =>
      `broadcast state ${e.state} was written on the side that may only read it`,
    next: 'write it in processBroadcastElement: only there do all subtasks see the same records',
  },
})

/** The same maps for the side that only reads: a write there would differ between subtasks. */
export function readOnlyHandles(handles: BroadcastHandles): BroadcastHandles {
  const views: Record<string, MapState<unknown, unknown>> = {}
  for (const [name, handle] of Object.entries(handles)) views[name] = readOnly(name, handle)
  return views
}

function readOnly(name: string, handle: MapState<unknown, unknown>): MapState<unknown, unknown> {
  const refuse = (): never => {
    throw broadcastErrors.WEIR_BROADCAST_READ_ONLY({ state: name })
  }
  return {
    get: key => handle.get(key),
    has: key => handle.has(key),
    entries: () => handle.entries(),
    keys: () => handle.keys(),
    values: () => handle.values(),
    isEmpty: () => handle.isEmpty(),
    put: refuse,
    remove: refuse,
    clear: refuse,
  }
}
