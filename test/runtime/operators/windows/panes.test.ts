/** The parts of the pane path, and what only a script can show of it. */
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { AggregateFunction } from '../../../../src/api/state.ts'
import { session } from '../../../../src/api/windows/session-windows.ts'
import { sliding } from '../../../../src/api/windows/sliding-windows.ts'
import { tumbling } from '../../../../src/api/windows/tumbling-windows.ts'
import { ByteReader, ByteWriter } from '../../../../src/common/bytes.ts'
import { cloneFunction } from '../../../../src/common/clone-function.ts'
import { MAX_TIMESTAMP, MIN_TIMESTAMP } from '../../../../src/common/timestamps.ts'
import type { InnerOperatorSpec } from '../../../../src/runtime/operators/create-operator.ts'
import { isCombining, makeCombiner } from '../../../../src/runtime/operators/windows/combiner.ts'
import { FiredWindows } from '../../../../src/runtime/operators/windows/fired-windows.ts'
import { JoinContents } from '../../../../src/runtime/operators/windows/join-contents.ts'
import { KeyNumbers } from '../../../../src/runtime/operators/windows/key-numbers.ts'
import { mergedAccumulators } from '../../../../src/runtime/operators/windows/merged-accumulators.ts'
import { mergedPanes } from '../../../../src/runtime/operators/windows/merged-panes.ts'
import { MergingWindows } from '../../../../src/runtime/operators/windows/merging-windows.ts'
import {
  makePaneGrid,
  paneOf,
  panesPerWindow,
  windowsOfPane,
} from '../../../../src/runtime/operators/windows/pane-grid.ts'
import { paneInput } from '../../../../src/runtime/operators/windows/pane-input.ts'
import { combinedPanes } from '../../../../src/runtime/operators/windows/pane-store.ts'
import { makePaneStores } from '../../../../src/runtime/operators/windows/pane-stores.ts'
import { sessionInput } from '../../../../src/runtime/operators/windows/session-input.ts'
import {
  type SessionList,
  sessionListType,
} from '../../../../src/runtime/operators/windows/session-list.ts'
import { makeWindowSpace } from '../../../../src/runtime/operators/windows/window-space.ts'
import { generalType } from '../../../../src/schema/general-type.ts'
import type { PrimitiveKey } from '../../../../src/state/key.ts'
import { OperatorHarness } from '../../../../src/testing/operator-harness.ts'
import { testBackend, testContext } from '../test-context.ts'

interface Bid {
  readonly key: number | string
  readonly id: number
}

/** Changes its accumulator in place, and gives it away as the result. */
const ids: AggregateFunction<Bid, number[], number[]> = {
  create: () => [],
  add(bid, list) {
    list.push(bid.id)
    return list
  },
  result: list => list,
  merge(a, b) {
    if (a.length === 0) return b
    a.push(...b)
    return a
  },
}

function open(assigner: unknown, more: object = {}): Promise<OperatorHarness> {
  return OperatorHarness.open({
    operator: {
      kind: 'window',
      window: { assigner, allowedLatenessMs: 0, lateTag: undefined },
      contents: { kind: 'aggregate', aggregate: ids },
    } as unknown as InnerOperatorSpec,
    keySelectors: [(bid: Bid) => bid.key],
    ...more,
  })
}

describe('windows by panes', () => {
  test('P2: a firing cut off by a snapshot goes on after the restore, with what came meanwhile', async () => {
    const before = await open(tumbling(10), { interruptTimers: true })
    for (let key = 0; key < 4; key++) before.processElement({ key, id: key }, 1)
    before.beginWatermark(9)
    const early = before.takeValues()
    expect(early.length).toBeGreaterThan(0)
    expect(early.length).toBeLessThan(4)
    const after = await before.restart(2)
    // Before the next watermark nothing is late: it joins what has not fired, else begins anew.
    for (let key = 0; key < 4; key++) after.processElement({ key, id: 10 + key }, 2)
    after.processWatermark(9)
    const missing = [0, 1, 2, 3].filter(key => !early.flat().includes(key))
    const late = after.takeValues().map(one => String((one as number[]).toSorted((a, b) => a - b)))
    expect(late.toSorted()).toEqual(
      [0, 1, 2, 3]
        .map(key => (missing.includes(key) ? `${key},${10 + key}` : `${10 + key}`))
        .toSorted(),
    )
  })

  test('P1: results never share an accumulator with a pane that lives on', async () => {
    const harness = await open(sliding(6, 2))
    harness.processElement({ key: 'a', id: 1 }, 3)
    harness.processWatermark(3)
    harness.processElement({ key: 'a', id: 2 }, 4)
    const [first] = harness.takeOutput().flatMap(out => (out.kind === 'record' ? [out.value] : []))
    harness.processElement({ key: 'a', id: 3 }, 5)
    harness.processWatermark(MAX_TIMESTAMP)
    expect(first).toEqual([1])
    expect(harness.takeValues()).toEqual([
      [1, 2, 3],
      [1, 2, 3],
      [2, 3],
    ])
    expect(harness.stateEntries()).toBe(0)
  })

  test('a record without timestamp is an error', async () => {
    const harness = await open(tumbling(10))
    expect(() => harness.processElement({ key: 1, id: 1 })).toThrow('tumbling')
    const sessions = await open(session(10))
    expect(() => sessions.processElement({ key: 1, id: 1 })).toThrow('session')
  })

  test('a record that its aggregate refuses leaves no trace', async () => {
    const add = (): never => {
      throw new Error('refused')
    }
    for (const assigner of [tumbling(10), sliding(10, 5), session(10)]) {
      const harness = await OperatorHarness.open({
        operator: {
          kind: 'window',
          window: { assigner, allowedLatenessMs: 0 },
          contents: { kind: 'aggregate', aggregate: { ...ids, add } },
        } as unknown as InnerOperatorSpec,
        keySelectors: [(bid: Bid) => bid.key],
        errorPolicy: { kind: 'skip', budget: 1 },
      })
      harness.processElement({ key: 1, id: 1 }, 1)
      harness.processWatermark(MAX_TIMESTAMP)
      expect(harness.takeValues()).toEqual([])
      expect(harness.metrics().recordsSkipped).toBe(1)
      expect(harness.stateEntries()).toBe(0)
    }
  })
})

