import { expect, test } from '@jest/globals'
import type { ClusterJob, ClusterPod } from '../../../src/cli/kubectl/cluster-job.ts'
import {
  type ClusterEvent,
  type JobEvidence,
  verdictsOf,
} from '../../../src/cli/kubectl/job-verdicts.ts'
import type { ContainerStatus } from '../../../src/protocol/pod-status.ts'
import type { Condition } from '../../../src/protocol/status-fields.ts'

const nowMs = Date.parse('2026-01-01T01:00:00Z')
const made = '2026-01-01T00:00:00Z'

function jobWith(metadata: object, status?: object): ClusterJob {
  return {
    metadata: { name: 'bank', namespace: 'a', generation: 2, creationTimestamp: made, ...metadata },
    spec: {},
    status: { phase: 'Running', observedGeneration: 2, epoch: 1, ...status },
  } as ClusterJob
}

function condition(type: string, status: 'True' | 'False', reason: string): Condition {
  const message = `words of ${reason}`
  return { type, status, reason, message, lastTransitionTime: made, observedGeneration: 2 }
}

function podWith(status: object, attempt = 1): ClusterPod {
  const labels = { 'weir.dev/attempt': String(attempt) }
  return { metadata: { name: `bank-tm-1-0-${attempt}`, labels }, status }
}

function waiting(reason: string, name = 'taskmanager'): ContainerStatus {
  return { name, state: { waiting: { reason, message: 'the words' } } }
}

function ended(name: string, exitCode: number, reason = 'Error'): ContainerStatus {
  return { name, state: { terminated: { exitCode, reason, message: 'the last words' } } }
}

const warning: ClusterEvent = {
  type: 'Warning',
  reason: 'SavepointFailed',
  note: 'the bucket is full',
  regarding: { kind: 'StreamJob', name: 'bank' },
}

interface Case {
  readonly job?: ClusterJob
  readonly pods?: readonly ClusterPod[]
  readonly events?: readonly ClusterEvent[]
  /** Parts of cause, evidence and remedy. */
  readonly says?: readonly [string, string, string]
}

