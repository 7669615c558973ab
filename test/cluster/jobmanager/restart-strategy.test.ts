import { expect, test } from '@jest/globals'
import { defaultSettings, type RestartSettings } from '../../../src/cluster/job-settings.ts'
import { RestartStrategy } from '../../../src/cluster/jobmanager/restart-strategy.ts'
import type { FailureReport } from '../../../src/cluster/slot-messages.ts'
import { SeededRandom } from '../../../src/common/random.ts'

const noJitter = Object.assign(new SeededRandom(1), { next: () => 0.5 })

interface Failure {
  readonly atMs?: number
  readonly message?: string
  readonly retry?: FailureReport['retry']
  readonly checkpoint?: number
  readonly hasRun?: boolean
  readonly code?: string
}

interface Case {
  readonly settings?: Partial<RestartSettings>
  readonly failures: readonly Failure[]
  /** Delays in ms, or the reason why not. */
  readonly expect: readonly (number | RegExp)[]
}

const other = (message: string): Failure => ({ message })

const lost: Failure = { code: 'WEIR_SLOT_LOST', message: 'gone', retry: 'later' }

const neverRan: Failure = { message: 'a', retry: 'later', hasRun: false }

const cases: Record<string, Case> = {
  'B5: a job that cannot begin to run is given up after a few tries': {
    failures: Array.from({ length: 5 }, () => neverRan),
    expect: [1_000, 1_500, 2_250, 3_375, /could not be started in 5 tries/],
  },
  'each delay is longer than the one before, up to the largest': {
    settings: { maxDelayMs: 2_000 },
    failures: [other('a'), other('b'), other('c'), other('d')],
    expect: [1_000, 1_500, 2_000, 2_000],
  },
  'a long time without failure begins anew': {
    failures: [other('a'), other('b'), { message: 'c', atMs: 3_700_000 }],
    expect: [1_000, 1_500, 1_000],
  },
  'as many attempts as given': {
    settings: { attempts: 2 },
    failures: [other('a'), other('b'), other('c')],
    expect: [1_000, 1_500, /restarted 2 times in a row/],
  },
  'B1: what cannot change is not tried again': {
    failures: [{ retry: 'never' }],
    expect: [/trying again cannot help/],
  },
  'the same failure at the same place is given up at the third time': {
    failures: [other('a'), other('a'), other('a')],
    expect: [1_000, 1_500, /3 times in the same way/],
  },
  'another failure in between begins the count anew': {
    failures: [other('a'), other('a'), other('b'), other('a'), other('a')],
    expect: [1_000, 1_500, 2_250, 3_375, 5_063],
  },
  'progress between them begins the count anew': {
    failures: [1, 2, 3, 4].map(checkpoint => ({ message: 'a', checkpoint })),
    expect: [1_000, 1_500, 2_250, 3_375],
  },
  'the world outside may fail in the same way for ever': {
    failures: Array.from({ length: 5 }, (): Failure => ({ message: 'a', retry: 'later' })),
    expect: [1_000, 1_500, 2_250, 3_375, 5_063],
  },
  'a fixed delay, three times if nothing else is said': {
    settings: { strategy: 'fixed-delay', initialDelayMs: 70 },
    failures: ['a', 'b', 'c', 'd'].map(other),
    expect: [70, 70, 70, /restarted 3 times/],
  },
  'a rate: too many failures within the time': {
    settings: { strategy: 'failure-rate', attempts: 2, resetAfterMs: 1_000, initialDelayMs: 5 },
    failures: [0, 600, 1_100, 1_200].map(atMs => ({ atMs, message: `${atMs}` })),
    expect: [5, 5, 5, /more than 2 times within 1000 ms/],
  },
  'B4: a lost process costs no delay, however often, and no part of the back-off': {
    failures: [lost, lost, lost, lost, other('a'), lost, other('b')],
    expect: [0, 0, 0, 0, 1_000, 0, 1_500],
  },
  'B4: but it counts where restarts are counted': {
    settings: { strategy: 'fixed-delay', attempts: 2 },
    failures: [lost, lost, lost],
    expect: [0, 0, /restarted 2 times/],
  },
  'B3: none at all is a reason too': {
    settings: { strategy: 'none' },
    failures: [other('a')],
    expect: [/the restart strategy is none/],
  },
}

test.each(Object.entries(cases))('%s', (_sentence, { settings, failures, expect: wanted }) => {
  const strategy = new RestartStrategy({ ...defaultSettings.restart, ...settings }, noJitter)
  const decisions = failures.map(given => {
    const { atMs = 0, message = 'a', retry = 'now', checkpoint = 0, hasRun = true, code } = given
    const report = {
      code,
      domain: 'internal',
      next: undefined,
      stack: undefined,
    } as const
    const decision = strategy.failed({
      report: { ...report, message, retry },
      nowMs: atMs,
      lastCheckpointId: checkpoint,
      hasRun,
    })
    return decision.kind === 'restart' ? decision.delayMs : decision.reason
  })
  decisions.forEach((decision, index) => {
    const expected = wanted[index]
    if (expected instanceof RegExp) expect(decision).toMatch(expected)
    else expect(decision).toBe(expected)
  })
  expect(strategy.restarts).toBe(wanted.filter(one => typeof one === 'number').length)
})
