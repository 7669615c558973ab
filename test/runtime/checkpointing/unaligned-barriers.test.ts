import { describe, expect, test } from '@jest/globals'
import { makeBarrierHandler } from '../../../src/runtime/checkpointing/barrier-handler.ts'
import { at, barrierOf, type Case, runSteps, TIMEOUT_MS, TRIGGERED_AT } from './handler-script.ts'

const unaligned: Record<string, Case> = {
  'one channel: cut, and nothing more to come': {
    channels: 1,
    steps: [
      ['u1@0!', 'cut 1 [0] unblock finish 1/0 recorded 1'],
      ['u2@0!', 'cut 2 [0] unblock finish 2/0 recorded 2'],
    ],
  },
  'B4: the first barrier cuts, the others end the recording of their channels': {
    channels: 3,
    steps: [
      ['u1@1!', 'cut 1 [0,1,2] unblock finish 1/1'],
      ['u1@2!', 'finish 1/2'],
      ['u1@0!', 'finish 1/0 recorded 1'],
    ],
  },
  'a newer barrier gives up what is still being recorded': {
    channels: 3,
    steps: [
      ['u1@0!', 'cut 1 [0,1,2] unblock finish 1/0'],
      ['u2@0!', 'abort 1 cancel 1 cut 2 [0,1,2] unblock finish 2/0'],
      ['u1@1!', ''],
      ['u2@1!', 'finish 2/1'],
      ['u2@2!', 'finish 2/2 recorded 2'],
    ],
  },
  'B2: barriers of checkpoints that are over change nothing': {
    channels: 2,
    steps: [
      ['u3@0!', 'cut 3 [0,1] unblock finish 3/0'],
      ['u2@1!', ''],
      ['u3@1!', 'finish 3/1 recorded 3'],
      ['u2@0!', ''],
      ['u3@0!', ''],
    ],
  },
  'B6: a channel that ended before is not recorded': {
    channels: 3,
    steps: [
      ['e1', ''],
      ['u1@0!', 'cut 1 [0,2] unblock finish 1/0'],
      ['u1@2!', 'finish 1/2 recorded 1'],
    ],
  },
  'B6: a channel that ends while it is recorded has nothing more': {
    channels: 2,
    steps: [
      ['u1@0!', 'cut 1 [0,1] unblock finish 1/0'],
      ['e1', 'finish 1/1 recorded 1'],
      ['u2@0!', 'cut 2 [0] unblock finish 2/0 recorded 2'],
    ],
  },
  'the end of a channel whose barrier came changes nothing': {
    channels: 2,
    steps: [
      ['u1@0!', 'cut 1 [0,1] unblock finish 1/0'],
      ['e0', ''],
      ['u1@1!', 'finish 1/1 recorded 1'],
    ],
  },
  'a cancel marker ends a recording, and blocks nothing': {
    channels: 2,
    steps: [
      ['u1@0!', 'cut 1 [0,1] unblock finish 1/0'],
      ['c1', 'abort 1 cancel 1'],
      ['c1', ''],
      ['u2@1!', 'cut 2 [0,1] unblock finish 2/1'],
      ['u2@0!', 'finish 2/0 recorded 2'],
    ],
  },
  'a cancel marker before any barrier': {
    channels: 2,
    steps: [
      ['c1', 'abort 1 cancel 1'],
      ['u1@0!', ''],
      ['u2@0!', 'cut 2 [0,1] unblock finish 2/0'],
    ],
  },
  'a newer cancel marker ends both': {
    channels: 2,
    steps: [
      ['u1@0!', 'cut 1 [0,1] unblock finish 1/0'],
      ['c2', 'abort 1 cancel 1 abort 2 cancel 2'],
      ['u2@0!', ''],
    ],
  },
  'a marker of an older checkpoint is too late': {
    channels: 2,
    steps: [
      ['u2@0!', 'cut 2 [0,1] unblock finish 2/0'],
      ['c1', ''],
      ['u2@1!', 'finish 2/1 recorded 2'],
      ['c2', ''],
    ],
  },
  'what the job gave up is not awaited, and says nothing': {
    channels: 2,
    steps: [
      ['u1@0!', 'cut 1 [0,1] unblock finish 1/0'],
      ['x1', ''],
      ['u1@1!', ''],
      ['u2@0!', 'cut 2 [0,1] unblock finish 2/0'],
      ['x1', ''],
      ['u2@1!', 'finish 2/1 recorded 2'],
    ],
  },
  'ids may be left out': {
    channels: 2,
    steps: [
      ['u1@0!', 'cut 1 [0,1] unblock finish 1/0'],
      ['u1@1!', 'finish 1/1 recorded 1'],
      ['u7@1!', 'cut 7 [0,1] unblock finish 7/1'],
      ['u7@0!', 'finish 7/0 recorded 7'],
    ],
  },
}

