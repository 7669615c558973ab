/** What is decided for a job, as a table of what was observed. */
import { describe, expect, test } from '@jest/globals'
import type { HeardJob } from '../../../src/controller/link/facts-poller.ts'
import { labels, type PodIdentity, podName } from '../../../src/controller/streamjob/job-names.ts'
import { deploymentOf } from '../../../src/controller/streamjob/job-objects.ts'
import { decideJob, type ObservedJob } from '../../../src/controller/streamjob/job-policies.ts'
import { jobTarget } from '../../../src/controller/streamjob/job-target.ts'
import { nextStatus } from '../../../src/controller/streamjob/next-status.ts'
import { observeJob } from '../../../src/controller/streamjob/observe-job.ts'
import { type PodObject, podFacts } from '../../../src/controller/streamjob/pod-facts.ts'
import type { StreamJobObject } from '../../../src/controller/streamjob/stream-job-object.ts'
import type { Admission } from '../../../src/controller/tenancy/admission.ts'
import { type JobFacts, jobFactsSchema } from '../../../src/protocol/job-facts.ts'
import type { StreamJobStatus } from '../../../src/protocol/stream-job-status.ts'

const NOW_MS = 1_000_000

interface Case {
  readonly spec?: Record<string, unknown>
  readonly status?: StreamJobStatus
  readonly metadata?: Partial<StreamJobObject['metadata']>
  /** As deployed, with this spec; `undefined`: not yet. */
  readonly deployed?: Record<string, unknown> | undefined
  /** `jm-1-1 running`, `tm-1-0-2 failed 137`, `tm-1-0-1 pending`. */
  readonly pods?: readonly string[]
  /** What the jobmanager says; absent: it runs well. `undefined`: it was not asked yet. */
  readonly heard?: HeardJob | undefined
  readonly admission?: Admission
}

const free: Admission = { kind: 'free' }

const well: JobFacts = {
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
const unheard: HeardJob = { facts: undefined, silence: undefined }
const hearing = (more: Partial<JobFacts>): HeardJob => ({
  facts: { ...well, ...more },
  silence: undefined,
})

const right = { job: { module: 'a.ts' }, checkpoint: { storage: 's3://b/c' } }

function observed(given: Case): ObservedJob {
  const { spec = right, status = {}, metadata, deployed, pods = [], admission = free } = given
  const heard = 'heard' in given ? (given.heard ?? unheard) : hearing({})
  const object: StreamJobObject = {
    apiVersion: 'weir.dev/v1alpha1',
    kind: 'StreamJob',
    metadata: { namespace: 'a', name: 'j', uid: 'u', generation: 1, ...metadata },
    spec,
    status,
  }
  const base = {
    nowMs: NOW_MS,
    pods: pods.flatMap(text => podFacts(podOf(text)) ?? []),
    deployment: undefined,
    heard,
    admission,
  }
  if (deployed === undefined) return observeJob({ ...base, object })
  const of = observeJob({ ...base, object: { ...object, spec: deployed } })
  if (!('manifest' in of.checked)) throw new Error('the deployed spec is wrong')
  const { manifest } = of.checked
  const made = { manifest, image: 'weir:1', specDigest: of.specDigest }
  return observeJob({ ...base, object, deployment: deploymentOf(object, 1, made) })
}

function podOf(text: string): PodObject {
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
      containerStatuses: code === undefined ? [] : [{ name: role, state: { terminated } }],
    },
  }
}

/** In short: the phase, the epoch, what starts and stops, and what holds. */
function decision(one: Case) {
  const { phase, epoch, start, stop, findings, againMs } = decideJob(observed(one))
  const text = (identity: PodIdentity) => podName('j', identity).slice(2)
  return {
    phase,
    epoch,
    start: start.map(text),
    stop: stop.map(text),
    why: findings.filter(({ type }) => type === 'Stalled').map(({ reason }) => reason),
    againMs,
  }
}

const runs = { phase: 'Running', epoch: 1, observedGeneration: 1 } as const
const begins = { phase: 'Deploying', epoch: 1, observedGeneration: 1 } as const
const nothing = { start: [], stop: [], why: [], againMs: undefined }

