/** Tables of events and decisions for barrier handlers, in short words. */
import { expect } from '@jest/globals'
import type {
  BarrierDecision,
  BarrierHandler,
  Moment,
} from '../../../src/runtime/checkpointing/barrier-decision.ts'
import { makeBarrierHandler } from '../../../src/runtime/checkpointing/barrier-handler.ts'
import type { BarrierAlignment, CheckpointBarrier } from '../../../src/runtime/task-contract.ts'

/**
 * An event and what is decided. A barrier is `<form><id>@<channel>`: `b` aligned, `t` with a
 * timeout, `u` unaligned. In its order, unless `!` follows: then it comes ahead. `n1`: barrier 1
 * with a timeout is announced. `c2`: a cancel marker. `x2`: the job gave 2 up. `e1`: channel 1 ends.
 * `+30`: 30 ms pass; `-30`: the clock is set back. `timer`: the time set has come.
 *
 * Decisions: `snapshot 1`, or `cut 1 [0,2]` where channels are recorded; `finish 1/0`: the recording
 * of channel 0 ends.
 */
export type Step = readonly [event: string, decisions: string]

export interface Case {
  readonly channels: number
  readonly mode?: 'exactly-once' | 'at-least-once'
  readonly steps: readonly Step[]
}

/** When every checkpoint is triggered, and how long it may align. */
export const TRIGGERED_AT = 1_000
export const TIMEOUT_MS = 100

const forms: Readonly<Record<string, BarrierAlignment>> = {
  b: { kind: 'aligned' },
  t: { kind: 'timeout', timeoutMs: TIMEOUT_MS },
  n: { kind: 'timeout', timeoutMs: TIMEOUT_MS },
  u: { kind: 'unaligned' },
}

export function barrierOf(
  checkpointId: number,
  alignment: BarrierAlignment,
  timestamp = TRIGGERED_AT,
): CheckpointBarrier {
  return { checkpointId, timestamp, kind: 'checkpoint', alignment }
}

/** Both clocks agree. */
export function at(ms: number): Moment {
  return { epochMs: ms, monotonicMs: ms }
}

export function runSteps({ channels, mode = 'exactly-once', steps }: Case): void {
  const handler = makeBarrierHandler({ mode, channelCount: channels })
  let monotonicMs = TRIGGERED_AT + 1
  let epochMs = monotonicMs
  for (const [event, wanted] of steps) {
    const isTime = /^[+-]/.test(event)
    if (event.startsWith('+')) monotonicMs += Number(event)
    if (isTime) epochMs += Number(event)
    const decisions = isTime ? [] : act(handler, event, { epochMs, monotonicMs })
    expect(`${event}: ${decisions.map(showDecision).join(' ')}`).toBe(`${event}: ${wanted}`)
  }
}

function act(handler: BarrierHandler, event: string, now: Moment): readonly BarrierDecision[] {
  if (event === 'timer') return handler.onTimer(now)
  const [, word = '', id = '', channel = '', ahead] = /^(\w)(\d+)(?:@(\d+))?(!)?$/.exec(event) ?? []
  const alignment = forms[word]
  if (word === 'c') return handler.onCancel(Number(id))
  if (word === 'x') return handler.onAborted(Number(id))
  if (word === 'e') return handler.onEndOfPartition(Number(id), now)
  if (alignment === undefined) throw new Error(`no event ${event}`)
  const barrier = barrierOf(Number(id), alignment)
  if (word === 'n') return handler.onAnnounced(barrier, now)
  return ahead === undefined
    ? handler.onBarrier(barrier, Number(channel), now)
    : handler.onBarrierAhead(barrier, Number(channel), now)
}

function showDecision(decision: BarrierDecision): string {
  switch (decision.kind) {
    case 'block':
      return `block ${decision.channel}`
    case 'unblock-all':
      return 'unblock'
    case 'set-timer':
      return `timer ${decision.at - TRIGGERED_AT}`
    case 'snapshot': {
      const { barrier, record } = decision
      const { checkpointId, alignment } = barrier
      if (record === undefined) return `snapshot ${checkpointId}`
      // Who begins unaligned goes on unaligned.
      expect(alignment).toEqual({ kind: 'unaligned' })
      return `cut ${checkpointId} [${record.join(',')}]`
    }
    case 'finish-recording':
      return `finish ${decision.checkpointId}/${decision.channel}`
    case 'recorded':
      return `recorded ${decision.checkpointId}`
    case 'abort':
      return `abort ${decision.checkpointId}`
    case 'forward-cancel':
      return `cancel ${decision.checkpointId}`
  }
}
