/** The rules of windows, as scripts: what goes in, and what has to come out. */
import { describe, expect, test } from '@jest/globals'
import { valueState } from '../../../../src/api/state-descriptor.ts'
import type { WindowSpec } from '../../../../src/api/transformation.ts'
import type {
  ProcessWindowFunction,
  Trigger,
  Window,
  WindowAssigner,
} from '../../../../src/api/window.ts'
import { cumulate } from '../../../../src/api/windows/cumulate-windows.ts'
import * as evictors from '../../../../src/api/windows/evictors.ts'
import { global } from '../../../../src/api/windows/global-windows.ts'
import { session } from '../../../../src/api/windows/session-windows.ts'
import { sliding } from '../../../../src/api/windows/sliding-windows.ts'
import * as triggers from '../../../../src/api/windows/triggers.ts'
import { tumbling } from '../../../../src/api/windows/tumbling-windows.ts'
import { MAX_TIMESTAMP } from '../../../../src/common/timestamps.ts'
import type { InnerOperatorSpec } from '../../../../src/runtime/operators/create-operator.ts'
import { BoundTrigger } from '../../../../src/runtime/operators/windows/bound-trigger.ts'
import { makeLateOutput } from '../../../../src/runtime/operators/windows/late-output.ts'
import { makeWindowBody } from '../../../../src/runtime/operators/windows/window-body.ts'
import { makeWindowContents } from '../../../../src/runtime/operators/windows/window-contents.ts'
import { WindowFunctionCaller } from '../../../../src/runtime/operators/windows/window-function-caller.ts'
import { WindowProcessor } from '../../../../src/runtime/operators/windows/window-processor.ts'
import { type HarnessOutput, OperatorHarness } from '../../../../src/testing/operator-harness.ts'
import { testBackend, testContext } from '../test-context.ts'

/** `a5`: an element of key a at time 5. `a5+3`: whose session lasts 3. `w7`, `p7`, `restart`. */
type Step = string

interface Script {
  readonly window: Partial<WindowSpec> & { readonly assigner: WindowAssigner<unknown> }
  readonly steps: readonly Step[]
  /** `a[0,10)=5,7`: what is in a window of key a; `late 3`; per step that gives anything. */
  readonly expected: Readonly<Record<Step, readonly string[]>>
  /** What is left in state at the end. Default 0. */
  readonly left?: number
}

interface Element {
  readonly key: string
  readonly time: number
  readonly gap: number
}

const show = (window: Window): string =>
  window.end === MAX_TIMESTAMP ? 'all' : `[${window.start},${window.end})`

const describeWindow: ProcessWindowFunction<Element, string, string> = {
  process(key, elements, { window }, out) {
    const times = elements.map(one => one.time).toSorted((a, b) => a - b)
    out.collect(`${key}${show(window)}=${times.join()}`)
  },
}

const times = (elements: readonly Element[]): string => elements.map(one => one.time).join()

function text(output: HarnessOutput): string {
  if (output.kind === 'record') return String(output.value)
  return output.kind === 'side-output' ? `late ${(output.value as Element).time}` : output.kind
}

async function play(script: Script, parallelism?: number): Promise<Record<string, string[]>> {
  const operator: InnerOperatorSpec = {
    kind: 'window',
    window: {
      trigger: undefined,
      evictor: undefined,
      allowedLatenessMs: 0,
      lateTag: { id: 'late', type: undefined },
      ...script.window,
    },
    contents: { kind: 'elements' },
    fn: describeWindow as never,
  }
  let harness = await OperatorHarness.open({
    operator,
    keySelectors: [(element: Element) => element.key],
    ...(parallelism === undefined ? {} : { parallelism }),
  })
  const seen: Record<string, string[]> = {}
  for (const step of script.steps) {
    const [, kind = '', number = '', gap = ''] = /^(\D*?)(-?\d+|MAX)?(?:\+(\d+))?$/.exec(step) ?? []
    const time = number === 'MAX' ? MAX_TIMESTAMP : Number(number)
    if (kind === 'w') harness.processWatermark(time)
    else if (kind === 'p') harness.setProcessingTime(time)
    else if (kind === 'restart') harness = await harness.restart()
    else harness.processElement({ key: kind, time, gap: Number(gap) }, time)
    const output = harness.takeOutput().filter(out => out.kind !== 'watermark')
    if (output.length > 0) seen[step] = [...(seen[step] ?? []), ...output.map(text)].toSorted()
  }
  expect(harness.stateEntries()).toBe(script.left ?? 0)
  return seen
}

