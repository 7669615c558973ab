import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  BufferDebloater,
  DEBLOAT_INTERVAL_MS,
  FRAME_BYTES_MIN,
} from '../../../src/runtime/network/buffer-debloater.ts'

const frameBytesMax = 32_768

/** What is told in so many samples of one rate, in bytes a second. */
function run(debloater: BufferDebloater, perSecond: number, samples: number): number[] {
  const bytes = (perSecond * DEBLOAT_INTERVAL_MS) / 1_000
  const told = Array.from({ length: samples }, () =>
    debloater.sample({ bytes, elapsedMs: DEBLOAT_INTERVAL_MS, frames: 10 }),
  )
  return told.filter(size => size !== undefined)
}

test('frames shrink until a second of them is on its way, by a few messages', () => {
  const debloater = new BufferDebloater({ targetMs: 1_000, frameBytesMax })
  const told = run(debloater, 100_000, 100)
  expect(told.at(-1)).toBeGreaterThan(8_000)
  expect(told.at(-1)).toBeLessThan(13_400)
  expect(told.length).toBeLessThan(6)
  expect(told).toEqual([...told].sort((a, b) => b - a))
})

test('a fast task keeps full frames, and gets them back', () => {
  const debloater = new BufferDebloater({ targetMs: 1_000, frameBytesMax })
  expect(run(debloater, 100_000_000, 20)).toEqual([])
  run(debloater, 10_000, 100)
  const told = run(debloater, 100_000_000, 20)
  expect(told.at(-1)).toBe(frameBytesMax)
})

test('a task that stands still gets the smallest frames', () => {
  const debloater = new BufferDebloater({ targetMs: 1_000, frameBytesMax })
  expect(run(debloater, 0, 100).at(-1)).toBe(FRAME_BYTES_MIN)
  expect(run(debloater, 0, 100)).toEqual([])
})

test('BD1, BD2: sizes stay within limits, grow to the double at most, and are told when worth it', () => {
  const samples = fc.array(
    fc.record({
      bytes: fc.nat(1e9),
      elapsedMs: fc.nat(1_000),
      frames: fc.nat(1_000),
    }),
  )
  fc.assert(
    fc.property(samples, fc.integer({ min: 1, max: 10_000 }), (all, targetMs) => {
      const debloater = new BufferDebloater({ targetMs, frameBytesMax })
      let last = frameBytesMax
      let quiet = 1
      for (const sample of all) {
        const size = debloater.sample(sample)
        if (size === undefined) {
          quiet++
          continue
        }
        expect(size).toBeGreaterThanOrEqual(FRAME_BYTES_MIN)
        expect(size).toBeLessThanOrEqual(frameBytesMax)
        expect(size).toBeLessThanOrEqual(last * 1.25 * 2 ** quiet)
        const isLimit = size === frameBytesMax || size === FRAME_BYTES_MIN
        expect(isLimit || Math.abs(size - last) > last * 0.25).toBe(true)
        expect(size).not.toBe(last)
        last = size
        quiet = 1
      }
    }),
  )
})
