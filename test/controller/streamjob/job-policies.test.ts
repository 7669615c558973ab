/** What is decided for a job, as a table of what was observed. */
import { expect, test } from '@jest/globals'
import { type PodIdentity, podName } from '../../../src/controller/streamjob/job-names.ts'
import { decideJob, policies } from '../../../src/controller/streamjob/job-policies.ts'
import { begins, type Case, NOW_MS, observed, right, runs } from './job-cases.ts'

test('what is graver speaks first', () => {
  expect(policies.map(one => one.name)).toEqual([
    'beingDeleted',
    'paused',
    'ofNewer',
    'upgrading',
    'ended',
    'invalid',
    'overForGood',
    'resting',
    'notAdmitted',
    'beginUpgrade',
    'first',
    'atWork',
  ])
})

/** In short: the phase, the epoch, what starts and stops, and what holds. */
function decision(one: Case) {
  const made = decideJob(observed(one))
  const { phase, epoch, start, stop, findings, againMs, store, keepRevision } = made
  const text = (identity: PodIdentity) => podName('j', identity).slice(2)
  return {
    phase,
    epoch,
    start: start.map(text),
    stop: stop.map(text),
    why: findings.filter(({ type }) => type === 'Stalled').map(({ reason }) => reason),
    againMs,
    keeps: keepRevision !== undefined,
    upgrade: store.upgrade && `${store.upgrade.phase} ${store.upgrade.goal} ${store.upgrade.mode}`,
  }
}

const quotaFull = (ageMs: number) => [
  {
    type: 'Scheduled',
    status: 'False' as const,
    reason: 'QuotaExceeded',
    message: '1 of 2 pods are there; exceeded quota: q',
    lastTransitionTime: new Date(NOW_MS - ageMs).toISOString(),
  },
]

const nothing = {
  start: [],
  stop: [],
  why: [],
  againMs: undefined,
  upgrade: undefined,
  keeps: false,
}

const timeOf = (ms: number) => new Date(ms).toISOString()

const unreadyFor = (ms: number) => ({
  type: 'Ready',
  status: 'False' as const,
  reason: 'PodsMissing',
  message: 'some are',
  lastTransitionTime: timeOf(NOW_MS - ms),
})

const suspends = {
  goal: 'suspend',
  from: 'j-1',
  to: 'j-1',
  cause: 'Suspended',
  mode: 'savepoint',
  attempt: 1,
  startedAt: timeOf(NOW_MS),
  since: timeOf(NOW_MS),
} as const

/** It is looked at again when it is to be ready: the deadline, and two checkpoints. */
const unready = { ...nothing, againMs: 300_000 + 2 * 10_000 }

