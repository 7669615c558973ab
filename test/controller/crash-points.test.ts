/**
 * The controller dies right after any of its writes, on every way of a job: where it ends is where
 * the undisturbed one ends, and at no time is there older state, a second deployment, or an orphan.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { describeWithPart } from '../testbed/describe-with-part.ts'
import { crashEach } from './crash-points.ts'
import {
  leftoverStory,
  purgeStory,
  refusalStory,
  restoreStory,
  rollbackStory,
  savepointStory,
  suspendStory,
  upgradeStory,
} from './job-stories.ts'
import type { Story } from './job-story.ts'
import { connectTo, installCrds } from './test-cluster.ts'

const isLong = process.env.WEIR_TEST_LONG === '1'
/** All with --long, else some of each way. */
const STRIDE = isLong ? 1 : 9

interface Way {
  readonly story: Story
  readonly end: object
  /** Another one goes nearly the same way. */
  readonly isLong?: boolean
}

const runs = (epoch: number) => ({
  epoch,
  phase: 'Running',
  isStable: true,
  pods: [`bank-jm-${epoch}-1`, `bank-tm-${epoch}-0-1`],
})

const ways: Readonly<Record<string, Way>> = {
  'an upgrade with a savepoint': {
    story: upgradeStory('savepoint'),
    end: { ...runs(2), refused: undefined, state: 'savepoint', stops: 1 },
  },
  'an upgrade with a savepoint, one deployment after the other': {
    isLong: true,
    story: upgradeStory('savepoint', 'never'),
    end: { ...runs(2), refused: undefined, state: 'savepoint', stops: 1 },
  },
  'an upgrade to what never comes to run': {
    story: refusalStory,
    end: { ...runs(1), refused: 'RolledBack', state: 'checkpoint', stops: 0 },
  },
  'an upgrade from the last checkpoint': {
    isLong: true,
    story: upgradeStory('last-state'),
    end: { ...runs(2), refused: undefined, state: 'checkpoint', stops: 0 },
  },
  'an upgrade without state': {
    isLong: true,
    story: upgradeStory('stateless'),
    end: { ...runs(2), refused: undefined, state: 'checkpoint', stops: 0 },
  },
  'an upgrade, and the end of what it was stopped with': {
    story: leftoverStory,
    end: { ...runs(2), refused: undefined, state: 'checkpoint', stops: 1, removing: 1 },
  },
  'a way back to a savepoint by its name': {
    story: restoreStory,
    end: {
      ...runs(2),
      pods: [...runs(2).pods, 'first-savepoint-ID-dispose-1'],
      refused: undefined,
      stops: 0,
      isFromThere: true,
      nonce: 1,
    },
  },
  'a rollback of what refuses to start': {
    story: rollbackStory(2),
    end: { ...runs(3), refused: 'RolledBack', state: 'savepoint', stops: 1 },
  },
  'a rollback of what falls over': {
    isLong: true,
    story: rollbackStory(1),
    end: { ...runs(3), refused: 'RolledBack', state: 'savepoint', stops: 1 },
  },
  'a rest and its end': {
    story: suspendStory,
    end: {
      resting: { epoch: 1, phase: 'Suspended', pods: [], state: 'savepoint', stops: 1 },
      again: { ...runs(2), state: 'savepoint', stops: 1 },
    },
  },
  'a savepoint, its disposal, a deletion with another one': {
    story: savepointStory,
    end: {
      taken: 1,
      stops: 1,
      kept: true,
      pods: ['bank-jm-1-1', 'bank-tm-1-0-1', 'first-savepoint-ID-dispose-1'],
    },
  },
  'a raised nonce, and a purge': {
    story: purgeStory,
    end: { taken: 1, stops: 0, kept: ['bank-nonce-1'], pods: ['bank-ID-ID-purge-1'] },
  },
}

await describeWithPart('a controller that dies after a write', 'kube-control', environment => {
  const cluster = connectTo(environment)
  beforeAll(() => installCrds(cluster))
  afterAll(() => cluster.close())

  const chosen = Object.entries(ways).filter(([, way]) => isLong || way.isLong !== true)

  test.each(chosen)('%s: the end is the same', async (_way, { story, end }) => {
    const { calm, struck } = await crashEach({ cluster, environment, story }, STRIDE)
    expect(calm).toMatchObject({ end, broken: [], orphans: [] })
    for (const { at, run } of struck) {
      expect({ at, run }).toEqual({ at, run: { end: calm.end, broken: [], orphans: [] } })
    }
  })
})
