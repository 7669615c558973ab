import { expect, test } from '@jest/globals'
import { RegionFailover } from '../../../src/cluster/jobmanager/region-failover.ts'
import type { RestartDecision } from '../../../src/cluster/jobmanager/restart-strategy.ts'
import type { FailureReport } from '../../../src/cluster/slot-messages.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'

const failure = (code: string | undefined): FailureReport => ({
  code,
  domain: 'external',
  message: code ?? 'x',
  next: undefined,
  stack: undefined,
  retry: 'later',
})

interface Faults {
  readonly isSure?: boolean
  readonly decision?: RestartDecision
}

function bench({ isSure = true, decision = { kind: 'restart', delayMs: 0 } }: Faults = {}) {
  const log: string[] = []
  const clock = new ManualClock()
  const stopping = new Map<number, PromiseWithResolvers<void>>()
  let slots = Promise.resolve()
  let ready = true
  const failover = new RegionFailover(
    {
      pause: async () => isSure,
      stop: region => {
        const known = stopping.get(region)
        if (known !== undefined) return known.promise
        log.push(`stop ${region}`)
        const stop = Promise.withResolvers<void>()
        stopping.set(region, stop)
        return stop.promise
      },
      decide: ({ message }, regions) => {
        log.push(`decide ${[...regions].join()}: ${message}`)
        return decision
      },
      awaitSlots: () => slots,
      load: async () => undefined,
      deploy: regions => {
        log.push(`${ready ? 'deploy' : 'not yet'} ${[...regions].join()}`)
        const went = ready
        ready = true
        return went
      },
      giveUp: ({ message }, given) => log.push(`give up: ${message} ${given?.kind ?? 'in doubt'}`),
      crashed: error => log.push(`crashed ${String(error)}`),
    },
    clock,
  )
  return {
    failover,
    log,
    clock,
    stopped: async (...regions: readonly number[]): Promise<void> => {
      for (const region of regions) stopping.get(region)?.resolve()
      for (let i = 0; i < 40; i++) await Promise.resolve()
    },
    withoutSlots: (): (() => void) => {
      const come = Promise.withResolvers<void>()
      slots = come.promise
      return come.resolve
    },
    notReady: (): void => {
      ready = false
    },
  }
}

test('RF1: what fails before the regions are back belongs to one restart', async () => {
  const { failover, log, clock, stopped } = bench({ decision: { kind: 'restart', delayMs: 50 } })
  failover.failed(1, failure(undefined))
  failover.failed(2, failure('WEIR_X'))
  failover.failed(1, failure('WEIR_Y'))
  await stopped(1, 2)
  expect(log).toEqual(['stop 1', 'stop 2', 'decide 1,2: x'])
  failover.failed(3, failure(undefined))
  clock.advance(50)
  await stopped(3)
  expect(log.slice(3)).toEqual(['stop 3', 'deploy 1,2,3'])
  expect(failover.isBusy).toBe(false)
})

test('a lost process is the cause, although its channels were seen to break first', async () => {
  const { failover, log, stopped } = bench()
  failover.failed(0, failure('WEIR_PEER_GONE'))
  failover.failed(0, failure('WEIR_SLOT_LOST'))
  failover.failed(0, failure('WEIR_PEER_SILENT'))
  await stopped(0)
  expect(log[1]).toBe('decide 0: WEIR_SLOT_LOST')
})

test('RF2: regions wait for their own end, for slots, and for each other', async () => {
  const { failover, log, stopped, withoutSlots } = bench()
  const come = withoutSlots()
  failover.failed(0, failure(undefined))
  await stopped()
  expect(log).toEqual(['stop 0'])
  await stopped(0)
  failover.failed(1, failure(undefined))
  come()
  await stopped()
  expect(log.slice(1)).toEqual(['decide 0: x', 'stop 1', 'deploy 0,1'])
})

test('RF2: what changed while the checkpoint was read is waited for again', async () => {
  const { failover, log, stopped, notReady } = bench()
  notReady()
  failover.failed(0, failure(undefined))
  await stopped(0)
  expect(log.slice(2)).toEqual(['not yet 0', 'deploy 0'])
})

test('RF3: where the last checkpoint is in doubt, nothing starts again alone', async () => {
  const { failover, log, stopped } = bench({ isSure: false })
  failover.failed(0, failure(undefined))
  await stopped(0)
  expect(log).toEqual(['stop 0', 'give up: x in doubt'])
})

test('a job that is not restarted any more ends with its reason', async () => {
  const { failover, log, stopped } = bench({ decision: { kind: 'give-up', reason: 'enough' } })
  failover.failed(0, failure(undefined))
  await stopped(0)
  expect(log.at(-1)).toBe('give up: x give-up')
})

test('RF4: after the close nothing is decided and nothing deployed', async () => {
  const { failover, log, clock, stopped } = bench({ decision: { kind: 'restart', delayMs: 50 } })
  failover.failed(0, failure(undefined))
  await stopped(0)
  failover.close()
  clock.advance(50)
  await stopped()
  expect([failover.isBusy, log]).toEqual([false, ['stop 0', 'decide 0: x']])
})
