/** U7: a savepoint that a job was stopped with is known before the next epoch begins. */
import { expect, test } from '@jest/globals'
import { decideJob } from '../../../../src/controller/streamjob/job-policies.ts'
import type { JobFacts } from '../../../../src/protocol/job-facts.ts'
import { observed, order, runs, savepoint, stop } from './upgrade-cases.ts'

test('U7: only what its own order has taken is said to be its own', () => {
  const takenBy = (facts: Partial<JobFacts>) => {
    const upgrade = { phase: 'Savepointing', ...order } as const
    return decideJob(observed({ upgrade, pods: runs, facts })).store.upgrade?.taken
  }
  expect(takenBy(stop({ status: 'completed', snapshot: savepoint }))).toBe('s3://b/sp-9')
  expect(takenBy(stop({ status: 'failed', snapshot: savepoint }))).toBe('s3://b/sp-9')
  // It was restored from somebody's, and fails before it has taken one.
  expect(takenBy({ ...stop({ status: 'failed' }), latest: savepoint })).toBeUndefined()
})

test('U7: a folder that nobody will find is told', () => {
  const upgrade = { phase: 'Stopping', taken: savepoint.path } as const
  const { events, store } = decideJob(observed({ upgrade, seconds: 76 }))
  expect(events.map(({ reason }) => reason)).toEqual(['StateOrphaned'])
  expect(store.upgrade?.taken).toBeUndefined()
})
