/** What a job asks for by its nonce and its schedule, and what is no longer kept. */
import { expect, test } from '@jest/globals'
import {
  decideSavepoints,
  type MadeSavepoint,
  type StopSavepoint,
} from '../../../src/controller/savepoint/job-savepoints.ts'
import { pinsOf } from '../../../src/controller/savepoint/pins-of.ts'
import type { SavepointObject } from '../../../src/controller/savepoint/savepoint-object.ts'
import { dueTimes } from '../../../src/controller/savepoint/savepoint-schedule.ts'
import type { StreamJobObject } from '../../../src/controller/streamjob/stream-job-object.ts'
import { streamJobSpecSchema } from '../../../src/protocol/stream-job.ts'

const HOUR_MS = 3_600_000
const MADE_MS = Date.parse('2026-03-28T00:00:00Z')

interface Case {
  readonly spec: object
  readonly done?: number
  readonly runs?: boolean
  readonly hours?: number
  /** `at HOUR PHASE`, `nonce N PHASE`, with `pinned` or `needed` after it. */
  readonly made?: readonly string[]
  /** `EPOCH PHASE`, with `pinned` or `needed` after it. */
  readonly stops?: readonly string[]
  readonly status?: StreamJobObject['status']
}

function madeOf(text: string): MadeSavepoint {
  const [kind, number = '', phase, more] = text.split(' ')
  const dueMs = kind === 'at' ? MADE_MS + Number(number) * HOUR_MS : undefined
  const name = kind === 'at' ? `job-at-${(dueMs ?? 0) / 60_000}` : `job-nonce-${number}`
  const completedAt = new Date(dueMs ?? MADE_MS).toISOString()
  const object: SavepointObject = {
    apiVersion: 'weir.dev/v1alpha1',
    kind: 'Savepoint',
    metadata: { name, namespace: 'a' },
    spec: { job: 'job', pinned: more === 'pinned' },
    status: {
      phase: phase === 'Damaged' ? 'Completed' : (phase as 'Completed'),
      completedAt,
      ...(phase === 'Damaged' && { error: { code: 'WEIR_X', message: 'a byte differs' } }),
      ...(more === 'needed' && { pins: ['state of job'] }),
    },
  }
  return { object, dueMs }
}

function stopOf(text: string): StopSavepoint {
  const [epoch = '', ...more] = text.split(' ')
  const { object } = madeOf(`nonce ${epoch} ${more.join(' ')}`)
  const { metadata, status } = object
  const path = `s3://b/savepoint-${epoch}`
  const own = { metadata: { ...metadata, name: `stop ${epoch}` }, status: { ...status, path } }
  return { object: { ...object, ...own }, epoch: Number(epoch) }
}

function decision({ spec, done, runs = true, hours = 0, made = [], stops = [], ...more }: Case) {
  const job: StreamJobObject = {
    apiVersion: 'weir.dev/v1alpha1',
    kind: 'StreamJob',
    metadata: { name: 'job', namespace: 'a', creationTimestamp: new Date(MADE_MS).toISOString() },
    spec,
    status: { nonces: done === undefined ? undefined : { savepoint: done }, ...more.status },
  }
  const read = streamJobSpecSchema.parse({ job: { module: 'a.ts' }, ...spec })
  const nowMs = MADE_MS + hours * HOUR_MS
  const { take, nonce, expire, againMs } = decideSavepoints({
    job,
    spec: read,
    made: made.map(madeOf),
    stops: stops.map(stopOf),
    runs,
    nowMs,
  })
  const hourOf = ({ name }: { name: string }) => {
    const minutes = /-at-(\d+)$/.exec(name)?.[1]
    return minutes === undefined ? name : `at ${(Number(minutes) * 60_000 - MADE_MS) / HOUR_MS}`
  }
  return {
    take: take.map(hourOf),
    ...(nonce !== undefined && { nonce }),
    expire: expire.map(one => hourOf(one.metadata)),
    ...(againMs !== undefined && { againHours: againMs / HOUR_MS }),
  }
}

const nothing = { take: [], expire: [] }
const each = (interval: string, more: object = {}) => ({ savepoints: { interval, ...more } })

const revision = { current: 'r2', stable: 'r2', target: 'r2' }
const checkpointOf = (epoch: number, path = 's3://b/chk-40') => {
  const about = { checkpointId: 40, completedAt: '2026-03-28T00:00:00Z', sizeBytes: 1 }
  return { epoch, path, kind: 'checkpoint', ...about } as const
}

