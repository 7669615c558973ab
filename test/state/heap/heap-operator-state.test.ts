import { describe, expect, test } from '@jest/globals'
import { typeOf } from '../../../src/schema/type-of.ts'
import { z } from '../../../src/schema/z.ts'
import { BroadcastMap } from '../../../src/state/heap/broadcast-map.ts'
import {
  HeapOperatorState,
  makeOperatorStateBackend,
} from '../../../src/state/heap/heap-operator-state.ts'
import { OperatorList } from '../../../src/state/heap/operator-list.ts'

const place = typeOf(z.object({ city: z.string(), code: z.int32() }))
const text = typeOf(z.string())
const int = typeOf(z.int32())

function reopened(from: ReturnType<typeof makeOperatorStateBackend>) {
  const backend = makeOperatorStateBackend('source')
  backend.restore(structuredClone(from.snapshot()).map(rebuffered))
  return backend
}

/** structuredClone makes plain bytes of buffers. */
function rebuffered<S extends { readonly items: readonly Uint8Array[] }>(state: S) {
  return { ...state, items: state.items.map(item => Buffer.from(item)) }
}

describe('a list', () => {
  test('is kept in order, apart from what was given and got', () => {
    const backend = makeOperatorStateBackend('source')
    const list = backend.listState('offsets', 'split', place)
    list.add({ city: 'Oslo', code: 1 })
    list.addAll([{ city: 'Rome', code: 2 }])
    const got = list.get() as unknown[]
    got.pop()
    const again = reopened(backend).listState('offsets', 'split', place)
    expect(again.get()).toEqual([
      { city: 'Oslo', code: 1 },
      { city: 'Rome', code: 2 },
    ])
    again.update([])
    again.add({ city: 'Bern', code: 3 })
    expect(again.get()).toEqual([{ city: 'Bern', code: 3 }])
    again.clear()
    expect(again.get()).toEqual([])
  })

  test('may be added to itself', () => {
    const list = new OperatorList(int as never)
    list.addAll([1, 2])
    list.addAll(list.get())
    expect(list.get()).toEqual([1, 2, 1, 2])
  })
})

describe('a broadcast map', () => {
  test('finds keys by value, and is restored with them', () => {
    const backend = makeOperatorStateBackend('rules')
    const map = backend.broadcastState('rules', place, text)
    expect(map.isEmpty()).toBe(true)
    map.put({ city: 'Oslo', code: 1 }, 'a')
    map.put({ city: 'Oslo', code: 2 }, 'b')
    map.put({ city: 'Oslo', code: 1 }, 'c')
    map.put({ city: 'Rome', code: 1 }, 'd')
    map.remove({ city: 'Rome', code: 1 })
    const again = reopened(backend).broadcastState('rules', place, text)
    expect([...again.entries()]).toEqual([
      [{ city: 'Oslo', code: 1 }, 'c'],
      [{ city: 'Oslo', code: 2 }, 'b'],
    ])
    expect([again.get({ city: 'Oslo', code: 2 }), again.has({ city: 'Rome', code: 1 })]).toEqual([
      'b',
      false,
    ])
    expect([[...again.keys()].length, [...again.values()]]).toEqual([2, ['c', 'b']])
    again.clear()
    expect(again.isEmpty()).toBe(true)
  })

  test('may be changed while it is walked over', () => {
    const map = new BroadcastMap(int as never, text as never)
    for (let i = 0; i < 5; i++) map.put(i, `${i}`)
    for (const key of map.keys()) map.remove(key)
    expect(map.isEmpty()).toBe(true)
  })
})

describe('restoring', () => {
  test('O1: comes before the first state', () => {
    const backend = new HeapOperatorState('source')
    backend.listState('l', 'split', int)
    expect(() => backend.restore([])).toThrow('O1')
  })

  test('O2: the same name is the same state, and never of two kinds', () => {
    const backend = makeOperatorStateBackend('source')
    expect(backend.listState('l', 'split', int)).toBe(backend.listState('l', 'split', int))
    expect(() => backend.listState('l', 'union', int)).toThrow(
      expect.objectContaining({ code: 'WEIR_STATE_REDECLARED' }),
    )
    expect(() => backend.broadcastState('l', int, int)).toThrow(
      expect.objectContaining({ code: 'WEIR_STATE_REDECLARED' }),
    )
  })

  test('a split list may become a union one, and items evolve with their schema', () => {
    const backend = makeOperatorStateBackend('source')
    backend.listState('l', 'split', place).add({ city: 'Oslo', code: 1 })
    const wider = typeOf(z.object({ city: z.string(), land: z.string().default('Norway') }))
    const again = reopened(backend).listState('l', 'union', wider)
    expect(again.get()).toEqual([{ city: 'Oslo', land: 'Norway' }])
  })

  const changed: Record<string, (b: ReturnType<typeof makeOperatorStateBackend>) => unknown> = {
    'items of another type': backend => backend.listState('list', 'split', int),
    'a list as a map': backend => backend.broadcastState('list', int, place),
    'a map with other keys': backend => backend.broadcastState('map', text, text),
    'a map with other values': backend => backend.broadcastState('map', int, int),
  }
  test.each(Object.entries(changed))('refuses %s, naming operator and state', (_, reopen) => {
    const backend = makeOperatorStateBackend('source')
    backend.listState('list', 'split', place).add({ city: 'Oslo', code: 1 })
    backend.broadcastState('map', int, text).put(1, 'a')
    expect(() => reopen(reopened(backend))).toThrow(
      expect.objectContaining({
        code: 'WEIR_STATE_INCOMPATIBLE',
        details: expect.objectContaining({ operator: 'source' }),
      }),
    )
  })

  test('a snapshot with what the type cannot write fails, naming operator and state', () => {
    const backend = makeOperatorStateBackend('source')
    backend.listState('l', 'split', place).add({ city: 5 } as never)
    expect(() => backend.snapshot()).toThrow(
      expect.objectContaining({
        code: 'WEIR_STATE_UNSERIALIZABLE',
        details: expect.objectContaining({ operator: 'source', state: 'l' }),
      }),
    )
  })
})
