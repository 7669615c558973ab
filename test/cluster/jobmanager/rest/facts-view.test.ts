/** What the controller hears of a job, from histories that were made up. */
import { expect, test } from '@jest/globals'
import { JobHistory } from '../../../../src/cluster/jobmanager/job-history.ts'
import { factsView } from '../../../../src/cluster/jobmanager/rest/facts-view.ts'
import type { JobSteering } from '../../../../src/cluster/jobmanager/rest/job-steering.ts'
import type { ObservedJob } from '../../../../src/cluster/jobmanager/rest/observed-job.ts'
import { jobFactsSchema } from '../../../../src/protocol/job-facts.ts'
import { ManualClock } from '../../../../src/testing/manual-clock.ts'

type Step =
  | readonly ['completed' | 'passing' | 'failed' | 'aborted', ('checkpoint' | 'savepoint')?]
  | readonly ['restart']
  | readonly ['restored']

function factsAfter(...steps: readonly Step[]) {
  const clock = new ManualClock(1_000_000)
  const history = new JobHistory(clock)
  let id = 40
  for (const [what, kind = 'checkpoint'] of steps) {
    clock.advance(1_000)
    if (what === 'restart') {
      const report = { message: 'odd '.repeat(400), domain: 'user', retry: 'later' } as never
      history.jobFailed(report, { retryInMs: 0, scope: undefined })
    } else if (what === 'restored') {
      const place = { path: 's3://b/old', completedAtMs: 5, sizeBytes: 6 }
      history.restored({ id: 7, kind: 'savepoint', ...place })
    } else {
      id++
      history.begun(id, kind)
      clock.advance(10)
      if (what === 'completed') history.completed(id, `s3://b/${kind}-${id}`)
      else if (what === 'passing') history.completed(id, `s3://b/${kind}-${id}`, false)
      else history.abandoned(id, what, 'the store is away')
    }
  }
  clock.advance(500)
  const progress = () => ({ status: 'running', restarts: 2 })
  const observed = { job: { history, progress }, graph: { parallelism: 3 }, clock }
  const steering = { tellStop: () => undefined } as unknown as JobSteering
  const facts = factsView(observed as unknown as ObservedJob, steering)
  expect(jobFactsSchema.parse(facts)).toEqual(facts)
  return facts
}

test('nothing happened yet', () => {
  expect(factsAfter()).toEqual({
    status: 'running',
    parallelism: 3,
    restarts: 2,
    lastFailure: null,
    latest: null,
    checkpoints: { completed: 0, failuresInRow: 0, lastFailure: null, ageMs: null },
    stop: null,
  })
})

test('the newest counts, and a savepoint that ended the job, but none that was taken in passing', () => {
  const { latest, checkpoints } = factsAfter(['completed'], ['passing', 'savepoint'])
  expect(latest).toMatchObject({ id: 41, kind: 'checkpoint', path: 's3://b/checkpoint-41' })
  expect(latest?.completedAtMs).toBe(1_001_010)
  expect(checkpoints).toMatchObject({ completed: 1, ageMs: 500 })
  expect(factsAfter(['completed'], ['completed', 'savepoint']).latest).toMatchObject({
    id: 42,
    kind: 'savepoint',
  })
})

test('what was restored counts until the first completes', () => {
  expect(factsAfter(['restored'], ['failed'])).toMatchObject({
    latest: { id: 7, path: 's3://b/old', completedAtMs: 5 },
    checkpoints: { ageMs: null, failuresInRow: 1 },
  })
  expect(factsAfter(['restored'], ['completed']).latest?.id).toBe(41)
})

test('failures in a row end with a success; what was given up is neither', () => {
  const row = (...steps: readonly Step[]) => factsAfter(...steps).checkpoints.failuresInRow
  expect(row(['completed'], ['failed'], ['aborted'], ['failed'])).toBe(2)
  expect(row(['failed'], ['completed'], ['aborted'])).toBe(0)
  expect(row(['failed'], ['completed', 'savepoint'], ['failed'])).toBe(1)
  // A savepoint that a person asked for harms no job.
  expect(row(['completed'], ['failed', 'savepoint'])).toBe(0)
  // Also over restarts, which such failures may be the reason of.
  expect(row(['failed'], ['restart'], ['failed'])).toBe(2)
})

test('completed ones are counted since the last restart', () => {
  const facts = factsAfter(['completed'], ['completed'], ['restart'], ['completed'])
  expect(facts.checkpoints.completed).toBe(1)
  expect(facts.lastFailure?.message).toHaveLength(600)
})
