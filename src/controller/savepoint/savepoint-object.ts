import type { z } from 'zod'
import type { savepointStatusSchema } from '../../protocol/savepoint.ts'
import type { KubeObject } from '../kube/kube-object.ts'

export type SavepointStatus = z.output<typeof savepointStatusSchema>

/** A Savepoint as the API server has it: its spec is read again before anyone acts on it. */
export interface SavepointObject extends KubeObject {
  readonly spec: unknown
  readonly status?: SavepointStatus
}
