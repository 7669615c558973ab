/**
 * Windows as jobs run them, against what one would write by hand: a `Map` of keys for each open
 * window. The operator gets records and a watermark every thousand; results are counted.
 */
import { counting } from '../../src/api/aggregates.ts'
import type { WindowAssigner } from '../../src/api/window.ts'
import { session } from '../../src/api/windows/session-windows.ts'
import { sliding } from '../../src/api/windows/sliding-windows.ts'
import * as triggers from '../../src/api/windows/triggers.ts'
import { tumbling } from '../../src/api/windows/tumbling-windows.ts'
import { SystemClock } from '../../src/common/clock.ts'
import { SeededRandom } from '../../src/common/random.ts'
import { MAX_TIMESTAMP, MIN_TIMESTAMP } from '../../src/common/timestamps.ts'
import { createOperator } from '../../src/runtime/operators/create-operator.ts'
import type { WindowOperatorSpec } from '../../src/runtime/operators/windows/window-operator-spec.ts'
import type { OperatorContext, StreamOperator } from '../../src/runtime/stream-operator.ts'
import { typeOf } from '../../src/schema/type-of.ts'
import { z } from '../../src/schema/z.ts'
import { makeHeapBackend } from '../../src/state/heap/heap-keyed-state-backend.ts'
import { makeOperatorStateBackend } from '../../src/state/heap/heap-operator-state.ts'
import { type BenchCase, type CaseRun, compare, defineBench } from './bench-harness.ts'

interface Input {
  readonly keys: Int32Array
  readonly times: Float64Array
}

/** Records between two watermarks: a source's batch. */
const BATCH = 1_000
const RECORDS_PER_SECOND = 10_000
const OUT_OF_ORDER_MS = 500

function makeInput(records: number, keyCount: number): Input {
  const random = new SeededRandom(7)
  const keys = new Int32Array(records)
  const times = new Float64Array(records)
  for (let i = 0; i < records; i++) {
    keys[i] = random.int(keyCount)
    times[i] = 1_700_000_000_000 + (i * 1_000) / RECORDS_PER_SECOND - random.int(OUT_OF_ORDER_MS)
  }
  return { keys, times }
}

/** Keys whose records come in bursts: sessions that begin and end. */
function makeVisits(records: number, keyCount: number): Input {
  const { keys, times } = makeInput(records, keyCount)
  for (let i = 0; i < records; i++) {
    const burst = Math.floor(i / (keyCount * 20))
    keys[i] = ((keys[i] as number) % Math.max(1, keyCount >> 2)) * 4 + (burst % 4)
  }
  return { keys, times }
}

class CountingOutput {
  results = 0
  sum = 0
}

function contextFor(output: CountingOutput): OperatorContext {
  const clock = new SystemClock()
  const name = 'windows'
  const range = { start: 0, end: 127 }
  const backend = makeHeapBackend({ operatorName: name, maxParallelism: 128, range, clock })
  const ignore = (): void => {}
  return {
    uid: name,
    name,
    jobId: name,
    subtaskIndex: 0,
    parallelism: 1,
    maxParallelism: 128,
    restoredCheckpointId: undefined,
    runtime: { operatorName: name, subtaskIndex: 0, parallelism: 1, attempt: 0, count: ignore },
    clock,
    inputTypes: [typeOf(z.int32())],
    keySelectors: [key => key as number],
    errorPolicy: { kind: 'fail' },
    metrics: {
      recordsIn: 0,
      recordsOut: 0,
      lateRecordsDropped: 0,
      recordsSkipped: 0,
      deadLetters: 0,
      currentWatermark: MIN_TIMESTAMP,
    },
    mailbox: { submit: ignore },
    emit(value) {
      output.results++
      output.sum += value as number
    },
    sideOutput: () => ignore,
    emitWatermark: ignore,
    emitStatus: ignore,
    keyedState: () => backend,
    operatorState: makeOperatorStateBackend(name),
    processingTime: () => 0,
    outputFull: () => false,
    coordinates: () => undefined,
    locate: () => {},
  }
}

function drive(operator: StreamOperator, { keys, times }: Input): void {
  const push = operator.inputs[0] as StreamOperator['inputs'][0]
  for (let i = 0; i < keys.length; i++) {
    push(keys[i], times[i] as number)
    if ((i + 1) % BATCH === 0) {
      operator.processWatermark((times[i] as number) - 2 * OUT_OF_ORDER_MS)
    }
  }
  operator.processWatermark(MAX_TIMESTAMP)
}