describe('the pane grid', () => {
  test('gives a record the windows that the assigner gives it', () => {
    fc.assert(
      fc.property(
        fc.record({
          size: fc.integer({ min: 1, max: 40 }),
          slide: fc.integer({ min: 1, max: 40 }),
          offset: fc.integer({ min: -30, max: 30 }),
          time: fc.integer({ min: -100, max: 100 }),
        }),
        ({ size, slide, offset, time }) => {
          const assigner = sliding(size, slide, { offset })
          const grid = makePaneGrid(assigner.shape as never)
          const pane = paneOf(grid, time)
          expect(pane <= time && time < pane + grid.paneMs).toBe(true)
          const starts = assigner.assign(undefined, time).map(window => window.start)
          expect(windowsOfPane(grid, pane)).toEqual(starts)
          expect(panesPerWindow(grid) * grid.paneMs).toBe(size)
        },
      ),
    )
  })
})

describe('key numbers', () => {
  test('number keys of any kind as a Map does', () => {
    const key: fc.Arbitrary<PrimitiveKey> = fc.oneof(
      fc.integer(),
      fc.nat(9),
      fc.double(),
      fc.string({ maxLength: 2 }),
      fc.boolean(),
      fc.bigInt(),
    )
    const numbers = new KeyNumbers()
    fc.assert(
      fc.property(fc.array(key, { maxLength: 60 }), keys => {
        numbers.clear()
        const model = new Map<PrimitiveKey, number>()
        for (const one of keys) {
          const folded = one === 0 ? 0 : one
          if (!model.has(folded)) model.set(folded, model.size)
          expect(numbers.numberOf(folded)).toBe(model.get(folded))
        }
        expect(numbers.keys).toEqual([...model.keys()])
      }),
    )
  })

  test('grow', () => {
    const numbers = new KeyNumbers()
    for (let i = 0; i < 20_000; i++) expect(numbers.numberOf(i * 4096)).toBe(i)
    for (let i = 0; i < 20_000; i++) expect(numbers.numberOf(i * 4096)).toBe(i)
  })
})

describe('combiners', () => {
  test('there is none where an aggregate has no merge', () => {
    const { merge: _, ...unmergeable } = ids
    const contents = { kind: 'aggregate', aggregate: unmergeable } as never
    expect(makeCombiner(contents, undefined)).toBeUndefined()
    expect(isCombining({ kind: 'window', contents: { kind: 'elements' } } as never)).toBe(false)
  })

  test('a copy shares nothing, also where a merge returns what it was given', () => {
    const combiner = makeCombiner({ kind: 'aggregate', aggregate: ids as never }, undefined)
    const original = [1, 2]
    const copy = combiner?.copy(original)
    expect(copy).toEqual(original)
    expect(copy).not.toBe(original)
    expect(combiner?.copy(7)).toBe(7)
  })

  test('reduced objects are copied by their type', () => {
    const reduce = (a: unknown): unknown => a
    const combiner = makeCombiner({ kind: 'reduce', reduce }, generalType)
    const original = { n: 1 }
    expect(combiner?.copy(original)).toEqual(original)
    expect(combiner?.copy(original)).not.toBe(original)
    expect(combiner?.add(1, undefined)).toBe(1)
    expect(combiner?.result(5)).toBe(5)
  })
})

