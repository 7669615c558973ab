import { describe, expect, test } from '@jest/globals'
import type { ErrorPolicy } from '../../src/api/functions.ts'
import type { WatermarkStrategy } from '../../src/api/watermark-strategy.ts'
import { watermarks } from '../../src/api/watermarks.ts'
import { MAX_TIMESTAMP, MIN_TIMESTAMP } from '../../src/common/timestamps.ts'
import { SourceRecords } from '../../src/runtime/source-output.ts'
import type { OperatorMetrics } from '../../src/runtime/stream-operator.ts'
import { AlignmentGroups, type AlignmentMember } from '../../src/runtime/watermark-alignment.ts'

function outputOf(
  strategy: WatermarkStrategy<unknown>,
  policy: ErrorPolicy = { kind: 'fail' },
  alignment?: AlignmentMember,
) {
  const out: unknown[] = []
  const metrics: OperatorMetrics = {
    recordsIn: 0,
    recordsOut: 0,
    lateRecordsDropped: 0,
    recordsSkipped: 0,
    deadLetters: 0,
    currentWatermark: MIN_TIMESTAMP,
  }
  const brakes = { room: { fullChannels: 0 }, blockables: [{ blocked: false }, { blocked: false }] }
  const records = new SourceRecords({
    sourceName: 'orders',
    strategy,
    metrics,
    brakes,
    emit: (value, timestamp) => out.push(timestamp === MIN_TIMESTAMP ? value : [value, timestamp]),
    context: {
      name: 'orders',
      errorPolicy: policy,
      metrics,
      keySelectors: [],
      keyedState: () => {
        throw new Error('not keyed')
      },
      coordinates: () => records.coordinates(),
      sideOutput: tag => value => out.push([tag, value]),
    },
    pollsPerWatermark: 1,
    alignment,
    pauseOrResume: () => {},
    output: {
      emitWatermark: watermark => out.push(`w${watermark}`),
      emitStatus: status => out.push(status),
    },
  })
  const taken = (): unknown[] => out.splice(0)
  return { records, output: records.output, taken, metrics, brakes }
}

test('a paused split is not idle, nor is it when it goes on (FLINK-32496)', () => {
  const groups = new AlignmentGroups(['g'])
  const hear = (watermark: number): void => groups.hear([{ group: 'g', watermark }])
  const alignment = groups.join({ group: 'g', maxDriftMs: 10 }, () => {})
  const strategy = watermarks.monotonous().idleness('50ms')
  const { records, output, taken } = outputOf(strategy, undefined, alignment)
  records.registerSplit('a')
  hear(95)
  output.collect('x', 100)
  records.endPoll(true)
  expect(records.align()).toBe(false)
  records.tick(1_000)
  records.tick(1_010)
  hear(80)
  // Now it is ahead: told to be silent, however long.
  expect(records.align()).toBe(true)
  for (let now = 1_100; now < 5_000; now += 100) records.tick(now)
  expect(taken()).toEqual([['x', 100], 'w99'])
  hear(200)
  expect(records.align()).toBe(false)
  records.tick(5_000)
  records.tick(5_050)
  expect(taken()).toEqual([])
  // From then on its silence is its own.
  records.tick(5_051)
  expect(taken()).toEqual(['idle'])
})

