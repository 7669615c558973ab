import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type {
  OperatorStateSnapshot,
  Redistribution,
} from '../../src/state/operator-state-backend.ts'
import {
  redistributeBroadcast,
  redistributeOperatorState,
  redistributeSplit,
  redistributeUnion,
} from '../../src/state/redistribution.ts'

const lists = fc.array(fc.array(fc.nat()), { minLength: 1, maxLength: 8 })
const parallelism = fc.integer({ min: 1, max: 9 })

describe('split', () => {
  test('leaves lists alone at equal parallelism', () => {
    expect(redistributeSplit([[1, 2, 3], [], [4]], 3)).toEqual([[1, 2, 3], [], [4]])
  })

  test('cuts all items in order into parts that differ by one at most', () => {
    fc.assert(
      fc.property(lists, parallelism, fc.nat(8), (old, p, first) => {
        const shares = redistributeSplit(old, p, first % p)
        if (old.length === p) return
        const turned = [...shares.slice(first % p), ...shares.slice(0, first % p)]
        expect(turned.flat()).toEqual(old.flat())
        const sizes = turned.map(share => share.length)
        expect(sizes).toEqual(sizes.toSorted((a, b) => b - a))
        expect((sizes[0] as number) - (sizes.at(-1) as number)).toBeLessThanOrEqual(1)
      }),
    )
  })

  test('spreads the remainders of many states', () => {
    const old = [stateOf('a', 'split', [1]), stateOf('b', 'split', [2]), stateOf('c', 'split', [3])]
    const given = redistributeOperatorState([old], 3)
    expect(given.map(states => states.map(state => state.items.length))).toEqual([
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ])
  })
})

test('union gives all items to all, also at equal parallelism', () => {
  expect(redistributeUnion([[1], [2, 3]], 2)).toEqual([
    [1, 2, 3],
    [1, 2, 3],
  ])
})

test('broadcast gives the new subtask i the copy of i mod the old parallelism', () => {
  expect(redistributeBroadcast([['a'], ['b']], 5)).toEqual([['a'], ['b'], ['a'], ['b'], ['a']])
})

test('each state goes by its own way; a subtask that had none takes part', () => {
  const old = [
    [stateOf('s', 'split', [1, 2, 3]), stateOf('u', 'union', [9])],
    [stateOf('b', 'broadcast', [7]), stateOf('s', 'split', [4])],
  ]
  const given = redistributeOperatorState(old, 4)
  const seen = given.map(states =>
    Object.fromEntries(states.map(({ name, items }) => [name, items.map(item => item[0])])),
  )
  expect(seen).toEqual([
    { s: [1], u: [9], b: [] },
    { s: [2], u: [9], b: [7] },
    { s: [3], u: [9], b: [] },
    { s: [4], u: [9], b: [7] },
  ])
})

function stateOf(
  name: string,
  redistribution: Redistribution,
  items: readonly number[],
): OperatorStateSnapshot {
  const schema = { kind: 'int32' }
  return { name, redistribution, schema, items: items.map(item => Buffer.from([item])) }
}
