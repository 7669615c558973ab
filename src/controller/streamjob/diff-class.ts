/**
 * What a changed field of a spec asks for. A new field of the manifest does not compile until it
 * has its class here.
 */
import { createHash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { StreamJobSpec } from '../../protocol/stream-job.ts'

/**
 * `ignore`: read when it is needed. `scale`: other slots, the same job. `upgrade`: other pods.
 * `restore`: begins from a named snapshot.
 */
export type DiffClass = 'ignore' | 'scale' | 'upgrade' | 'restore'

const classes: Readonly<Record<keyof StreamJobSpec, DiffClass>> = {
  job: 'upgrade',
  image: 'upgrade',
  imagePullPolicy: 'upgrade',
  imagePullSecrets: 'upgrade',
  parallelism: 'scale',
  maxParallelism: 'upgrade',
  state: 'ignore',
  stop: 'ignore',
  upgrade: 'ignore',
  rollback: 'ignore',
  // Read at the first start, and when its nonce rises.
  restore: 'ignore',
  restoreNonce: 'restore',
  restartNonce: 'upgrade',
  savepointNonce: 'ignore',
  // The engine takes new intervals and restart delays at its start only.
  checkpoint: 'upgrade',
  restart: 'upgrade',
  network: 'upgrade',
  savepoints: 'ignore',
  skew: 'upgrade',
  stateBackend: 'upgrade',
  resources: 'upgrade',
  podTemplate: 'upgrade',
  secrets: 'upgrade',
  autoscaler: 'ignore',
  deletionPolicy: 'ignore',
  priority: 'ignore',
  preemptible: 'ignore',
  serviceAccountName: 'upgrade',
}

const fields = Object.keys(classes) as (keyof StreamJobSpec)[]

export interface SpecDiff {
  /** The gravest class of all that differs. */
  readonly kind: DiffClass
  readonly fields: readonly (keyof StreamJobSpec)[]
  /** Code, graph or state may differ: to be looked at before anything stops. */
  readonly needsPlan: boolean
}

const harmless: ReadonlySet<keyof StreamJobSpec> = new Set(['parallelism', 'restartNonce'])

export function diffOf(from: StreamJobSpec, to: StreamJobSpec): SpecDiff {
  const differing = fields.filter(
    field => classes[field] !== 'ignore' && !isDeepStrictEqual(from[field], to[field]),
  )
  const found = new Set(differing.map(field => classes[field]))
  const kind = (['restore', 'upgrade', 'scale'] as const).find(one => found.has(one)) ?? 'ignore'
  return { kind, fields: differing, needsPlan: differing.some(field => !harmless.has(field)) }
}

/**
 * Of all that a deployment is made of; also of what is read at its start: what may be dropped, and
 * what it may begin from.
 */
export function digestOf(spec: StreamJobSpec): string {
  const entries = fields
    .toSorted()
    .filter(field => classes[field] !== 'ignore')
    .map(field => [field, spec[field]])
  const restore = spec.restore === undefined ? [] : [['restore', spec.restore]]
  const text = JSON.stringify([...entries, ['dropState', spec.upgrade.dropState], ...restore])
  return `sha256:${createHash('sha256').update(text).digest('hex')}`
}
