/** What a job begins from that names a Savepoint. */
import { expect, test } from '@jest/globals'
import type { SavepointObject } from '../../../src/controller/savepoint/savepoint-object.ts'
import { decideJob } from '../../../src/controller/streamjob/job-policies.ts'
import type { ObservedJob } from '../../../src/controller/streamjob/observed-job.ts'
import { restoreSource } from '../../../src/controller/streamjob/restore-source.ts'
import { type Case, observed, right } from './job-cases.ts'

const whole = { phase: 'Completed', path: 's3://b/sp-7', checkpointId: 7 } as const

interface Named {
  readonly spec?: object
  readonly status?: SavepointObject['status']
  readonly isLeaving?: boolean
}

function found(named: Named | undefined) {
  const object: SavepointObject | undefined = named && {
    apiVersion: 'weir.dev/v1alpha1',
    kind: 'Savepoint',
    metadata: {
      namespace: 'a',
      name: 's',
      ...(named.isLeaving === true && { deletionTimestamp: 'now' }),
    },
    spec: named.spec ?? { job: 'j' },
    ...(named.status && { status: named.status }),
  }
  const source = restoreSource({ job: { name: 'j', namespace: 'a' }, name: 's', object })
  if (!('problem' in source)) return source
  const { reason, isAwaited = false } = source.problem
  return isAwaited ? `waits: ${reason}` : reason
}

const table: Record<string, { given: Named | undefined; gives: ReturnType<typeof found> }> = {
  'one of its own': {
    given: { status: whole },
    gives: { path: 's3://b/sp-7', fromJob: undefined },
  },
  'one of another job is a fork': {
    given: { spec: { job: 'k' }, status: whole },
    gives: { path: 's3://b/sp-7', fromJob: 'a.k' },
  },
  'so is a folder that is known as that of another job': {
    given: { spec: { existing: { path: 's3://b/sp-7', job: 'k' } }, status: whole },
    gives: { path: 's3://b/sp-7', fromJob: 'a.k' },
  },
  'of any other folder the engine looks whose it is': {
    given: { spec: { existing: { path: 's3://b/sp-7' } }, status: whole },
    gives: { path: 's3://b/sp-7', fromJob: undefined },
  },
  'there is none': { given: undefined, gives: 'SavepointNotFound' },
  'nobody has looked at it yet': { given: {}, gives: 'waits: SavepointAwaited' },
  'it is being taken': {
    given: { status: { phase: 'InProgress' } },
    gives: 'waits: SavepointAwaited',
  },
  'it failed': { given: { status: { phase: 'Failed' } }, gives: 'SavepointFailed' },
  'its files are damaged': {
    given: { status: { ...whole, error: { code: 'WEIR_X', message: 'a byte differs' } } },
    gives: 'SavepointDamaged',
  },
  'its files are being removed': {
    given: { status: { ...whole, phase: 'Disposing' } },
    gives: 'SavepointLeaving',
  },
  'they soon will be': { given: { status: whole, isLeaving: true }, gives: 'SavepointLeaving' },
}

test.each(Object.entries(table))('%s', (_what, { given, gives }) => {
  expect(found(given)).toEqual(gives)
})

test('a problem says what is named and what to do', () => {
  const job = { name: 'j', namespace: 'a' }
  const source = restoreSource({ job, name: 'before', object: undefined })
  const message =
    'spec.restore.savepoint is before: namespace a has no such Savepoint; name another'
  expect(source).toEqual({ problem: { reason: 'SavepointNotFound', message } })
})

const named = (more: object = {}) => ({ ...right, restore: { savepoint: 'before' }, ...more })
const ownState = {
  epoch: 1,
  checkpointId: 8,
  kind: 'checkpoint',
  path: 's3://b/chk-8',
  completedAt: '2026-01-01T00:00:00Z',
  sizeBytes: 1,
} as const

/** What the wanted revision begins from. */
function restoreOf(one: Case) {
  const { wanted, problem }: ObservedJob = observed(one)
  return problem?.reason ?? wanted?.deployed.manifest.spec.restore
}

const asPath = { path: 's3://b/sp-7', fromJob: 'a.k', claim: 'no-claim' }

const effective: Record<string, { given: Case; gives: unknown }> = {
  'a new job has the folder in its revision': {
    given: { spec: named(), source: whole },
    gives: asPath,
  },
  'what the spec says of the other job goes first': {
    given: { spec: named({ restore: { savepoint: 'before', fromJob: 'a.l' } }), source: whole },
    gives: { ...asPath, fromJob: 'a.l' },
  },
  'a job with state of its own needs what it names no more': {
    given: {
      spec: named({ parallelism: 2 }),
      deployed: right,
      status: { phase: 'Running', epoch: 1, state: ownState },
    },
    gives: undefined,
  },
  'until its nonce is raised': {
    given: {
      spec: named({ restoreNonce: 1 }),
      deployed: right,
      status: { phase: 'Running', epoch: 1, state: ownState },
    },
    gives: 'SavepointNotFound',
  },
  'one that has no state yet needs it': {
    given: {
      spec: named({ parallelism: 2 }),
      deployed: right,
      status: { phase: 'Running', epoch: 1 },
    },
    gives: 'SavepointNotFound',
  },
}

test.each(Object.entries(effective))('%s', (_what, { given, gives }) => {
  expect(restoreOf(given)).toEqual(gives)
})

test('a raised nonce stores what it begins from, which nobody removes then', () => {
  const { store, keepRevision } = decideJob(
    observed({
      spec: named({ restoreNonce: 1 }),
      deployed: right,
      status: { phase: 'Running', epoch: 1, state: ownState },
      source: whole,
      pods: ['jm-1-1 running', 'tm-1-0-1 running'],
    }),
  )
  expect(store.upgrade).toMatchObject({
    phase: 'Planning',
    mode: 'restore',
    restoring: 's3://b/sp-7',
  })
  expect(keepRevision?.deployed.manifest.spec.restore).toEqual(asPath)
})