describe('watermarks', () => {
  test('P2: follow the records of a poll, per split, by the slowest', () => {
    const { records, output, taken } = outputOf(watermarks.boundedOutOfOrderness('10ms'))
    records.registerSplit('a')
    records.registerSplit('b')
    output.selectSplit('a')
    output.collect('x', 100)
    records.endPoll(false)
    expect(taken()).toEqual([['x', 100]])
    output.selectSplit('b')
    output.collect('y', 50)
    output.collect('z', 40)
    records.endPoll(false)
    expect(taken()).toEqual([['y', 50], ['z', 40], 'w39'])
    output.finishSplit('b')
    output.selectSplit('a')
    output.collect('x', 101)
    records.endPoll(false)
    expect(taken()).toEqual([['x', 101], 'w90'])
  })

  test('a finished split counts before it goes', () => {
    const { records, output, taken } = outputOf(watermarks.monotonous())
    records.registerSplit('a')
    output.collect('x', 100)
    records.endPoll(false)
    output.collect('y', 200)
    output.finishSplit('a')
    records.endPoll(true)
    records.registerSplit('b')
    output.selectSplit('b')
    output.collect('z', 150)
    records.endPoll(true)
    expect(taken()).toEqual([['x', 100], 'w99', ['y', 200], ['z', 150], 'w149'])
  })

  test('the timestamp assigner wins over the source', () => {
    const { records, output, taken } = outputOf(
      watermarks.monotonous().timestamp((value: unknown, own) => Number(value) + own),
    )
    records.registerSplit('a')
    output.collect(5, 1_000)
    records.endPoll(true)
    expect(taken()).toEqual([[5, 1_005], 'w1004'])
  })

  test('P1: a punctuated generator is heard after its record, at once', () => {
    const strategy = watermarks.custom<unknown>(() => ({
      onEvent: (value, timestamp) => (value === 'end' ? timestamp : undefined),
      onPeriodicEmit: () => undefined,
    }))
    const { records, output, taken } = outputOf(strategy)
    records.registerSplit('a')
    output.collect('x', 1)
    output.collect('end', 2)
    output.collect('x', 3)
    records.endPoll(true)
    expect(taken()).toEqual([['x', 1], ['end', 2], 'w2', ['x', 3]])
  })

  test('a periodic generator is asked at each tick, and each split has its own', () => {
    let made = 0
    const strategy = watermarks.custom<unknown>(() => {
      made++
      let greatest = MIN_TIMESTAMP
      return {
        onEvent: (_value, timestamp) => {
          greatest = timestamp
          return undefined
        },
        onPeriodicEmit: () => greatest,
      }
    })
    const { records, output, taken } = outputOf(strategy)
    const before = made
    records.registerSplit('a')
    records.registerSplit('b')
    expect(made - before).toBe(2)
    output.selectSplit('a')
    output.collect('x', 7)
    output.selectSplit('b')
    output.collect('y', 4)
    records.endPoll(true)
    records.tick(200)
    expect(taken()).toEqual([['x', 7], ['y', 4], 'w4'])
  })

  test('none at all until the end without a strategy', () => {
    const { records, output, taken } = outputOf(watermarks.none())
    records.registerSplit('a')
    output.collect('x', 7)
    records.endPoll(true)
    records.tick(200)
    records.end()
    expect(taken()).toEqual([['x', 7], `w${MAX_TIMESTAMP}`])
  })
})

describe('idleness', () => {
  const strategy = watermarks.monotonous().idleness('1s')

  test('a silent split no longer holds the others back; its next record counts again', () => {
    const { records, output, taken } = outputOf(strategy)
    records.registerSplit('a')
    records.registerSplit('b')
    output.selectSplit('b')
    output.collect('y', 10)
    output.selectSplit('a')
    output.collect('x', 100)
    records.endPoll(true)
    records.tick(1_000)
    output.collect('x', 200)
    records.endPoll(true)
    records.tick(1_500)
    output.collect('x', 250)
    records.endPoll(true)
    expect(taken()).toEqual([['y', 10], ['x', 100], 'w9', ['x', 200], ['x', 250]])
    records.tick(2_600)
    expect(taken()).toEqual(['w249'])
    output.selectSplit('b')
    output.collect('y', 300)
    records.endPoll(true)
    output.selectSplit('a')
    output.collect('x', 400)
    records.endPoll(true)
    expect(taken()).toEqual([['y', 300], ['x', 400], 'w299'])
  })

  test('when all are silent the source is idle, once, and active with the next record', () => {
    const { records, output, taken } = outputOf(strategy)
    records.registerSplit('a')
    output.collect('x', 100)
    records.endPoll(true)
    for (const now of [1, 2, 1_500, 2_000]) records.tick(now)
    expect(taken()).toEqual([['x', 100], 'w99', 'idle'])
    // Too old to move the watermark, yet the source is no longer idle.
    output.collect('x', 50)
    records.endPoll(true)
    expect(taken()).toEqual([['x', 50], 'active'])
  })

  test('a subtask without splits turns idle too, and active with the first', () => {
    const { records, taken } = outputOf(strategy)
    records.tick(1)
    records.tick(1_001)
    expect(taken()).toEqual([])
    records.tick(1_002)
    expect(taken()).toEqual(['idle'])
    records.registerSplit('a')
    expect(taken()).toEqual(['active'])
  })

  test('the end of event time ends idleness', () => {
    const { records, taken } = outputOf(strategy)
    records.tick(1)
    records.tick(1_002)
    records.end()
    expect(taken()).toEqual(['idle', 'active', `w${MAX_TIMESTAMP}`])
  })
})

