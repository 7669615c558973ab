/**
 * A scenario in which everything happens at once: the store is gone for long, jobmanagers come by
 * the dozen, clocks are far apart.
 *
 * Owns        how much of each.
 * Leaves out  what a fault does (`sim-cluster.ts`).
 */
import type { SeededRandom } from '../../common/random.ts'
import type { Fault, FaultKind, Scenario } from './scenario.ts'

/** One seed of so many is a storm. */
export const STORM_EVERY = 40

const RIVALS_MAX = 75
const OTHERS_MAX = 12
const OUTAGES_MAX = 3
const OUTAGE_MS = 900
const STORM_MS = 1_500
const FIFTY_YEARS_MS = 50 * 365 * 86_400_000

/** Rivals come two at a time, and each that gives up has a successor. */
const JOB_MANAGERS_MAX = 400

const others: readonly FaultKind[] = [
  'kill-jobmanager',
  'zombie-jobmanager',
  'zombie-worker',
  'savepoint',
  'stop-with-savepoint',
  'clock-jump',
  'slow-disk',
]

export function stormOf(calm: Scenario, random: SeededRandom): Scenario {
  const at = (kind: FaultKind): Fault => {
    return { kind, moment: { kind: 'at', atMs: random.next() * STORM_MS } }
  }
  const rivals = Array.from({ length: random.int(RIVALS_MAX + 1) }, () => at('rival-jobmanagers'))
  const more = Array.from({ length: random.int(OTHERS_MAX + 1) }, () =>
    at(others[random.int(others.length)] as FaultKind),
  )
  const outages = Array.from({ length: random.int(OUTAGES_MAX + 1) }, () => {
    const fromMs = random.next() * (STORM_MS - OUTAGE_MS)
    return [fromMs, fromMs + random.next() * OUTAGE_MS] as const
  })
  return {
    ...calm,
    store: { ...calm.store, untilMs: STORM_MS, outages },
    clocks: { skewMs: FIFTY_YEARS_MS * random.next(), drift: 0.3 },
    jobManagersMax: JOB_MANAGERS_MAX,
    faults: [...calm.faults, ...rivals, ...more],
  }
}
