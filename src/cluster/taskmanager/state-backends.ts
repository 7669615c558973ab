import type { StateBackends } from '../../runtime/operator-context.ts'
import { makeHeapBackend } from '../../state/heap/heap-keyed-state-backend.ts'
import { makeOperatorStateBackend } from '../../state/heap/heap-operator-state.ts'
import { clusterErrors } from '../cluster-errors.ts'
import type { StateBackendSettings } from '../job-settings.ts'

/** The backend that the settings name. Throws WEIR_STATE_BACKEND_UNKNOWN. */
export function stateBackendsOf(settings: StateBackendSettings): StateBackends {
  if (settings.type !== 'heap') {
    throw clusterErrors.WEIR_STATE_BACKEND_UNKNOWN({ type: settings.type })
  }
  return { makeKeyed: makeHeapBackend, makeOperatorState: makeOperatorStateBackend }
}