const table: Record<string, { given: Case; decides: ReturnType<typeof decision> }> = {
  'J1: a new job gets its epoch first': {
    given: {},
    decides: { ...nothing, phase: 'Deploying', epoch: 1 },
  },
  'with its epoch stored, its objects come before its pods': {
    given: { status: begins },
    decides: { ...nothing, phase: 'Deploying', epoch: 1 },
  },
  'then all its pods': {
    given: {
      spec: { ...right, parallelism: 2 },
      status: begins,
      deployed: { ...right, parallelism: 2 },
    },
    decides: {
      ...nothing,
      phase: 'Deploying',
      epoch: 1,
      start: ['jm-1-1', 'tm-1-0-1', 'tm-1-1-1'],
    },
  },
  'a job whose pods all run': {
    given: { status: begins, deployed: right, pods: ['jm-1-1 running', 'tm-1-0-1 running'] },
    decides: { ...nothing, phase: 'Running', epoch: 1 },
  },
  'a lost pod is replaced at once': {
    given: { status: runs, deployed: right, pods: ['jm-1-1 running'] },
    decides: { ...nothing, phase: 'Running', epoch: 1, start: ['tm-1-0-1'] },
  },
  'so is one that was killed': {
    given: { status: runs, deployed: right, pods: ['jm-1-1 running', 'tm-1-0-1 failed 137'] },
    decides: { ...nothing, phase: 'Running', epoch: 1, start: ['tm-1-0-2'] },
  },
  'and one that leaves is not waited for': {
    given: { status: runs, deployed: right, pods: ['jm-1-3 leaving', 'tm-1-0-1 running'] },
    decides: { ...nothing, phase: 'Running', epoch: 1, start: ['jm-1-4'] },
  },
  'a process that keeps dying waits': {
    given: {
      status: runs,
      deployed: right,
      pods: ['jm-1-1 running', `tm-1-0-4 failed 1 ${NOW_MS - 1_000}`],
    },
    decides: { ...nothing, phase: 'Running', epoch: 1, againMs: 1_250 },
  },
  'but not for ever': {
    given: { status: runs, deployed: right, pods: ['jm-1-1 running', 'tm-1-0-40 failed 1 939000'] },
    decides: { ...nothing, phase: 'Running', epoch: 1, start: ['tm-1-0-41'] },
  },
  'the dead go once they are replaced': {
    given: {
      status: runs,
      deployed: right,
      pods: ['jm-1-1 running', 'tm-1-0-1 failed 1', 'tm-1-0-2 pending'],
    },
    decides: { ...nothing, phase: 'Running', epoch: 1, stop: ['tm-1-0-1'] },
  },
  'pods of another epoch go': {
    given: {
      status: { ...runs, epoch: 2 },
      deployed: right,
      pods: ['jm-1-1 running', 'jm-2-1 running', 'tm-2-0-1 running'],
    },
    decides: { ...nothing, phase: 'Running', epoch: 2, stop: ['jm-1-1'] },
  },
  'a jobmanager that ends well has finished the job': {
    given: { status: runs, deployed: right, pods: ['jm-1-1 succeeded 0', 'tm-1-0-1 running'] },
    decides: { ...nothing, phase: 'Finished', epoch: 1 },
  },
  'one that was told to leave has not': {
    given: { status: runs, deployed: right, pods: ['jm-1-1 leaving 0', 'tm-1-0-1 running'] },
    decides: { ...nothing, phase: 'Running', epoch: 1, start: ['jm-1-2'] },
  },
  'one that refuses has failed it': {
    given: { status: runs, deployed: right, pods: ['jm-1-1 failed 2'] },
    decides: { ...nothing, phase: 'Failed', epoch: 1, why: ['JobRefused'] },
  },
  'J2: a finished job stays so, without its slots': {
    given: {
      status: { ...runs, phase: 'Finished' },
      deployed: right,
      pods: ['jm-1-1 succeeded 0', 'tm-1-0-1 running'],
    },
    decides: { ...nothing, phase: 'Finished', epoch: 1, stop: ['tm-1-0-1'] },
  },
  'J2: until its spec changes': {
    given: { status: { ...runs, phase: 'Finished' }, metadata: { generation: 2 }, deployed: right },
    decides: { ...nothing, phase: 'Deploying', epoch: 2 },
  },
  'a suspended job takes its pods down': {
    given: {
      spec: { ...right, state: 'suspended' },
      status: runs,
      deployed: right,
      pods: ['jm-1-1 running', 'tm-1-0-1 leaving'],
    },
    decides: { ...nothing, phase: 'Suspending', epoch: 1, stop: ['jm-1-1'] },
  },
  'and is suspended when they are gone': {
    given: { spec: { ...right, state: 'suspended' }, status: { ...runs, phase: 'Suspending' } },
    decides: { ...nothing, phase: 'Suspended', epoch: 1 },
  },
  'it goes on as another epoch': {
    given: { status: { ...runs, phase: 'Suspended' }, deployed: right },
    decides: { ...nothing, phase: 'Deploying', epoch: 2 },
  },
  'a changed spec changes nothing that runs': {
    given: {
      spec: { ...right, parallelism: 5 },
      status: runs,
      deployed: right,
      pods: ['jm-1-1 running', 'tm-1-0-1 running'],
    },
    decides: { ...nothing, phase: 'Running', epoch: 1, why: ['SpecNotRolledOut'] },
  },
  'fields of a newer version are none of its business': {
    given: {
      spec: { ...right, colour: 'red', checkpoint: { storage: 's3://b/c', shade: { deep: true } } },
      status: runs,
      deployed: right,
      pods: ['jm-1-1 running', 'tm-1-0-1 running'],
    },
    decides: { ...nothing, phase: 'Running', epoch: 1 },
  },
  'a wrong spec neither, and lost pods are replaced': {
    given: { spec: { job: {} }, status: runs, deployed: right, pods: ['jm-1-1 running'] },
    decides: { ...nothing, phase: 'Running', epoch: 1, start: ['tm-1-0-1'], why: ['SpecInvalid'] },
  },
  'a wrong spec is not deployed': {
    given: { spec: { job: {} } },
    decides: { ...nothing, phase: 'Queued', epoch: 0, why: ['SpecInvalid'] },
  },
  'nor one whose pods would share no storage': {
    given: { spec: { job: { module: 'a.ts' }, checkpoint: { storage: 'file:///x' } } },
    decides: { ...nothing, phase: 'Queued', epoch: 0, why: ['StorageNotShared'] },
  },
  'nor one whose state it cannot find: it would begin without': {
    given: { spec: { ...right, restore: { savepoint: 'before' } } },
    decides: { ...nothing, phase: 'Queued', epoch: 0, why: ['RestoreNotSupported'] },
  },
  'a paused job is left alone': {
    given: {
      status: runs,
      deployed: right,
      metadata: { annotations: { 'weir.dev/pause': 'true' } },
    },
    decides: { ...nothing, phase: 'Running', epoch: 1, why: ['Paused'] },
  },
  'a deleted job too: its pods go with it': {
    given: { status: runs, deployed: right, metadata: { deletionTimestamp: 'now' } },
    decides: { ...nothing, phase: 'Deleting', epoch: 1 },
  },
}

