import { describe, expect, test } from '@jest/globals'
import {
  aggregatingState,
  listState,
  mapState,
  reducingState,
  type StateDescriptor,
  valueState,
} from '../../../src/api/state-descriptor.ts'
import { cloneFunction } from '../../../src/common/clone-function.ts'
import { generalType } from '../../../src/schema/general-type.ts'
import { z } from '../../../src/schema/z.ts'
import { aggregatingHandleClass } from '../../../src/state/heap/aggregating-handle.ts'
import { foldMapKey, ownMapKey } from '../../../src/state/heap/cells.ts'
import { ListContents, MapContents, ScalarContents } from '../../../src/state/heap/contents.ts'
import { CurrentKey } from '../../../src/state/heap/current-key.ts'
import { EntryCursor } from '../../../src/state/heap/entry-cursor.ts'
import { KeysAhead } from '../../../src/state/heap/keys-ahead.ts'
import { listHandleClass } from '../../../src/state/heap/list-handle.ts'
import { mapHandleClass } from '../../../src/state/heap/map-handle.ts'
import { openState } from '../../../src/state/heap/open-state.ts'
import { reducingHandleClass } from '../../../src/state/heap/reducing-handle.ts'
import { stateHandleClass } from '../../../src/state/heap/state-handle.ts'
import { StateTables } from '../../../src/state/heap/state-tables.ts'
import { TtlListState } from '../../../src/state/heap/ttl-list-state.ts'
import { TtlMapState } from '../../../src/state/heap/ttl-map-state.ts'
import {
  TtlAggregatingState,
  TtlReducingState,
  TtlValueState,
} from '../../../src/state/heap/ttl-scalar-states.ts'
import { valueHandleClass } from '../../../src/state/heap/value-handle.ts'
import { foldKey, hashKey } from '../../../src/state/key.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'

const average = {
  accumulator: z.object({ n: z.int32() }),
  create: () => ({ n: 0 }),
  add: (_: unknown, acc: { n: number }) => ({ n: acc.n + 1 }),
  result: (acc: { n: number }) => acc.n,
}
const ttl = { ttlMs: 10 }
const options = {
  operatorName: 'o',
  name: 's',
  layout: 'key',
  current: new CurrentKey(),
  clock: new ManualClock(),
  sweepsExpired: true,
  checkOwned: () => {},
} as const

describe('a state is opened with', () => {
  const cases: Record<string, [StateDescriptor, unknown, unknown]> = {
    'a value handle with TTL': [valueState(undefined, { ttl }), TtlValueState, ScalarContents],
    'a list handle with TTL': [listState(undefined, { ttl }), TtlListState, ListContents],
    'a map handle with TTL': [mapState(undefined, undefined, { ttl }), TtlMapState, MapContents],
    'a reducing handle with TTL': [
      reducingState<unknown>(a => a, undefined, { ttl }),
      TtlReducingState,
      ScalarContents,
    ],
    'an aggregating handle with TTL': [
      aggregatingState(average, { ttl }) as StateDescriptor,
      TtlAggregatingState,
      ScalarContents,
    ],
  }
  test.each(Object.entries(cases))('%s', (_, [descriptor, handle, contents]) => {
    const state = openState(descriptor, options)
    expect(state.handle).toBeInstanceOf(handle as never)
    expect(state.contents).toBeInstanceOf(contents as never)
    expect(state.meta.ttl).toBe(true)
  })

  test('classes of its own: no two states share the code of a handle', () => {
    const [a, b] = [openState(valueState(), options), openState(valueState(), options)]
    expect(a.handle.constructor).not.toBe(b.handle.constructor)
    expect(a.cells.constructor).not.toBe(b.cells.constructor)
  })
})

test('every handle is self-contained: its clone works without its module', () => {
  const Base = cloneFunction(stateHandleClass)()
  const factories = [
    valueHandleClass,
    listHandleClass,
    mapHandleClass,
    reducingHandleClass,
    aggregatingHandleClass,
  ]
  for (const factory of factories) {
    const Handle = cloneFunction(factory as (base: typeof Base) => new () => unknown)(Base)
    expect(Object.getPrototypeOf(Handle)).toBe(Base)
  }
})

test('a cursor finds the tables of its namespace, also after another one dropped them', () => {
  const shape = { width: 1, makeValues: (n: number) => new Int32Array(n), timed: false }
  const tables = new StateTables({ ...shape, checkOwned: () => {} }, 'namespace')
  const current = new CurrentKey()
  const [first, second] = [new EntryCursor(tables, current), new EntryCursor(tables, current)]
  current.set(1)
  first.setNamespace(5)
  first.insert()
  second.setNamespace(5)
  expect(second.locate()).toBeGreaterThanOrEqual(0)
  second.remove()
  expect([...tables.namespaces()]).toEqual([])
  first.forget()
  expect(first.locate()).toBe(-1)
})

test('keys ahead give the hash of each key, asked in order or not', () => {
  const ahead = new KeysAhead()
  const keys = ['a', 'b', 'a', 7, true, 2n, ['x', 1]] as const
  for (const key of keys) ahead.note(key)
  expect(ahead.count).toBe(keys.length)
  expect([...ahead.hashes.subarray(0, ahead.count)]).toEqual(keys.map(key => hashKey(foldKey(key))))
  for (const key of ['a', 'b', 'b', 'never noted']) {
    expect(ahead.hashOf(key, key)).toBe(hashKey(key))
  }
  expect(ahead.hashOfPair(3, -4)).toBe(hashKey(foldKey([3, -4])))
})

test('map keys of equal value fold alike, and no two others do', () => {
  const odd = ['', '\u0000', '\u0000s', '\u0000o', 's', 1, '1', 1n, true, 'true', null, undefined]
  const folded = [...odd, { a: 1 }, { a: 2 }, ['x']].map(key => foldMapKey(key, generalType))
  expect(new Set(folded).size).toBe(folded.length)
  expect(foldMapKey({ a: 1 }, generalType)).toBe(foldMapKey({ a: 1 }, generalType))
  expect(ownMapKey('a text of more than thirteen letters')).toBe(
    'a text of more than thirteen letters',
  )
})