describe('bad records', () => {
  test.each([undefined, Number.NaN, 'soon'])('a timestamp of %s is refused', timestamp => {
    const strategy = watermarks.monotonous().timestamp(() => timestamp as number)
    const { records, output } = outputOf(strategy)
    records.registerSplit('a')
    records.beginPoll(1)
    output.offset = 3
    expect(() => output.collect('x', 1)).toThrow(
      'operator orders failed on a record (source orders, split a, offset 3)',
    )
  })

  test('a skipped one leaves no trace but the count', () => {
    const strategy = watermarks.monotonous().timestamp((n: unknown) => {
      if (n === 2) throw new Error('no time')
      return Number(n)
    })
    const { records, output, taken, metrics } = outputOf(strategy, { kind: 'skip', budget: 1 })
    records.registerSplit('a')
    for (const n of [1, 2, 3]) output.collect(n, MIN_TIMESTAMP)
    records.endPoll(true)
    expect(taken()).toEqual([[1, 1], [3, 3], 'w2'])
    expect([metrics.recordsOut, metrics.recordsSkipped]).toEqual([2, 1])
  })

  test('between two polls there is no record whose place could be named', () => {
    const { records, output } = outputOf(watermarks.none())
    records.registerSplit('a')
    expect(records.coordinates()).toBeUndefined()
    records.beginPoll(1)
    output.offset = 3
    expect(records.coordinates()).toEqual({ source: 'orders', split: 'a', offset: '3' })
    records.endPoll(true)
    expect(records.coordinates()).toBeUndefined()
  })

  test('a record that cannot be read meets the policy, with its raw text', () => {
    const tag = { id: 'dead', type: undefined }
    const { records, output, taken, metrics } = outputOf(watermarks.none(), {
      kind: 'dead-letter',
      tag,
    })
    records.registerSplit('a')
    records.beginPoll(1)
    output.offset = 17
    output.reject(new SyntaxError('bad JSON'), '{"a":')
    expect(taken()).toEqual([
      [
        'dead',
        {
          operator: 'orders',
          code: 'WEIR_RECORD_MALFORMED',
          message:
            'source orders cannot read a record (source orders, split a, offset 17): bad JSON',
          source: 'orders',
          split: 'a',
          offset: '17',
          record: '{"a":',
        },
      ],
    ])
    expect(metrics.deadLetters).toBe(1)
  })

  test('by default it fails the job', () => {
    const { output } = outputOf(watermarks.none())
    expect(() => output.reject(new Error('bad'), 'x')).toThrow(
      expect.objectContaining({ code: 'WEIR_RECORD_MALFORMED' }),
    )
  })
})

test('counts the records of each split, also of those that finished', () => {
  const { records, output } = outputOf(watermarks.none())
  records.registerSplit('a')
  records.registerSplit('b')
  output.selectSplit('a')
  output.collect(1, 0)
  output.collect(2, 0)
  output.finishSplit('a')
  output.selectSplit('b')
  output.collect(3, 0)
  expect(records.recordsPerSplit()).toEqual({ a: 2, b: 1 })
})

test('what many finished splits gave is counted together', () => {
  const { records, output } = outputOf(watermarks.none())
  for (let n = 0; n < 1_000; n++) {
    records.registerSplit(`file ${n}`)
    output.selectSplit(`file ${n}`)
    output.collect(n, 0)
    output.finishSplit(`file ${n}`)
  }
  const counts = records.recordsPerSplit()
  expect(Object.keys(counts)).toHaveLength(101)
  expect(Object.values(counts).reduce((sum, count) => sum + count, 0)).toBe(1_000)
})

test('the last records of a split count in the metrics', () => {
  const { records, output, metrics } = outputOf(watermarks.none())
  records.registerSplit('a')
  output.collect(1, 0)
  records.endPoll(false)
  output.collect(2, 0)
  output.collect(3, 0)
  output.finishSplit('a')
  records.endPoll(false)
  expect(metrics.recordsOut).toBe(3)
})

test('a reader that never names its split has one all the same', () => {
  const { records, output, taken } = outputOf(watermarks.monotonous())
  output.collect('x', 5)
  records.endPoll(true)
  expect(taken()).toEqual([['x', 5], 'w4'])
  expect(records.recordsPerSplit()).toEqual({ '': 1 })
})

test('is blocked by the record that fills the output or an operator, until the next poll', () => {
  const { records, output, brakes } = outputOf(watermarks.none())
  const afterRecord = (): boolean => {
    records.beginPoll(10)
    expect(output.blocked).toBe(false)
    output.collect('x', 0)
    return output.blocked
  }
  expect(afterRecord()).toBe(false)
  brakes.room.fullChannels = 1
  expect(afterRecord()).toBe(true)
  brakes.room.fullChannels = 0
  for (const one of brakes.blockables) {
    one.blocked = true
    expect(afterRecord()).toBe(true)
    one.blocked = false
  }
})
