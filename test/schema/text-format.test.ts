import { inspect } from 'node:util'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { ByteReader, ByteWriter } from '../../src/common/bytes.ts'
import { flatten } from '../../src/schema/flatten.ts'
import { generalType } from '../../src/schema/general-type.ts'
import { raw, text } from '../../src/schema/text-format.ts'
import { anyString, isSame } from './schema-arbitraries.ts'

describe('text()', () => {
  test.each(['plain words', 'größer als 😀'])('reads and writes %s', words => {
    const out = new ByteWriter(1)
    text().makeEncoder().write(out, words)
    expect(out.view().toString()).toBe(words)
    const decoder = text().makeDecoder()
    const batch = Buffer.from(`${words}\nmore`)
    decoder.setBatch(batch)
    const end = batch.indexOf(10)
    expect([decoder.read(0, end), decoder.read(end + 1, batch.length)]).toEqual([words, 'more'])
  })
})

describe('raw()', () => {
  test('gives the bytes as they are', () => {
    const decoder = raw().makeDecoder()
    decoder.setBatch(Buffer.from([1, 2, 3, 4]))
    expect([...decoder.read(1, 3)]).toEqual([2, 3])
    const out = new ByteWriter(1)
    raw()
      .makeEncoder()
      .write(out, new Uint8Array([5, 6]))
    expect([...out.view()]).toEqual([5, 6])
  })
})

describe('flatten()', () => {
  test('gives the same string, whatever is in it', () => {
    fc.assert(
      fc.property(anyString, anyString, (a, b) => {
        const joined = a + b.repeat(40)
        expect(flatten(joined.substring(1))).toBe(joined.substring(1))
      }),
    )
  })
})

describe('the general type', () => {
  const roundTrip = (value: unknown): unknown => {
    const out = new ByteWriter(1)
    generalType.write(out, value)
    return generalType.read(new ByteReader(out.copy()))
  }

  test('says that it is general', () => {
    expect(generalType.name).toContain('general')
  })

  test('gives back any plain data', () => {
    const data = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withNullPrototype: false,
    })
    fc.assert(
      fc.property(fc.oneof(data, anyString), value => {
        // Inside of a set one invalid date does not equal the other for `toEqual`.
        fc.pre(!inspect(value, { depth: null }).includes('Invalid Date'))
        expect(roundTrip(value)).toEqual(value)
      }),
      { numRuns: 500 },
    )
  })

  test('keeps lone surrogates, wide bigints and cycles', () => {
    const cycle: { self?: unknown } = {}
    cycle.self = cycle
    const seen = roundTrip(cycle) as typeof cycle
    expect(seen.self).toBe(seen)
    expect(
      isSame(roundTrip({ a: '\ud800'.repeat(100), b: 2n ** 70n }), {
        a: '\ud800'.repeat(100),
        b: 2n ** 70n,
      }),
    ).toBe(true)
  })

  test('refuses functions, by path', () => {
    expect(() => roundTrip({ a: [{ f: () => 1 }] })).toThrow('at a[0].f is not plain data')
  })

  test('refuses bytes that it did not write', () => {
    for (const bytes of [[0], [2, 9, 1], [3, 0, 0xc1, 0xc1], [9, 0]]) {
      const read = () => generalType.read(new ByteReader(Buffer.from(bytes)))
      expect(read).toThrow(expect.objectContaining({ code: 'WEIR_BYTES_MALFORMED' }))
    }
  })
})
