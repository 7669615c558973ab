import { expect, test } from '@jest/globals'
import {
  type FoundCheckpoint,
  type GenerationBase,
  type GenerationRecord,
  type Lineage,
  lineageOf,
  readGeneration,
  writeGeneration,
} from '../../src/checkpoint/generation.ts'

function record(
  generation: number,
  base: Partial<GenerationBase> | null,
  rest: number | Partial<GenerationRecord> = 0,
): GenerationRecord {
  const whole = { restoredFrom: null, history: [], reservedBefore: 0 }
  return {
    formatVersion: 1,
    generation,
    run: 'old',
    startedAtMs: 0,
    lastCheckpointId: 0,
    base: base === null ? null : { ...whole, ...base },
    savepoint: null,
    parallelism: null,
    ...(typeof rest === 'number' ? { lastCheckpointId: rest } : rest),
  }
}

const found = (id: number, generation: number | undefined): FoundCheckpoint => ({ id, generation })
const kept = (...ids: number[]) => ids.map(id => ({ id, pinned: false }))

interface Case {
  readonly run?: string
  readonly records: readonly GenerationRecord[]
  readonly found: readonly FoundCheckpoint[]
  readonly expect: Partial<Lineage>
}

const cases: Record<string, Case> = {
  'N5: a numbered run goes on from those of its job, and is succeeded by higher numbers': {
    records: [record(1, {}, { run: 'u/3' }), record(2, null, { run: 'u/4' })],
    found: [found(7, 1)],
    run: 'u/3',
    expect: { goesOn: true, jobGoesOn: true, succeededBy: 2, completed: kept(7) },
  },
  'N5: the new one is not succeeded by the old': {
    records: [record(1, {}, { run: 'u/9' })],
    found: [found(7, 1)],
    run: 'u/10',
    expect: { goesOn: false, jobGoesOn: true, succeededBy: undefined, completed: kept(7) },
  },
  'N5: the runs of a namesake are another job’s': {
    records: [record(1, {}, { run: 'v/9' })],
    found: [found(7, 1)],
    run: 'u/1',
    expect: { goesOn: false, jobGoesOn: false, succeededBy: undefined },
  },
  'a job that never ran has no past': {
    records: [],
    found: [],
    expect: { started: false, completed: [], restoredFrom: null, lastCheckpointId: 0 },
  },
  'N1: the newest attempt’s own checkpoints are its past': {
    records: [record(1, {}, 9)],
    found: [found(7, 1), found(8, 1)],
    expect: { started: true, completed: kept(7, 8), lastCheckpointId: 9, abandoned: [] },
  },
  'so are those it inherited, as far as they are still there': {
    records: [record(1, {}, 6), record(2, { history: kept(4, 5, 6), reservedBefore: 6 }, 8)],
    found: [found(5, 1), found(6, 1), found(8, 2)],
    expect: { completed: kept(5, 6, 8) },
  },
  'what a stale attempt completed after its successor began is abandoned': {
    records: [record(1, {}, 8), record(2, { history: kept(6), reservedBefore: 7 }, 7)],
    found: [found(6, 1), found(8, 1)],
    expect: { completed: kept(6), abandoned: [8], lastCheckpointId: 8 },
  },
  'an attempt that died before it settled changes nothing': {
    records: [record(1, {}, 8), record(2, null)],
    found: [found(8, 1)],
    expect: { completed: kept(8), lastCheckpointId: 8 },
  },
  'a fresh start leaves the old run behind': {
    records: [record(1, {}, 8), record(2, { reservedBefore: 8 }, 8)],
    found: [found(7, 1), found(8, 1)],
    expect: { started: true, completed: [], restoredFrom: null, abandoned: [7, 8] },
  },
  'a restored savepoint counts until the first checkpoint after it': {
    records: [record(3, { restoredFrom: '/s/savepoint-9', reservedBefore: 9 }, 9)],
    found: [found(8, 1)],
    expect: { completed: [], restoredFrom: '/s/savepoint-9', abandoned: [8] },
  },
  'an unreadable checkpoint of the newest attempt may be the latest': {
    records: [record(1, {}, 9)],
    found: [found(8, 1), found(9, undefined)],
    expect: { completed: kept(8), unreadable: [9], abandoned: [] },
  },
  'an unreadable one of an older attempt is not': {
    records: [record(1, {}, 9), record(2, { history: kept(8), reservedBefore: 9 }, 9)],
    found: [found(8, 1), found(9, undefined)],
    expect: { completed: kept(8), unreadable: [], abandoned: [9] },
  },
  'the savepoint with which the newest attempt ended is later than its checkpoints': {
    records: [record(1, {}, { lastCheckpointId: 9, savepoint: { id: 9, path: '/s/savepoint-9' } })],
    found: [found(8, 1), found(7, undefined)],
    expect: {
      completed: kept(8),
      savepoint: { id: 9, path: '/s/savepoint-9' },
      unreadable: [],
    },
  },
  'that of an older attempt is its past': {
    records: [
      record(1, {}, { lastCheckpointId: 9, savepoint: { id: 9, path: '/s/savepoint-9' } }),
      record(2, { restoredFrom: '/s/savepoint-9', reservedBefore: 9 }, 11),
    ],
    found: [found(8, 1), found(11, 2)],
    expect: { completed: kept(11), savepoint: undefined, abandoned: [8] },
  },
  'N3: another start does not go on by itself': {
    records: [record(1, {}, 8), record(2, {}, 8)],
    found: [],
    expect: { started: true, goesOn: false },
  },
  'N3: nor does one whose attempts never got to run': {
    records: [record(1, {}, 8), record(2, null, { lastCheckpointId: 0, run: 'new' })],
    found: [],
    expect: { goesOn: false },
  },
  'N3: one that got to run goes on': {
    records: [
      record(1, {}, 8),
      record(2, {}, { lastCheckpointId: 8, run: 'new' }),
      record(3, null),
    ],
    found: [],
    expect: { goesOn: true },
  },
  'N3: so it does where another start took over meanwhile': {
    records: [
      record(1, {}, 8),
      record(2, null, { lastCheckpointId: 8, run: 'new' }),
      record(3, {}),
    ],
    found: [],
    expect: { goesOn: true },
  },
  'without any record the checkpoints speak for themselves': {
    records: [],
    found: [found(3, 1), found(4, 2), found(5, undefined)],
    expect: { started: true, completed: kept(3, 4), unreadable: [5], lastCheckpointId: 5 },
  },
}

test.each(Object.entries(cases))(
  '%s',
  (_sentence, { run = 'new', records, found, expect: wanted }) => {
    expect(lineageOf({ run, records, found })).toMatchObject(wanted)
    const reversed = { run, records: records.toReversed(), found: found.toReversed() }
    expect(lineageOf(reversed)).toMatchObject(wanted)
  },
)

test('a record is read as it was written, a damaged one is none', () => {
  const written = record(4, { restoredFrom: '/x', history: [{ id: 2, pinned: true }] }, 5)
  expect(readGeneration(writeGeneration(written))).toEqual(written)
  expect(readGeneration(writeGeneration(written).subarray(0, 40))).toBeUndefined()
  expect(readGeneration(Buffer.from('{}'))).toBeUndefined()
})

test('a record of before there were runs and final savepoints is read', () => {
  const { run: _run, savepoint: _savepoint, ...old } = record(4, {}, 5)
  const read = readGeneration(Buffer.from(JSON.stringify(old)))
  expect(read).toMatchObject({ generation: 4, run: '', savepoint: null })
})
