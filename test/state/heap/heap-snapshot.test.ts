import { describe, expect, test } from '@jest/globals'
import type { Key } from '../../../src/api/functions.ts'
import { listState, reducingState, valueState } from '../../../src/api/state-descriptor.ts'
import { z } from '../../../src/schema/z.ts'
import { ChunkPool } from '../../../src/state/chunk-pool.ts'
import {
  type HeapKeyedStateBackend,
  makeHeapBackend,
} from '../../../src/state/heap/heap-keyed-state-backend.ts'
import { HeapSnapshot } from '../../../src/state/heap/heap-snapshot.ts'
import type { KeyedSnapshot, KeyedStateBackend } from '../../../src/state/keyed-state-backend.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { restorable, snapshotOf } from '../../contract/keyed-state-setup.ts'

const range = { start: 0, end: 15 }

function open(clock = new ManualClock()): HeapKeyedStateBackend {
  return makeHeapBackend({ operatorName: 'sums', maxParallelism: 16, range, clock })
}

function filled(count: number) {
  const backend = open()
  const state = backend.state('v', valueState(z.int32()))
  for (let key = 0; key < count; key++) {
    backend.setCurrentKey(key)
    state.update(key)
  }
  return { backend, state }
}

function valuesOf(restored: ReturnType<typeof restorable>): number[] {
  const backend = open()
  backend.restore([restored])
  const state = backend.state('v', valueState(z.int32()))
  const values: number[] = []
  state.forEachKey(0, () => values.push(state.value() as number))
  return values.toSorted((a, b) => a - b)
}

describe('a snapshot', () => {
  test('is written in slices: a budget that is used up ends the step', () => {
    const { backend } = filled(10_000)
    const run = backend.beginSnapshot(1)
    let steps = 1
    while (!run.step(0)) steps++
    expect(steps).toBeGreaterThan(10)
    expect(valuesOf(restorable(run.result()))).toHaveLength(10_000)
  })

  test('K3: shows the moment it was begun, though the last key is still current', () => {
    const { backend, state } = filled(100)
    expect(state.value()).toBe(99)
    const run = backend.beginSnapshot(1)
    state.update(-1)
    while (!run.step(1));
    expect(valuesOf(restorable(run.result()))[0]).toBe(0)
    expect(state.value()).toBe(-1)
  })

  test('K3: an object changed in place after it was read is shown as it was', () => {
    const backend = open()
    const state = backend.state('o', valueState(z.object({ name: z.string() })))
    backend.setCurrentKey(1)
    state.update({ name: 'before' })
    const run = backend.beginSnapshot(1)
    const value = state.value() as { name: string }
    value.name = 'after'
    state.update(value)
    while (!run.step(1));
    const again = open()
    again.restore([restorable(run.result())])
    const restored = again.state('o', valueState(z.object({ name: z.string() })))
    again.setCurrentKey(1)
    expect([restored.value(), state.value()]).toEqual([{ name: 'before' }, { name: 'after' }])
  })

  test('B1: another one writes the older to its end first', () => {
    const { backend, state } = filled(2_000)
    const first = backend.beginSnapshot(1)
    first.step(0)
    backend.setCurrentKey(1_999)
    state.update(-5)
    const second = backend.beginSnapshot(2)
    while (!second.step(1));
    expect(first.step(0)).toBe(true)
    expect(valuesOf(restorable(first.result()))[0]).toBe(0)
    expect(valuesOf(restorable(second.result()))[0]).toBe(-5)
  })

  test('S1, S2: given up it frees the tables for the next, and gives no result', () => {
    const { backend } = filled(2_000)
    const run = backend.beginSnapshot(1)
    run.step(0)
    run.cancel()
    expect(() => run.result()).toThrow('S2')
    expect(valuesOf(snapshotOf(backend))).toHaveLength(2_000)
  })

  test('B2: nothing is restored after a state was opened', () => {
    const { backend } = filled(1)
    expect(() => backend.restore([])).toThrow('B2')
  })

  test('panes that are dropped meanwhile are still in it', () => {
    const backend = open()
    const sum = reducingState<number>((a, b) => a + b, z.number())
    const state = backend.state('r', sum, { layout: 'namespace' })
    for (let pane = 1; pane <= 5; pane++) {
      state.setNamespace(pane)
      for (let key = 0; key < 300; key++) {
        backend.setCurrentKey(key)
        state.add(pane)
      }
    }
    const run = backend.beginSnapshot(1)
    run.step(0)
    for (let pane = 1; pane <= 5; pane++) state.clearNamespace(pane)
    expect([...state.namespaces()]).toEqual([])
    while (!run.step(1));
    const again = open()
    again.restore([restorable(run.result())])
    const restored = again.state('r', sum, { layout: 'namespace' })
    expect([...restored.namespaces()].toSorted()).toEqual([1, 2, 3, 4, 5])
    expect(again.size().entries).toBe(1_500)
  })

  test('of values that the type cannot write fails, naming operator and state', () => {
    const backend = open()
    const state = backend.state('names', listState(z.object({ name: z.string() })))
    backend.setCurrentKey(1)
    state.add({ name: 5 } as never)
    const run = backend.beginSnapshot(1)
    expect(() => run.step(1)).toThrow(
      expect.objectContaining({
        code: 'WEIR_STATE_UNSERIALIZABLE',
        message: expect.stringMatching(/names.*sums/),
      }),
    )
    run.cancel()
  })

  test('K3: the memory of one that was stored serves the next, and holds nothing of it', () => {
    const { backend } = filled(30_000)
    const snapshot = () => {
      const run = backend.beginSnapshot(1)
      while (!run.step(1));
      return run.result()
    }
    const bytesOf = ({ chunks }: KeyedSnapshot) => Buffer.concat(chunks)
    const first = snapshot()
    const before = bytesOf(first)
    const second = snapshot()
    expect(bytesOf(first).equals(before)).toBe(true)
    // Those that are large enough to be no headers, which are made anew.
    const memoryOf = ({ chunks }: KeyedSnapshot) =>
      new Set(chunks.filter(({ length }) => length > 100).map(({ buffer }) => buffer))
    const isShared = (chunk: ArrayBufferLike) => memoryOf(second).has(chunk)
    expect([...memoryOf(first)].some(isShared)).toBe(false)
    first.release?.()
    first.release?.()
    const third = snapshot()
    expect(memoryOf(third)).toEqual(memoryOf(first))
    expect([...memoryOf(third)].some(isShared)).toBe(false)
    expect([second, third].map(one => bytesOf(one).equals(before))).toEqual([true, true])
  })

  test('of nothing is empty, and done at once', () => {
    const run = new HeapSnapshot({
      operatorName: 'none',
      maxParallelism: 16,
      range,
      clock: new ManualClock(),
      pool: new ChunkPool(),
      states: [],
      timers: [],
      moved: () => {},
      ended: () => {},
    })
    expect(run.step(0)).toBe(true)
    expect(run.result()).toMatchObject({ states: [], groups: [], chunks: [] })
  })
})

