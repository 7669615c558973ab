import { expect, test } from '@jest/globals'
import type { Lineage } from '../../../src/checkpoint/generation.ts'
import type { RestoreRequest } from '../../../src/cluster/job-settings.ts'
import { chooseRestore } from '../../../src/cluster/jobmanager/restore-choice.ts'
import { MemoryStore } from '../../../src/storage/memory-store.ts'
import type { ObjectStore } from '../../../src/storage/object-store.ts'

const folderStore: ObjectStore = Object.assign(new MemoryStore(), { location: '/store' })
const jobId = 'default.job'

const past: Lineage = {
  started: true,
  goesOn: false,
  jobGoesOn: false,
  succeededBy: undefined,
  completed: [4, 5, 6].map(id => ({ id, pinned: false })),
  restoredFrom: null,
  savepoint: undefined,
  parallelism: undefined,
  lastCheckpointId: 7,
  abandoned: [2],
  unreadable: [],
}
const nothing: Lineage = {
  started: false,
  goesOn: false,
  jobGoesOn: false,
  succeededBy: undefined,
  completed: [],
  restoredFrom: null,
  savepoint: undefined,
  parallelism: undefined,
  lastCheckpointId: 0,
  abandoned: [],
  unreadable: [],
}

function choose(request: RestoreRequest, lineage: Lineage = past) {
  return chooseRestore({ request, lineage, store: folderStore, jobId })
}

test('none starts empty, whatever there is', () => {
  const choice = choose({ kind: 'none' })
  expect(choice).toMatchObject({ place: undefined, base: { restoredFrom: null, history: [] } })
})

test('latest is the newest completed one; the one before is offered if it is damaged', () => {
  expect(choose({ kind: 'latest' })).toEqual({
    place: { location: '/store', folder: 'default.job/chk-6' },
    base: { restoredFrom: '/store/default.job/chk-6', history: past.completed },
    previous: '/store/default.job/chk-5',
    note: undefined,
  })
})

test('latest of a job that never ran is refused', () => {
  expect(() => choose({ kind: 'latest' }, nothing)).toThrow('nothing to restore: job default.job')
})

test('continue is what earlier runs of the job left, and otherwise what it is to begin with', () => {
  const first = { kind: 'path', path: '/store/other/chk-3', fromJob: 'default.other' } as const
  const request = { kind: 'continue', otherwise: first } as const
  // What lies there is of a namesake that was deleted.
  expect(choose(request).place?.folder).toBe('other/chk-3')
  const own = { ...past, jobGoesOn: true }
  expect(choose(request, own).place?.folder).toBe('default.job/chk-6')
  expect(choose({ ...request, otherwise: { kind: 'none' } }).place).toBeUndefined()
})

test('latest of a job that ran and completed nothing starts from the beginning, and says so', () => {
  const choice = choose({ kind: 'latest' }, { ...nothing, started: true })
  expect(choice.place).toBeUndefined()
  expect(choice.note).toMatch(/starting from the beginning/)
})

test('latest goes back to what was restored when nothing completed since', () => {
  const restoredFrom = '/elsewhere/savepoint-3'
  const choice = choose({ kind: 'latest' }, { ...nothing, started: true, restoredFrom })
  expect(choice.place).toEqual({ location: '/elsewhere', folder: 'savepoint-3' })
})

test('a newest one that cannot be read is refused, never passed over', () => {
  expect(() => choose({ kind: 'latest' }, { ...past, unreadable: [7] })).toThrow(
    expect.objectContaining({
      code: 'WEIR_CHECKPOINT_CORRUPT',
      message: expect.stringContaining('/store/default.job/chk-7/_metadata'),
      next: expect.stringContaining('--restore /store/default.job/chk-6'),
    }),
  )
})

const paths: Record<string, string> = {
  'its folder': '/store/default.job/chk-5',
  'its metadata': '/store/default.job/chk-5/_metadata',
  'a URL': 'file:///store/default.job/chk-5',
}
test.each(Object.entries(paths))('an own checkpoint is named by %s, and stays', (_, path) => {
  expect(choose({ kind: 'path', path })).toEqual({
    place: { location: '/store', folder: 'default.job/chk-5' },
    base: {
      restoredFrom: '/store/default.job/chk-5',
      history: [
        { id: 4, pinned: false },
        { id: 5, pinned: true },
      ],
    },
    previous: '/store/default.job/chk-4',
    note: undefined,
  })
})

test('one of an older run may be named too', () => {
  const { base } = choose({ kind: 'path', path: '/store/default.job/chk-2' })
  expect(base.history).toEqual([{ id: 2, pinned: true }])
})

test('a snapshot elsewhere leaves the job’s own behind', () => {
  expect(choose({ kind: 'path', path: '/other/place/savepoint-1/' })).toMatchObject({
    place: { location: '/other/place', folder: 'savepoint-1' },
    base: { restoredFrom: '/other/place/savepoint-1', history: [] },
    previous: undefined,
  })
})

test.each([
  ['s3://bucket/jobs/default.job/chk-5', 's3://bucket/jobs', 'default.job/chk-5'],
  ['s3://bucket/jobs/default.job/chk-5/_metadata', 's3://bucket/jobs', 'default.job/chk-5'],
  ['s3://bucket/jobs/default.job/chk-5?endpoint=http://a', 's3://bucket/jobs', 'default.job/chk-5'],
  ['s3://other/a/savepoint-1/', 's3://other/a', 'savepoint-1'],
  ['s3://other/a/sp-1/_metadata?endpoint=http://a', 's3://other/a?endpoint=http://a', 'sp-1'],
  ['s3://other/savepoint-1', 's3://other', 'savepoint-1'],
])('in a bucket, %s is in %s', (path, location, folder) => {
  const store: ObjectStore = Object.assign(new MemoryStore(), { location: 's3://bucket/jobs' })
  const request: RestoreRequest = { kind: 'path', path }
  expect(chooseRestore({ request, lineage: past, store, jobId }).place).toEqual({
    location,
    folder,
  })
})

test('a savepoint that ended the job is the latest; the checkpoint before is offered', () => {
  const savepoint = { id: 7, path: '/store/default.job/savepoints/savepoint-7' }
  expect(choose({ kind: 'latest' }, { ...past, savepoint })).toEqual({
    place: { location: '/store', folder: 'default.job/savepoints/savepoint-7' },
    base: { restoredFrom: savepoint.path, history: [] },
    previous: '/store/default.job/chk-6',
    note: undefined,
  })
})

test('a restart makes no silent step back to an empty start either', () => {
  const lineage = { ...nothing, started: true, goesOn: true, unreadable: [1] }
  expect(() => choose({ kind: 'none' }, lineage)).toThrow('chk-1/_metadata')
})

test('a restart goes on from the newest, or empty where nothing was restored', () => {
  const restart = (lineage: Lineage, request: RestoreRequest = { kind: 'none' }) =>
    choose(request, { ...lineage, goesOn: true }).place
  expect(restart(past)).toEqual({ location: '/store', folder: 'default.job/chk-6' })
  expect(restart({ ...nothing, started: true })).toBeUndefined()
  expect(restart({ ...nothing, started: true, restoredFrom: '/x/sp' })).toEqual({
    location: '/x',
    folder: 'sp',
  })
  // Whatever was asked for at first.
  const path = '/store/default.job/chk-4'
  expect(restart(past, { kind: 'path', path })?.folder).toBe('default.job/chk-6')
})
