import { expect, test } from '@jest/globals'
import { MAX_TIMESTAMP } from '../../src/common/timestamps.ts'
import {
  BoundedOutOfOrdernessGenerator,
  IdlenessTimer,
  PeriodicWatermarks,
} from '../../src/runtime/watermark-generators.ts'

function periodic(boundMs: number, idlenessMs: number) {
  const out: (number | string)[] = []
  const watermarks = new PeriodicWatermarks<undefined>({
    generator: new BoundedOutOfOrdernessGenerator(boundMs),
    idlenessMs,
    output: {
      emitWatermark: watermark => out.push(watermark),
      emitStatus: status => out.push(status),
    },
  })
  return { watermarks, out }
}

test('a watermark stays one below the greatest timestamp less the bound', () => {
  const { watermarks, out } = periodic(10, 0)
  watermarks.onRecord(undefined, 100)
  watermarks.onRecord(undefined, 95)
  expect(out).toEqual([])
  watermarks.onPeriodic(1)
  expect(out).toEqual([89])
})

test('before the first record there is no watermark', () => {
  const { watermarks, out } = periodic(10, 0)
  watermarks.onPeriodic(1)
  expect(out).toEqual([])
})

test('of the watermarks from upstream only the end of event time passes', () => {
  const { watermarks, out } = periodic(0, 0)
  watermarks.onUpstreamWatermark(50)
  watermarks.onUpstreamWatermark(MAX_TIMESTAMP)
  expect(out).toEqual([MAX_TIMESTAMP])
})

test('a silent stream turns idle once and active with its next watermark', () => {
  const { watermarks, out } = periodic(0, 100)
  watermarks.onRecord(undefined, 5)
  watermarks.onPeriodic(200)
  watermarks.onPeriodic(400)
  watermarks.onPeriodic(500)
  expect(out).toEqual([4])
  watermarks.onPeriodic(501)
  watermarks.onPeriodic(700)
  expect(out).toEqual([4, 'idle'])
  watermarks.onRecord(undefined, 5)
  watermarks.onPeriodic(900)
  expect(out).toEqual([4, 'idle'])
  watermarks.onRecord(undefined, 9)
  watermarks.onPeriodic(901)
  expect(out).toEqual([4, 'idle', 'active', 8])
})

test('a punctuated generator is heard at once', () => {
  const out: number[] = []
  const watermarks = new PeriodicWatermarks<{ end: boolean }>({
    generator: {
      onEvent: (value, timestamp) => (value.end ? timestamp : undefined),
      onPeriodicEmit: () => undefined,
    },
    idlenessMs: 0,
    output: { emitWatermark: watermark => out.push(watermark), emitStatus: () => {} },
  })
  watermarks.onRecord({ end: false }, 1)
  watermarks.onRecord({ end: true }, 2)
  watermarks.onRecord({ end: true }, 2)
  watermarks.onPeriodic(5)
  expect(out).toEqual([2])
})

test('idleness begins with the first probe without a record and must be exceeded', () => {
  const timer = new IdlenessTimer(50)
  expect(timer.probe(1, 10)).toBe(false)
  expect(timer.probe(1, 20)).toBe(false)
  expect(timer.probe(1, 70)).toBe(false)
  expect(timer.probe(1, 71)).toBe(true)
  expect(timer.probe(2, 72)).toBe(false)
  expect(timer.probe(2, 200)).toBe(false)
})
