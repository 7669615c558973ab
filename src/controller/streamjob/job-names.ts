/** Names and labels of what belongs to a job. The name of a thing keeps a second one away. */
import { API_GROUP } from '../../protocol/manifest-shape.ts'
import type { ObjectMeta } from '../kube/kube-object.ts'

export const CONTROL_PORT = 6_123

export const MANAGER = 'weir-streamjob'

export const labels = {
  job: `${API_GROUP}/job`,
  epoch: `${API_GROUP}/epoch`,
  role: `${API_GROUP}/role`,
  slot: `${API_GROUP}/slot`,
  attempt: `${API_GROUP}/attempt`,
  /** Of a pod that plans one. */
  revision: `${API_GROUP}/revision`,
  /** Of a Savepoint that a job asked for: ms since the epoch, 0 for one by nonce. */
  due: `${API_GROUP}/due`,
  /** Of a Savepoint that an epoch was stopped with: its number. */
  stop: `${API_GROUP}/stop`,
  managedBy: 'app.kubernetes.io/managed-by',
} as const

export const PAUSE = `${API_GROUP}/pause`

/** All that the controller makes carries it, and its watches ask for it. */
export const MANAGED = `${labels.managedBy}=weir`

export type PodRole = 'jobmanager' | 'taskmanager'

export interface PodIdentity {
  readonly epoch: number
  readonly role: PodRole
  /** 0 for a jobmanager. */
  readonly slot: number
  readonly attempt: number
}

export function podName(job: string, { epoch, role, slot, attempt }: PodIdentity): string {
  const part = role === 'jobmanager' ? `jm-${epoch}` : `tm-${epoch}-${slot}`
  return `${job}-${part}-${attempt}`
}

/**
 * The key that the processes of an epoch share. A job that was deleted and made again finds none of
 * those of its namesake, which may still be on their way out.
 */
export function epochName({ name, uid = '' }: ObjectMeta, epoch: number): string {
  return `${name}-${epoch}-${uid.slice(0, 8)}`
}

export function labelsOf(job: string): Record<string, string> {
  return {
    [labels.job]: job,
    [labels.managedBy]: 'weir',
    'app.kubernetes.io/name': 'weir',
    'app.kubernetes.io/instance': job,
  }
}
