import { expect, test } from '@jest/globals'
import { WatermarkMultiplexer } from '../../src/runtime/watermark-multiplexer.ts'

function multiplexer(...splits: readonly string[]) {
  const out: (number | string)[] = []
  const made = new WatermarkMultiplexer({
    emitWatermark: watermark => out.push(watermark),
    emitStatus: status => out.push(status),
  })
  for (const split of splits) made.register(split)
  return { made, out }
}

test('the slowest active split counts', () => {
  const { made, out } = multiplexer('a', 'b')
  made.note('a', 10)
  made.combine()
  expect(out).toEqual([])
  made.note('b', 4)
  made.combine()
  made.noteIdle('b', true)
  made.combine()
  expect(out).toEqual([4, 10])
})

test('M1: a new split behind the others holds back but never turns back', () => {
  const { made, out } = multiplexer('a')
  made.advance('a', 10)
  made.register('b')
  made.advance('b', 3)
  made.advance('a', 20)
  expect(out).toEqual([10])
  made.advance('b', 15)
  expect(out).toEqual([10, 15])
})

test('M2: a finished split holds nothing back from the next combining on', () => {
  const { made, out } = multiplexer('a', 'b')
  made.note('a', 10)
  made.note('b', 2)
  made.combine()
  made.unregister('b')
  expect(out).toEqual([2])
  made.combine()
  expect(out).toEqual([2, 10])
})

test('FLINK-38454: when all are idle the greatest watermark counts', () => {
  const { made, out } = multiplexer('a', 'b')
  made.note('a', 10)
  made.note('b', 2)
  made.combine()
  made.noteIdle('a', true)
  made.noteIdle('b', true)
  made.combine()
  expect(out).toEqual([2, 10, 'idle'])
})

test('without splits nothing is said', () => {
  const { made, out } = multiplexer()
  made.combine()
  made.note('unknown', 4)
  made.combine()
  expect(out).toEqual([])
})