const cases: Record<string, Case> = {
  'says nothing of a job that runs': {},
  'says nothing yet of a spec that was written just now': {
    job: jobWith({ generation: 3, creationTimestamp: '2026-01-01T00:59:50Z' }),
  },
  'notices that nobody looks at the job': {
    job: jobWith({}, { observedGeneration: undefined }),
    says: ['no controller looks', 'none of it was seen', 'watchNamespace'],
  },
  'notices that nobody looks at a change': {
    job: jobWith({ generation: 7 }),
    says: ['no controller looks', 'generation 2 of it was seen', 'controller runs'],
  },
  'knows of the pause': {
    job: jobWith({ annotations: { 'weir.dev/pause': 'true' } }),
    says: ['paused', 'annotation', 'kubectl annotate streamjob bank weir.dev/pause-'],
  },
  'notices a job that does not go': {
    job: jobWith({ deletionTimestamp: made, finalizers: ['weir.dev/state'] }),
    says: ['does not go', 'weir.dev/state', 'force-delete'],
  },
  'hands on what stalls, with what to do': {
    job: jobWith({}, { conditions: [condition('Stalled', 'True', 'StorageNotShared')] }),
    says: ['Stalled: StorageNotShared', 'words of StorageNotShared', 'a bucket'],
  },
  'hands on a reason that it does not know': {
    job: jobWith({}, { conditions: [condition('CheckpointHealthy', 'False', 'New')] }),
    says: ['CheckpointHealthy: New', 'words of New', 'as the words say'],
  },
  'notices a job that is not ready for long': {
    job: jobWith({}, { conditions: [condition('Ready', 'False', 'CheckpointOverdue')] }),
    says: ['Ready: CheckpointOverdue', 'words of', 'kubectl weir status bank'],
  },
  'gives a job its time to get ready': {
    job: jobWith(
      {},
      {
        phase: 'Deploying',
        conditions: [
          {
            ...condition('Ready', 'False', 'PodsMissing'),
            lastTransitionTime: '2026-01-01T00:59:30Z',
          },
        ],
      },
    ),
  },
  'lets a suspended job rest': {
    job: jobWith(
      {},
      { phase: 'Suspended', conditions: [condition('Ready', 'False', 'Suspended')] },
    ),
  },
  'says once why a job is stalled and unready': {
    job: jobWith(
      {},
      {
        phase: 'Queued',
        conditions: [
          condition('Ready', 'False', 'SpecInvalid'),
          condition('Stalled', 'True', 'SpecInvalid'),
        ],
      },
    ),
    says: ['Stalled: SpecInvalid', 'words of', 'apply the manifest again'],
  },
  'leaves a healthy condition alone': {
    job: jobWith({}, { conditions: [condition('CheckpointHealthy', 'True', 'Completed')] }),
  },
  'knows why a pod is on no node': {
    pods: [
      podWith({
        conditions: [
          { type: 'PodScheduled', status: 'False', message: '0/3 nodes: Insufficient memory' },
        ],
      }),
    ],
    says: ['no node has room', 'Insufficient memory', 'spec.resources'],
  },
  'knows why there is no image': {
    pods: [podWith({ containerStatuses: [waiting('ImagePullBackOff')] })],
    says: ['an image cannot be had', 'ImagePullBackOff: the words', 'spec.image'],
  },
  'knows of a Secret that is missing': {
    pods: [podWith({ containerStatuses: [waiting('CreateContainerConfigError')] })],
    says: ['a container cannot be made', 'the words', 'Secret'],
  },
  'knows which memory was too small': {
    pods: [podWith({ containerStatuses: [ended('taskmanager', 137, 'OOMKilled')] })],
    says: ['too little memory', 'OOMKilled', 'spec.resources.taskManager.memory'],
  },
  'knows of an eviction': {
    pods: [podWith({ reason: 'Evicted', message: 'low on ephemeral-storage' })],
    says: ['a node sent a pod away', 'ephemeral-storage', 'stateVolume'],
  },
  'leaves the first deaths to the controller': {
    pods: [podWith({ containerStatuses: [ended('taskmanager', 1)] }, 2)],
  },
  'notices a process that keeps dying': {
    pods: [podWith({ containerStatuses: [ended('taskmanager', 1)] }, 3)],
    says: ['taskmanager keeps dying', 'exit code 1: the last words', 'kubectl weir logs'],
  },
  'notices a job that does not compile, at once': {
    pods: [podWith({ initContainerStatuses: [ended('describe', 2)] })],
    says: ['does not compile', 'the last words', 'apply the manifest again'],
  },
  'says once what several slots say': {
    pods: [1, 2, 3].map(slot => podWith({ containerStatuses: [waiting('ErrImagePull')] }, slot)),
    says: ['an image cannot be had', 'bank-tm-1-0-1', 'spec.image'],
  },
  'hands on a warning while the job is not up': {
    job: jobWith({}, { phase: 'Deploying' }),
    events: [warning, { ...warning, regarding: { kind: 'Pod', name: 'bank' } }],
    says: ['event SavepointFailed', 'the bucket is full', 'as the words say'],
  },
  'says once what was rolled back': {
    job: jobWith(
      {},
      {
        conditions: [
          condition('RolledBack', 'True', 'UpgradeFailed'),
          condition('Stalled', 'True', 'RolledBack'),
        ],
      },
    ),
    says: ['Stalled: RolledBack', 'words of RolledBack', 'the stable revision runs'],
  },
  'forgets a warning when the job runs': { events: [warning] },
}

test.each(Object.entries(cases))('%s', (_sentence, given) => {
  const { job = jobWith({}), pods = [], events = [], says } = given
  const seen: JobEvidence = { job, pods, events, nowMs }
  const found = verdictsOf(seen)
  expect(found).toHaveLength(says === undefined ? 0 : 1)
  const [cause = '', evidence = '', remedy = ''] = says ?? []
  if (says === undefined) return
  expect(found[0]?.cause).toContain(cause)
  expect(found[0]?.evidence).toContain(evidence)
  expect(found[0]?.remedy).toContain(remedy)
})