test('its key groups are in order, its offsets those of the joined chunks', () => {
  const { backend } = filled(3_000)
  const run = backend.beginSnapshot(1)
  while (!run.step(1));
  const { groups, chunks } = run.result()
  expect(groups.map(group => group.keyGroup)).toEqual(Array.from({ length: 16 }, (_, i) => i))
  let offset = 0
  for (const group of groups) {
    expect(group.offset).toBe(offset)
    offset += group.length
  }
  expect(Buffer.concat(chunks).length).toBe(offset)
})

test('size counts entries and bytes of states and timers', () => {
  const { backend } = filled(1_000)
  backend.timerQueue('t').add(0, 5)
  const { bytes, entries } = backend.size()
  expect(entries).toBe(1_001)
  expect(bytes).toBeGreaterThan(8_000)
  expect(bytes).toBeLessThan(100_000)
  backend.dispose()
  expect(backend.size()).toEqual({ bytes: 0, entries: 0 })
})

function noteAhead(backend: KeyedStateBackend, keys: readonly Key[]): void {
  expect(backend.beginKeysAhead()).toBe(true)
  for (const key of keys) backend.noteKeyAhead(key)
  backend.fetchKeysAhead()
}

test('keys are worth noting ahead once there are many', () => {
  expect(filled(65_535).backend.beginKeysAhead()).toBe(false)
  expect(filled(65_536).backend.beginKeysAhead()).toBe(true)
})

test('keys noted ahead work like any others, in order, out of order and twice', () => {
  const { backend, state } = filled(70_000)
  const keys = [5, 'text', 69_999, 0.5, 'text', 5, 'another', 90_000]
  noteAhead(backend, keys.slice(0, 7))
  for (const key of [...keys, ...keys.toReversed()]) {
    backend.setCurrentKey(key)
    expect(backend.currentKey()).toBe(key)
    expect(state.value()).toBe(typeof key === 'number' && key < 70_000 && key > 1 ? key : undefined)
  }
  noteAhead(backend, keys.slice(0, 7))
  backend.setCurrentKey('text')
  state.update(1)
  backend.setCurrentKey('text')
  expect(state.value()).toBe(1)
})
