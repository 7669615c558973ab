/** What is done for a Savepoint, as a table of what was observed. */
import { describe, expect, test } from '@jest/globals'
import type { ObservedSavepoint } from '../../../src/controller/savepoint/observed-savepoint.ts'
import type { SavepointObject } from '../../../src/controller/savepoint/savepoint-object.ts'
import { requestIdOf, specOf } from '../../../src/controller/savepoint/savepoint-objects.ts'
import {
  decideSavepoint,
  refusedSavepoint,
} from '../../../src/controller/savepoint/savepoint-policies.ts'
import type { VerbPod } from '../../../src/controller/streamjob/verb-pod.ts'
import { snapshot } from '../fake-link.ts'

const NOW_MS = Date.parse('2026-01-01T12:00:00Z')
const at = (ms: number): string => new Date(NOW_MS + ms).toISOString().replace('.000Z', 'Z')

interface Case {
  readonly spec?: object
  readonly status?: SavepointObject['status']
  readonly metadata?: Partial<SavepointObject['metadata']>
  readonly seen?: Partial<ObservedSavepoint>
}

const guarded = { finalizers: ['weir.dev/state'] }
const gone = { ...guarded, deletionTimestamp: 'now' }
const forcedly = { ...gone, annotations: { 'weir.dev/force-delete': 'true' } }
const running = { isThere: true, isOver: false, runs: true }

function observed({ spec, status = {}, metadata = guarded, seen }: Case) {
  const object: SavepointObject = {
    apiVersion: 'weir.dev/v1alpha1',
    kind: 'Savepoint',
    metadata: { namespace: 'a', name: 's', uid: 'the-uid', ...metadata },
    spec: { ...(spec ?? { job: 'bank' }), verify: 'none' },
    status,
  }
  const read = specOf(object)
  if (read === undefined) throw new Error('the spec is wrong')
  const one: ObservedSavepoint = {
    object,
    spec: read,
    status,
    job: running,
    epoch: 3,
    order: undefined,
    silence: undefined,
    isRecorded: true,
    newer: undefined,
    disposals: [],
    verifications: [],
    pins: [],
    nowMs: NOW_MS,
    ...seen,
  }
  return one
}

/** In short. */
function decision(one: Case) {
  const { status, findings, event, finalizer, record, dispose, expire, againMs } = decideSavepoint(
    observed(one),
  )
  const acts = {
    ...(finalizer !== undefined && { finalizer }),
    ...(record && { record }),
    ...(dispose !== undefined && { dispose }),
    ...(expire && { expire }),
  }
  return {
    phase: status.phase,
    says: findings.find(found => found.type === 'Ready')?.reason,
    ...acts,
    ...(event !== undefined && { event: event.reason }),
    ...(againMs !== undefined && { againMs }),
  }
}

const inProgress = { phase: 'InProgress', epoch: 3, startedAt: at(-60_000) } as const
const whole = {
  phase: 'Completed',
  path: 's3://b/savepoint-7',
  checkpointId: 7,
  completedAt: at(-3_600_000),
} as const
const owned = { existing: { path: whole.path, job: 'bank', owned: true } }
const disposing = { ...whole, phase: 'Disposing' } as const
const order = (status: 'pending' | 'completed' | 'failed') => ({
  id: 'x',
  status,
  snapshot: status === 'completed' ? snapshot(7, 'savepoint') : null,
  error: status === 'failed' ? { code: 'WEIR_X', message: 'no store', next: '' } : null,
})
const pod = (number: number, state: VerbPod['state'], agoMs = 0): VerbPod => ({
  number,
  state,
  endedMs: NOW_MS - agoMs,
  why: 'access denied',
  word: undefined,
  pod: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' } },
})