const scripts: Record<string, Script> = {
  'tumbling windows fire at their last millisecond and are gone': {
    window: { assigner: tumbling(10) },
    steps: ['a1', 'a9', 'b3', 'a10', 'w8', 'w9', 'w19'],
    expected: { w9: ['a[0,10)=1,9', 'b[0,10)=3'], w19: ['a[10,20)=10'] },
  },
  'an offset moves the grid, also below zero': {
    window: { assigner: tumbling(10, { offset: 3 }) },
    steps: ['a2', 'a-8', 'a3', 'wMAX'],
    expected: { wMAX: ['a[-17,-7)=-8', 'a[-7,3)=2', 'a[3,13)=3'] },
  },
  'a record is in each of its sliding windows': {
    window: { assigner: sliding(10, 5) },
    steps: ['a7', 'w9', 'w14'],
    expected: { w9: ['a[0,10)=7'], w14: ['a[5,15)=7'] },
  },
  'a late record goes to the side output': {
    window: { assigner: tumbling(10) },
    steps: ['w9', 'a9', 'a10', 'w19'],
    expected: { a9: ['late 9'], w19: ['a[10,20)=10'] },
  },
  'within the lateness each late record fires the window again, then it is gone': {
    window: { assigner: tumbling(10), allowedLatenessMs: 5 },
    steps: ['a1', 'w9', 'a2', 'w13', 'a3', 'w14', 'a4'],
    expected: {
      w9: ['a[0,10)=1'],
      a2: ['a[0,10)=1,2'],
      a3: ['a[0,10)=1,2,3'],
      a4: ['late 4'],
    },
  },
  'a record between sliding windows vanishes, and counts as late only below the watermark': {
    window: { assigner: sliding(4, 10) },
    steps: ['a5', 'w4', 'a3', 'a5', 'w6', 'a6'],
    expected: { a3: ['late 3'], a6: ['late 6'] },
  },
  'sessions that touch become one': {
    window: { assigner: session(5) },
    steps: ['a1', 'a11', 'b1', 'a6', 'w5', 'w15'],
    expected: { w5: ['b[1,6)=1'], w15: ['a[1,16)=1,6,11'] },
  },
  'a late record that joins a live session is not late': {
    window: { assigner: session(5) },
    steps: ['a8', 'w9', 'a4', 'a3', 'b3', 'w12'],
    expected: { b3: ['late 3'], w12: ['a[3,13)=3,4,8'] },
  },
  'sessions within the lateness fire again when they grow': {
    window: { assigner: session(5), allowedLatenessMs: 10 },
    steps: ['a1', 'w6', 'a3', 'w8', 'a0', 'w20'],
    expected: { w6: ['a[1,6)=1'], w8: ['a[1,8)=1,3'], a0: ['a[0,8)=0,1,3'] },
  },
  'dynamic gaps: a record inside a merged session keeps what is there': {
    window: { assigner: session((element: Element) => element.gap) as WindowAssigner<unknown> },
    steps: ['a0+5', 'a5+5', 'a0+10', 'w9'],
    expected: { w9: ['a[0,10)=0,0,5'] },
  },
  'a global window fires when its trigger says so, and keeps its contents': {
    window: { assigner: global(), trigger: triggers.count(2) as Trigger<unknown> },
    steps: ['a1', 'a2', 'a3', 'b9', 'a4'],
    expected: { a2: ['aall=1,2'], a4: ['aall=1,2,3,4'] },
    left: 3,
  },
  'a purging trigger starts anew': {
    window: {
      assigner: global(),
      trigger: triggers.purging(triggers.count(2)) as Trigger<unknown>,
    },
    steps: ['a1', 'a2', 'a3', 'a4'],
    expected: { a2: ['aall=1,2'], a4: ['aall=3,4'] },
  },
  'a continuous trigger on a global window is bounded at the end of time': {
    window: { assigner: global(), trigger: triggers.continuousEventTime(10) as Trigger<unknown> },
    steps: ['a3', 'w10', 'w20', 'wMAX'],
    // The last interval, and the window's end.
    expected: { w10: ['aall=3'], w20: ['aall=3'], wMAX: ['aall=3', 'aall=3'] },
    left: 1,
  },
  'processing-time windows ask the clock': {
    window: { assigner: tumbling(10, { time: 'processing' }) },
    steps: ['p3', 'a99', 'w500', 'p8', 'a1', 'p9', 'a2', 'p30'],
    expected: { p9: ['a[0,10)=1,99'], a2: ['a[0,10)=2'] },
  },
  'windows of one start and several lengths are kept apart': {
    window: { assigner: cumulate(9, 3) },
    steps: ['a1', 'a4', 'w2', 'restart', 'w5', 'w8'],
    expected: { w2: ['a[0,3)=1'], w5: ['a[0,6)=1,4'], w8: ['a[0,9)=1,4'] },
  },
  'an evictor removes for good what it takes before the function sees it': {
    window: {
      assigner: global(),
      trigger: triggers.count(2) as Trigger<unknown>,
      evictor: evictors.count(3),
    },
    steps: ['a1', 'a2', 'a3', 'a4', 'a5', 'a6'],
    expected: { a2: ['aall=1,2'], a4: ['aall=2,3,4'], a6: ['aall=4,5,6'] },
    left: 1,
  },
  'or after it has seen it': {
    window: {
      assigner: global(),
      trigger: triggers.count(2) as Trigger<unknown>,
      evictor: evictors.count(1, { after: true }),
    },
    steps: ['a1', 'a2', 'a3', 'a4'],
    expected: { a2: ['aall=1,2'], a4: ['aall=2,3,4'] },
    left: 1,
  },
  'a window whose records an evictor took fires once more, empty': {
    window: { assigner: tumbling(10), evictor: evictors.time(0) },
    steps: ['a1', 'w9'],
    expected: { w9: ['a[0,10)='] },
  },
  'W3: the trigger is asked about the cleanup timer before the window goes': {
    window: {
      assigner: tumbling(10),
      trigger: triggers.processingTimeout(triggers.count(9) as Trigger<unknown>, 1_000),
    },
    steps: ['a1', 'w9', 'p2000'],
    expected: { w9: ['a[0,10)=1'] },
  },
  'after a restore the watermark is unknown: what was late is taken, and its window fires again': {
    window: { assigner: tumbling(10), trigger: triggers.eventTime() },
    steps: ['a1', 'w9', 'restart', 'a2', 'w10'],
    expected: { w9: ['a[0,10)=1'], w10: ['a[0,10)=2'] },
  },
}