const withTimeout: Record<string, Case> = {
  'B7: in time it is an aligned checkpoint': {
    channels: 2,
    steps: [
      ['t1@0', 'timer 100 block 0'],
      ['+98', ''],
      ['timer', ''],
      ['t1@1', 'snapshot 1 unblock'],
      ['+50', ''],
      ['timer', ''],
    ],
  },
  'one channel never waits': {
    channels: 1,
    steps: [['t1@0', 'timer 100 snapshot 1 unblock']],
  },
  'when the time is over, missing channels are recorded and blocked ones go on': {
    channels: 3,
    steps: [
      ['t1@0', 'timer 100 block 0'],
      ['+100', ''],
      ['timer', 'cut 1 [1,2] unblock'],
      ['t1@1!', 'finish 1/1'],
      ['u1@2!', 'finish 1/2 recorded 1'],
    ],
  },
  'the time counts from the global start: a late first barrier cuts at once': {
    channels: 2,
    steps: [
      ['+100', ''],
      ['t1@0', 'cut 1 [1] unblock'],
      ['t1@1!', 'finish 1/1 recorded 1'],
    ],
  },
  'a late last barrier completes the alignment if nobody looked at the clock before': {
    channels: 2,
    steps: [
      ['t1@0', 'timer 100 block 0'],
      ['+200', ''],
      ['t1@1', 'snapshot 1 unblock'],
    ],
  },
  'where the clock is behind it has the timeout from its first barrier on, and not more': {
    channels: 2,
    steps: [
      ['-501', ''],
      ['t1@0', 'timer 101 block 0'],
      ['+99', ''],
      ['timer', ''],
      ['+1', ''],
      ['timer', 'cut 1 [1] unblock'],
    ],
  },
  'a clock set back while it waits makes it wait no longer': {
    channels: 2,
    steps: [
      ['t1@0', 'timer 100 block 0'],
      ['-3600000', ''],
      ['+98', ''],
      ['timer', ''],
      ['+1', ''],
      ['timer', 'cut 1 [1] unblock'],
    ],
  },
  'an announced barrier begins the checkpoint': {
    channels: 2,
    steps: [
      ['n1', 'timer 100'],
      ['n1', ''],
      ['+100', ''],
      ['timer', 'cut 1 [0,1] unblock'],
      ['t1@0!', 'finish 1/0'],
      ['t1@1!', 'finish 1/1 recorded 1'],
    ],
  },
  'a barrier announced too late cuts at once': {
    channels: 2,
    steps: [
      ['+100', ''],
      ['n1', 'cut 1 [0,1] unblock'],
      ['t1@0!', 'finish 1/0'],
      ['t1@1!', 'finish 1/1 recorded 1'],
    ],
  },
  'announced barriers may all be taken in time': {
    channels: 2,
    steps: [
      ['n1', 'timer 100'],
      ['t1@1', 'block 1'],
      ['n1', ''],
      ['t1@0', 'snapshot 1 unblock'],
      ['+100', ''],
      ['timer', ''],
    ],
  },
  'a sender that turned unaligned takes its receivers with it': {
    channels: 3,
    steps: [
      ['t1@0', 'timer 100 block 0'],
      ['u1@1!', 'cut 1 [1,2] unblock finish 1/1'],
      ['t1@2!', 'finish 1/2 recorded 1'],
    ],
  },
  'one that turned unaligned and is the last': {
    channels: 2,
    steps: [
      ['t1@0', 'timer 100 block 0'],
      ['u1@1!', 'cut 1 [1] unblock finish 1/1 recorded 1'],
    ],
  },
  'an announcement of a newer checkpoint gives up the older one': {
    channels: 2,
    steps: [
      ['t1@0', 'timer 100 block 0'],
      ['n2', 'abort 1 cancel 1 unblock timer 100'],
      ['t1@1', ''],
      ['t2@0', 'block 0'],
      ['t2@1', 'snapshot 2 unblock'],
    ],
  },
  'an announcement of an older checkpoint is too late': {
    channels: 2,
    steps: [
      ['t2@0', 'timer 100 block 0'],
      ['n1', ''],
      ['t2@1', 'snapshot 2 unblock'],
      ['n2', ''],
    ],
  },
  'a cancel marker ends an announced checkpoint': {
    channels: 2,
    steps: [
      ['n1', 'timer 100'],
      ['c1', 'abort 1 cancel 1 unblock'],
      ['t1@0', ''],
      ['+100', ''],
      ['timer', ''],
    ],
  },
  'the end of the missing channel completes the alignment in time': {
    channels: 2,
    steps: [
      ['t1@0', 'timer 100 block 0'],
      ['e1', 'snapshot 1 unblock'],
    ],
  },
  'an ended channel is not recorded when the time is over': {
    channels: 3,
    steps: [
      ['t1@0', 'timer 100 block 0'],
      ['e1', ''],
      ['+100', ''],
      ['timer', 'cut 1 [2] unblock'],
      ['e2', 'finish 1/2 recorded 1'],
    ],
  },
  'what the job gave up while it aligned waits for nobody': {
    channels: 2,
    steps: [
      ['t1@0', 'timer 100 block 0'],
      ['x1', 'cancel 1 unblock'],
      ['+100', ''],
      ['timer', ''],
      ['t1@1', ''],
    ],
  },
  'what the job gave up before is passed on as given up': {
    channels: 2,
    steps: [
      ['x2', ''],
      ['t1@0', 'timer 100 block 0'],
      ['t1@1', 'snapshot 1 unblock'],
      ['n2', 'cancel 2'],
      ['t2@0', ''],
      ['u2@1!', ''],
      ['u3@0!', 'cut 3 [0,1] unblock finish 3/0'],
    ],
  },
}

