import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { makeBarrierHandler } from '../../../src/runtime/checkpointing/barrier-handler.ts'
import { at, barrierOf, type Case, runSteps } from './handler-script.ts'

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
  'B6: a channel that ends counts as its barrier': {
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
  test.each(Object.entries(aligned))('%s', (_sentence, one) => runSteps(one))

  test('measures the delay of the start and the alignment', () => {
    const handler = makeBarrierHandler({ mode: 'exactly-once', channelCount: 2 })
    const barrier = barrierOf(1, { kind: 'aligned' }, 100)
    handler.onBarrier(barrier, 0, at(130))
    const [decision] = handler.onBarrier(barrier, 1, at(180))
    expect(decision).toEqual({
      kind: 'snapshot',
      barrier,
      record: undefined,
      startDelayMs: 30,
      alignmentMs: 50,
    })
  })

  test('a clock that is behind, or set back, gives no negative durations', () => {
    const handler = makeBarrierHandler({ mode: 'exactly-once', channelCount: 2 })
    const barrier = barrierOf(1, { kind: 'aligned' }, 100)
    handler.onBarrier(barrier, 0, { epochMs: 90, monotonicMs: 7 })
    const [decision] = handler.onBarrier(barrier, 1, { epochMs: 50, monotonicMs: 7 })
    expect(decision).toMatchObject({ startDelayMs: 0, alignmentMs: 0 })
  })

  test('a second barrier on a blocked channel is a broken invariant', () => {
    const handler = makeBarrierHandler({ mode: 'exactly-once', channelCount: 2 })
    const barrier = barrierOf(1, { kind: 'aligned' }, 0)
    handler.onBarrier(barrier, 0, at(0))
    expect(() => handler.onBarrier(barrier, 0, at(0))).toThrow('B3')
  })

  test('B1, B2: whatever comes, a checkpoint is decided once and channels are freed', () => {
    fc.assert(fc.property(fc.array(fc.nat(8), { maxLength: 60 }), checkDecisions))
  })
})

/** Senders that emit barriers 1, 2, 3 ... or a cancel marker for one, each at its own pace. */
function checkDecisions(picks: readonly number[]): void {
  const handler = makeBarrierHandler({ mode: 'exactly-once', channelCount: 3 })
  const next = [1, 1, 1]
  const blocked = new Set<number>()
  const decided = new Map<number, string>()
  let newest = 0
  for (const pick of picks) {
    const channel = pick % 3
    if (blocked.has(channel)) continue
    const checkpointId = next[channel] as number
    next[channel] = checkpointId + 1
    const barrier = barrierOf(checkpointId, { kind: 'aligned' }, 0)
    const decisions =
      pick >= 7 ? handler.onCancel(checkpointId) : handler.onBarrier(barrier, channel, at(0))
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
