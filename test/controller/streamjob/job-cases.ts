/** Jobs as they are observed, said in short. */
import type { HeardJob } from '../../../src/controller/link/facts-poller.ts'
import type { SavepointObject } from '../../../src/controller/savepoint/savepoint-object.ts'
import { labels, type PodIdentity, podName } from '../../../src/controller/streamjob/job-names.ts'
import { revisionOf } from '../../../src/controller/streamjob/job-revisions.ts'
import { observeJob } from '../../../src/controller/streamjob/observe-job.ts'
import type { ObservedJob } from '../../../src/controller/streamjob/observed-job.ts'
import { type PodObject, podFacts } from '../../../src/controller/streamjob/pod-facts.ts'
import type { StreamJobObject } from '../../../src/controller/streamjob/stream-job-object.ts'
import type { Admission } from '../../../src/controller/tenancy/admission.ts'
import type { JobFacts } from '../../../src/protocol/job-facts.ts'
import type { StreamJobStatus } from '../../../src/protocol/stream-job-status.ts'

export const NOW_MS = 1_000_000

export interface Case {
  readonly spec?: Record<string, unknown>
  readonly status?: StreamJobStatus
  readonly metadata?: Partial<StreamJobObject['metadata']>
  /** As deployed, with this spec; `undefined`: not yet. */
  readonly deployed?: Record<string, unknown> | undefined
  /** Why what is asked for was refused before. */
  readonly refused?: string
  /** Somebody has removed the revision of the deployment. */
  readonly isLost?: boolean
  /** `jm-1-1 running`, `tm-1-0-2 failed 137`, `tm-1-0-1 pending`. */
  readonly pods?: readonly string[]
  /** What the jobmanager says; absent: it runs well. `undefined`: it was not asked yet. */
  readonly heard?: HeardJob | undefined
  readonly admission?: Admission
  /** Status of the Savepoint that is named; absent: there is none. */
  readonly source?: SavepointObject['status']
}

const free: Admission = { kind: 'free' }

export const well: JobFacts = {
  status: 'running',
  parallelism: 1,
  restarts: 0,
  lastFailure: null,
  latest: {
    id: 7,
    kind: 'checkpoint',
    path: 's3://b/c/7',
    completedAtMs: NOW_MS - 1_000,
    sizeBytes: 10,
  },
  checkpoints: { completed: 7, failuresInRow: 0, lastFailure: null, ageMs: 1_000 },
  stop: null,
}
export const unheard: HeardJob = { facts: undefined, silence: undefined }
export const hearing = (more: Partial<JobFacts>): HeardJob => ({
  facts: { ...well, ...more },
  silence: undefined,
})

export const right = { job: { module: 'a.ts' }, checkpoint: { storage: 's3://b/c' } }

export function observed(one: Case): ObservedJob {
  const { spec = right, status = {}, metadata, deployed, refused, pods = [] } = one
  const made: StreamJobObject = {
    apiVersion: 'weir.dev/v1alpha1',
    kind: 'StreamJob',
    metadata: { namespace: 'a', name: 'j', uid: 'u', generation: 1, ...metadata },
    spec,
  }
  const parts = {
    pods: pods.flatMap(text => podFacts(podOf(text)) ?? []),
    plans: [],
    heard: 'heard' in one ? (one.heard ?? unheard) : hearing({}),
    warm: undefined,
    admission: one.admission ?? free,
    surge: free,
    source: one.source && savepointOf(one.source),
    isStopKept: false,
    engineImage: 'weir:1',
    nowMs: NOW_MS,
  }
  const at = (object: StreamJobObject) => observeJob({ ...parts, object, revisions: [] })
  if (deployed === undefined) return at({ ...made, status })
  const { wanted } = at({ ...made, spec: deployed })
  if (wanted === undefined) throw new Error('the deployed spec is wrong')
  const { name } = wanted
  const refusal = refused && {
    refused: {
      revision: at(made).wanted?.name ?? '',
      reason: refused,
      message: 'it fell over',
      generation: 1,
    },
  }
  const revision = { current: name, target: name, stable: name }
  const object = { ...made, status: { revision, ...refusal, ...status } }
  const revisions = one.isLost === true ? [] : [revisionOf(object, wanted, 1)]
  return observeJob({ ...parts, object, revisions })
}

function savepointOf(status: NonNullable<Case['source']>): SavepointObject {
  const about = { apiVersion: 'weir.dev/v1alpha1', kind: 'Savepoint' }
  return { ...about, metadata: { namespace: 'a', name: 'before' }, spec: { job: 'k' }, status }
}

export function podOf(text: string): PodObject {
  const [place = '', state = '', code, finished] = text.split(' ')
  const numbers = place.split('-').slice(1).map(Number)
  const isJobManager = place.startsWith('jm')
  const [epoch = 0, slot = 0] = numbers
  const identity: PodIdentity = {
    role: isJobManager ? 'jobmanager' : 'taskmanager',
    epoch,
    slot: isJobManager ? 0 : slot,
    attempt: numbers.at(-1) ?? 0,
  }
  const { role } = identity
  const phase = { running: 'Running', failed: 'Failed', succeeded: 'Succeeded' }[state] ?? 'Pending'
  const finishedAt = new Date(Number(finished ?? 0)).toISOString()
  const terminated = { exitCode: Number(code ?? 0), reason: 'Error', finishedAt }
  const waiting = { reason: 'ImagePullBackOff', message: 'no such image' }
  const unscheduled = {
    type: 'PodScheduled',
    status: 'False',
    reason: 'Unschedulable',
    message: 'no room',
  }
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: podName('j', identity),
      uid: place,
      ...(state === 'leaving' && { deletionTimestamp: 'now' }),
      labels: {
        [labels.role]: role,
        [labels.epoch]: String(epoch),
        [labels.slot]: String(identity.slot),
        [labels.attempt]: String(identity.attempt),
      },
    },
    status: {
      phase,
      conditions: [
        { type: 'Ready', status: state === 'running' ? 'True' : 'False' },
        ...(state === 'unscheduled' ? [unscheduled] : []),
      ],
      containerStatuses: [
        ...(state === 'imageless' ? [{ name: role, state: { waiting } }] : []),
        ...(code === undefined ? [] : [{ name: role, state: { terminated } }]),
      ],
    },
  }
}

export const runs = { phase: 'Running', epoch: 1, observedGeneration: 1 } as const
export const begins = { phase: 'Deploying', epoch: 1, observedGeneration: 1 } as const
