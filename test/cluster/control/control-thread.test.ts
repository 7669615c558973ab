import { afterEach, expect, test } from '@jest/globals'
import type { ConnectionEnd } from '../../../src/cluster/control/control-connection.ts'
import { type ControlLine, ControlThread } from '../../../src/cluster/control/control-thread.ts'
import type {
  FromControlThread,
  ToControlThread,
} from '../../../src/cluster/control/control-thread-messages.ts'
import { LifeSigns } from '../../../src/cluster/control/life-signs.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'

const times = { intervalMs: 500, timeoutMs: 2_000 }
let signs: LifeSigns
let told: ToControlThread[] = []
let say: (message: FromControlThread) => void = () => {}
const ends: ConnectionEnd[] = []
const heard: unknown[] = []

afterEach(() => {
  told = []
  ends.length = 0
  heard.length = 0
})

/** The test is the other thread. */
function start(clock: ManualClock): ControlThread {
  const secret = new Uint8Array(16)
  const end = { kind: 'dialer', address: 'unix:/jm', slot: 0 } as const
  return new ControlThread({
    settings: { end, jobId: 'default.a', secret, tls: undefined, version: '1.0.0', times },
    clock,
    start: settings => {
      signs = new LifeSigns(settings.signs)
      return {
        post: message => void told.push(message),
        listen: take => {
          say = take
        },
        close: () => {},
      }
    },
  })
}

async function connected(clock = new ManualClock()): Promise<ControlLine> {
  clock.advance(1)
  const dialed = start(clock).dial({
    onMessage: message => void heard.push(message),
    onClosed: end => void ends.push(end),
  })
  say({ kind: 'opened', line: 0 })
  return dialed
}

const closed = { kind: 'closed', line: 0, end: { cause: 'closed', how: 'was closed' } } as const

test('CT1: messages arrive in order, and none after the end', async () => {
  const line = await connected()
  for (const message of [1, 2]) say({ kind: 'message', line: 0, message })
  say({ ...closed, end: { ...closed.end, failure: undefined } })
  say({ kind: 'message', line: 0, message: 3 })
  expect([heard, ends, line.isOpen]).toEqual([
    [1, 2],
    [{ cause: 'closed', how: 'was closed', error: undefined }],
    false,
  ])
})

test('CT2: who closes by himself hears nothing of it', async () => {
  const line = await connected()
  line.send('last')
  line.close()
  say({ ...closed, end: { ...closed.end, failure: undefined } })
  line.send('lost')
  expect(ends).toEqual([])
  expect(told.map(one => one.kind)).toEqual(['dial', 'send', 'close'])
})

test('CT3: what was said before the process stood still is not acted upon', async () => {
  const clock = new ManualClock()
  const line = await connected(clock)
  signs.controlAwake(clock.monotonic())
  clock.advance(1_999)
  say({ kind: 'message', line: 0, message: 'in time' })
  clock.advance(1)
  say({ kind: 'message', line: 0, message: 'too late' })
  expect([heard, line.isOpen]).toEqual([['in time'], false])
  expect(ends).toMatchObject([{ cause: 'stalled' }])
})

test('a thread that is kept says nothing itself: the other sees it', () => {
  const clock = new ManualClock()
  clock.advance(1)
  start(clock)
  clock.advance(3_000)
  expect(signs.blockedMs(clock.monotonic(), times)).toBe(0)
  expect(signs.blockedMs(clock.monotonic() + 5_000, times)).toBe(5_000)
})
