import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { WeirError } from '../../src/common/errors.ts'
import { makeFrameDecoder } from '../../src/schema/frame-decoder.ts'
import { compileFrameEncoder, makeFrameEncoder } from '../../src/schema/frame-encoder.ts'
import { record } from '../../src/schema/record.ts'
import { typeOf } from '../../src/schema/type-of.ts'
import { z } from '../../src/schema/z.ts'
import { anyObject, anySample, anyUnion, isSame } from './schema-arbitraries.ts'

const inner = anySample(false, 1)
const anyBatch = fc.oneof(anyObject(inner), anyUnion(inner), anySample(false, 2)).chain(sample =>
  fc.record({
    zod: fc.constant(sample.zod),
    values: fc.array(fc.tuple(sample.value, fc.double()), { minLength: 1, maxLength: 6 }),
  }),
)

function encode(
  zod: z.ZodType,
  values: readonly (readonly [unknown, number])[],
  limitBytes: number,
) {
  const encoder = makeFrameEncoder(typeOf(zod), { limitBytes })
  const frames: Buffer[] = []
  for (const [value, timestamp] of values) {
    if (encoder.add(value, timestamp)) continue
    frames.push(Buffer.from(encoder.finish()))
    if (!encoder.add(value, timestamp)) throw new Error('an empty frame refuses a record')
  }
  frames.push(Buffer.from(encoder.finish()))
  return frames
}

describe('a frame', () => {
  test.each([100, 400, 1 << 15])('gives back random records at %d bytes a frame', limitBytes => {
    fc.assert(
      fc.property(anyBatch, ({ zod, values }) => {
        const decoder = makeFrameDecoder(typeOf(zod))
        const seen: unknown[] = []
        for (const frame of encode(zod, values, limitBytes)) {
          const count = decoder.open(frame)
          const items = decoder.items()
          for (let i = 0; i < count; i++) {
            const one = [decoder.value(i), decoder.timestamp(i)]
            if (!isSame(items.slice(i * 2, i * 2 + 2), one)) throw new Error('items differ')
          }
          for (let i = 0; i < count; i++) {
            const value = decoder.value(i)
            seen.push([value, decoder.timestamp(i)])
            if (!isSame(readAll(decoder.view(i), value), value)) throw new Error('view differs')
          }
        }
        if (!isSame(seen, values)) throw new Error(`${String(seen)} instead of ${String(values)}`)
      }),
      { numRuns: 200 },
    )
  })

  test('that is taken is the same, behind its headroom, and stays as it is', () => {
    const limits = fc.constantFrom(100, 400, 1 << 15)
    fc.assert(
      fc.property(fc.array(anyBatch, { maxLength: 3 }), limits, (batches, limitBytes) => {
        for (const { zod, values } of batches) {
          const type = typeOf(zod)
          const encoder = compileFrameEncoder(type)({ limitBytes, headroomBytes: 12 })
          const taken: Buffer[] = []
          for (const [value, timestamp] of values) {
            if (encoder.add(value, timestamp)) continue
            taken.push(encoder.take())
            encoder.add(value, timestamp)
          }
          taken.push(encoder.take())
          // What the shorter variants of a union leave free in a row may differ.
          const decoder = makeFrameDecoder(type)
          const read = (frame: Buffer): unknown[] => {
            decoder.open(frame)
            return decoder.items()
          }
          const plain = encode(zod, values, limitBytes).map(read)
          if (
            !isSame(
              taken.map(frame => read(frame.subarray(12))),
              plain,
            )
          )
            throw new Error('differs')
        }
      }),
    )
  })

  test('with any byte changed or cut gives other records or WEIR_BYTES_MALFORMED', () => {
    const damage = fc.tuple(anyBatch, fc.nat(), fc.integer({ min: 0, max: 255 }), fc.boolean())
    fc.assert(
      fc.property(damage, ([{ zod, values }, at, byte, cut]) => {
        const [frame] = encode(zod, values, 1 << 20) as [Buffer]
        frame[at % frame.length] = byte
        readDamaged(zod, cut ? frame.subarray(0, at % frame.length) : frame)
      }),
      { numRuns: 400 },
    )
  })

  const Trade = record({ id: z.int32(), symbol: z.string(), tags: z.array(z.string()) })

  test('refuses a value that does not fit, names its path, and stays as it was', () => {
    const encoder = makeFrameEncoder(Trade, { limitBytes: 1000 })
    encoder.add({ id: 1, symbol: 'a', tags: ['x'] }, 1)
    const bad = { id: 2, symbol: 'b', tags: ['y', 3 as unknown as string] }
    expect(() => encoder.add(bad, 2)).toThrow(/at tags\[\].* is not string: 3/)
    expect(encoder.add({ id: 3, symbol: 'c', tags: [] }, 3)).toBe(true)
    const decoder = makeFrameDecoder(Trade)
    expect(decoder.open(encoder.finish())).toBe(2)
    expect(decoder.value(1)).toEqual({ id: 3, symbol: 'c', tags: [] })
  })

  test('keeps to its limit, and takes a larger record alone', () => {
    const record = { id: 1, symbol: 'x'.repeat(50), tags: [] }
    const values = Array.from({ length: 40 }, () => [record, 0] as const)
    const frames = encode(Trade.zod, values, 1000)
    expect(frames.length).toBeGreaterThan(2)
    for (const frame of frames) expect(frame.length).toBeLessThanOrEqual(1000)
    const large = [{ id: 1, symbol: 'x'.repeat(5000), tags: [] }, 0] as const
    expect(encode(Trade.zod, [large, large], 1000)).toHaveLength(2)
  })
})

/** All fields, read one by one. */
function readAll(view: unknown, like: unknown): unknown {
  if (typeof view !== 'object' || view === null || view === like) return view
  if (Array.isArray(view) || view instanceof Map || view instanceof Uint8Array) return view
  return Object.fromEntries(
    Object.keys(like as object).map(name => [name, (view as Record<string, unknown>)[name]]),
  )
}

function readDamaged(zod: z.ZodType, frame: Buffer): void {
  const decoder = makeFrameDecoder(typeOf(zod))
  try {
    const count = decoder.open(frame)
    for (let i = 0; i < count; i++) decoder.value(i)
  } catch (error) {
    if (!(error instanceof WeirError) || error.code !== 'WEIR_BYTES_MALFORMED') throw error
  }
}
