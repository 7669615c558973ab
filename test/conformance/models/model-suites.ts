/**
 * Per suite of vectors: random cases in its format, and a slow, obvious model that says what must
 * come out. The models know nothing of Weir; that they are right is shown by the vectors themselves.
 */
import type fc from 'fast-check'
import type { Op, Row } from '../vectors.ts'
import type { WindowVector } from '../window-vectors.ts'
import { AsyncModel } from './async-model.ts'
import { IntervalJoinModel, type IntervalVector } from './interval-join-model.ts'
import {
  asyncCases,
  generatorCases,
  intervalJoinCases,
  type JoinCase,
  multiplexerCases,
  timerCases,
  ttlCases,
  windowJoinCases,
} from './other-cases.ts'
import { TimersModel } from './timers-model.ts'
import { TtlModel, type TtlOp, type TtlVector } from './ttl-model.ts'
import { GeneratorModel, type GeneratorVector, MultiplexerModel } from './watermarks-model.ts'
import { windowCases } from './window-cases.ts'
import { type FireRows, WindowModel } from './window-model.ts'

/** A line of a suite but for its `out`. */
export type Line = Readonly<Record<string, unknown>> & { readonly ops: readonly Op[] }

interface Model {
  run(op: Op): readonly Row[] | Row | 0
}

export interface ModelSuite {
  /** The suite whose runner takes the lines. */
  readonly suite: string
  readonly cases: fc.Arbitrary<Line>
  model(line: Line): Model
  /** Rows that the format leaves out. */
  readonly leavesOut?: string
}

/** What a line must give; a model that fails ends it, as an operator that fails does. */
export function outOf({ model, leavesOut }: ModelSuite, line: Line): readonly unknown[] {
  const made = model(line)
  const out: unknown[] = []
  for (const op of line.ops) {
    try {
      const rows = made.run(op)
      out.push(rows === 0 ? 0 : shownOf(rows, leavesOut))
    } catch (error) {
      out.push([['x', (error as Error).message]])
      break
    }
  }
  return out
}

function shownOf(rows: readonly unknown[], leavesOut: string | undefined): readonly unknown[] | 0 {
  const shown = leavesOut === undefined ? rows : rows.filter(row => (row as Row)[0] !== leavesOut)
  return shown.length > 0 ? shown : 0
}

function joinRows(kind: unknown): FireRows {
  return (window, seen) => {
    const of = (side: string): number[] => seen.flatMap(one => (one.side === side ? one.id : []))
    const [left, right] = [of('l'), of('r')]
    const { max, key } = window
    if (kind === 'coGroup') return [['r', max, key, left, right]]
    return left.flatMap(l => right.map((r): Row => ['r', max, key, l, r]))
  }
}

/** Windows join as windows do, with the default trigger and nothing said of late elements. */
function joinModel(line: Line): Model {
  const { kind, assigner, lateness } = line as unknown as JoinCase
  const window: WindowVector = {
    assigner,
    lateness: lateness ?? 0,
    trigger: { kind: 'default' },
    fn: 'list',
  }
  return new WindowModel(window, joinRows(kind))
}

/** The snapshots of a case cut the operator into other subtasks than it began with. */
const rescaled = { maxParallelism: 10, parallelism: 2 }

export const modelSuites: Readonly<Record<string, ModelSuite>> = {
  windows: {
    suite: 'windows',
    cases: windowCases(false) as unknown as fc.Arbitrary<Line>,
    model: line => new WindowModel(line as unknown as WindowVector),
  },
  'windows that are rescaled': {
    suite: 'rescale',
    cases: windowCases(true).map(line => ({ operator: 'window', ...rescaled, ...line })),
    model: line => new WindowModel(line as unknown as WindowVector),
    leavesOut: 'w',
  },
  'window joins': {
    suite: 'window-join',
    cases: windowJoinCases as unknown as fc.Arbitrary<Line>,
    model: joinModel,
    leavesOut: 'l',
  },
  'interval joins': {
    suite: 'interval-join',
    cases: intervalJoinCases as unknown as fc.Arbitrary<Line>,
    model: line => new IntervalJoinModel(line as unknown as IntervalVector),
  },
  timers: {
    suite: 'timers',
    cases: timerCases(false),
    model: () => new TimersModel(),
  },
  'timers that are rescaled': {
    suite: 'rescale',
    cases: timerCases(true).map(line => ({ operator: 'timers', ...rescaled, ...line })),
    model: () => new TimersModel(),
    leavesOut: 'w',
  },
  'async requests': {
    suite: 'async-wait',
    cases: asyncCases as unknown as fc.Arbitrary<Line>,
    model: line => new AsyncModel(line as unknown as { mode: string; timeout: number }),
  },
  'state with a time to live': {
    suite: 'state-ttl',
    cases: ttlCases as unknown as fc.Arbitrary<Line>,
    model(line) {
      const model = new TtlModel(line as unknown as TtlVector)
      return { run: op => model.run(op as TtlOp) }
    },
  },
  'watermark generators': {
    suite: 'watermarks',
    cases: generatorCases.map(line => ({ kind: 'generator', ...line })),
    model: line => new GeneratorModel(line as unknown as GeneratorVector),
  },
  'watermarks of splits': {
    suite: 'watermarks',
    cases: multiplexerCases.map(ops => ({ kind: 'multiplexer', ops })),
    model: () => new MultiplexerModel(),
  },
}

/** The model suite that a line of vectors belongs to. */
export function modelSuiteOf(suite: string, line: Line): ModelSuite | undefined {
  const all = Object.values(modelSuites).filter(one => one.suite === suite)
  if (suite === 'rescale') return all[line.operator === 'window' ? 0 : 1]
  if (suite === 'watermarks') return all[line.kind === 'generator' ? 0 : 1]
  return all[0]
}
