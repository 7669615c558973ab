import { describe, expect, test } from '@jest/globals'
import type { CheckerName } from '../../src/testing/sim/checkers.ts'
import { type Protection, protectionNames } from '../../src/testing/sim/protections.ts'
import { firstFailing } from '../../src/testing/sim/replay.ts'

const SEEDS_MAX = 400

/** What notices that a protection is off: one of these is among the first that do. */
const noticedBy: Readonly<Record<Protection, readonly CheckerName[]>> = {
  alignment: ['no-record-doubled', 'money-is-constant', 'cut-is-consistent'],
  unblocking: ['nothing-stuck'],
  'fifo-channels': [
    'cut-is-consistent',
    'money-is-constant',
    'no-record-reordered',
    'no-record-lost',
    'proof-holds',
  ],
  'instant-cut': ['money-is-constant', 'cut-is-consistent', 'no-record-lost'],
  'stored-before-ack': ['completed-restores'],
  'stored-before-complete': ['completed-restores'],
  'verified-generation': ['stale-completes-nothing', 'completed-is-gone-on-from'],
  'exclusive-generation': ['stale-completes-nothing'],
  'reserved-ids': [
    'needed-is-kept',
    'completed-is-gone-on-from',
    'completed-restores',
    'commits-completed-only',
  ],
  lineage: ['completed-restores', 'completed-is-gone-on-from'],
  'asked-once': ['completed-is-gone-on-from'],
  'savepoint-noted': ['completed-is-gone-on-from', 'commits-completed-only', 'no-record-doubled'],
  'rescale-noted': ['rescale-holds'],
  'successor-first': ['completed-restores', 'needed-is-kept'],
  'doubtful-kept': ['completed-restores'],
  'idempotent-commit': ['no-record-doubled'],
  'commit-after-complete': ['commits-completed-only'],
  'committables-stored': ['commits-completed-only', 'no-record-lost'],
  'committables-restored': ['no-record-lost'],
  'key-group-routing': ['money-is-constant', 'cut-is-consistent'],
  'splits-handed-back': ['no-record-lost', 'nothing-stuck', 'proof-holds'],
  'channels-per-attempt': ['no-record-doubled', 'proof-holds'],
  'splits-behind-barrier': ['cut-is-consistent', 'no-record-lost', 'proof-holds'],
  'channel-recording': ['cut-is-consistent', 'money-is-constant', 'no-record-lost'],
  'record-until-barrier': [
    'cut-is-consistent',
    'money-is-constant',
    'no-record-lost',
    'proof-holds',
  ],
  'post-barrier-not-recorded': [
    'cut-is-consistent',
    'money-is-constant',
    'no-record-doubled',
    'proof-holds',
  ],
  'output-recording': ['cut-is-consistent', 'money-is-constant', 'no-record-lost', 'proof-holds'],
  'behind-barrier-waits': [
    'cut-is-consistent',
    'money-is-constant',
    'no-record-doubled',
    'proof-holds',
  ],
  'channel-state-restored': ['cut-is-consistent', 'no-record-lost'],
  'input-before-output': ['no-record-reordered', 'balances-follow'],
  'restored-before-new': ['no-record-reordered', 'balances-follow'],
  'restored-filter': ['cut-is-consistent', 'money-is-constant', 'no-record-doubled', 'proof-holds'],
  'timeout-from-global-start': ['alignment-ends-in-time'],
  'checkpoint-timeout': ['nothing-stuck'],
}

describe('a protection that is switched off is noticed', () => {
  test.each(protectionNames())('%s', async protection => {
    const found = await firstFailing({ first: 1, count: SEEDS_MAX, off: [protection] })
    expect(found?.violations.length).toBeGreaterThan(0)
    const noticed = found?.violations.map(({ checker }) => checker) ?? []
    expect(noticedBy[protection].filter(checker => noticed.includes(checker))).not.toEqual([])
  })
})
