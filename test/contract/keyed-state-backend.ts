/**
 * What every keyed state backend promises; run over each. A backend is made by `open`; what it
 * restores was written by `other` (the same backend, or another one: the bytes are portable).
 */
import { describe, expect, test } from '@jest/globals'
import type { Key } from '../../src/api/functions.ts'
import {
  aggregatingState,
  listState,
  mapState,
  reducingState,
  valueState,
} from '../../src/api/state-descriptor.ts'
import { z } from '../../src/schema/z.ts'
import { foldKey, hashKey, type PrimitiveKey } from '../../src/state/key.ts'
import { keyGroupOf, keyGroupRange } from '../../src/state/key-groups.ts'
import type {
  KeyedSnapshot,
  KeyedStateBackend,
  RestoredKeyedState,
} from '../../src/state/keyed-state-backend.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'

export interface BackendPlace {
  readonly maxParallelism: number
  readonly range: { readonly start: number; readonly end: number }
  readonly clock: ManualClock
}

export type OpenBackend = (place: BackendPlace) => KeyedStateBackend

const MAX_PARALLELISM = 16

/** Backends of all subtasks of one operator. */
export function openSubtasks(
  open: OpenBackend,
  parallelism: number,
  clock = new ManualClock(),
): KeyedStateBackend[] {
  return Array.from({ length: parallelism }, (_, i) =>
    open({
      maxParallelism: MAX_PARALLELISM,
      range: keyGroupRange(i, MAX_PARALLELISM, parallelism),
      clock,
    }),
  )
}

/** The subtask that owns a key. */
export function ownerOf<B extends KeyedStateBackend>(subtasks: readonly B[], key: Key): B {
  const group = keyGroupOf(hashKey(foldKey(key)), MAX_PARALLELISM)
  const owner = subtasks.find(({ range }) => range.start <= group && group <= range.end)
  return owner as B
}

/** What a restore is given: each group's bytes. */
export function restorable(snapshot: KeyedSnapshot): RestoredKeyedState {
  const bytes = Buffer.concat(snapshot.chunks)
  const groups = snapshot.groups.map(({ keyGroup, offset, length }) => ({
    keyGroup,
    bytes: bytes.subarray(offset, offset + length),
  }))
  return { states: structuredClone(snapshot.states), groups }
}

export function snapshotOf(backend: KeyedStateBackend): RestoredKeyedState {
  const run = backend.beginSnapshot(1)
  while (!run.step(1));
  return restorable(run.result())
}

const everything = { start: 0, end: MAX_PARALLELISM - 1 }
const total = z.object({ count: z.int32(), sum: z.number() })
const average = aggregatingState<number, { count: number; sum: number }, number>({
  accumulator: total,
  create: () => ({ count: 0, sum: 0 }),
  add: (value, acc) => ({ count: acc.count + 1, sum: acc.sum + value }),
  result: acc => acc.sum / acc.count,
  merge: (a, b) => ({ count: a.count + b.count, sum: a.sum + b.sum }),
})
const sum = reducingState<number>((a, b) => a + b, z.number())

/** Keys of every kind that a selector may return. */
const keys: readonly Key[] = [
  0,
  1,
  -1,
  2_147_483_647,
  -2_147_483_648,
  2_147_483_648,
  0.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  '',
  'a',
  'A key of more than thirteen letters',
  '\u0000t',
  '\ud800',
  'ключ',
  true,
  false,
  0n,
  -(2n ** 70n),
  ['a', 1],
  ['a', '1'],
  [true, 2n, 'x:y', 0.25],
]