const table: Record<string, { given: Case; decides: ReturnType<typeof decision> }> = {
  'a job that asks for none': { given: { spec: {}, hours: 99 }, decides: nothing },
  'N1: a raised nonce asks for one': {
    given: { spec: { savepointNonce: 2 }, done: 1 },
    decides: { ...nothing, take: ['job-nonce-2'] },
  },
  'N1: which waits until the job runs': {
    given: { spec: { savepointNonce: 2 }, done: 1, runs: false },
    decides: nothing,
  },
  'N1: once it is there, that is stored': {
    given: { spec: { savepointNonce: 2 }, done: 1, made: ['nonce 2 Pending'] },
    decides: { ...nothing, nonce: 2 },
  },
  'N1: and nothing follows, also when it was deleted': {
    given: { spec: { savepointNonce: 2 }, done: 2 },
    decides: nothing,
  },
  'N2: none is due before the first interval is over': {
    given: { spec: each('6h'), hours: 5 },
    decides: { ...nothing, againHours: 1 },
  },
  'N2: then one': {
    given: { spec: each('6h'), hours: 6 },
    decides: { ...nothing, take: ['at 6'], againHours: 6 },
  },
  'N2: once': {
    given: { spec: each('6h'), hours: 7, made: ['at 6 Completed'] },
    decides: { ...nothing, againHours: 5 },
  },
  'N2: those that were missed are not made up for': {
    given: { spec: each('6h'), hours: 31, made: ['at 6 Completed'] },
    decides: { ...nothing, take: ['at 30'], againHours: 5 },
  },
  'N2: nor taken while another one is, or the job does not run': {
    given: { spec: each('6h'), hours: 12, made: ['at 6 InProgress'] },
    decides: { ...nothing, againHours: 6 },
  },
  'a cron in a time zone': {
    given: { spec: { savepoints: { schedule: '30 5 * * *', timeZone: 'Asia/Tokyo' } }, hours: 21 },
    decides: { ...nothing, take: ['at 20.5'], againHours: 23.5 },
  },
  'N3: only so many are kept': {
    given: {
      spec: each('6h', { keep: 2 }),
      hours: 25,
      made: ['at 6 Completed', 'at 12 Completed', 'at 18 Completed', 'at 24 Completed'],
    },
    decides: { ...nothing, expire: ['at 12', 'at 6'], againHours: 5 },
  },
  'N3: not what somebody needs or has pinned, and none of a nonce': {
    given: {
      spec: each('6h', { keep: 1 }),
      hours: 25,
      made: [
        'nonce 1 Completed',
        'at 6 Completed pinned',
        'at 12 Completed needed',
        'at 24 Completed',
      ],
    },
    decides: { ...nothing, againHours: 5 },
  },
  'N3: nor beyond an age, but the newest': {
    given: {
      spec: each('6h', { maxAge: '13h' }),
      hours: 29,
      made: ['at 6 Completed', 'at 12 Completed', 'at 24 Completed'],
    },
    decides: { ...nothing, expire: ['at 12', 'at 6'], againHours: 1 },
  },
  'N3: the newest stays however old it is': {
    given: { spec: each('6h', { maxAge: '1h' }), runs: false, hours: 99, made: ['at 6 Completed'] },
    decides: { ...nothing, againHours: 3 },
  },
  'N4: what a deployment was stopped with goes when a later one has proved itself': {
    given: {
      spec: {},
      stops: ['1 Completed', '2 Completed'],
      status: { revision, state: checkpointOf(3) },
    },
    decides: { ...nothing, expire: ['stop 1', 'stop 2'] },
  },
  'N4: not while an upgrade is under way': {
    given: {
      spec: {},
      stops: ['1 Completed'],
      status: {
        revision,
        state: checkpointOf(2),
        upgrade: {
          phase: 'Verifying',
          goal: 'upgrade',
          from: 'r1',
          to: 'r2',
          cause: 'SpecChanged',
          mode: 'savepoint',
          attempt: 1,
          startedAt: '2026-03-28T00:00:00Z',
          since: '2026-03-28T00:00:00Z',
        },
      },
    },
    decides: nothing,
  },
  'N4: nor on a revision that has not been stable': {
    given: {
      spec: {},
      stops: ['1 Completed'],
      status: { revision: { ...revision, stable: 'r1' }, state: checkpointOf(2) },
    },
    decides: nothing,
  },
  'N4: nor while the job goes on from it, as one that rests does': {
    given: {
      spec: {},
      stops: ['1 Completed', '2 Completed'],
      status: { revision, state: checkpointOf(2, 's3://b/savepoint-2') },
    },
    decides: { ...nothing, expire: ['stop 1'] },
  },
  'N4: nor what a person has pinned or another job needs': {
    given: {
      spec: {},
      stops: ['1 Completed pinned', '2 Completed needed'],
      status: { revision, state: checkpointOf(3) },
    },
    decides: nothing,
  },
  'N3: one that failed goes when a later one completed': {
    given: {
      spec: each('6h'),
      hours: 25,
      made: ['at 12 Failed', 'at 18 Completed', 'at 24 Failed'],
    },
    decides: { ...nothing, expire: ['at 12'], againHours: 5 },
  },
  'N3: one that is damaged counts as one that failed': {
    given: {
      spec: each('6h', { keep: 1 }),
      hours: 25,
      made: ['at 12 Damaged', 'at 18 Completed', 'at 24 Damaged'],
    },
    decides: { ...nothing, expire: ['at 12'], againHours: 5 },
  },
}

