/**
 * What every keyed state backend promises; run over each. A backend is made by `open`; what it
 * restores was written by `other` (the same backend, or another one: the bytes are portable).
 */
import { describe, expect, test } from '@jest/globals'
import {
  aggregatingState,
  listState,
  mapState,
  valueState,
} from '../../src/api/state-descriptor.ts'
import { z } from '../../src/schema/z.ts'
import { hashKey } from '../../src/state/key.ts'
import { keyGroupOf } from '../../src/state/key-groups.ts'
import type { KeyedStateBackend } from '../../src/state/keyed-state-backend.ts'
import { namespaceContract } from './keyed-state-namespaces.ts'
import {
  average,
  contractRows,
  keys,
  MAX_PARALLELISM,
  type OpenBackend,
  openSubtasks,
  sum,
  total,
} from './keyed-state-setup.ts'
import { timerContract } from './keyed-state-timers.ts'

export function keyedStateBackendContract(open: OpenBackend, other: OpenBackend = open): void {
  const rows = contractRows(open, other)
  const { one, reopened } = rows

  describe('keys', () => {
    test('each kind of key has a value of its own, before and after a restore', () => {
      const backend = one()
      const state = backend.state('v', valueState(z.int32()))
      keys.forEach((key, i) => {
        backend.setCurrentKey(key)
        expect(backend.currentKey()).toEqual(key)
        expect(state.value()).toBeUndefined()
        state.update(i)
      })
      const again = reopened(backend)
      const restored = again.state('v', valueState(z.int32()))
      keys.forEach((key, i) => {
        backend.setCurrentKey(key)
        expect(state.value()).toBe(i)
        again.setCurrentKey(key)
        expect(restored.value()).toBe(i)
      })
      expect(again.size().entries).toBe(keys.length)
    })

    test('-0 is the key 0', () => {
      const backend = one()
      const state = backend.state('v', valueState(z.int32()))
      backend.setCurrentKey(0)
      state.update(1)
      backend.setCurrentKey(-0)
      expect(state.value()).toBe(1)
    })

    test('refuses what is no key', () => {
      const backend = one()
      for (const bad of [undefined, null, {}, ['a', undefined], [['a']]]) {
        expect(() => backend.setCurrentKey(bad as never)).toThrow(
          expect.objectContaining({ code: 'WEIR_KEY_INVALID' }),
        )
      }
    })

    test('K2: refuses to store under a key of another subtask', () => {
      const [first] = openSubtasks(open, 4) as [KeyedStateBackend]
      const state = first.state('v', valueState(z.int32()))
      const foreign = Array.from({ length: 100 }, (_, i) => i).find(key => {
        return keyGroupOf(hashKey(key), MAX_PARALLELISM) > first.range.end
      }) as number
      first.setCurrentKey(foreign)
      expect(() => state.update(1)).toThrow(
        expect.objectContaining({ code: 'WEIR_KEY_OUTSIDE_RANGE' }),
      )
      expect(() => first.timerQueue('t').add(0, 1)).toThrow(
        expect.objectContaining({ code: 'WEIR_KEY_OUTSIDE_RANGE' }),
      )
      expect(first.size().entries).toBe(0)
    })
  })

  describe('value state', () => {
    test('is undefined before the first update and after a clear', () => {
      const backend = one()
      const state = backend.state('v', valueState(z.string()))
      backend.setCurrentKey('a')
      expect(state.value()).toBeUndefined()
      state.update('x')
      expect(state.value()).toBe('x')
      state.clear()
      expect(state.value()).toBeUndefined()
      state.clear()
      expect(backend.size().entries).toBe(0)
    })

    const samples = {
      int32: [z.int32(), [0, 1, -1, 2_147_483_647]],
      float64: [z.number(), [0, -0, 0.1, Number.MAX_VALUE, -1e-300]],
      string: [z.string(), ['', 'a', 'a\u0000b', 'x'.repeat(100_000), '\ud800', 'ж']],
      int64: [z.int64(), [0n, -1n, 2n ** 62n]],
      boolean: [z.boolean(), [true, false]],
      object: [total, [{ count: 1, sum: 0.5 }]],
      nullable: [z.number().nullable(), [null, 4]],
      array: [z.array(z.string()), [[], ['a', 'b']]],
      bytes: [z.bytes(), [Buffer.from([]), Buffer.from([1, 2, 3]), Buffer.alloc(3_000_000, 7)]],
      'no schema': [undefined, [{ a: [1, 'b', null] }, 'text', 5]],
    } as const
    test.each(Object.entries(samples))('keeps values of type %s', (_, [schema, values]) => {
      const descriptor = valueState<unknown>(schema as never)
      const backend = one()
      const state = backend.state('v', descriptor)
      values.forEach((value, key) => {
        backend.setCurrentKey(key)
        state.update(structuredClone(value))
      })
      const again = reopened(backend)
      const restored = again.state('v', descriptor)
      values.forEach((value, key) => {
        backend.setCurrentKey(key)
        expect(plain(state.value())).toEqual(plain(value))
        again.setCurrentKey(key)
        expect(plain(restored.value())).toEqual(plain(value))
      })
    })

    test('replaces values by shorter and longer ones many times', () => {
      const backend = one()
      const state = backend.state('v', valueState(z.bytes()))
      for (let round = 0; round < 50; round++) {
        for (let key = 0; key < 20; key++) {
          backend.setCurrentKey(key)
          if ((round + key) % 7 === 0) state.clear()
          else state.update(Buffer.alloc(((round * 131 + key * 17) % 900) + 1, key))
        }
      }
      for (let key = 0; key < 20; key++) {
        backend.setCurrentKey(key)
        const wanted = Buffer.alloc(((49 * 131 + key * 17) % 900) + 1, key)
        if ((49 + key) % 7 === 0) expect(state.value()).toBeUndefined()
        else expect(plain(state.value())).toEqual(plain(wanted))
      }
    })

    test('refuses at once what its column cannot hold', () => {
      const backend = one()
      backend.setCurrentKey('a')
      const int = backend.state('int', valueState(z.int32()))
      const double = backend.state('double', valueState(z.number()))
      expect(() => int.update(0.5)).toThrow()
      expect(() => int.update(2 ** 31)).toThrow()
      expect(() => double.update('1' as never)).toThrow()
      expect([int.value(), double.value()]).toEqual([undefined, undefined])
    })

    test('updating with undefined clears', () => {
      const backend = one()
      const state = backend.state('v', valueState<unknown>())
      backend.setCurrentKey('a')
      state.update(1)
      state.update(undefined)
      expect(backend.size().entries).toBe(0)
    })
  })

  describe('list state', () => {
    test('keeps the order of add, and gives an empty list for no key', () => {
      const backend = one()
      const state = backend.state('l', listState(z.string()))
      backend.setCurrentKey(1)
      expect(state.get()).toEqual([])
      state.add('a')
      state.addAll(['b', 'c'])
      state.addAll([])
      backend.setCurrentKey(2)
      state.update(['z'])
      const again = reopened(backend)
      const restored = again.state('l', listState(z.string()))
      again.setCurrentKey(1)
      expect(restored.get()).toEqual(['a', 'b', 'c'])
      again.setCurrentKey(2)
      expect(restored.get()).toEqual(['z'])
      restored.update([])
      expect(restored.get()).toEqual([])
      expect(again.size().entries).toBe(1)
    })

    test('what get gave does not change with the list, nor the list with it', () => {
      const backend = one()
      const state = backend.state('l', listState(z.int32()))
      backend.setCurrentKey(1)
      state.update([1, 2])
      const got = state.get() as number[]
      state.add(3)
      expect(got).toEqual([1, 2])
      got.push(99)
      expect(state.get()).toEqual([1, 2, 3])
      const given = [7]
      state.update(given)
      given.push(8)
      expect(state.get()).toEqual([7])
    })
  })

  describe('map state', () => {
    test('puts, gets, removes and lists entries, and is empty without any', () => {
      const backend = one()
      const state = backend.state('m', mapState(z.string(), z.int32()))
      backend.setCurrentKey('k')
      expect([state.isEmpty(), state.has('a'), state.get('a')]).toEqual([true, false, undefined])
      state.put('a', 1)
      state.put('b', 2)
      state.put('a', 3)
      expect([...state.entries()]).toEqual([
        ['a', 3],
        ['b', 2],
      ])
      state.remove('a')
      state.remove('nothing')
      expect([[...state.keys()], [...state.values()]]).toEqual([['b'], [2]])
      backend.setCurrentKey('other')
      expect(state.isEmpty()).toBe(true)
      backend.setCurrentKey('k')
      state.remove('b')
      expect([state.isEmpty(), backend.size().entries]).toEqual([true, 0])
    })

    test('finds map keys by value: tuples, objects, odd strings', () => {
      const keyType = z.object({ city: z.string(), code: z.int32() })
      const backend = one()
      const byObject = backend.state('o', mapState(keyType, z.int32()))
      const byString = backend.state('s', mapState(z.string(), z.int32()))
      backend.setCurrentKey(1)
      byObject.put({ city: 'Oslo', code: 1 }, 1)
      byObject.put({ city: 'Oslo', code: 2 }, 2)
      const odd = ['', '\u0000', '\u0000s', '\u0000o', 's']
      odd.forEach((key, i) => byString.put(key, i))
      const again = reopened(backend)
      const restoredObjects = again.state('o', mapState(keyType, z.int32()))
      const restoredStrings = again.state('s', mapState(z.string(), z.int32()))
      again.setCurrentKey(1)
      expect(restoredObjects.get({ city: 'Oslo', code: 2 })).toBe(2)
      expect([...restoredObjects.keys()]).toContainEqual({ city: 'Oslo', code: 1 })
      expect(odd.map(key => restoredStrings.get(key))).toEqual([0, 1, 2, 3, 4])
    })

    test('may be changed while its entries are walked over', () => {
      const backend = one()
      const state = backend.state('m', mapState(z.int32(), z.int32()))
      backend.setCurrentKey(1)
      for (let i = 0; i < 10; i++) state.put(i, i)
      for (const [key] of state.entries()) state.remove(key)
      expect(state.isEmpty()).toBe(true)
    })
  })

  describe('reducing and aggregating state', () => {
    test('combine what is added', () => {
      const backend = one()
      const reducing = backend.state('r', sum)
      const aggregating = backend.state('a', average)
      backend.setCurrentKey('k')
      expect([reducing.get(), aggregating.get()]).toEqual([undefined, undefined])
      for (const value of [1, 2, 6]) {
        reducing.add(value)
        aggregating.add(value)
      }
      expect([reducing.get(), aggregating.get()]).toEqual([9, 3])
      expect(aggregating.accumulator()).toEqual({ count: 3, sum: 9 })
      aggregating.setAccumulator({ count: 1, sum: 100 })
      const again = reopened(backend)
      again.setCurrentKey('k')
      expect([again.state('r', sum).get(), again.state('a', average).get()]).toEqual([9, 100])
    })

    test('an aggregate may change its accumulator in place', () => {
      const counting = aggregatingState<string, { words: string[] }, number>({
        accumulator: z.object({ words: z.array(z.string()) }),
        create: () => ({ words: [] }),
        add: (word, acc) => {
          acc.words.push(word)
          return acc
        },
        result: acc => acc.words.length,
      })
      const backend = one()
      const state = backend.state('a', counting)
      for (const key of [1, 2, 1, 1]) {
        backend.setCurrentKey(key)
        state.add('x')
      }
      const again = reopened(backend)
      const restored = again.state('a', counting)
      const counts = [1, 2].map(key => {
        again.setCurrentKey(key)
        return restored.get()
      })
      expect(counts).toEqual([3, 1])
    })

    test('an add whose function throws leaves nothing behind', () => {
      const backend = one()
      const state = backend.state(
        'a',
        aggregatingState<number, number, number>({
          accumulator: z.number(),
          create: () => 0,
          add: () => {
            throw new Error('no')
          },
          result: acc => acc,
        }),
      )
      backend.setCurrentKey(1)
      expect(() => state.add(1)).toThrow('no')
      expect([state.get(), backend.size().entries]).toEqual([undefined, 0])
    })
  })

  test('the same name is the same state; another kind or layout under it is refused', () => {
    const backend = one()
    expect(backend.state('v', valueState(z.int32()))).toBe(
      backend.state('v', valueState(z.int32())),
    )
    expect(() => backend.state('v', listState(z.int32()))).toThrow(
      expect.objectContaining({ code: 'WEIR_STATE_REDECLARED' }),
    )
    expect(() => backend.state('v', valueState(z.int32()), { layout: 'namespace' })).toThrow(
      expect.objectContaining({ code: 'WEIR_STATE_REDECLARED' }),
    )
  })

  namespaceContract(rows)
  timerContract(rows)
}

function plain(value: unknown): unknown {
  return value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value
}
