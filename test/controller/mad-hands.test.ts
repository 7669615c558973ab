/**
 * People who change by hand what is the controller's, and specs that pass the CRD and are mad, on a
 * real API server and drawn from a seed: each job comes to run again, or says what a person has to
 * do; nothing is written when all is said; no secret comes back, and nothing is left behind.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { messageOf } from '../../src/common/errors.ts'
import { SeededRandom } from '../../src/common/random.ts'
import { describeWithPart } from '../testbed/describe-with-part.ts'
import { doneMadly, madActs } from './mad-hands.ts'
import { Madhouse } from './madhouse.ts'
import { connectTo, installCrds } from './test-cluster.ts'

const isLong = process.env.WEIR_TEST_LONG === '1'
const seeds = Array.from({ length: isLong ? 20 : 2 }, (_, index) => index + 1)
const ACTS = isLong ? 40 : 20
/** Writes that a job may cost for each act, whatever that is: what loops makes hundreds. */
const WRITES_MAX = 60

await describeWithPart('a controller and mad hands', 'kube-control', environment => {
  const cluster = connectTo(environment)
  beforeAll(() => installCrds(cluster))
  afterAll(() => cluster.close())

  test('each act alone', async () => {
    const madhouse = await Madhouse.open(cluster, environment)
    const { namespace } = madhouse
    const random = new SeededRandom(1)
    const acts = Object.entries(madActs).map(([what, act], index) => {
      return { what, act, name: `j-${index}` }
    })
    for (const { name } of acts) await madhouse.sentinel(name)
    for (const { name, act } of acts) {
      const job = await madhouse.job(name)
      await doneMadly(() => act({ cluster, namespace, random }, job))
    }
    await madhouse.sentinel('last')
    const restless = await Promise.all(
      acts.map(async ({ name, what }) => {
        const problem = await madhouse.restOf(name).catch((error: unknown) => messageOf(error))
        return problem === undefined ? [] : [`${what}: ${problem}`]
      }),
    )
    expect(restless.flat()).toEqual([])
    await madhouse.close(acts.map(({ name }) => name))
  })

  test.each(seeds)('all comes to rest, seed %i', async seed => {
    const madhouse = await Madhouse.open(cluster, environment)
    const random = new SeededRandom(seed)
    // Names that are those of other jobs with a suffix, and one that is as long as can be.
    const names = ['a', 'a-jm', 'a-jm-1', `z${'y'.repeat(44)}`]
    for (const name of names) await madhouse.create(name)
    for (const name of names) await madhouse.restOf(name)
    const acts = Object.entries(madActs)
    for (let step = 0; step < ACTS; step++) {
      const [what, act] = acts[Math.floor(random.next() * acts.length)] ?? ['', undefined]
      const name = names[Math.floor(random.next() * names.length)] ?? ''
      const before = madhouse.writes.length
      const { namespace } = madhouse
      const job = await madhouse.job(name)
      await doneMadly(async () => act?.({ cluster, namespace, random }, job))
      await madhouse.sentinel(`s-${step}`)
      await madhouse.restOf(name)
      const cost = madhouse.writes.slice(before)
      expect({ step, what, name, loops: cost.length > WRITES_MAX && cost }).toEqual({
        step,
        what,
        name,
        loops: false,
      })
    }
    await madhouse.close(names)
  })
})
