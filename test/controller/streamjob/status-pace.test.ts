/** Which changes of a status wait, and for how long. */
import { expect, test } from '@jest/globals'

import { StatusPace } from '../../../src/controller/streamjob/status-pace.ts'
import type { StreamJobStatus } from '../../../src/protocol/stream-job-status.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'

const one: StreamJobStatus = {
  phase: 'Deploying',
  epoch: 1,
  slots: { desired: 2, ready: 0 },
  conditions: [
    {
      type: 'Ready',
      status: 'False',
      reason: 'PodsMissing',
      message: '0 of 3 pods run',
      lastTransitionTime: '2026-01-01T00:00:00Z',
    },
  ],
}
const [ready] = one.conditions ?? []
const further: StreamJobStatus = {
  ...one,
  slots: { desired: 2, ready: 1 },
  conditions: ready && [{ ...ready, message: '2 of 3 pods run' }],
}

function setUp() {
  const clock = new ManualClock()
  return { clock, pace: new StatusPace(clock) }
}

test('how far the same thing has come is written once a second', () => {
  const { clock, pace } = setUp()
  expect(pace.delayMs('a/one', one, further)).toBe(0)
  pace.written('a/one')
  clock.advance(400)
  expect(pace.delayMs('a/one', one, further)).toBe(600)
  expect(pace.delayMs('a/two', one, further)).toBe(0)
  clock.advance(600)
  expect(pace.delayMs('a/one', one, further)).toBe(0)
})

test.each<[string, StreamJobStatus]>([
  ['a phase', { ...further, phase: 'Running' }],
  ['an epoch', { ...further, epoch: 2 }],
  ['a generation', { ...further, observedGeneration: 2 }],
  ['other slots that are wanted', { ...further, slots: { desired: 3, ready: 1 } }],
  ['another reason', { ...further, conditions: ready && [{ ...ready, reason: 'Starting' }] }],
  ['another condition', { ...further, conditions: [] }],
])('news is written at once: %s', (_what, after) => {
  const { pace } = setUp()
  pace.written('a/one')
  expect(pace.delayMs('a/one', one, after)).toBe(0)
})

test('a job that is gone is forgotten', () => {
  const { pace } = setUp()
  pace.written('a/one')
  pace.forget('a/one')
  expect(pace.delayMs('a/one', one, further)).toBe(0)
})