const table: Record<string, { given: Case; decides: ReturnType<typeof decision> }> = {
  'J1: a new job gets its revision and its epoch first': {
    given: {},
    decides: { ...nothing, phase: 'Deploying', epoch: 1, keeps: true },
  },
  'a revision that somebody removed is made again of the same spec': {
    given: { status: begins, deployed: right, isLost: true },
    decides: { ...nothing, phase: 'Deploying', epoch: 1, keeps: true },
  },
  'of another spec it cannot be': {
    given: {
      spec: { job: {} },
      status: runs,
      deployed: right,
      isLost: true,
      pods: ['jm-1-1 running'],
    },
    decides: { ...nothing, phase: 'Running', epoch: 1, why: ['RevisionLost', 'SpecInvalid'] },
  },
  'with its epoch stored all its pods come': {
    given: {
      spec: { ...right, parallelism: 2 },
      status: begins,
      deployed: { ...right, parallelism: 2 },
    },
    decides: {
      ...unready,
      phase: 'Deploying',
      epoch: 1,
      start: ['jm-1-1', 'tm-1-0-1', 'tm-1-1-1'],
    },
  },
  'a job that is not ready in time needs a person, and is tried on': {
    given: {
      status: { ...begins, conditions: [unreadyFor(330_000)] },
      deployed: right,
      pods: ['jm-1-1 running', 'tm-1-0-1 pending'],
    },
    decides: { ...nothing, phase: 'Deploying', epoch: 1, why: ['NotReady'] },
  },
  'until then it is waited for': {
    given: {
      status: { ...begins, conditions: [unreadyFor(300_000)] },
      deployed: right,
      pods: ['jm-1-1 running', 'tm-1-0-1 pending'],
    },
    decides: { ...nothing, phase: 'Deploying', epoch: 1, againMs: 20_000 },
  },
  'J4: a phase of a newer controller is left to it': {
    given: {
      status: { ...runs, phase: 'Draining' as never },
      deployed: right,
      pods: ['jm-1-1 running'],
    },
    decides: { ...nothing, phase: 'Draining' as never, epoch: 1, why: ['NewerController'] },
  },
  'J4: so is an upgrade by a way that is not known': {
    given: {
      status: { ...runs, upgrade: { ...suspends, phase: 'Canary' as never } },
      deployed: right,
      pods: ['jm-1-1 running'],
    },
    decides: { ...nothing, phase: 'Running', epoch: 1, why: ['NewerController'] },
  },
  'a job whose pods all run': {
    given: { status: begins, deployed: right, pods: ['jm-1-1 running', 'tm-1-0-1 running'] },
    decides: { ...nothing, phase: 'Running', epoch: 1 },
  },
  'a lost pod is replaced at once': {
    given: { status: runs, deployed: right, pods: ['jm-1-1 running'] },
    decides: { ...unready, phase: 'Running', epoch: 1, start: ['tm-1-0-1'] },
  },
  'so is one that was killed': {
    given: { status: runs, deployed: right, pods: ['jm-1-1 running', 'tm-1-0-1 failed 137'] },
    decides: { ...unready, phase: 'Running', epoch: 1, start: ['tm-1-0-2'] },
  },
  'also where only its container says so yet': {
    given: { status: runs, deployed: right, pods: ['jm-1-1 running', 'tm-1-0-1 pending 137'] },
    decides: { ...unready, phase: 'Running', epoch: 1, start: ['tm-1-0-2'] },
  },
  'and one that leaves is not waited for': {
    given: { status: runs, deployed: right, pods: ['jm-1-3 leaving', 'tm-1-0-1 running'] },
    decides: { ...unready, phase: 'Running', epoch: 1, start: ['jm-1-4'] },
  },
  'a process that keeps dying waits': {
    given: {
      status: runs,
      deployed: right,
      pods: ['jm-1-1 running', `tm-1-0-4 failed 1 ${NOW_MS - 1_000}`],
    },
    decides: { ...nothing, phase: 'Running', epoch: 1, againMs: 1_250 },
  },
  'a slot that its jobmanager let go is the end of the job, most likely': {
    given: {
      status: runs,
      deployed: right,
      pods: ['jm-1-1 running', `tm-1-0-1 succeeded 0 ${NOW_MS - 1_000}`],
    },
    decides: { ...nothing, phase: 'Running', epoch: 1, againMs: 4_000 },
  },
  'where that goes on the slot is replaced': {
    given: {
      status: runs,
      deployed: right,
      pods: ['jm-1-1 running', `tm-1-0-1 succeeded 0 ${NOW_MS - 5_000}`],
    },
    decides: { ...unready, phase: 'Running', epoch: 1, start: ['tm-1-0-2'] },
  },
  'but not for ever': {
    given: { status: runs, deployed: right, pods: ['jm-1-1 running', 'tm-1-0-40 failed 1 939000'] },
    decides: { ...unready, phase: 'Running', epoch: 1, start: ['tm-1-0-41'] },
  },
  'the dead go once another runs in their place': {
    given: {
      status: runs,
      deployed: right,
      pods: ['jm-1-1 running', 'tm-1-0-1 failed 1', 'tm-1-0-2 running'],
    },
    decides: { ...nothing, phase: 'Running', epoch: 1, stop: ['tm-1-0-1'] },
  },
  'until then the last of them tells why': {
    given: {
      status: runs,
      deployed: right,
      pods: ['jm-1-1 running', 'tm-1-0-1 failed 1', 'tm-1-0-2 failed 1', 'tm-1-0-3 pending'],
    },
    decides: { ...unready, phase: 'Running', epoch: 1, stop: ['tm-1-0-1'] },
  },
  'a quota that has no room for all is asked again while what is there is held': {
    given: {
      status: { ...begins, conditions: quotaFull(50_000) },
      deployed: right,
      pods: ['jm-1-1 running'],
    },
    decides: { ...unready, phase: 'Deploying', epoch: 1, start: ['tm-1-0-1'], againMs: 10_000 },
  },
  'that is not held for ever': {
    given: {
      status: { ...begins, conditions: quotaFull(60_000) },
      deployed: right,
      pods: ['jm-1-1 running'],
    },
    decides: { ...nothing, phase: 'Deploying', epoch: 1, stop: ['jm-1-1'], againMs: 60_000 },
  },
  'and is asked for again': {
    given: { status: { ...begins, conditions: quotaFull(120_000) }, deployed: right },
    decides: {
      ...unready,
      phase: 'Deploying',
      epoch: 1,
      start: ['jm-1-1', 'tm-1-0-1'],
      againMs: 60_000,
    },
  },
  'what has all its pods holds them': {
    given: {
      status: { ...runs, conditions: quotaFull(60_000) },
      deployed: right,
      pods: ['jm-1-1 running', 'tm-1-0-1 running'],
    },
    decides: { ...nothing, phase: 'Running', epoch: 1 },
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
    decides: { ...unready, phase: 'Running', epoch: 1, start: ['jm-1-2'] },
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
    given: {
      spec: { ...right, restartNonce: 1 },
      status: { ...runs, phase: 'Finished' },
      metadata: { generation: 2 },
      deployed: right,
    },
    decides: {
      ...nothing,
      phase: 'Deploying',
      epoch: 1,
      upgrade: 'Planning resume last-state',
      keeps: true,
    },
  },
  'J2: an edit of what nothing is made of is no reason': {
    given: {
      spec: { ...right, priority: 7 },
      status: { ...runs, phase: 'Finished' },
      metadata: { generation: 2 },
      deployed: right,
    },
    decides: { ...nothing, phase: 'Finished', epoch: 1 },
  },
  'a job that is to rest takes a savepoint first': {
    given: {
      spec: { ...right, state: 'suspended' },
      status: runs,
      deployed: right,
      pods: ['jm-1-1 running', 'tm-1-0-1 running'],
    },
    decides: {
      ...nothing,
      phase: 'Suspending',
      epoch: 1,
      upgrade: 'Savepointing suspend savepoint',
      keeps: true,
    },
  },
  'a new job that is to rest has no pods': {
    given: { spec: { ...right, state: 'suspended' } },
    decides: { ...nothing, phase: 'Suspended', epoch: 0 },
  },
  'it goes on by the same way, from its last state': {
    given: { status: { ...runs, phase: 'Suspended' }, deployed: right },
    decides: {
      ...nothing,
      phase: 'Deploying',
      epoch: 1,
      upgrade: 'Planning resume last-state',
      keeps: true,
    },
  },
  'a changed spec begins an upgrade': {
    given: {
      spec: { ...right, job: { module: 'b.ts' } },
      status: runs,
      deployed: right,
      pods: ['jm-1-1 running', 'tm-1-0-1 running'],
    },
    decides: {
      ...nothing,
      phase: 'Upgrading',
      epoch: 1,
      upgrade: 'Planning upgrade savepoint',
      keeps: true,
    },
  },
  'scaling keeps the state, also where upgrades do not': {
    given: {
      spec: { ...right, parallelism: 5, upgrade: { mode: 'stateless' } },
      status: runs,
      deployed: right,
      pods: ['jm-1-1 running', 'tm-1-0-1 running'],
    },
    decides: {
      ...nothing,
      phase: 'Upgrading',
      epoch: 1,
      upgrade: 'Planning upgrade last-state',
      keeps: true,
    },
  },
  'a nonce asks for the snapshot that is named': {
    given: {
      spec: { ...right, restore: { path: 's3://b/other' }, restoreNonce: 1 },
      status: runs,
      deployed: right,
    },
    decides: {
      ...nothing,
      phase: 'Upgrading',
      epoch: 1,
      upgrade: 'Planning upgrade restore',
      keeps: true,
    },
  },
  'without it the named snapshot is for the first start only': {
    given: {
      spec: { ...right, restore: { path: 's3://b/other' } },
      status: runs,
      deployed: right,
      pods: ['jm-1-1 running', 'tm-1-0-1 running'],
    },
    // Of the same deployment under another name.
    decides: { ...nothing, phase: 'Running', epoch: 1, keeps: true },
  },
  'what was rolled back is not tried again': {
    given: {
      spec: { ...right, job: { module: 'b.ts' } },
      status: runs,
      refused: 'RolledBack',
      metadata: { generation: 9 },
      deployed: right,
      pods: ['jm-1-1 running', 'tm-1-0-1 running'],
    },
    decides: { ...nothing, phase: 'Running', epoch: 1, why: ['RolledBack'] },
  },
  'a plan that was rejected is tried again after an edit': {
    given: {
      spec: { ...right, job: { module: 'b.ts' } },
      status: runs,
      refused: 'PlanRejected',
      metadata: { generation: 9 },
      deployed: right,
    },
    decides: {
      ...nothing,
      phase: 'Upgrading',
      epoch: 1,
      upgrade: 'Planning upgrade savepoint',
      keeps: true,
    },
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
    decides: { ...unready, phase: 'Running', epoch: 1, start: ['tm-1-0-1'], why: ['SpecInvalid'] },
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
    decides: { ...nothing, phase: 'Queued', epoch: 0, why: ['SavepointNotFound'] },
  },
  'nor one whose savepoint is not whole yet, which passes by itself': {
    given: { spec: { ...right, restore: { savepoint: 'before' } }, source: {} },
    decides: { ...nothing, phase: 'Queued', epoch: 0 },
  },
  'nor one that asks for the state of another namespace': {
    given: { spec: { ...right, restore: { path: 's3://b/x', fromJob: 'other.j' } } },
    decides: { ...nothing, phase: 'Queued', epoch: 0, why: ['RestoreForbidden'] },
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

test('pods of a template of one’s own are tried before the first deployment begins', () => {
  const podTemplate = { taskManager: { spec: { nodeSelector: { disk: 'fast' } } } }
  expect(decideJob(observed({})).tryPods).toBeUndefined()
  const seen = observed({ spec: { ...right, podTemplate } })
  const begun = decideJob(seen)
  expect([begun.epoch, begun.tryPods?.name]).toEqual([1, begun.keepRevision?.name])
  const said = 'unknown field'
  const refusedPods = { reason: 'ObjectInvalid', said, message: said, mayPass: false } as const
  const held = decideJob({ ...seen, refusedPods })
  expect(held).toMatchObject({ phase: 'Queued', epoch: 0, isMove: false, takesRoom: 'none' })
  expect(held.keepRevision).toBeUndefined()
})

test('what failing passes said is not why a job has failed', () => {
  const internal = {
    type: 'Stalled',
    status: 'True',
    reason: 'InternalError',
    message: 'odd',
  } as const
  const conditions = [{ ...internal, lastTransitionTime: timeOf(NOW_MS) }]
  const { findings } = decideJob(
    observed({ deployed: right, status: { phase: 'Failed', epoch: 1, conditions } }),
  )
  expect(findings.map(({ reason }) => reason)).toEqual(['JobRefused', 'Failed'])
})