const table: Record<string, { given: Case; decides: ReturnType<typeof decision> }> = {
  'V3: the finalizer comes first': {
    given: { metadata: {} },
    decides: { phase: undefined, says: 'Pending', finalizer: 'add' },
  },
  'V2: then it is recorded what could remove the files': {
    given: { seen: { isRecorded: false } },
    decides: { phase: undefined, says: 'Pending', record: true, againMs: 0 },
  },
  'V1: then it stands in the status that it is ordered': {
    given: {},
    decides: { phase: 'InProgress', says: 'InProgress', event: 'SavepointStarted', againMs: 0 },
  },
  'a job that is not there is waited for': {
    given: { seen: { job: { isThere: false, isOver: false, runs: false } } },
    decides: { phase: 'Pending', says: 'JobNotFound', againMs: 5_000 },
  },
  'one that does not run too': {
    given: { seen: { job: { ...running, runs: false } } },
    decides: { phase: 'Pending', says: 'JobNotRunning', againMs: 5_000 },
  },
  'one that has ended has no savepoint to give': {
    given: { seen: { job: { isThere: true, isOver: true, runs: false } } },
    decides: { phase: 'Failed', says: 'Failed', event: 'SavepointFailed' },
  },
  'V5: what a newer controller has begun is left to it': {
    given: { status: whole, seen: { newer: 'status.phase is "Copying"' } },
    decides: { phase: 'Completed', says: undefined },
  },
  'V5: but for a deletion that is forced': {
    given: { status: whole, metadata: forcedly, seen: { newer: 'status.phase is "Copying"' } },
    decides: { phase: 'Completed', says: 'Completed', finalizer: 'remove', event: 'StateOrphaned' },
  },
  'while it is taken it is looked at': {
    given: { status: inProgress, seen: { order: order('pending') } },
    decides: { phase: 'InProgress', says: 'InProgress', againMs: 1_000 },
  },
  'no answer is no news': {
    given: { status: inProgress },
    decides: { phase: 'InProgress', says: 'InProgress', againMs: 1_000 },
  },
  'it completed': {
    given: { status: inProgress, seen: { order: order('completed') } },
    decides: { phase: 'Completed', says: 'Completed', event: 'SavepointCompleted' },
  },
  'it failed: tried again in ten seconds': {
    given: { status: inProgress, seen: { order: order('failed') } },
    decides: { phase: 'Pending', says: 'Pending', event: 'SavepointFailed', againMs: 10_000 },
  },
  'the third time in forty': {
    given: { status: { ...inProgress, failures: 2 }, seen: { order: order('failed') } },
    decides: { phase: 'Pending', says: 'Pending', event: 'SavepointFailed', againMs: 40_000 },
  },
  'but not more often than the manifest allows': {
    given: { status: { ...inProgress, failures: 3 }, seen: { order: order('failed') } },
    decides: { phase: 'Failed', says: 'Failed', event: 'SavepointFailed' },
  },
  'without end where it says so': {
    given: {
      spec: { job: 'bank', backoffLimit: -1 },
      status: { ...inProgress, failures: 30 },
      seen: { order: order('failed') },
    },
    decides: { phase: 'Pending', says: 'Pending', event: 'SavepointFailed', againMs: 600_000 },
  },
  'the next try waits for its time': {
    given: { status: { phase: 'Pending', failures: 1, retryAt: at(7_000) } },
    decides: { phase: 'Pending', says: 'Retrying', againMs: 7_000 },
  },
  'and then begins': {
    given: { status: { phase: 'Pending', failures: 1, retryAt: at(-1_000) } },
    decides: { phase: 'InProgress', says: 'InProgress', event: 'SavepointStarted', againMs: 0 },
  },
  'what takes too long has failed': {
    given: {
      spec: { job: 'bank', timeout: '59s' },
      status: inProgress,
      seen: { order: order('pending') },
    },
    decides: { phase: 'Pending', says: 'Pending', event: 'SavepointFailed', againMs: 10_000 },
  },
  'what was ordered of a former deployment has failed': {
    given: { status: inProgress, seen: { epoch: 4 } },
    decides: { phase: 'Pending', says: 'Pending', event: 'SavepointFailed', againMs: 10_000 },
  },
  'a folder that exists is adopted, and nothing guards it': {
    given: { spec: { existing: { path: 's3://b/savepoint-41' } }, metadata: {} },
    decides: { phase: 'Completed', says: 'Completed' },
  },
  'V2: one that owns its folder records first what could remove it': {
    given: { spec: owned, status: whole, metadata: {}, seen: { isRecorded: false } },
    decides: { phase: 'Completed', says: 'Completed', record: true, againMs: 5_000 },
  },
  'V2: then it is held': {
    given: { spec: owned, status: whole, metadata: {} },
    decides: { phase: 'Completed', says: 'Completed', finalizer: 'add' },
  },
  'V3: and its files go before it': {
    given: { spec: owned, status: disposing, metadata: gone },
    decides: { phase: 'Disposing', says: 'Disposing', dispose: 1 },
  },
  'of a job that is gone nobody could record it: a deletion says so': {
    given: {
      spec: owned,
      status: whole,
      metadata: {},
      seen: { isRecorded: false, job: { ...running, isThere: false } },
    },
    decides: { phase: 'Completed', says: 'Completed', finalizer: 'add' },
  },
  'a completed one is left alone': {
    given: { status: whole },
    decides: { phase: 'Completed', says: 'Completed' },
  },
  'until its time is over': {
    given: { spec: { job: 'bank', ttl: '61m' }, status: whole },
    decides: { phase: 'Completed', says: 'Completed', againMs: 60_000 },
  },
  'then it expires': {
    given: { spec: { job: 'bank', ttl: '1h' }, status: whole },
    decides: { phase: 'Completed', says: 'Completed', expire: true, againMs: 0 },
  },
  'unless somebody needs it': {
    given: { spec: { job: 'bank', ttl: '1h' }, status: whole, seen: { pins: ['state of b'] } },
    decides: { phase: 'Completed', says: 'Completed' },
  },
  'disposal: retain needs no guard': {
    given: { spec: { job: 'bank', disposal: 'retain' }, status: whole },
    decides: { phase: 'Completed', says: 'Completed', finalizer: 'remove' },
  },
  'V3: deleted, it is marked first': {
    given: { metadata: gone, status: whole },
    decides: { phase: 'Disposing', says: 'Disposing' },
  },
  'then its files are removed': {
    given: { metadata: gone, status: disposing },
    decides: { phase: 'Disposing', says: 'Disposing', dispose: 1 },
  },
  'V4: not while somebody needs them': {
    given: { metadata: gone, status: disposing, seen: { pins: ['state of bank'] } },
    decides: {
      phase: 'Disposing',
      says: 'Pinned',
      event: 'DisposalBlocked',
      againMs: 30_000,
    },
  },
  'by one pod at a time': {
    given: { metadata: gone, status: disposing, seen: { disposals: [pod(1, 'running')] } },
    decides: { phase: 'Disposing', says: 'Disposing', againMs: 60_000 },
  },
  'one that failed is followed by another, after a while': {
    given: { metadata: gone, status: disposing, seen: { disposals: [pod(2, 'failed', 5_000)] } },
    decides: {
      phase: 'Disposing',
      says: 'DisposalFailed',
      event: 'DisposalBlocked',
      againMs: 15_000,
    },
  },
  'and then at once': {
    given: { metadata: gone, status: disposing, seen: { disposals: [pod(2, 'failed', 20_000)] } },
    decides: { phase: 'Disposing', says: 'Disposing', dispose: 3 },
  },
  'V3: when they are gone the resource goes': {
    given: { metadata: gone, status: disposing, seen: { disposals: [pod(1, 'succeeded')] } },
    decides: {
      phase: 'Disposing',
      says: 'Disposing',
      finalizer: 'remove',
      event: 'SavepointDisposed',
    },
  },
  'one that has no files goes at once': {
    given: { metadata: gone, status: { phase: 'Failed' } },
    decides: { phase: 'Failed', says: 'Failed', finalizer: 'remove' },
  },
  'one whose files are to stay too': {
    given: { metadata: gone, spec: { job: 'bank', disposal: 'retain' }, status: whole },
    decides: { phase: 'Completed', says: 'Completed', finalizer: 'remove' },
  },
  'one that is being taken is waited for': {
    given: { metadata: gone, status: inProgress, seen: { order: order('pending') } },
    decides: { phase: 'InProgress', says: 'InProgress', againMs: 1_000 },
  },
  'and not tried again': {
    given: { metadata: gone, status: inProgress, seen: { order: order('failed') } },
    decides: { phase: 'Failed', says: 'Failed', event: 'SavepointFailed' },
  },
  'nor is its job waited for': {
    given: {
      metadata: gone,
      status: inProgress,
      seen: { job: { isThere: false, isOver: false, runs: false } },
    },
    decides: { phase: 'Failed', says: 'Failed', event: 'SavepointFailed' },
  },
  'what nothing is known to remove waits for a person': {
    given: { metadata: gone, status: disposing, seen: { isRecorded: false } },
    decides: {
      phase: 'Disposing',
      says: 'NotRecorded',
      event: 'DisposalBlocked',
      againMs: 30_000,
    },
  },
  'V4: who skips all of that is told what is left': {
    given: { metadata: forcedly, status: disposing, seen: { pins: ['state of bank'] } },
    decides: {
      phase: 'Disposing',
      says: 'Disposing',
      finalizer: 'remove',
      event: 'StateOrphaned',
    },
  },
}

