import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  type BarrierDecision,
  makeBarrierHandler,
  PENDING_MAX,
} from '../../../src/runtime/checkpointing/barrier-handler.ts'

/** `b1@0`: barrier 1 on channel 0; `c2`: cancel 2; `e1`: channel 1 ends. */
type Step = readonly [event: string, decisions: string]

interface Case {
  readonly channels: number
  readonly steps: readonly Step[]
}

const TRIGGERED_AT = 100

function runSteps(mode: 'exactly-once' | 'at-least-once', { channels, steps }: Case): void {
  const handler = makeBarrierHandler(mode, channels)
  let now = TRIGGERED_AT
  for (const [event, wanted] of steps) {
    now += 10
    const [first, second] = event.slice(1).split('@').map(Number)
    let decisions: readonly BarrierDecision[]
    if (event.startsWith('b')) {
      const barrier = {
        checkpointId: first as number,
        timestamp: TRIGGERED_AT,
        kind: 'checkpoint',
        alignment: { kind: 'aligned' },
      } as const
      decisions = handler.onBarrier(barrier, second as number, now)
    } else if (event.startsWith('c')) decisions = handler.onCancel(first as number)
    else decisions = handler.onEndOfPartition(first as number, now)
    expect(`${event}: ${decisions.map(show).join(' ')}`).toBe(`${event}: ${wanted}`)
  }
}

function show(decision: BarrierDecision): string {
  switch (decision.kind) {
    case 'block':
      return `block ${decision.channel}`
    case 'unblock-all':
      return 'unblock'
    case 'snapshot':
      return `snapshot ${decision.barrier.checkpointId}`
    case 'abort':
      return `abort ${decision.checkpointId}`
    case 'forward-cancel':
      return `cancel ${decision.checkpointId}`
  }
}

const aligned: Record<string, Case> = {
  'one channel needs no alignment': {
    channels: 1,
    steps: [
      ['b1@0', 'snapshot 1 unblock'],
      ['b2@0', 'snapshot 2 unblock'],
    ],
  },
  'B3: each channel is blocked until the last barrier came': {
    channels: 3,
    steps: [
      ['b1@2', 'block 2'],
      ['b1@0', 'block 0'],
      ['b1@1', 'snapshot 1 unblock'],
    ],
  },
  'checkpoints follow each other, ids may be left out': {
    channels: 2,
    steps: [
      ['b1@0', 'block 0'],
      ['b1@1', 'snapshot 1 unblock'],
      ['b4@1', 'block 1'],
      ['b4@0', 'snapshot 4 unblock'],
    ],
  },
  'a newer barrier gives up the pending checkpoint': {
    channels: 3,
    steps: [
      ['b1@0', 'block 0'],
      ['b2@1', 'abort 1 cancel 1 unblock block 1'],
      ['b2@0', 'block 0'],
      ['b2@2', 'snapshot 2 unblock'],
    ],
  },
  'a late barrier of a given-up checkpoint changes nothing': {
    channels: 3,
    steps: [
      ['b1@0', 'block 0'],
      ['b2@1', 'abort 1 cancel 1 unblock block 1'],
      ['b1@2', ''],
      ['b2@2', 'block 2'],
      ['b2@0', 'snapshot 2 unblock'],
    ],
  },
  'a cancel marker frees the channels and is passed on': {
    channels: 2,
    steps: [
      ['b1@0', 'block 0'],
      ['c1', 'abort 1 cancel 1 unblock'],
      ['b1@1', ''],
      ['b2@0', 'block 0'],
      ['b2@1', 'snapshot 2 unblock'],
    ],
  },
  'a cancel marker may come before any barrier': {
    channels: 2,
    steps: [
      ['c1', 'abort 1 cancel 1'],
      ['b1@0', ''],
      ['c1', ''],
      ['b2@0', 'block 0'],
      ['b2@1', 'snapshot 2 unblock'],
    ],
  },
  'a newer cancel marker ends the pending checkpoint too': {
    channels: 2,
    steps: [
      ['b1@0', 'block 0'],
      ['c2', 'abort 1 cancel 1 unblock abort 2 cancel 2'],
      ['b1@1', ''],
      ['b2@1', ''],
    ],
  },
  'a cancel marker of an older checkpoint is too late': {
    channels: 2,
    steps: [
      ['b1@0', 'block 0'],
      ['b1@1', 'snapshot 1 unblock'],
      ['b2@0', 'block 0'],
      ['c1', ''],
      ['b2@1', 'snapshot 2 unblock'],
    ],
  },
  'B5: a channel that ends counts as its barrier': {
    channels: 3,
    steps: [
      ['b1@0', 'block 0'],
      ['e1', ''],
      ['b1@2', 'snapshot 1 unblock'],
    ],
  },
  'the end of the last channel completes the alignment': {
    channels: 2,
    steps: [
      ['b1@0', 'block 0'],
      ['e1', 'snapshot 1 unblock'],
    ],
  },
  'a blocked channel may be the one that ended, once it is freed': {
    channels: 2,
    steps: [
      ['e0', ''],
      ['b1@1', 'snapshot 1 unblock'],
      ['e1', ''],
    ],
  },
}