describe.each(Object.entries(scripts))('%s', (_sentence, script) => {
  test('in one subtask', async () => {
    expect(await play(script)).toEqual(script.expected)
  })

  test('in three subtasks', async () => {
    expect(await play(script, 3)).toEqual(script.expected)
  })
})

describe('a window function', () => {
  test('has state a window, which goes with it, and state a key, which stays', async () => {
    const cleared: string[] = []
    const fn = {
      windowState: { firings: valueState<number>() },
      globalState: { total: valueState<number>() },
      process(
        key: string,
        elements: readonly Element[],
        context: {
          windowState: { firings: { value(): number | undefined; update(n: number): void } }
          globalState: { total: { value(): number | undefined; update(n: number): void } }
        },
        out: { collect(value: unknown): void },
      ) {
        const { firings } = context.windowState
        const { total } = context.globalState
        firings.update((firings.value() ?? 0) + 1)
        total.update((total.value() ?? 0) + elements.length)
        out.collect([key, firings.value(), total.value()])
      },
      clear: (context: { window: Window }) => void cleared.push(show(context.window)),
    }
    const harness = await OperatorHarness.open({
      operator: {
        kind: 'window',
        window: {
          assigner: tumbling(10),
          trigger: undefined,
          evictor: undefined,
          allowedLatenessMs: 10,
          lateTag: undefined,
        },
        contents: { kind: 'elements' },
        fn: fn as never,
      },
      keySelectors: [(element: Element) => element.key],
    })
    for (const time of [1, 12]) harness.processElement({ key: 'a', time }, time)
    harness.processWatermark(9)
    harness.processElement({ key: 'a', time: 2 }, 2)
    harness.processWatermark(19)
    expect(harness.takeValues()).toEqual([
      ['a', 1, 1],
      ['a', 2, 3],
      ['a', 1, 4],
    ])
    expect(cleared).toEqual(['[0,10)'])
    harness.processWatermark(100)
    expect(harness.stateEntries()).toBe(1)
  })
})

