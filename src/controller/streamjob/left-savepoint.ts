/**
 * Savepoints that a job was stopped with, as resources: so they are seen, may be named and pinned,
 * and their files are removed with them. They belong to nobody: what a job ended with outlives it.
 * Pure.
 */
import { API_GROUP, API_VERSION } from '../../protocol/manifest-shape.ts'
import type { KubeObject, ObjectMeta } from '../kube/kube-object.ts'
import { labels, labelsOf } from './job-names.ts'
import type { StreamJobObject } from './stream-job-object.ts'

/** At most 63 characters, as long as there are less than 100,000 deployments. */
export function stopName({ name, uid = '' }: ObjectMeta, epoch: number): string {
  return `${name}-stop-${epoch}-${uid.slice(0, 6)}`
}

/** Of a job that is deleted: its files stay until a person removes them. */
export function finalSavepointOf(job: StreamJobObject, path: string): KubeObject {
  const { name } = job.metadata
  const epoch = job.status?.epoch ?? 0
  return savepointOf(job, { name: `${name}-final-${epoch}`, existing: { path, job: name } })
}

/** Of an epoch that another one follows: `job-savepoints.ts` says for how long it is kept. */
export function stopSavepointOf(job: StreamJobObject, path: string): KubeObject {
  const epoch = job.status?.epoch ?? 0
  return savepointOf(job, {
    name: stopName(job.metadata, epoch),
    existing: { path, job: job.metadata.name, owned: true },
    more: { [labels.stop]: String(epoch) },
  })
}

interface Left {
  readonly name: string
  readonly existing: { readonly path: string; readonly job: string; readonly owned?: boolean }
  readonly more?: Readonly<Record<string, string>>
}

function savepointOf({ metadata }: StreamJobObject, { name, existing, more }: Left): KubeObject {
  const savepoint = {
    apiVersion: `${API_GROUP}/${API_VERSION}`,
    kind: 'Savepoint',
    metadata: {
      name,
      namespace: metadata.namespace ?? '',
      labels: { ...labelsOf(metadata.name), ...more },
    },
    // The next deployment reads all of it when it begins.
    spec: { existing, verify: 'none' },
  }
  return savepoint
}