const alternating: Record<string, Case> = {
  'aligned savepoints and unaligned checkpoints follow each other': {
    channels: 2,
    steps: [
      ['u1@0!', 'cut 1 [0,1] unblock finish 1/0'],
      ['u1@1!', 'finish 1/1 recorded 1'],
      ['b2@1', 'block 1'],
      ['b2@0', 'snapshot 2 unblock'],
      ['t3@0', 'timer 100 block 0'],
      ['t3@1', 'snapshot 3 unblock'],
      ['u4@1!', 'cut 4 [0,1] unblock finish 4/1'],
      ['u4@0!', 'finish 4/0 recorded 4'],
    ],
  },
  'an unaligned checkpoint frees the channels of the aligned one it subsumes': {
    channels: 3,
    steps: [
      ['b1@0', 'block 0'],
      ['b1@1', 'block 1'],
      ['u2@2!', 'abort 1 cancel 1 unblock cut 2 [0,1,2] unblock finish 2/2'],
      ['u2@0!', 'finish 2/0'],
      ['u2@1!', 'finish 2/1 recorded 2'],
    ],
  },
  'an aligned checkpoint ends the recording of the unaligned one it subsumes': {
    channels: 2,
    steps: [
      ['u1@0!', 'cut 1 [0,1] unblock finish 1/0'],
      ['b2@0', 'abort 1 cancel 1 block 0'],
      ['b2@1', 'snapshot 2 unblock'],
    ],
  },
}

