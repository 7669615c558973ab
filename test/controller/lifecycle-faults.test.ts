/**
 * The whole life of a job, from its deployment over upgrades, a rollback, a savepoint and a rest to
 * its purge, while requests and watches of the controller fail, are slow, lost, doubled and
 * reordered, tokens expire and the API server restarts. It ends as it would without.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { SeededRandom } from '../../src/common/random.ts'
import { describeWithPart } from '../testbed/describe-with-part.ts'
import { lifeStory } from './job-stories.ts'
import { type Life, tell } from './job-story.ts'
import { FastClock } from './kube/fast-clock.ts'
import type { KubeFaultOf } from './kube/kube-proxy.ts'
import { seededFaults } from './kube/seeded-faults.ts'
import { connectTo, installCrds } from './test-cluster.ts'

const isLong = process.env.WEIR_TEST_LONG === '1'
const seeds = Array.from({ length: isLong ? 20 : 2 }, (_, index) => index + 1)

/** Of all requests. */
const SHARE = 0.25
const RESTART_SHARE = 0.004
const FASTER = 4
/** Two seconds on the wall, so that a renewal which fails has another try. */
const times = { durationMs: 8_000, renewDeadlineMs: 6_000, retryMs: 400 }

await describeWithPart('a job whose controller is struck', 'kube-control', environment => {
  const cluster = connectTo(environment)
  beforeAll(() => installCrds(cluster))
  afterAll(() => cluster.close())

  test.each(seeds)('lives as any other, seed %i', async seed => {
    const random = new SeededRandom(seed)
    const faults = seededFaults(random, SHARE)
    let struck = 0
    const strike = ({ proxy }: Life): KubeFaultOf => {
      return request => {
        if (random.next() < RESTART_SHARE) proxy.restart()
        const fault = faults(request)
        if (fault !== undefined) struck++
        return fault
      }
    }
    const clock = new FastClock(FASTER)
    const told = await tell({ cluster, environment, story: lifeStory, strike, times, clock })
    expect(told).toEqual({
      end: {
        epoch: 5,
        phase: 'Running',
        isStable: true,
        refused: 'RolledBack',
        state: 'savepoint',
        stops: 3,
        pods: ['bank-jm-5-1', 'bank-tm-5-0-1'],
        left: ['bank-ID-ID-purge-1'],
      },
      broken: [],
      orphans: [],
    })
    expect(struck).toBeGreaterThan(20)
  })
})
