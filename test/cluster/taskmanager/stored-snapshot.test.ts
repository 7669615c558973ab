/** What a slot stores of a snapshot, it reads again at any parallelism. */
import { expect, test } from '@jest/globals'
import { buildMetadata } from '../../../src/checkpoint/checkpoint-metadata.ts'
import { planRestore } from '../../../src/checkpoint/restore-plan.ts'
import { RestoreReader } from '../../../src/cluster/taskmanager/restore-reader.ts'
import { writeSnapshot } from '../../../src/cluster/taskmanager/snapshot-writer.ts'
import { stateBackendsOf } from '../../../src/cluster/taskmanager/state-backends.ts'
import type { TaskSnapshot } from '../../../src/runtime/task-contract.ts'
import { MemoryStore } from '../../../src/storage/memory-store.ts'
import { description, emptyPart, keyedSnapshot } from '../../checkpoint/snapshot-parts.ts'

const metrics = {
  alignmentMs: 0,
  startDelayMs: 0,
  unaligned: false,
  inFlightBytes: 0,
  syncMs: 0,
  asyncMs: 0,
  recordsPerSplit: {},
}

function snapshot(subtaskIndex: number, parallelism: number): TaskSnapshot {
  const keyed = keyedSnapshot({ index: subtaskIndex, parallelism, maxParallelism: 128 })
  const items = ['x', 'yy'].map(text => Buffer.from(`${subtaskIndex}${text}`))
  const state = { name: 'list', redistribution: 'split' as const, schema: {}, items }
  return {
    checkpointId: 3,
    kind: 'checkpoint',
    vertexId: 'op',
    subtaskIndex,
    operators: [{ ...emptyPart('op'), keyed, operatorState: [state] }],
    channels: [],
    metrics,
  }
}

async function restored(store: MemoryStore, from: number, to: number) {
  const handles = await Promise.all(
    Array.from({ length: from }, (_, index) =>
      writeSnapshot({
        store,
        jobId: 'j',
        snapshot: snapshot(index, from),
      }),
    ),
  )
  const metadata = buildMetadata({
    kind: 'checkpoint',
    checkpointId: 3,
    jobId: 'j',
    jobName: 'j',
    generation: 1,
    triggeredAtMs: 0,
    completedAtMs: 0,
    operators: [description('op', from)],
    subtasks: handles,
    edges: [],
    enumerators: new Map(),
    proofBefore: undefined,
  })
  const operators = [description('op', to)]
  const plan = planRestore({ metadata, path: '', operators, edges: [], dropState: [] })
  return Promise.all(
    (plan.operators.get('op')?.subtasks ?? []).map(async part => {
      const place = { location: 'memory', folder: 'j/chk-3', previous: undefined }
      const restore = { checkpointId: 3, ...place, operators: { op: part }, channels: {} }
      const task = await new RestoreReader(store, restore).read('op', ['op', 'another'])
      return task.operators.get('op')
    }),
  )
}

test.each([
  [1, 1],
  [1, 3],
  [3, 2],
  [2, 5],
])('from %i subtasks to %i', async (from, to) => {
  const parts = await restored(new MemoryStore(), from, to)
  expect(parts).toHaveLength(to)
  const groups = parts.flatMap(part => part?.keyed.flatMap(keyed => keyed.groups) ?? [])
  expect(groups.map(group => group.bytes.toString()).sort()).toEqual(
    Array.from({ length: 128 }, (_, g) => `g:${g}`).sort(),
  )
  const items = parts.flatMap(part => part?.operatorState.flatMap(state => state.items) ?? [])
  const wanted = Array.from({ length: from }, (_, i) => [`${i}x`, `${i}yy`]).flat()
  expect(items.map(String)).toEqual(wanted)
  // A state is one list for its owner, however many files it came from.
  for (const part of parts) expect(part?.operatorState.length).toBeLessThanOrEqual(1)
})

test('a job that keeps nothing stores nothing', async () => {
  const options = { store: undefined, jobId: 'j', kind: 'checkpoint' } as const
  const handle = await writeSnapshot({ ...options, snapshot: snapshot(0, 1) })
  expect(handle.file).toBeUndefined()
})

test('a state backend that is not there is named', () => {
  expect(() => stateBackendsOf({ type: 'rocksdb', options: {} })).toThrow(
    expect.objectContaining({
      code: 'WEIR_STATE_BACKEND_UNKNOWN',
      message: 'this Weir has no state backend rocksdb',
    }),
  )
})
