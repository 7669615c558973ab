/**
 * A scenario whose user moves the job to other numbers of slots while it runs. Whoever takes the
 * place of a jobmanager begins with a number of its own, and has to find out what was ordered.
 */
import type { SeededRandom } from '../../common/random.ts'
import { drawMoment, type Fault, type Scenario } from './scenario.ts'
import { STORM_EVERY } from './storm.ts'

const RESCALES_MAX = 4

/** One seed in four, and every other storm. */
export function hasRescales(seed: number): boolean {
  return seed % 4 === 3 || seed % (2 * STORM_EVERY) === STORM_EVERY
}

export function rescalesOf(scenario: Scenario, random: SeededRandom): Scenario {
  const rescales = Array.from(
    { length: 1 + random.int(RESCALES_MAX) },
    (): Fault => ({ kind: 'rescale', moment: drawMoment(random) }),
  )
  return { ...scenario, rescales: true, faults: [...scenario.faults, ...rescales] }
}
