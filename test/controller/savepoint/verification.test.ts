/** What is done to know that the files of a Savepoint are what was written, as a table. */
import { expect, test } from '@jest/globals'
import type { ObservedSavepoint } from '../../../src/controller/savepoint/observed-savepoint.ts'
import type { SavepointObject } from '../../../src/controller/savepoint/savepoint-object.ts'
import {
  decideSavepoint,
  refusedSavepoint,
} from '../../../src/controller/savepoint/savepoint-policies.ts'
import type { VerbPod } from '../../../src/controller/streamjob/verb-pod.ts'
import { savepointSpecSchema } from '../../../src/protocol/savepoint.ts'
import { writeSavepointReport } from '../../../src/protocol/savepoint-report.ts'

const NOW_MS = Date.parse('2026-01-01T12:00:00Z')
const whole = {
  phase: 'Completed',
  path: 's3://b/savepoint-7',
  checkpointId: 7,
  completedAt: '2026-01-01T11:00:00Z',
} as const
const facts = {
  checkpointId: 9,
  completedAtMs: NOW_MS - 60_000,
  formatVersion: 1,
  checksum: 'sha256:ab',
  sizeBytes: 12,
}
const damage = { code: 'WEIR_CHECKPOINT_CORRUPT', message: 'a-1.state is damaged' }
const good = writeSavepointReport(facts)
const bad = writeSavepointReport({ error: damage })

interface Case {
  readonly spec?: object
  readonly status?: SavepointObject['status']
  readonly pods?: readonly Partial<VerbPod>[]
  readonly seen?: Partial<ObservedSavepoint>
}

const condition = (reason: string, is = 'True' as 'True' | 'False') => ({
  type: 'Verified',
  status: is,
  reason,
  message: 'as it was said',
  lastTransitionTime: '2026-01-01T11:30:00Z',
})

function observed({ spec = {}, status = whole, pods = [], seen }: Case): ObservedSavepoint {
  const own = { job: 'bank', ...spec }
  // A folder that is only known is not held.
  const finalizers = own.job === undefined ? [] : ['weir.dev/state']
  const object: SavepointObject = {
    apiVersion: 'weir.dev/v1alpha1',
    kind: 'Savepoint',
    metadata: { namespace: 'a', name: 's', uid: 'the-uid', finalizers },
    spec: own,
    status,
  }
  return {
    object,
    spec: savepointSpecSchema.parse(own),
    status,
    job: { isThere: true, isOver: false, runs: true },
    epoch: 3,
    order: undefined,
    silence: undefined,
    isRecorded: true,
    newer: undefined,
    disposals: [],
    verifications: pods.map((pod, at) => podOf(at + 1, pod)),
    pins: [],
    nowMs: NOW_MS,
    ...seen,
  }
}

function podOf(number: number, pod: Partial<VerbPod>): VerbPod {
  const metadata = { name: `verify-${number}` }
  return {
    number,
    state: 'running',
    endedMs: NOW_MS - 1_000,
    why: undefined,
    word: undefined,
    pod: { apiVersion: 'v1', kind: 'Pod', metadata },
    ...pod,
  }
}

/** In short. */
function decision(one: Case) {
  const { findings, verify, record, sweep, event, status, againMs } = decideSavepoint(observed(one))
  const verified = findings.find(({ type }) => type === 'Verified')
  return {
    ...(verified && { says: `${verified.holds} ${verified.reason}` }),
    ...(verify !== undefined && { verify }),
    ...(record && { record }),
    ...(sweep.length > 0 && { sweep: sweep.map(pod => pod.metadata.name) }),
    ...(event !== undefined && { event: event.reason }),
    ...(status.verifiedAt !== undefined && { verifiedAt: status.verifiedAt }),
    ...(againMs !== undefined && { againMs }),
  }
}

const verified = {
  ...whole,
  verifiedAt: '2026-01-01T11:30:00Z',
  conditions: [condition('ChecksumsMatch')],
}
const failed = (number: number) =>
  Array.from({ length: number }, (): Partial<VerbPod> => ({ state: 'failed', why: 'no store' }))
const folder = { job: undefined, existing: { path: 's3://b/savepoint-7' } }