describe('what has fired', () => {
  test('is kept by key group, so that subtasks of different progress can become one', () => {
    const context = testContext({ maxParallelism: 8 })
    const fired = new FiredWindows({ context, range: { start: 0, end: 3 } })
    expect([fired.least, fired.most]).toEqual([MIN_TIMESTAMP, MIN_TIMESTAMP])
    fired.raise(10)
    fired.raise(5)
    fired.store([40])
    const [own] = context.operatorState.snapshot()
    if (own === undefined) throw new Error('stored')
    const other = testContext({ maxParallelism: 8 })
    const later = new FiredWindows({ context: other, range: { start: 4, end: 7 } })
    later.raise(20)
    later.store([40, 50])
    const [others] = other.operatorState.snapshot()

    const both = testContext({ maxParallelism: 8 })
    both.operatorState.restore([{ ...own, items: [...own.items, ...(others?.items ?? [])] }])
    const joined = new FiredWindows({ context: both, range: { start: 2, end: 5 } })
    expect([joined.least, joined.most]).toEqual([10, 20])
    expect(joined.restoredPanes).toEqual([40, 50])
    const seen = new Set(Array.from({ length: 100 }, (_, key) => joined.of(key)))
    expect(seen).toEqual(new Set([10, 20, MIN_TIMESTAMP]))
    joined.raise(30)
    expect(joined.of('any')).toBe(30)
  })
})

describe('merging windows', () => {
  interface Span {
    readonly start: number
    readonly end: number
  }

  test('M1, M2: are the unions of what touches, each under namespaces of its own', () => {
    const spans = fc.array(fc.record({ start: fc.nat(60), length: fc.integer({ min: 1, max: 6 }) }))
    fc.assert(
      fc.property(spans, all => {
        const backend = testBackend()
        backend.setCurrentKey('a')
        const windows = new MergingWindows(backend)
        let model: Span[] = []
        let live: { readonly id: number; readonly contents: number }[] = []
        for (const { start, length } of all) {
          const window = { start, end: start + length }
          const merge = windows.plan(window)
          windows.apply(merge)
          const touched = model.filter(one => one.start <= window.end && start <= one.end)
          model = model.filter(one => !touched.includes(one))
          const result = {
            start: Math.min(start, ...touched.map(one => one.start)),
            end: Math.max(window.end, ...touched.map(one => one.end)),
          }
          model.push(result)
          expect(merge.result).toMatchObject(result)
          const gone = new Set([...merge.members.map(one => one.id), merge.result.id])
          live = [...live.filter(one => !gone.has(one.id)), merge.result]
          expect(new Set(live.map(one => one.contents)).size).toBe(live.length)
          expect(windows.find(merge.result.id)).toMatchObject(result)
          for (const member of merge.members) expect(windows.find(member.id)).toBeUndefined()
        }
        for (const one of live) {
          const session = windows.find(one.id)
          if (session !== undefined) windows.retire(session)
        }
        expect(backend.size().entries).toBe(0)
      }),
    )
  })
})

test('a list of sessions is written and read', () => {
  const type = sessionListType(generalType)
  const sessions: SessionList = [
    { start: 1, end: 5, isPending: true, accumulator: 'x' },
    { start: 9, end: 20, isPending: false, accumulator: [1] },
  ]
  const out = new ByteWriter()
  type.write(out, sessions)
  expect(type.read(new ByteReader(out.copy()))).toEqual(sessions)
})

test('window spaces number custom windows and find them again', () => {
  const backend = testBackend()
  const space = makeWindowSpace({ kind: 'custom' }, backend)
  backend.setCurrentKey('a')
  const short = { start: 0, end: 5 }
  const long = { start: 0, end: 9 }
  const numbers = [short, long, short].map(window => space.namespaceOf(window))
  expect(numbers).toEqual([1, 2, 1])
  expect(space.windowOf(2)).toEqual(long)
  space.release(1)
  expect(space.windowOf(1)).toBeUndefined()
  expect(space.namespaceOf(short)).toBe(3)
})

test('join contents hold both sides and merge them', () => {
  const emitted: unknown[] = []
  const context = testContext()
  const backend = testBackend()
  const collector = {
    timestamp: 0,
    emitting: false,
    collect: (value: unknown) => emitted.push(value),
  }
  const spec = { kind: 'window-join', fn: (a: string, b: string) => a + b } as never
  const contents = new JoinContents(spec, { context, backend, timers: { watermark: 0 }, collector })
  backend.setCurrentKey(1)
  contents.setNamespace(1)
  contents.add('a', 0, 0)
  contents.setNamespace(2)
  contents.add('b', 0, 1)
  contents.merge(1, [2])
  contents.setNamespace(1)
  contents.fire({ start: 0, end: 10 })
  contents.clear()
  contents.fire({ start: 0, end: 10 })
  expect(emitted).toEqual(['ab'])
  expect(collector.timestamp).toBe(9)
})

test('hot factories are self-contained: they can be cloned', () => {
  for (const factory of [combinedPanes, mergedAccumulators, mergedPanes, paneInput, sessionInput]) {
    expect(cloneFunction(factory as never)).toBeInstanceOf(Function)
  }
  expect(makePaneStores).toBeInstanceOf(Function)
})