test.each(Object.entries(table))('%s', (_what, { given, decides }) => {
  expect(decision(given)).toEqual(decides)
})

test('a clock that is put forward moves the hours of a cron, not their number', () => {
  const schedule = { schedule: '30 2 * * *', timeZone: 'Europe/Berlin' }
  const since = Date.parse('2026-03-20T00:00:00Z')
  const last = (text: string) => {
    const { lastMs } = dueTimes(schedule, since, Date.parse(text))
    return lastMs === undefined ? undefined : new Date(lastMs).toISOString()
  }
  expect(last('2026-03-28T12:00:00Z')).toBe('2026-03-28T01:30:00.000Z')
  expect(last('2026-03-30T12:00:00Z')).toBe('2026-03-30T00:30:00.000Z')
  expect(last('2026-03-19T12:00:00Z')).toBeUndefined()
})

test('a schedule that names no time is never due', () => {
  const never = { lastMs: undefined, nextMs: undefined }
  expect(dueTimes({ schedule: '99 99 * * *', timeZone: 'Etc/UTC' }, 0, 1)).toEqual(never)
  expect(dueTimes({ schedule: '0 0 * * *', timeZone: 'Mars/Olympus' }, 0, 1)).toEqual(never)
})

test('files are needed by a state, an upgrade, and a start that has not come to its own state', () => {
  const path = 's3://b/savepoint-7'
  const savepoint: SavepointObject = {
    apiVersion: '',
    kind: 'Savepoint',
    metadata: { name: 's', namespace: 'a' },
    spec: {},
    status: { path },
  }
  const state = { epoch: 1, checkpointId: 7, kind: 'savepoint', completedAt: '', sizeBytes: 1 }
  const jobs = [
    { name: 'b', status: { state: { ...state, path } } },
    { name: 'c', status: { upgrade: { savepoint: path } } },
    { name: 'd', spec: { restore: { savepoint: 's' } } },
    { name: 'e', spec: { restore: { path } } },
    { name: 'f', spec: { restore: { path } }, status: { state: { ...state, path: 'own' } } },
    { name: 'g', status: { state: { ...state, path } }, gone: 'now' },
    { name: 'h', status: { state: { ...state, path } }, namespace: 'other' },
    { name: 'i' },
    { name: 'k', status: { state, upgrade: { restoring: path } } },
    { name: 'l', status: { epoch: 2, state, start: { from: 'path', path } } },
    { name: 'm', status: { epoch: 1, state, start: { from: 'path', path } } },
    { name: 'n', spec: { restore: { savepoint: 's' }, restoreNonce: 2 }, status: { state } },
    {
      name: 'o',
      spec: { restore: { savepoint: 's' }, restoreNonce: 2 },
      status: { state, nonces: { restore: 2 } },
    },
  ].map(({ name, namespace = 'a', gone, ...rest }) => ({
    apiVersion: '',
    kind: 'StreamJob',
    metadata: { name, namespace, ...(gone !== undefined && { deletionTimestamp: gone }) },
    ...rest,
  })) as unknown as StreamJobObject[]
  expect(pinsOf(savepoint, jobs)).toEqual([
    'start of d',
    'start of e',
    'start of l',
    'start of n',
    'state of b',
    'upgrade of c',
    'upgrade of k',
  ])
  expect(pinsOf({ ...savepoint, status: {} }, jobs)).toEqual([])
})