const table: Record<string, { given: Case; decides: ReturnType<typeof decision> }> = {
  'nobody asked for it': { given: { spec: { verify: 'none' } }, decides: {} },
  'a pod reads what is whole': { given: {}, decides: { says: 'false Verifying', verify: 1 } },
  'it is awaited': { given: { pods: [{}] }, decides: { says: 'false Verifying' } },
  'C1: what it found is stored, and the pod stays until it is': {
    given: { pods: [{ state: 'succeeded', word: good }] },
    decides: {
      says: 'true ChecksumsMatch',
      event: 'SavepointVerified',
      verifiedAt: '2026-01-01T12:00:00Z',
    },
  },
  'C1: then it goes': {
    given: { status: verified, pods: [{ state: 'succeeded', word: good }] },
    decides: {
      says: 'true ChecksumsMatch',
      sweep: ['verify-1'],
      verifiedAt: '2026-01-01T11:30:00Z',
    },
  },
  'what was found stays found': {
    given: { status: verified },
    decides: { says: 'true ChecksumsMatch', verifiedAt: '2026-01-01T11:30:00Z' },
  },
  'who asks for more gets it': {
    given: { spec: { verify: 'restore' }, status: verified },
    decides: { says: 'false Verifying', verify: 1, verifiedAt: '2026-01-01T11:30:00Z' },
  },
  'who asks for less has it': {
    given: { status: { ...verified, conditions: [condition('StateReadable')] } },
    decides: { says: 'true StateReadable', verifiedAt: '2026-01-01T11:30:00Z' },
  },
  'damage is told': {
    given: { pods: [{ state: 'failed', word: bad }] },
    decides: { says: 'false Damaged', event: 'SavepointDamaged' },
  },
  'C2: a pod that could not read is followed by another': {
    given: { pods: failed(1) },
    decides: { says: 'false Verifying', againMs: 9_000 },
  },
  'C2: in time': {
    given: { pods: [{ state: 'failed', endedMs: NOW_MS - 10_000 }] },
    decides: { says: 'false Verifying', verify: 2 },
  },
  'C2: five times': { given: { pods: failed(5) }, decides: { says: 'false VerificationFailed' } },
  'C2: one that succeeded without a word has said nothing': {
    given: { pods: [{ state: 'succeeded', endedMs: NOW_MS - 10_000 }] },
    decides: { says: 'false Verifying', verify: 2 },
  },
  'by whose rights is recorded before': {
    given: { seen: { isRecorded: false } },
    decides: { says: 'false Verifying', record: true, againMs: 60_000 },
  },
  'of a folder of nobody nothing can be read': {
    given: {
      spec: folder,
      seen: { isRecorded: false, job: { isThere: false, isOver: false, runs: false } },
    },
    decides: { says: 'false NobodyMayRead' },
  },
  'it may expire all the same': {
    given: { spec: { ttl: '2h' } },
    decides: { says: 'false Verifying', verify: 1, againMs: 3_600_000 },
  },
}

test.each(Object.entries(table))('%s', (_what, { given, decides }) => {
  expect(decision(given)).toEqual(decides)
})

test('damage makes it useless: who waits for it is told, and a job does not begin from it', () => {
  const pods = [{ state: 'failed', word: bad } as const]
  const { status, findings } = decideSavepoint(observed({ pods }))
  expect(status).toMatchObject({ phase: 'Completed', error: damage })
  expect(findings.map(({ type, holds, reason }) => `${type} ${holds} ${reason}`)).toEqual([
    'Ready false Damaged',
    'Stalled true Damaged',
    'Verified false Damaged',
  ])
})

test('of a folder that was made known it is known now what it holds', () => {
  const pods = [{ state: 'succeeded', word: good } as const]
  const adopted = { ...folder, existing: { ...folder.existing, job: 'bank' } }
  const { status } = decideSavepoint(observed({ spec: adopted, pods }))
  const { completedAtMs: _ms, ...known } = facts
  expect(status).toMatchObject({ ...known, completedAt: '2026-01-01T11:59:00Z' })
  const own = decideSavepoint(observed({ pods })).status
  expect(own).toMatchObject({ checkpointId: 7, checksum: 'sha256:ab', formatVersion: 1 })
})

test('a pod that is refused takes nothing from the savepoint', () => {
  const seen = observed({})
  const refused = {
    reason: 'QuotaExceeded',
    said: 'no room',
    message: 'no room',
    mayPass: true,
  } as const
  const { findings, event } = refusedSavepoint(seen, refused, decideSavepoint(seen))
  expect(event).toBeUndefined()
  expect(findings.map(({ type, holds, reason }) => `${type} ${holds} ${reason}`)).toEqual([
    'Ready true Completed',
    'Verified false QuotaExceeded',
  ])
})
