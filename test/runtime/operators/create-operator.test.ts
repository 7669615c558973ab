import { expect, test } from '@jest/globals'
import { tumbling } from '../../../src/api/windows/tumbling-windows.ts'
import { AbstractStreamOperator } from '../../../src/runtime/operators/abstract-stream-operator.ts'
import { AsyncOperator } from '../../../src/runtime/operators/async-operator.ts'
import { BroadcastProcessOperator } from '../../../src/runtime/operators/broadcast-process-operator.ts'
import { CoProcessOperator } from '../../../src/runtime/operators/co-process-operator.ts'
import {
  createOperator,
  type InnerOperatorSpec,
} from '../../../src/runtime/operators/create-operator.ts'
import { FilterOperator } from '../../../src/runtime/operators/filter-operator.ts'
import { FlatMapOperator } from '../../../src/runtime/operators/flat-map-operator.ts'
import { IntervalJoinOperator } from '../../../src/runtime/operators/interval-join-operator.ts'
import { KeyedAggregateOperator } from '../../../src/runtime/operators/keyed-aggregate-operator.ts'
import { KeyedBroadcastProcessOperator } from '../../../src/runtime/operators/keyed-broadcast-process-operator.ts'
import { KeyedCoProcessOperator } from '../../../src/runtime/operators/keyed-co-process-operator.ts'
import { KeyedProcessOperator } from '../../../src/runtime/operators/keyed-process-operator.ts'
import { KeyedReduceOperator } from '../../../src/runtime/operators/keyed-reduce-operator.ts'
import { MapOperator } from '../../../src/runtime/operators/map-operator.ts'
import { ProcessOperator } from '../../../src/runtime/operators/process-operator.ts'
import { WatermarksOperator } from '../../../src/runtime/operators/watermarks-operator.ts'
import { PaneWindowOperator } from '../../../src/runtime/operators/windows/pane-window-operator.ts'
import { testContext } from './test-context.ts'

type Kind = InnerOperatorSpec['kind']

const window = {
  assigner: tumbling(10),
  trigger: undefined,
  evictor: undefined,
  allowedLatenessMs: 0,
  lateTag: undefined,
}

/** The least that each kind needs to be made. */
const extras: Partial<Record<Kind, object>> = {
  watermarks: { watermarks: {} },
  window: { window, contents: { kind: 'elements' } },
  'window-join': { window },
  'window-co-group': { window },
  async: { options: { ordered: true, capacity: 1 } },
}

type OperatorClass = abstract new (...parts: never[]) => AbstractStreamOperator

const classes: Record<Kind, OperatorClass> = {
  map: MapOperator,
  filter: FilterOperator,
  'flat-map': FlatMapOperator,
  process: ProcessOperator,
  watermarks: WatermarksOperator,
  'keyed-process': KeyedProcessOperator,
  'keyed-reduce': KeyedReduceOperator,
  'keyed-aggregate': KeyedAggregateOperator,
  window: PaneWindowOperator,
  'window-join': PaneWindowOperator,
  'window-co-group': PaneWindowOperator,
  'interval-join': IntervalJoinOperator,
  'co-process': CoProcessOperator,
  'keyed-co-process': KeyedCoProcessOperator,
  'broadcast-process': BroadcastProcessOperator,
  'keyed-broadcast-process': KeyedBroadcastProcessOperator,
  async: AsyncOperator,
}

test.each(Object.entries(classes))('a %s becomes its own operator', (kind, expected) => {
  const spec = { kind, fn: {}, ...extras[kind as Kind] } as InnerOperatorSpec
  expect(createOperator(spec, testContext())).toBeInstanceOf(expected)
})

test('a kind that nobody knows is a programmer error', () => {
  const spec = { kind: 'teleport' } as unknown as InnerOperatorSpec
  expect(() => createOperator(spec, testContext())).toThrow('operator kind')
})

test('A1: a watermark while timers are still firing is a programmer error', () => {
  class Interrupted extends AbstractStreamOperator {
    open(): void {}
    protected override fireEventTime(): boolean {
      return false
    }
  }
  const operator = new Interrupted(testContext())
  expect(operator.processWatermark(1)).toBe(false)
  expect(() => operator.processWatermark(2)).toThrow('A1')
  expect(() => operator.processTime(2)).toThrow('A1')
})

test('A2: the watermark is sent on once, when the last timer has fired', () => {
  const sent: number[] = []
  let bursts = 3
  class Interrupted extends AbstractStreamOperator {
    open(): void {}
    protected override fireEventTime(): boolean {
      bursts--
      return bursts === 0
    }
  }
  const context = testContext({ emitWatermark: watermark => sent.push(watermark) })
  const operator = new Interrupted(context)
  expect(operator.processWatermark(7)).toBe(false)
  expect(operator.resume()).toBe(false)
  expect(sent).toEqual([])
  expect(operator.resume()).toBe(true)
  expect(operator.resume()).toBe(true)
  expect(sent).toEqual([7])
})