function specOf(assigner: WindowAssigner<unknown>, isGeneral: boolean): WindowOperatorSpec {
  return {
    kind: 'window',
    window: {
      assigner,
      // Naming the default trigger leads past the fast paths.
      trigger: isGeneral ? triggers.eventTime() : undefined,
      evictor: undefined,
      allowedLatenessMs: 0,
      lateTag: undefined,
    },
    contents: { kind: 'aggregate', aggregate: counting<number>() as never },
    fn: undefined,
  }
}

function weirCase(name: string, spec: WindowOperatorSpec, input: Input): BenchCase {
  return {
    name,
    async run(): Promise<CaseRun> {
      const output = new CountingOutput()
      const operator = createOperator(spec, contextFor(output))
      await operator.open()
      const before = performance.now()
      drive(operator, input)
      const elapsedMs = performance.now() - before
      if (output.sum < input.keys.length) throw new Error(`${name} lost records`)
      return { count: input.keys.length, elapsedMs }
    },
  }
}

/** By hand: every record is counted in each of its windows. */
function byHand(sizeMs: number, slideMs: number, { keys, times }: Input): BenchCase {
  return {
    name: 'a Map a window, by hand',
    run(): number {
      const windows = new Map<number, Map<number, number>>()
      let sum = 0
      const fire = (watermark: number): void => {
        for (const [start, counts] of windows) {
          if (start + sizeMs - 1 > watermark) continue
          for (const count of counts.values()) sum += count
          windows.delete(start)
        }
      }
      for (let i = 0; i < keys.length; i++) {
        const time = times[i] as number
        const key = keys[i] as number
        const last = time - (time % slideMs)
        for (let start = last; start > time - sizeMs; start -= slideMs) {
          let counts = windows.get(start)
          if (counts === undefined) {
            counts = new Map()
            windows.set(start, counts)
          }
          counts.set(key, (counts.get(key) ?? 0) + 1)
        }
        if ((i + 1) % BATCH === 0) fire(time - 2 * OUT_OF_ORDER_MS)
      }
      fire(MAX_TIMESTAMP)
      if (sum < keys.length) throw new Error('records lost')
      return keys.length
    },
  }
}

/** By hand: one session a key; the ended ones are looked for at each watermark. */
function sessionsByHand(gapMs: number, { keys, times }: Input): BenchCase {
  return {
    name: 'a Map of sessions, by hand',
    run(): number {
      const open = new Map<number, { end: number; count: number }>()
      let sum = 0
      const fire = (watermark: number): void => {
        for (const [key, { end, count }] of open) {
          if (end - 1 > watermark) continue
          sum += count
          open.delete(key)
        }
      }
      for (let i = 0; i < keys.length; i++) {
        const time = times[i] as number
        const key = keys[i] as number
        const session = open.get(key)
        if (session === undefined) open.set(key, { end: time + gapMs, count: 1 })
        else {
          session.end = Math.max(session.end, time + gapMs)
          session.count++
        }
        if ((i + 1) % BATCH === 0) fire(time - 2 * OUT_OF_ORDER_MS)
      }
      fire(MAX_TIMESTAMP)
      if (sum < keys.length) throw new Error('records lost')
      return keys.length
    },
  }
}

const assigners = {
  tumbling: tumbling('10s'),
  sliding: sliding('10s', '1s'),
  session: session('2s'),
}

export const windows = defineBench({
  name: 'windows',
  summary: 'counts by window and key: panes, sessions and general windows against nested Maps',
  async run(io) {
    const records = io.count('records', 1_000_000)
    for (const keyCount of [1_000, 100_000]) {
      const input = makeInput(records, keyCount)
      const title = (what: string): string => `${what}, ${keyCount.toLocaleString('en-US')} keys`
      const both = (assigner: WindowAssigner<unknown>, data: Input): BenchCase[] => [
        weirCase('weir', specOf(assigner, false), data),
        weirCase('weir, general path', specOf(assigner, true), data),
      ]
      io.report(
        await compare({
          title: title('tumbling 10 s'),
          baseline: byHand(10_000, 10_000, input),
          cases: both(assigners.tumbling, input),
        }),
      )
      io.report(
        await compare({
          title: title('sliding 10 s by 1 s'),
          baseline: byHand(10_000, 1_000, input),
          cases: both(assigners.sliding, input),
        }),
      )
      const visits = makeVisits(records, keyCount)
      io.report(
        await compare({
          title: title('sessions, gap 2 s'),
          baseline: sessionsByHand(2_000, visits),
          cases: both(assigners.session, visits),
        }),
      )
    }
  },
})
