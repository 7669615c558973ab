import type { StreamJobStatus } from '../../protocol/stream-job-status.ts'
import type { KubeObject } from '../kube/kube-object.ts'

/** A StreamJob as the API server has it: its spec is checked again before anyone acts on it. */
export interface StreamJobObject extends KubeObject {
  readonly spec: unknown
  readonly status?: StreamJobStatus
}