test.each(Object.entries(table))('%s', (_what, { given, decides }) => {
  expect(decision(given)).toEqual(decides)
})

describe('the status', () => {
  test('says why a pod waits, and keeps the time of what did not change', () => {
    const given: Case = {
      deployed: right,
      pods: ['jm-1-1 running', 'tm-1-0-1 unscheduled'],
      heard: undefined,
      status: {
        ...begins,
        conditions: [
          {
            type: 'Ready',
            status: 'False',
            reason: 'Deploying',
            message: 'x',
            lastTransitionTime: 'then',
          },
          {
            type: 'Stalled',
            status: 'True',
            reason: 'Old',
            message: 'x',
            lastTransitionTime: 'then',
          },
        ],
      },
    }
    const job = observed(given)
    const status = nextStatus(job, decideJob(job))
    expect(status).toMatchObject({ epoch: 1, slots: { desired: 1, ready: 0 } })
    expect(status.conditions).toEqual([
      expect.objectContaining({ type: 'Ready', lastTransitionTime: 'then', reason: 'PodsMissing' }),
      expect.objectContaining({ type: 'Reconciling', lastTransitionTime: '1970-01-01T00:16:40Z' }),
      expect.objectContaining({ type: 'Running', status: 'False' }),
      expect.objectContaining({
        type: 'Scheduled',
        status: 'False',
        message: 'pod j-tm-1-0-1: Unschedulable: no room',
      }),
    ])
  })
})

const wholeJob: Case = {
  status: runs,
  deployed: right,
  pods: ['jm-1-1 running', 'tm-1-0-1 running'],
}
const condition = (one: Case, type: string) =>
  decideJob(observed(one)).findings.find(found => found.type === type)