test.each(Object.entries(table))('%s', (_what, { given, decides }) => {
  expect(decision(given)).toEqual(decides)
})

describe('the status', () => {
  test('of a completed one has all that a restore and a disposal need', () => {
    const { status } = decideSavepoint(
      observed({ status: { ...inProgress, failures: 1 }, seen: { order: order('completed') } }),
    )
    const { path, sizeBytes } = snapshot(7, 'savepoint')
    expect(status).toMatchObject({ path, sizeBytes, checkpointId: 7, epoch: 3, failures: 1 })
    expect(status).not.toHaveProperty('error')
  })

  test('says of which revision and tenant it is taken', () => {
    const seen = { job: { ...running, revision: 'bank-1', tenant: 'payments' } }
    expect(decideSavepoint(observed({ seen })).status).toMatchObject({
      phase: 'InProgress',
      revision: 'bank-1',
      tenant: 'payments',
    })
  })

  test('of what the job goes on from has all that the job knows', () => {
    const state = {
      epoch: 3,
      checkpointId: 7,
      kind: 'savepoint',
      path: whole.path,
      completedAt: at(-5_000),
      sizeBytes: 12,
    } as const
    const seen = { job: { ...running, state } }
    const { status } = decideSavepoint(observed({ spec: owned, metadata: {}, seen }))
    expect(status).toMatchObject({
      epoch: 3,
      checkpointId: 7,
      sizeBytes: 12,
      completedAt: at(-5_000),
    })
  })

  test('of an adopted one takes the number from the folder', () => {
    const spec = { existing: { path: 's3://b/jobs/savepoint-41/' } }
    expect(decideSavepoint(observed({ spec, metadata: {} })).status).toMatchObject({
      path: 's3://b/jobs/savepoint-41/',
      checkpointId: 41,
    })
  })
})

