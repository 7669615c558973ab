/**
 * The fast window paths against the general one: the same operator twice, once as a job would run it
 * and once with its default trigger named, which sends it down the general path. Random records,
 * watermarks, restarts at other parallelisms, and restarts in the middle of a firing.
 */
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { AggregateFunction } from '../../../../src/api/state.ts'
import type { ProcessWindowFunction, WindowAssigner } from '../../../../src/api/window.ts'
import { session } from '../../../../src/api/windows/session-windows.ts'
import { sliding } from '../../../../src/api/windows/sliding-windows.ts'
import * as triggers from '../../../../src/api/windows/triggers.ts'
import { tumbling } from '../../../../src/api/windows/tumbling-windows.ts'
import { MAX_TIMESTAMP } from '../../../../src/common/timestamps.ts'
import {
  chooseWindowPath,
  type WindowPath,
} from '../../../../src/runtime/operators/windows/choose-window-operator.ts'
import type { WindowOperatorSpec } from '../../../../src/runtime/operators/windows/window-operator-spec.ts'
import { type HarnessOutput, OperatorHarness } from '../../../../src/testing/operator-harness.ts'

interface Bid {
  readonly key: number
  readonly id: number
}

type Op = Readonly<
  | { kind: 'element'; key: number; time: number; input: number }
  | { kind: 'watermark'; by: number }
  | { kind: 'interrupted'; by: number; parallelism: number }
  | { kind: 'restart'; parallelism: number }
>

/** Keeps the ids in its accumulator, which it changes in place: nothing may share one. */
const idList: AggregateFunction<Bid, number[], string> = {
  create: () => [],
  add(bid, ids) {
    ids.push(bid.id)
    return ids
  },
  result: ids => ids.toSorted((a, b) => a - b).join(),
  merge(a, b) {
    a.push(...b)
    return a
  },
}

const describeWindow: ProcessWindowFunction<unknown, unknown, number> = {
  process(key, elements, context, out) {
    const { window, watermark } = context
    const contents = elements.map(one => (typeof one === 'object' ? (one as Bid).id : one))
    out.collect([key, window.start, window.end, contents, watermark])
  },
}

type Shape = 'aggregate' | 'aggregate-plain' | 'reduce' | 'elements' | 'join' | 'coGroup'

function specOf(
  assigner: WindowAssigner<unknown>,
  shape: Shape,
  latenessMs: number,
): WindowOperatorSpec {
  const window = {
    assigner,
    trigger: undefined,
    evictor: undefined,
    allowedLatenessMs: latenessMs,
    lateTag: { id: 'late', type: undefined },
  }
  const ids = (bids: readonly Bid[]): number[] => bids.map(bid => bid.id)
  switch (shape) {
    case 'join':
      return { kind: 'window-join', window, fn: ((a: Bid, b: Bid) => [a.id, b.id]) as never }
    case 'coGroup': {
      const fn = (a: readonly Bid[], b: readonly Bid[], out: { collect(value: unknown): void }) =>
        out.collect([ids(a), ids(b)])
      return { kind: 'window-co-group', window, fn: fn as never }
    }
    case 'elements':
      return { kind: 'window', window, contents: { kind: 'elements' }, fn: describeWindow as never }
    case 'reduce': {
      const reduce = (a: Bid, b: Bid): Bid => (a.id > b.id ? a : b)
      const contents = { kind: 'reduce', reduce: reduce as never } as const
      return { kind: 'window', window, contents, fn: describeWindow as never }
    }
    default: {
      const contents = { kind: 'aggregate', aggregate: idList as never } as const
      const fn = shape === 'aggregate' ? (describeWindow as never) : undefined
      return { kind: 'window', window, contents, fn }
    }
  }
}

/** The same windows on the general path. */
function generally(spec: WindowOperatorSpec): WindowOperatorSpec {
  return { ...spec, window: { ...spec.window, trigger: triggers.eventTime() } } as never
}

