/** What holds an object that is deleted until its state is dealt with. */
import { API_GROUP } from '../../protocol/manifest-shape.ts'
import type { JsonPatchStep } from './kube-client.ts'
import type { ObjectMeta } from './kube-object.ts'

const STATE_FINALIZER = `${API_GROUP}/state`
/** An annotation: skips all that a deletion waits for. */
const FORCE_DELETE = `${API_GROUP}/force-delete`

export type FinalizerChange = 'add' | 'remove'

export function isHeld({ finalizers = [] }: ObjectMeta, by = STATE_FINALIZER): boolean {
  return finalizers.includes(by)
}

export function isForced({ annotations = {} }: ObjectMeta): boolean {
  return annotations[FORCE_DELETE] === 'true'
}

/** Refused where somebody else has changed the object meanwhile. */
export function finalizerPatch(
  { finalizers = [], resourceVersion }: ObjectMeta,
  change: FinalizerChange,
  by = STATE_FINALIZER,
): readonly JsonPatchStep[] {
  const others = finalizers.filter(one => one !== by)
  const value = change === 'add' ? [...others, by] : others
  return [
    { op: 'test', path: '/metadata/resourceVersion', value: resourceVersion },
    { op: 'add', path: '/metadata/finalizers', value },
  ]
}