test('V1: the id of an order follows from the status alone', () => {
  const id = (status: SavepointObject['status']) => requestIdOf(observed({ status }).object)
  expect(id(inProgress)).toBe('the-uid-3-0')
  expect(id({ ...inProgress, failures: 2 })).toBe('the-uid-3-2')
})

describe('a savepoint whose objects the API server refuses', () => {
  const one = { status: { phase: 'Disposing' as const, path: 's3://b/s' }, metadata: gone }

  test('says why it waits', () => {
    const refused = {
      reason: 'QuotaExceeded',
      said: 'no room',
      message: 'no room',
      mayPass: true,
    } as const
    const decision = refusedSavepoint(observed(one), refused, decideSavepoint(observed(one)))
    expect(decision).toMatchObject({ finalizer: undefined, againMs: expect.any(Number) })
    expect(decision.findings.map(found => [found.type, found.reason, found.message])).toEqual([
      ['Ready', 'QuotaExceeded', 'no room'],
      ['Stalled', 'QuotaExceeded', 'no room'],
    ])
  })

  test('holds up no namespace that goes, and says what is left', () => {
    const refused = {
      reason: 'NamespaceTerminating',
      said: 'it goes',
      message: 'it goes',
      mayPass: true,
    } as const
    expect(refusedSavepoint(observed(one), refused, decideSavepoint(observed(one)))).toMatchObject({
      finalizer: 'remove',
      event: { reason: 'StateOrphaned', note: expect.stringContaining('s3://b/s') },
    })
  })
})
