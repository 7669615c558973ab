import { expect, test } from '@jest/globals'
import {
  alignmentMs,
  beginPending,
  deadlineOf,
  hasAll,
  unalignedForm,
} from '../../../src/runtime/checkpointing/pending-barriers.ts'
import { at, barrierOf, TIMEOUT_MS, TRIGGERED_AT } from './handler-script.ts'

const timeout = { kind: 'timeout', timeoutMs: TIMEOUT_MS } as const
const barrier = barrierOf(1, timeout)

test.each([
  ['in time', TRIGGERED_AT + 30, TIMEOUT_MS - 30],
  ['at once, where it is over', TRIGGERED_AT + TIMEOUT_MS + 5, -5],
  ['where the clock is behind', TRIGGERED_AT - 3_600_000, TIMEOUT_MS],
])('patience counts from the trigger: %s', (_sentence, epochMs, left) => {
  expect(deadlineOf(barrier, { epochMs, monotonicMs: 7 })).toBe(7 + left)
})

test('the others have none, or no end of it', () => {
  expect(deadlineOf(barrierOf(1, { kind: 'aligned' }), at(0))).toBe(Number.POSITIVE_INFINITY)
  expect(deadlineOf(barrierOf(1, { kind: 'unaligned' }), at(0))).toBe(Number.NEGATIVE_INFINITY)
  expect(beginPending(unalignedForm(barrier), at(0)).unaligned).toBe(true)
})

test('has all channels, in whatever way their barriers came', () => {
  const pending = beginPending(barrier, at(TRIGGERED_AT))
  pending.inOrder.add(0)
  expect(hasAll(pending, new Set([0, 1]))).toBe(false)
  pending.ahead.add(1)
  expect(hasAll(pending, new Set([0, 1]))).toBe(true)
  expect(alignmentMs(pending, at(TRIGGERED_AT + 12))).toBe(12)
})