describe('exactly once', () => {
  test.each(Object.entries(aligned))('%s', (_sentence, one) => runSteps('exactly-once', one))

  test('measures the delay of the start and the alignment', () => {
    const handler = makeBarrierHandler('exactly-once', 2)
    const barrier = {
      checkpointId: 1,
      timestamp: 100,
      kind: 'checkpoint',
      alignment: { kind: 'aligned' },
    } as const
    handler.onBarrier(barrier, 0, 130)
    const [decision] = handler.onBarrier(barrier, 1, 180)
    expect(decision).toEqual({ kind: 'snapshot', barrier, startDelayMs: 30, alignmentMs: 50 })
  })

  test('a clock set back gives no negative durations', () => {
    const handler = makeBarrierHandler('exactly-once', 2)
    const barrier = {
      checkpointId: 1,
      timestamp: 100,
      kind: 'savepoint',
      alignment: { kind: 'aligned' },
    } as const
    handler.onBarrier(barrier, 0, 90)
    const [decision] = handler.onBarrier(barrier, 1, 50)
    expect(decision).toMatchObject({ startDelayMs: 0, alignmentMs: 0 })
  })

  test('a second barrier on a blocked channel is a broken invariant', () => {
    const handler = makeBarrierHandler('exactly-once', 2)
    const barrier = {
      checkpointId: 1,
      timestamp: 0,
      kind: 'checkpoint',
      alignment: { kind: 'aligned' },
    } as const
    handler.onBarrier(barrier, 0, 0)
    expect(() => handler.onBarrier(barrier, 0, 0)).toThrow('B3')
  })

  test('B1, B2: whatever comes, a checkpoint is decided once and channels are freed', () => {
    fc.assert(fc.property(fc.array(fc.nat(8), { maxLength: 60 }), checkDecisions))
  })
})

/** Senders that emit barriers 1, 2, 3 ... or a cancel marker for one, each at its own pace. */
function checkDecisions(picks: readonly number[]): void {
  const handler = makeBarrierHandler('exactly-once', 3)
  const next = [1, 1, 1]
  const blocked = new Set<number>()
  const decided = new Map<number, string>()
  let newest = 0
  for (const pick of picks) {
    const channel = pick % 3
    if (blocked.has(channel)) continue
    const checkpointId = next[channel] as number
    next[channel] = checkpointId + 1
    const barrier = {
      checkpointId,
      timestamp: 0,
      kind: 'checkpoint',
      alignment: { kind: 'aligned' },
    } as const
    const decisions =
      pick >= 7 ? handler.onCancel(checkpointId) : handler.onBarrier(barrier, channel, 0)
    for (const decision of decisions) {
      if (decision.kind === 'block') blocked.add(decision.channel)
      if (decision.kind === 'unblock-all') blocked.clear()
      if (decision.kind !== 'snapshot' && decision.kind !== 'abort') continue
      const id =
        decision.kind === 'snapshot' ? decision.barrier.checkpointId : decision.checkpointId
      expect(decided.has(id)).toBe(false)
      decided.set(id, decision.kind)
      if (decision.kind === 'snapshot') expect(id).toBeGreaterThan(newest)
      newest = Math.max(newest, id)
    }
    // Nobody waits for a checkpoint that is decided.
    expect(blocked.size).toBeLessThan(3)
  }
}

const counted: Record<string, Case> = {
  'one channel takes the snapshot at once': {
    channels: 1,
    steps: [
      ['b1@0', 'snapshot 1'],
      ['b2@0', 'snapshot 2'],
    ],
  },
  'B4: the last barrier takes the snapshot and nothing is blocked': {
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
  test.each(Object.entries(counted))('%s', (_sentence, one) => runSteps('at-least-once', one))

  test('counts a limited number of checkpoints and drops the oldest', () => {
    const steps: Step[] = []
    for (let id = 1; id <= PENDING_MAX; id++) steps.push([`b${id}@0`, ''])
    steps.push([`b${PENDING_MAX + 1}@0`, 'abort 1 cancel 1'])
    steps.push(['b1@1', ''])
    steps.push(['b2@1', 'snapshot 2'])
    runSteps('at-least-once', { channels: 2, steps })
  })
})