describe('what the jobmanager says', () => {
  const failing = (more: Partial<JobFacts['checkpoints']>): HeardJob =>
    hearing({ checkpoints: { ...well.checkpoints, ...more } })

  const readiness: Record<string, { heard: HeardJob; is: [boolean, string] }> = {
    'all is well': { heard: hearing({}), is: [true, 'Running'] },
    'some vertex does not run yet': {
      heard: hearing({ status: 'starting' }),
      is: [false, 'Starting'],
    },
    'it restarts': { heard: hearing({ status: 'restarting' }), is: [false, 'Restarting'] },
    'no checkpoint completed yet': {
      heard: failing({ ageMs: null }),
      is: [false, 'NoCheckpointYet'],
    },
    'the last is three intervals old': { heard: failing({ ageMs: 30_000 }), is: [true, 'Running'] },
    'it is older': { heard: failing({ ageMs: 30_001 }), is: [false, 'CheckpointOverdue'] },
    'it has just fallen silent': {
      heard: { facts: well, silence: { ms: 14_999, why: 'no answer' } },
      is: [true, 'Running'],
    },
    'it is silent': {
      heard: { facts: well, silence: { ms: 15_000, why: 'no answer' } },
      is: [false, 'JobManagerSilent'],
    },
    'it never spoke': {
      heard: { facts: undefined, silence: { ms: 15_000, why: 'no answer' } },
      is: [false, 'JobManagerSilent'],
    },
  }

  test.each(Object.entries(readiness))('%s', (_what, { heard, is }) => {
    const ready = condition({ ...wholeJob, heard }, 'Ready')
    expect([ready?.holds, ready?.reason]).toEqual(is)
    expect(condition({ ...wholeJob, heard }, 'Reconciling')?.holds).toBe(is[0] ? undefined : true)
  })

  test('what was not heard yet is as it was', () => {
    const at = { lastTransitionTime: 'then', message: 'as it was' }
    const conditions = [
      { type: 'Ready', status: 'True' as const, reason: 'Running', ...at },
      { type: 'CheckpointHealthy', status: 'False' as const, reason: 'Failing', ...at },
      { type: 'Stalled', status: 'True' as const, reason: 'Old', ...at },
    ]
    const status = { ...runs, conditions }
    const { findings } = decideJob(observed({ ...wholeJob, status, heard: undefined }))
    expect(findings).toEqual([
      expect.objectContaining({ type: 'Scheduled' }),
      { type: 'Ready', holds: true, reason: 'Running', message: 'as it was' },
      { type: 'CheckpointHealthy', holds: false, reason: 'Failing', message: 'as it was' },
    ])
  })

  test('as many checkpoints may fail as the manifest tolerates', () => {
    const spec = { ...right, checkpoint: { storage: 's3://b/c', tolerableFailures: 2 } }
    const tolerant = (failuresInRow: number) =>
      condition(
        { ...wholeJob, spec, deployed: spec, heard: failing({ failuresInRow }) },
        'CheckpointHealthy',
      )
    expect(tolerant(2)).toMatchObject({ holds: true })
    expect(tolerant(3)).toMatchObject({ holds: false, reason: 'Failing' })
  })

  test('its last word counts when it has ended', () => {
    const last = { ...well, status: 'finished', latest: { ...well.latest, id: 9 } }
    const one = observed({ ...wholeJob, pods: ['jm-1-1 succeeded 0'] })
    const [pod] = one.pods
    if (pod === undefined) throw new Error('there is a pod')
    const parsed = jobFactsSchema.parse(last)
    const job = { ...one, heard: unheard, pods: [{ ...pod, lastWord: parsed }] }
    expect(nextStatus(job, decideJob(job)).state).toMatchObject({ epoch: 1, checkpointId: 9 })
  })
})

test('the target is the newest jobmanager of the epoch that would answer', () => {
  const asked = (...pods: string[]) => {
    const parts = pods.flatMap(text => podFacts(podOf(text)) ?? [])
    const named = parts.map(one => ({ ...one, ip: `10.0.${one.epoch}.${one.attempt}` }))
    return jobTarget(observed({ status: runs }).object, named)?.podIp
  }
  expect(asked()).toBeUndefined()
  expect(asked('jm-1-1 failed', 'jm-1-2 running', 'tm-1-0-3 running')).toBe('10.0.1.2')
  expect(asked('jm-1-1 running', 'jm-2-1 running')).toBe('10.0.1.1')
  expect(asked('jm-1-1 running', 'jm-1-2 leaving')).toBeUndefined()
  expect(asked('jm-1-1 succeeded 0')).toBeUndefined()
})
