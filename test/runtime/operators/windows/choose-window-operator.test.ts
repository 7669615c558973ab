import { expect, test } from '@jest/globals'
import { cumulate } from '../../../../src/api/windows/cumulate-windows.ts'
import * as evictors from '../../../../src/api/windows/evictors.ts'
import { global } from '../../../../src/api/windows/global-windows.ts'
import { session } from '../../../../src/api/windows/session-windows.ts'
import { sliding } from '../../../../src/api/windows/sliding-windows.ts'
import * as triggers from '../../../../src/api/windows/triggers.ts'
import { tumbling } from '../../../../src/api/windows/tumbling-windows.ts'
import {
  chooseWindowPath,
  makeWindowOperator,
  type WindowPath,
} from '../../../../src/runtime/operators/windows/choose-window-operator.ts'
import { PaneWindowOperator } from '../../../../src/runtime/operators/windows/pane-window-operator.ts'
import { SessionWindowOperator } from '../../../../src/runtime/operators/windows/session-window-operator.ts'
import { WindowOperator } from '../../../../src/runtime/operators/windows/window-operator.ts'
import type { WindowOperatorSpec } from '../../../../src/runtime/operators/windows/window-operator-spec.ts'
import { testContext } from '../test-context.ts'

interface Case {
  readonly assigner: unknown
  readonly contents?: 'elements' | 'reduce' | 'aggregate' | 'unmergeable'
  readonly kind?: 'window-join' | 'window-co-group'
  readonly window?: object
  readonly fn?: object
  readonly path: WindowPath
}

const hour = tumbling('1h')
const slidingHour = sliding('1h', '5m')
const visit = session('30m')

const cases: Record<string, Case> = {
  'tumbling windows run by panes': { assigner: hour, path: 'panes' },
  'also with all their elements': { assigner: hour, contents: 'elements', path: 'panes' },
  'also without a merge': { assigner: hour, contents: 'unmergeable', path: 'panes' },
  'also joined': { assigner: hour, kind: 'window-join', path: 'panes' },
  'also grouped': { assigner: hour, kind: 'window-co-group', path: 'panes' },
  'sliding windows run by panes where parts merge': { assigner: slidingHour, path: 'panes' },
  'reduced values merge': { assigner: slidingHour, contents: 'reduce', path: 'panes' },
  'without a merge they cannot': {
    assigner: slidingHour,
    contents: 'unmergeable',
    path: 'general',
  },
  'nor can elements, whose order counts': {
    assigner: slidingHour,
    contents: 'elements',
    path: 'general',
  },
  'nor joins': { assigner: slidingHour, kind: 'window-join', path: 'general' },
  'a slide as long as the window makes it tumbling': {
    assigner: sliding('1h', '1h'),
    contents: 'elements',
    path: 'panes',
  },
  'too many panes a window cost more than they save': {
    assigner: sliding('1h', 1),
    path: 'general',
  },
  'sessions with a fixed gap have a path of their own': { assigner: visit, path: 'sessions' },
  'not without a merge': { assigner: visit, contents: 'unmergeable', path: 'general' },
  'not with a dynamic gap': { assigner: session(() => 5), path: 'general' },
  'not joined': { assigner: visit, kind: 'window-join', path: 'general' },
  'processing time has no panes': {
    assigner: tumbling('1h', { time: 'processing' }),
    path: 'general',
  },
  'nor have global windows': { assigner: global(), path: 'general' },
  'nor custom ones': { assigner: cumulate('1h', '5m'), path: 'general' },
  'a trigger needs the general path': {
    assigner: hour,
    window: { trigger: triggers.count(3) },
    path: 'general',
  },
  'so does an evictor': {
    assigner: hour,
    window: { evictor: evictors.count(3) },
    path: 'general',
  },
  'so does state a window': { assigner: hour, fn: { windowState: {} }, path: 'general' },
  'so does a function that is told of the end': {
    assigner: visit,
    fn: { clear() {} },
    path: 'general',
  },
  'a plain function does not': { assigner: hour, fn: { process() {} }, path: 'panes' },
}

function specOf(one: Case): WindowOperatorSpec {
  const aggregate = { create() {}, add() {}, result() {} }
  const contents = {
    elements: { kind: 'elements' },
    reduce: { kind: 'reduce', reduce() {} },
    unmergeable: { kind: 'aggregate', aggregate },
    aggregate: { kind: 'aggregate', aggregate: { ...aggregate, merge() {} } },
  }[one.contents ?? 'aggregate']
  return {
    kind: one.kind ?? 'window',
    window: { assigner: one.assigner, allowedLatenessMs: 0, ...one.window },
    contents,
    fn: one.fn,
  } as WindowOperatorSpec
}

const operators = {
  panes: PaneWindowOperator,
  sessions: SessionWindowOperator,
  general: WindowOperator,
}

test.each(Object.entries(cases))('%s', (_sentence, one) => {
  expect(chooseWindowPath(specOf(one))).toBe(one.path)
  expect(makeWindowOperator(testContext(), specOf(one))).toBeInstanceOf(operators[one.path])
})
