import { describe, test } from '@jest/globals'
import { PENDING_MAX } from '../../../src/runtime/checkpointing/counting-barrier-handler.ts'
import { type Case, runSteps, type Step } from './handler-script.ts'

const counted: Record<string, Case> = {
  'one channel takes the snapshot at once': {
    channels: 1,
    steps: [
      ['b1@0', 'snapshot 1'],
      ['b2@0', 'snapshot 2'],
    ],
  },
  'B8: the last barrier takes the snapshot and nothing is blocked': {
    channels: 3,
    steps: [
      ['b1@0', ''],
      ['b1@1', ''],
      ['b2@0', ''],
      ['b1@2', 'snapshot 1'],
      ['b2@2', ''],
      ['b2@1', 'snapshot 2'],
    ],
  },
  'a completed checkpoint gives up the older ones': {
    channels: 2,
    steps: [
      ['b1@0', ''],
      ['b2@0', ''],
      ['b2@1', 'abort 1 cancel 1 snapshot 2'],
      ['b1@1', ''],
    ],
  },
  'a cancel marker ends its checkpoint and the older ones': {
    channels: 2,
    steps: [
      ['b1@0', ''],
      ['b2@0', ''],
      ['c2', 'abort 1 cancel 1 abort 2 cancel 2'],
      ['b2@1', ''],
      ['b3@0', ''],
      ['b3@1', 'snapshot 3'],
    ],
  },
  'a cancel marker may come first': {
    channels: 2,
    steps: [
      ['c1', 'abort 1 cancel 1'],
      ['c1', ''],
      ['b1@0', ''],
      ['b1@1', ''],
    ],
  },
  'a channel that ends completes the newest that waited only for it': {
    channels: 2,
    steps: [
      ['b1@0', ''],
      ['b2@0', ''],
      ['e1', 'abort 1 cancel 1 snapshot 2'],
    ],
  },
}

describe('at least once', () => {
  test.each(Object.entries(counted))('%s', (_sentence, one) => {
    runSteps({ ...one, mode: 'at-least-once' })
  })

  test('counts a limited number of checkpoints and drops the oldest', () => {
    const steps: Step[] = []
    for (let id = 1; id <= PENDING_MAX; id++) steps.push([`b${id}@0`, ''])
    steps.push([`b${PENDING_MAX + 1}@0`, 'abort 1 cancel 1'])
    steps.push(['b1@1', ''])
    steps.push(['b2@1', 'snapshot 2'])
    runSteps({ mode: 'at-least-once', channels: 2, steps })
  })
})
