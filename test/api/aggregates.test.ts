import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  type AggregateFunction,
  averaging,
  combining,
  counting,
  greatest,
  smallest,
  summing,
  typeOf,
  z,
} from 'weir'

type Numbers = AggregateFunction<number, unknown, unknown>

const self = (n: number): number => n

const all: Record<string, { aggregate: Numbers; of: (ns: readonly number[]) => unknown }> = {
  counting: { aggregate: counting(), of: ns => ns.length },
  summing: { aggregate: summing(self), of: ns => ns.reduce((a, b) => a + b, 0) },
  smallest: { aggregate: smallest(self), of: ns => Math.min(...ns) },
  greatest: { aggregate: greatest(self), of: ns => Math.max(...ns) },
  averaging: { aggregate: averaging(self), of: ns => ns.reduce((a, b) => a + b, 0) / ns.length },
  combining: {
    aggregate: combining({ n: counting(), most: greatest(self) }),
    of: ns => ({ n: ns.length, most: Math.max(...ns) }),
  },
}

function run({ create, add }: Numbers, numbers: readonly number[]): unknown {
  return numbers.reduce((accumulator, n) => add(n, accumulator), create())
}

const numbers = fc.array(fc.integer({ min: -1000, max: 1000 }))

describe.each(Object.entries(all))('%s', (_name, { aggregate, of }) => {
  test('is what its name says', () => {
    fc.assert(
      fc.property(numbers, ns => {
        expect(aggregate.result(run(aggregate, ns))).toEqual(of(ns))
      }),
    )
  })

  test('merges parts into the whole, and leaves the second part as it was', () => {
    fc.assert(
      fc.property(numbers, numbers, (a, b) => {
        const second = run(aggregate, b)
        const merged = aggregate.merge?.(run(aggregate, a), second)
        expect(aggregate.result(merged)).toEqual(of([...a, ...b]))
        expect(aggregate.result(second)).toEqual(of(b))
      }),
    )
  })

  test('has schemas for what it keeps and gives', () => {
    const { accumulator = z.never(), output = z.never() } = aggregate
    expect([typeOf(accumulator).schema.kind, typeOf(output).schema.kind]).not.toContain('general')
  })
})

test('a combination merges only if all its parts do', () => {
  const { merge: _, ...part } = counting<number>()
  expect(combining({ part, n: counting<number>() }).merge).toBeUndefined()
})

test('a combination of parts without schema has none', () => {
  const bare: Numbers = { create: () => 0, add: n => n, result: n => n }
  expect(combining({ bare }).accumulator).toBeUndefined()
})