/** Barriers of channels that allow no overtaking come in order, unless they are recorded. */
const inOrder: Record<string, Case> = {
  'B5: the first one cuts, and what is missing is recorded': {
    channels: 3,
    steps: [
      ['u1@0', 'cut 1 [1,2] unblock'],
      ['u1@1!', 'finish 1/1'],
      ['u1@2!', 'finish 1/2 recorded 1'],
    ],
  },
  'B5: one that came ahead cuts too': {
    channels: 2,
    steps: [
      ['u1@1!', 'cut 1 [0,1] unblock finish 1/1'],
      ['u1@0!', 'finish 1/0 recorded 1'],
    ],
  },
  'an end is as good as a barrier there': {
    channels: 3,
    steps: [
      ['u1@1!', 'cut 1 [0,1,2] unblock finish 1/1'],
      ['e0', 'finish 1/0'],
      ['u1@2!', 'finish 1/2 recorded 1'],
    ],
  },
  'when the time is over nothing is waited for': {
    channels: 3,
    steps: [
      ['t1@1', 'timer 100 block 1'],
      ['+100', ''],
      ['timer', 'cut 1 [0,2] unblock'],
      ['t1@0!', 'finish 1/0'],
      ['t1@2!', 'finish 1/2 recorded 1'],
    ],
  },
  'in time the barrier goes on with its timeout': {
    channels: 2,
    steps: [
      ['t1@0', 'timer 100 block 0'],
      ['t1@1', 'snapshot 1 unblock'],
    ],
  },
}

const run = (cases: Record<string, Case>): void => {
  test.each(Object.entries(cases))('%s', (_sentence, one) => runSteps(one))
}

describe('unaligned', () => run(unaligned))
describe('aligned with a timeout', () => run(withTimeout))
describe('one after the other', () => run(alternating))
describe('where no barrier may overtake', () => run(inOrder))

describe('at least once', () => {
  test('counts barriers, whatever their form', () => {
    runSteps({
      mode: 'at-least-once',
      channels: 2,
      steps: [
        ['n1', ''],
        ['u1@0!', ''],
        ['x1', ''],
        ['timer', ''],
        ['t1@1', 'snapshot 1'],
      ],
    })
  })
})

test('durations: to the snapshot, and to the last barrier', () => {
  const handler = makeBarrierHandler({ mode: 'exactly-once', channelCount: 2 })
  const timeout = { kind: 'timeout', timeoutMs: TIMEOUT_MS } as const
  const barrier = barrierOf(1, timeout)
  handler.onAnnounced(barrier, at(TRIGGERED_AT + 20))
  const [snapshot] = handler.onTimer(at(TRIGGERED_AT + 100))
  expect(snapshot).toMatchObject({ startDelayMs: 20, alignmentMs: 80 })
  handler.onBarrierAhead(barrier, 1, at(TRIGGERED_AT + 130))
  const decisions = handler.onBarrierAhead(barrier, 0, at(TRIGGERED_AT + 150))
  expect(decisions.at(-1)).toEqual({ kind: 'recorded', checkpointId: 1, alignmentMs: 130 })
})

describe('broken invariants are noticed', () => {
  const handlerOf = () => makeBarrierHandler({ mode: 'exactly-once', channelCount: 2 })
  const barrier = barrierOf(1, { kind: 'unaligned' })

  test('B4: a barrier that comes twice', () => {
    const handler = handlerOf()
    handler.onBarrierAhead(barrier, 0, at(0))
    expect(() => handler.onBarrierAhead(barrier, 0, at(0))).toThrow('B4')
  })

  test('B4: a recorded channel that gives its barrier in order', () => {
    const handler = handlerOf()
    handler.onBarrierAhead(barrier, 0, at(0))
    expect(() => handler.onBarrier(barrier, 1, at(0))).toThrow('B4')
  })

  test('B6: a barrier on a channel that ended', () => {
    const handler = handlerOf()
    handler.onEndOfPartition(0, at(0))
    expect(() => handler.onBarrierAhead(barrier, 0, at(0))).toThrow('B6')
    expect(() => handler.onBarrier(barrier, 0, at(0))).toThrow('B6')
  })
})
