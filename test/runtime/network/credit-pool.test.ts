import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { type CreditAccount, CreditPool } from '../../../src/runtime/network/credit-pool.ts'

/** A channel with both its ends: a sender that obeys, and a queue at the receiver. */
class Channel {
  waiting = 0
  credits = 0
  readonly account: CreditAccount

  constructor(pool: CreditPool) {
    this.account = pool.account(() => this.credits++)
  }

  /** Sends one frame, if it may. */
  send(): boolean {
    if (this.waiting === 0 || this.credits === 0) return false
    this.waiting--
    this.credits--
    this.account.arrived(this.waiting)
    return true
  }

  take(): boolean {
    if (this.account.held === 0) return false
    this.account.taken()
    return true
  }
}

const step = fc.record({
  kind: fc.constantFrom('queue' as const, 'send', 'take'),
  channel: fc.nat(4),
  count: fc.integer({ min: 1, max: 6 }),
})

const setup = fc.record({
  exclusive: fc.integer({ min: 1, max: 3 }),
  floating: fc.nat(5),
  channels: fc.integer({ min: 1, max: 5 }),
  steps: fc.array(step, { maxLength: 200 }),
})

test('CP1, CP2, CP3: credits are kept, bounded, and everything arrives in the end', () => {
  fc.assert(
    fc.property(setup, ({ exclusive, floating, channels, steps }) => {
      const pool = new CreditPool({ exclusive, floating })
      const all = Array.from({ length: channels }, () => new Channel(pool))
      const check = (): void => {
        let lent = 0
        for (const { account, credits } of all) {
          lent += account.lent
          expect(credits).toBe(account.granted)
          expect(account.granted + account.held).toBeLessThanOrEqual(exclusive + account.lent)
          if (account.held === 0) expect(account.granted).toBeGreaterThanOrEqual(exclusive)
        }
        expect(lent + pool.free).toBe(floating)
      }
      for (const { account } of all) account.open()
      for (const { kind, channel, count } of steps) {
        const one = all[channel % channels] as Channel
        if (kind === 'queue') one.waiting += count
        const act = (): boolean => (kind === 'send' ? one.send() : one.take())
        if (kind !== 'queue') for (let i = 0; i < count; i++) act()
        check()
      }
      // Nobody is stuck: as long as frames are taken, they come.
      let moved = true
      while (moved) {
        moved = false
        for (const one of all) moved = one.send() || one.take() || moved
        check()
      }
      expect(all.map(one => one.waiting + one.account.held)).toEqual(all.map(() => 0))
      // Nothing waits any more, so nothing stays lent but what was granted on top.
      for (const one of all) one.account.close()
      expect(pool.free).toBe(floating)
    }),
  )
})

test('CP4: a floating credit that comes back goes to the first other channel that waits', () => {
  const pool = new CreditPool({ exclusive: 1, floating: 1 })
  const [a, b, c] = [new Channel(pool), new Channel(pool), new Channel(pool)]
  for (const one of [a, b, c]) {
    one.account.open()
    one.waiting = 5
  }
  const lent = (): number[] => [a, b, c].map(one => one.account.lent)
  // All want more than they get; a is first, and waits for another at once.
  for (const one of [a, b, c]) one.send()
  expect(lent()).toEqual([1, 0, 0])
  a.take()
  expect(lent()).toEqual([0, 1, 0])
  b.take()
  expect(lent()).toEqual([1, 0, 0])
  a.send()
  a.take()
  expect(lent()).toEqual([0, 0, 1])
})

test('a channel alone has all floating credits while much waits, and none afterwards', () => {
  const pool = new CreditPool({ exclusive: 2, floating: 8 })
  const one = new Channel(pool)
  one.account.open()
  expect(one.credits).toBe(2)
  one.waiting = 100
  one.send()
  expect([one.account.lent, one.credits]).toEqual([8, 9])
  one.waiting = 10
  while (one.send() || one.take());
  expect([one.account.lent, one.credits, pool.free]).toEqual([0, 2, 8])
})

test('a channel that nobody reads takes in all floating credits, though nothing waited at its sender', () => {
  const pool = new CreditPool({ exclusive: 2, floating: 3 })
  const [one, other] = [new Channel(pool), new Channel(pool)]
  for (const { account } of [one, other]) account.open()
  // Each frame leaves as soon as it is written, so that no backlog is ever announced.
  let sent = 0
  for (one.waiting = 1; one.send(); one.waiting = 1) sent++
  expect([sent, one.account.held, one.account.lent, pool.free]).toEqual([5, 5, 3, 0])
  // What it holds goes to one that is read, as soon as it takes something itself.
  other.waiting = 1
  other.send()
  one.waiting = 0
  one.take()
  expect([one.account.lent, other.account.lent]).toEqual([2, 1])
  while (one.take());
  expect([one.credits, one.account.lent, pool.free]).toEqual([2, 0, 2])
})

test('an account that is not open grants nothing', () => {
  const pool = new CreditPool({ exclusive: 2, floating: 8 })
  const one = new Channel(pool)
  expect(one.credits).toBe(0)
  one.account.open()
  one.account.open()
  expect(one.credits).toBe(2)
})

test('a frame without credit, or taken twice, is a mistake', () => {
  const one = new Channel(new CreditPool({ exclusive: 1, floating: 0 }))
  expect(() => one.account.arrived(0)).toThrow('CP1')
  one.account.open()
  expect(() => one.account.taken()).toThrow('CP1')
})
