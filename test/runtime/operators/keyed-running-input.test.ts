import { expect, test } from '@jest/globals'
import { cloneFunction } from '../../../src/common/clone-function.ts'
import { keyedRunningInput } from '../../../src/runtime/operators/keyed-running-input.ts'

/** Sums by key; a negative value makes the user's function throw. */
function summing() {
  const sums = new Map<unknown, number>()
  const seen = { emitted: [] as unknown[], rejected: [] as unknown[] }
  const metrics = { recordsIn: 0, recordsOut: 0 }
  let key: unknown
  const push = cloneFunction(keyedRunningInput)({
    select: (value: unknown) => (value as number) % 2,
    backend: { setCurrentKey: (next: unknown) => (key = next) } as never,
    state: {
      get: () => sums.get(key),
      add: (value: unknown) => {
        if ((value as number) < 0) throw new Error('negative')
        sums.set(key, (sums.get(key) ?? 0) + (value as number))
      },
      clear: () => undefined,
    },
    emit: (value, timestamp) => seen.emitted.push([value, timestamp]),
    metrics: metrics as never,
    errors: { handle: (_error: unknown, value: unknown) => seen.rejected.push(value) } as never,
  })
  return { push, seen, metrics }
}

test('each record gives the result of its key that includes it, at its own time', () => {
  const { push, seen, metrics } = summing()
  for (const value of [1, 2, 3]) push(value, value * 10)
  expect(seen.emitted).toEqual([
    [1, 10],
    [2, 20],
    [4, 30],
  ])
  expect(metrics).toEqual({ recordsIn: 3, recordsOut: 3 })
})

test('a record that makes the function throw is handed on and gives nothing', () => {
  const { push, seen, metrics } = summing()
  push(-1, 5)
  expect(seen).toEqual({ emitted: [], rejected: [-1] })
  expect(metrics).toEqual({ recordsIn: 1, recordsOut: 0 })
})
