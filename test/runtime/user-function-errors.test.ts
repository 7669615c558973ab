import { describe, expect, test } from '@jest/globals'
import type { ErrorPolicy, Key } from '../../src/api/functions.ts'
import { AssertionError } from '../../src/common/assert.ts'
import { MIN_TIMESTAMP } from '../../src/common/timestamps.ts'
import { runtimeErrors, taskError } from '../../src/runtime/runtime-errors.ts'
import { type ErrorContext, makeErrorHandler } from '../../src/runtime/user-function-errors.ts'
import type { RecordCoordinates } from '../../src/schema/located-type.ts'
import { foldKey } from '../../src/state/key.ts'
import type { KeyedStateBackend } from '../../src/state/keyed-state-backend.ts'

/** A backend that stands on a key. */
function backendAt(key: () => unknown): Pick<KeyedStateBackend, 'currentKey' | 'foldedKey'> {
  return { currentKey: () => key() as Key, foldedKey: () => foldKey(key() as Key) }
}

interface Setup {
  readonly policy?: ErrorPolicy
  /** Of the record. */
  readonly key?: () => unknown
  /** Of the record before, on which the backend still stands. */
  readonly current?: () => unknown
  readonly coordinates?: RecordCoordinates
}

function handlerOf({ policy = { kind: 'fail' }, key, current, coordinates }: Setup) {
  const letters: unknown[] = []
  const metrics = {
    recordsIn: 0,
    recordsOut: 0,
    lateRecordsDropped: 0,
    recordsSkipped: 0,
    deadLetters: 0,
    currentWatermark: MIN_TIMESTAMP,
  }
  const context: ErrorContext = {
    name: 'enrich',
    errorPolicy: policy,
    metrics,
    keySelectors: key === undefined ? [] : [() => key() as Key],
    keyedState: () => backendAt(current ?? key ?? (() => 1)) as KeyedStateBackend,
    coordinates: () => coordinates,
    sideOutput: tag => value => void letters.push([tag, value]),
  }
  return { ...makeErrorHandler(context), letters, metrics }
}

const from = { source: 'orders', split: 'orders-3', offset: '17' }

describe('the message says', () => {
  const cases: Record<string, [Setup, string]> = {
    'the operator and the reason': [{}, 'operator enrich failed on a record: no luck'],
    'where the record came from': [
      { coordinates: from },
      'operator enrich failed on a record (source orders, split orders-3, offset 17): no luck',
    ],
    'the key': [
      { key: () => ['a', 1] },
      'operator enrich failed on a record for key ["a",1]: no luck',
    ],
    'a key with a bigint': [
      { key: () => 7n },
      'operator enrich failed on a record for key "7n": no luck',
    ],
    'nothing of the key of the record before': [
      {
        key: () => {
          throw new Error('no key')
        },
        current: () => 'earlier',
      },
      'operator enrich failed on a record: no luck',
    ],
    'nothing of a key that cannot be had': [
      {
        key: () => {
          throw new Error('no key')
        },
      },
      'operator enrich failed on a record: no luck',
    ],
  }
  test.each(Object.entries(cases))('%s', (_sentence, [setup, message]) => {
    const error = new TypeError('no luck')
    expect(() => handlerOf(setup).handle(error, 1)).toThrow(
      expect.objectContaining({ code: 'WEIR_USER_FUNCTION_FAILED', message, cause: error }),
    )
  })
})

describe('no policy applies to', () => {
  const others: Record<string, unknown> = {
    'a broken invariant': new AssertionError('K1'),
    'what another operator failed with': runtimeErrors.WEIR_USER_FUNCTION_FAILED({
      operator: 'other',
      reason: 'x',
      key: '',
      place: '',
    }),
  }
  test.each(Object.entries(others))('%s', (_sentence, error) => {
    const { handle, metrics } = handlerOf({ policy: { kind: 'skip', budget: 5 } })
    expect(() => handle(error, 1)).toThrow(error as Error)
    expect(metrics.recordsSkipped).toBe(0)
  })
})

test('a budget of none lets none pass', () => {
  expect(() =>
    handlerOf({ policy: { kind: 'skip', budget: 0 } }).handle(new Error('x'), 1),
  ).toThrow(expect.objectContaining({ code: 'WEIR_SKIP_BUDGET_EXCEEDED' }))
})

test('what is thrown need not be an error', () => {
  expect(() => handlerOf({}).handle('just text', 1)).toThrow('just text')
})

test('a dead letter carries the record; the operator goes on', () => {
  const tag = { id: 'dead', type: undefined }
  const { handle, letters, metrics } = handlerOf({ policy: { kind: 'dead-letter', tag } })
  handle(new Error('odd'), { id: 4 })
  expect(letters).toEqual([
    ['dead', expect.objectContaining({ operator: 'enrich', record: { id: 4 }, split: undefined })],
  ])
  expect(metrics.deadLetters).toBe(1)
})

test('a task fails with what is known already, else with the world outside', () => {
  const known = runtimeErrors.WEIR_TIMESTAMP_INVALID({ timestamp: 'x' })
  expect(taskError('t', known)).toBe(known)
  expect(taskError('t', new Error('disk full'))).toMatchObject({
    code: 'WEIR_TASK_FAILED',
    message: 'task t failed: disk full',
  })
})