const opArbitrary: fc.Arbitrary<Op> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant('element' as const),
      key: fc.nat(3),
      time: fc.integer({ min: -12, max: 12 }),
      input: fc.nat(1),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('watermark' as const),
      by: fc.integer({ min: 1, max: 6 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('interrupted' as const),
      by: fc.integer({ min: 1, max: 12 }),
      parallelism: fc.integer({ min: 1, max: 3 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('restart' as const),
      parallelism: fc.integer({ min: 1, max: 3 }),
    }),
  },
)

function textOf(output: HarnessOutput): string {
  return JSON.stringify(output, (_key, value) =>
    value === MAX_TIMESTAMP ? 'MAX' : value === -MAX_TIMESTAMP ? 'MIN' : value,
  )
}

/** What each op makes the operator emit, but for the watermarks: each op's in any order. */
async function outputsOf(spec: WindowOperatorSpec, ops: readonly Op[]): Promise<string[][]> {
  const keyOf = (bid: Bid): number => bid.key
  const isJoin = spec.kind !== 'window'
  let harness = await OperatorHarness.open({
    operator: spec,
    keySelectors: isJoin ? [keyOf, keyOf] : [keyOf],
    maxParallelism: 8,
    interruptTimers: true,
  })
  const outputs: string[][] = []
  const take = (): void => {
    const records = harness.takeOutput().filter(out => out.kind !== 'watermark')
    outputs.push(records.map(textOf).toSorted())
  }
  let watermark = -8
  let base = 0
  for (const [id, op] of ops.entries()) {
    switch (op.kind) {
      case 'element':
        harness.processElement({ key: op.key, id }, base + op.time, isJoin ? op.input : 0)
        break
      case 'watermark':
        watermark += op.by
        base = Math.max(base, watermark)
        harness.processWatermark(watermark)
        break
      case 'interrupted':
        watermark += op.by
        base = Math.max(base, watermark)
        harness.beginWatermark(watermark)
        harness = await harness.restart(op.parallelism)
        harness.processWatermark(watermark)
        break
      case 'restart':
        harness = await harness.restart(op.parallelism)
        break
    }
    take()
  }
  harness.processWatermark(MAX_TIMESTAMP)
  take()
  expect(harness.stateEntries()).toBe(0)
  await harness.close()
  return outputs
}

interface Case {
  readonly assigner: WindowAssigner<unknown>
  readonly shapes: readonly Shape[]
  readonly path: WindowPath
}

const incremental: readonly Shape[] = ['aggregate', 'aggregate-plain', 'reduce']
const every: readonly Shape[] = [...incremental, 'elements', 'join', 'coGroup']

const cases: Record<string, Case> = {
  'tumbling windows': { assigner: tumbling(7, { offset: 3 }), shapes: every, path: 'panes' },
  'sliding windows of three panes': {
    assigner: sliding(9, 3, { offset: -1 }),
    shapes: incremental,
    path: 'panes',
  },
  'sliding windows whose slide does not divide the size': {
    assigner: sliding(10, 4),
    shapes: incremental,
    path: 'panes',
  },
  'sliding windows with gaps between them': {
    assigner: sliding(4, 6),
    shapes: incremental,
    path: 'panes',
  },
  sessions: { assigner: session(4), shapes: incremental, path: 'sessions' },
}

describe.each(Object.entries(cases))('%s', (_name, { assigner, shapes, path }) => {
  test.each(shapes)('%s: the fast path emits what the general one does', async shape => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(opArbitrary, { maxLength: 60, size: 'max' }),
        fc.constantFrom(0, 0, 5),
        async (ops, latenessMs) => {
          const spec = specOf(assigner, shape, latenessMs)
          expect(chooseWindowPath(spec)).toBe(path)
          expect(chooseWindowPath(generally(spec))).toBe('general')
          expect(await outputsOf(spec, ops)).toEqual(await outputsOf(generally(spec), ops))
        },
      ),
      { numRuns: 25 },
    )
  })
})