export function keyedStateBackendContract(open: OpenBackend, other: OpenBackend = open): void {
  const one = (): KeyedStateBackend =>
    open({ maxParallelism: MAX_PARALLELISM, range: everything, clock: new ManualClock() })
  const reopened = (from: KeyedStateBackend): KeyedStateBackend => {
    const backend = other({
      maxParallelism: MAX_PARALLELISM,
      range: everything,
      clock: new ManualClock(),
    })
    backend.restore([snapshotOf(from)])
    return backend
  }

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

  describe.each(['key', 'namespace'] as const)('namespaces, layout %s', layout => {
    const options = { layout }
    const spaces = [0, 1, -5_000, 1_700_000_000_000, Number.POSITIVE_INFINITY]

    test('each namespace of a key has a value of its own, before and after a restore', () => {
      const backend = one()
      const state = backend.state('r', sum, options)
      for (const key of [1, 'b', 2]) {
        spaces.forEach((namespace, i) => {
          backend.setCurrentKey(key)
          state.setNamespace(namespace)
          state.add(i + 1)
        })
      }
      const again = reopened(backend)
      const restored = again.state('r', sum, options)
      for (const [target, handle] of [
        [backend, state],
        [again, restored],
      ] as const) {
        for (const key of [1, 'b', 2, 'absent']) {
          target.setCurrentKey(key)
          const sums = spaces.map(namespace => {
            handle.setNamespace(namespace)
            return handle.get()
          })
          expect(sums).toEqual(key === 'absent' ? spaces.map(() => undefined) : [1, 2, 3, 4, 5])
        }
      }
      expect([...restored.namespaces()].toSorted()).toEqual(spaces.toSorted())
    })

    test('visits the keys of one namespace, with each as the current key', () => {
      const backend = one()
      const state = backend.state('r', sum, options)
      for (let key = 0; key < 100; key++) {
        backend.setCurrentKey(key)
        state.setNamespace(key % 2)
        state.add(key)
      }
      backend.setCurrentKey('before')
      const seen: PrimitiveKey[] = []
      state.forEachKey(1, key => {
        expect([backend.foldedKey(), state.get()]).toEqual([key, key])
        seen.push(key)
      })
      expect(seen.toSorted((a, b) => Number(a) - Number(b))).toEqual(odd(100))
      expect(backend.currentKey()).toBe('before')
    })

    test('a visitor may clear, set again and add keys: none is missed or seen twice', () => {
      const backend = one()
      const state = backend.state('r', sum, options)
      for (let key = 0; key < 300; key++) {
        backend.setCurrentKey(key)
        state.add(key)
      }
      const seen: PrimitiveKey[] = []
      state.forEachKey(0, key => {
        seen.push(key)
        if ((key as number) % 3 === 0) state.clear()
        if ((key as number) % 6 === 0) state.add(1)
        if ((key as number) < 300 && (key as number) % 5 === 0) {
          backend.setCurrentKey(1_000 + (key as number))
          state.add(1)
        }
      })
      const old = seen.filter(key => (key as number) < 300)
      expect(old.toSorted((a, b) => Number(a) - Number(b))).toEqual(range(300))
    })

    test('visits may nest', () => {
      const backend = one()
      const state = backend.state('r', sum, options)
      for (const key of range(40)) {
        backend.setCurrentKey(key)
        state.add(1)
      }
      let pairs = 0
      state.forEachKey(0, outer => {
        if (outer === 7) state.clear()
        state.forEachKey(0, inner => {
          pairs++
          if (inner === 9) state.clear()
        })
      })
      expect(pairs).toBeGreaterThanOrEqual(38 * 39)
      expect(backend.size().entries).toBe(38)
    })

    test('clears a whole namespace and no other', () => {
      const backend = one()
      const state = backend.state('l', listState(z.int32()), options)
      for (const key of range(50)) {
        for (const namespace of [10, 20]) {
          backend.setCurrentKey(key)
          state.setNamespace(namespace)
          state.add(key)
        }
      }
      state.clearNamespace(20)
      expect([...state.namespaces()]).toEqual([10])
      backend.setCurrentKey(3)
      expect(state.get()).toEqual([])
      state.setNamespace(10)
      expect(state.get()).toEqual([3])
      expect(backend.size().entries).toBe(50)
    })

    test('merges the current key’s namespaces: lists in order, sums, accumulators', () => {
      const backend = one()
      const list = backend.state('l', listState(z.string()), options)
      const reducing = backend.state('r', sum, options)
      const aggregating = backend.state('a', average, options)
      for (const key of ['k', 'bystander']) {
        backend.setCurrentKey(key)
        for (const [i, namespace] of [1, 2, 3, 4].entries()) {
          for (const handle of [list, reducing, aggregating]) handle.setNamespace(namespace)
          list.add(`${namespace}`)
          reducing.add(i)
          aggregating.add(i)
        }
      }
      backend.setCurrentKey('k')
      for (const handle of [list, reducing, aggregating]) {
        handle.setNamespace(2)
        handle.mergeNamespaces(2, [2, 3, 1, 99])
      }
      expect(list.get()).toEqual(['2', '3', '1'])
      expect([reducing.get(), aggregating.get()]).toEqual([3, 1])
      for (const gone of [1, 3]) {
        for (const handle of [list, reducing, aggregating]) handle.setNamespace(gone)
        expect([list.get(), reducing.get(), aggregating.get()]).toEqual([[], undefined, undefined])
      }
      backend.setCurrentKey('bystander')
      for (const handle of [list, reducing]) handle.setNamespace(3)
      expect([list.get(), reducing.get()]).toEqual([['3'], 2])
    })

    test('merges into a namespace that is empty', () => {
      const backend = one()
      const list = backend.state('l', listState(z.int32()), options)
      backend.setCurrentKey(1)
      list.setNamespace(5)
      list.add(7)
      list.mergeNamespaces(6, [5])
      expect(list.get()).toEqual([])
      list.setNamespace(6)
      expect(list.get()).toEqual([7])
    })
  })

  test('merging without a merge function names state and remedy', () => {
    const backend = one()
    const state = backend.state(
      'plain',
      aggregatingState<number, number, number>({
        accumulator: z.number(),
        create: () => 0,
        add: (value, acc) => acc + value,
        result: acc => acc,
      }),
    )
    backend.setCurrentKey(1)
    for (const namespace of [1, 2]) {
      state.setNamespace(namespace)
      state.add(1)
    }
    expect(() => state.mergeNamespaces(1, [2])).toThrow(
      expect.objectContaining({ code: 'WEIR_STATE_UNMERGEABLE' }),
    )
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

  timerRows(open, reopened)
}

function timerRows(
  open: OpenBackend,
  reopened: (from: KeyedStateBackend) => KeyedStateBackend,
): void {
  const one = (): KeyedStateBackend =>
    open({ maxParallelism: MAX_PARALLELISM, range: everything, clock: new ManualClock() })

  describe('timers', () => {
    test('T1, T2: each timer once, in the order of time, with its key set', () => {
      const backend = one()
      const timers = backend.timerQueue('t')
      expect([timers.size, timers.nextTimestamp()]).toEqual([0, Number.POSITIVE_INFINITY])
      const times = [5, 1, 9, 1, 7, 5]
      times.forEach((time, i) => {
        backend.setCurrentKey(i % 2 === 0 ? 'even' : 'odd')
        timers.add(0, time)
      })
      backend.setCurrentKey('odd')
      expect([timers.add(0, 5), timers.add(1, 5), timers.nextTimestamp()]).toEqual([false, true, 1])
      const polled: (readonly [number, number, Key])[] = []
      while (timers.poll(7)) {
        polled.push([timers.polledTimestamp, timers.polledNamespace, backend.currentKey()])
      }
      expect(polled.map(([time]) => time)).toEqual([1, 5, 5, 5, 7])
      expect(polled).toContainEqual([5, 1, 'odd'])
      expect(polled).toContainEqual([7, 0, 'even'])
      expect([timers.size, timers.nextTimestamp()]).toEqual([1, 9])
    })

    test('removes timers of the current key only', () => {
      const backend = one()
      const timers = backend.timerQueue('t')
      for (const key of range(200)) {
        backend.setCurrentKey(key)
        timers.add(0, (key * 37) % 101)
      }
      for (const key of range(200)) {
        backend.setCurrentKey(key)
        if (key % 3 === 0) expect(timers.remove(0, (key * 37) % 101)).toBe(true)
        expect([timers.remove(0, 1_000), timers.remove(1, (key * 37) % 101)]).toEqual([
          false,
          false,
        ])
      }
      let last = -1
      let count = 0
      while (timers.poll(Number.POSITIVE_INFINITY)) {
        expect(timers.polledTimestamp).toBeGreaterThanOrEqual(last)
        expect((backend.currentKey() as number) % 3).not.toBe(0)
        last = timers.polledTimestamp
        count++
      }
      expect(count).toBe(133)
    })

    test('a timer at the end of time fires only at the end of time', () => {
      const backend = one()
      const timers = backend.timerQueue('t')
      backend.setCurrentKey(1)
      timers.add(0, Number.POSITIVE_INFINITY)
      expect([timers.poll(Number.MAX_VALUE), timers.poll(Number.POSITIVE_INFINITY)]).toEqual([
        false,
        true,
      ])
    })

    test('are part of the snapshot; two queues and a state may share a name', () => {
      const backend = one()
      const queues = [backend.timerQueue('x'), backend.timerQueue('y')] as const
      backend.state('x', valueState(z.int32()))
      keys.forEach((key, i) => {
        backend.setCurrentKey(key)
        queues[0].add(i % 3, i)
        queues[1].add(0, -i)
      })
      const again = reopened(backend)
      again.state('x', valueState(z.int32()))
      const seen: Key[] = []
      const restored = again.timerQueue('x')
      while (restored.poll(1_000)) seen.push(again.currentKey())
      expect(seen).toEqual(keys)
      expect(again.timerQueue('y').nextTimestamp()).toBe(1 - keys.length)
    })
  })
}

function plain(value: unknown): unknown {
  return value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value
}

export function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i)
}

function odd(below: number): number[] {
  return range(below).filter(i => i % 2 === 1)
}
