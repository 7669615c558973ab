import { expect, test } from '@jest/globals'
import { RespawnPolicy } from '../../../src/cli/processes/respawn-policy.ts'

const killed = { code: null, signal: 'SIGKILL' }

test('J1, J3: what is killed is started again, at once unless it dies at once', () => {
  const policy = new RespawnPolicy()
  const delays = [1, 2, 3, 4, 5].map(() => policy.ended({ ...killed, livedMs: 200 }))
  expect(delays).toEqual([0, 0, 0, 100, 200])
  expect(policy.ended({ ...killed, livedMs: 10_000 })).toBe(0)
  expect(policy.ended({ ...killed, livedMs: 200 })).toBe(0)
  for (let i = 0; i < 200; i++) {
    expect(policy.ended({ ...killed, livedMs: 10 })).toBeLessThanOrEqual(2_000)
  }
})

test('J2: what ends by itself at once, again and again, is given up', () => {
  const policy = new RespawnPolicy()
  const end = { code: 1, signal: null, livedMs: 100 }
  const delays = Array.from({ length: 10 }, () => policy.ended(end))
  expect(delays.slice(0, 9)).not.toContain(undefined)
  expect(delays[9]).toBeUndefined()
})

test('J2: a kill in between is no end by itself', () => {
  const policy = new RespawnPolicy()
  for (let i = 0; i < 30; i++) {
    const end = i % 5 === 4 ? killed : { code: 1, signal: null }
    expect(policy.ended({ ...end, livedMs: 100 })).toBeDefined()
  }
})

test('J2: what was started wrongly is not started again', () => {
  expect(new RespawnPolicy().ended({ code: 2, signal: null, livedMs: 60_000 })).toBeUndefined()
})
