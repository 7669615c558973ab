/** Namespaces in both layouts: windows and panes live by them. */
import { describe, expect, test } from '@jest/globals'
import { aggregatingState, listState } from '../../src/api/state-descriptor.ts'
import { z } from '../../src/schema/z.ts'
import type { PrimitiveKey } from '../../src/state/key.ts'
import { average, type ContractRows, odd, range, sum } from './keyed-state-setup.ts'

export function namespaceContract({ one, reopened }: ContractRows): void {
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
}