describe('the general path for joins', () => {
  test('sessions of two streams are joined and grouped', async () => {
    for (const [kind, expected] of [
      ['window-join', ['1-2']],
      ['window-co-group', ['1|2', '|7']],
    ] as const) {
      const fn =
        kind === 'window-join'
          ? (left: Element, right: Element) => `${left.time}-${right.time}`
          : (
              left: readonly Element[],
              right: readonly Element[],
              out: { collect(value: unknown): void },
            ) => out.collect(`${times(left)}|${times(right)}`)
      const operator = {
        kind,
        window: { assigner: session(3), allowedLatenessMs: 0 },
        fn,
      } as unknown as InnerOperatorSpec
      const keyOf = (element: Element): string => element.key
      const harness = await OperatorHarness.open({ operator, keySelectors: [keyOf, keyOf] })
      harness.processElement({ key: 'a', time: 1 }, 1, 0)
      harness.processElement({ key: 'a', time: 2 }, 2, 1)
      harness.processElement({ key: 'a', time: 7 }, 7, 1)
      harness.processWatermark(MAX_TIMESTAMP)
      expect(harness.takeValues()).toEqual(expected)
      expect(harness.stateEntries()).toBe(0)
    }
  })
})

describe('the parts of the general path', () => {
  test('a trigger that cannot merge is refused on merging windows', () => {
    const context = testContext({ keySelectors: [() => 1] })
    const delta = triggers.delta(1, () => 0)
    const window = { assigner: session(5), trigger: delta, allowedLatenessMs: 0 } as never
    expect(
      () =>
        new WindowProcessor({
          window,
          body: undefined as never,
          context,
          backend: testBackend(),
          timers: undefined as never,
        }),
    ).toThrow('delta')
  })

  test('state of a trigger that is not declared, or does not merge, is a programmer error', () => {
    const trigger = {
      ...triggers.count(1),
      state: { last: valueState<number>() },
      onMerge: (context: { mergeState(name: string): void }) => context.mergeState('last'),
    } as unknown as Trigger<unknown>
    const bound = new BoundTrigger({
      trigger,
      context: testContext(),
      backend: testBackend(),
      timers: undefined as never,
    })
    expect(() => bound.onMerge([1])).toThrow('merges')
    expect(() => bound.mergeState('other')).toThrow('other')
  })

  test('late records are counted where no side output takes them', () => {
    const context = testContext()
    makeLateOutput(context, undefined)('x', 1)
    expect(context.metrics.lateRecordsDropped).toBe(1)
  })

  test('reduced contents with an evictor give nothing when all is evicted', () => {
    const backend = testBackend()
    backend.setCurrentKey('a')
    const fired: unknown[] = []
    const contents = makeWindowContents({
      contents: { kind: 'reduce', reduce: (a, b) => (a as number) + (b as number) },
      evictor: { name: 'all', evictBefore: elements => elements.filter(one => one.timestamp > 1) },
      context: testContext(),
      backend,
      fire: (_window, _namespace, elements) => fired.push(elements),
    })
    contents.setNamespace(1)
    contents.add(5, 1, 0)
    contents.fire({ start: 0, end: 9 }, 1)
    expect(fired).toEqual([])
    contents.add(5, 2, 0)
    contents.add(6, 3, 0)
    contents.merge(2, [1])
    contents.setNamespace(2)
    contents.fire({ start: 0, end: 9 }, 2)
    expect(fired).toEqual([[11]])
  })

  test('without a function the combined value is the result, at the window end', () => {
    const emitted: unknown[] = []
    const context = testContext({
      emit: (value, time) => emitted.push([value, time]),
    })
    const collector = {
      timestamp: 0,
      emitting: false,
      collect: (value: unknown) => emitted.push([value, collector.timestamp]),
    }
    const spec = {
      kind: 'window',
      window: {},
      contents: { kind: 'reduce', reduce: Math.max },
    } as never
    const backend = testBackend()
    const body = makeWindowBody(spec, {
      context,
      backend,
      timers: { watermark: 0 },
      collector,
    })
    backend.setCurrentKey('a')
    body.contents.add(3, 0, 0)
    body.contents.add(8, 0, 0)
    body.contents.fire({ start: 0, end: 10 }, 0)
    expect(emitted).toEqual([[8, 9]])
    expect(
      new WindowFunctionCaller({
        fn: { process() {} },
        context,
        backend,
        timers: { watermark: 77 },
        collector,
      }).watermark,
    ).toBe(77)
  })
})
