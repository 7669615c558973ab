/** What is said of a deployment that did not come to run in time: not only that time is over. */
import { expect, test } from '@jest/globals'
import { decideJob } from '../../../../src/controller/streamjob/job-policies.ts'
import { type Case, observed } from './upgrade-cases.ts'

const late: Case = { upgrade: { phase: 'Starting' }, isNew: true, seconds: 321, facts: undefined }

const cases: Record<string, { given: Partial<Case>; says: string }> = {
  'a pod that waits in the place of one that died': {
    given: { pods: ['jm-2-1 failed 1', 'jm-2-2 pending', 'tm-2-0-1 running'] },
    says: 'ScheduleTimeout: pod j-jm-2-1: Error: exit code 1',
  },
  'one that died, between two tries': {
    given: { pods: ['jm-2-3 failed 1', 'tm-2-0-1 running'] },
    says:
      'StartTimeout: not all of the job runs at the deadline: its jobmanager says unknown; ' +
      'pod j-jm-2-3: Error: exit code 1',
  },
  'a job that falls over while its pods run': {
    given: {
      pods: ['jm-2-1 running', 'tm-2-0-1 running'],
      facts: { status: 'restarting', lastFailure: { message: 'the broker is away', atMs: 1 } },
    },
    says:
      'StartTimeout: not all of the job runs at the deadline: its jobmanager says restarting; ' +
      'the broker is away',
  },
  'a jobmanager that nobody can ask': {
    given: { pods: ['jm-2-1 running', 'tm-2-0-1 running'] },
    says: 'Unreachable: not all of the job runs at the deadline: its jobmanager says unknown',
  },
}

test.each(Object.entries(cases))('%s', (_what, { given, says }) => {
  const { events } = decideJob(observed({ ...late, ...given }))
  expect(events.map(({ note }) => note)).toEqual([says])
})

test('a revision that somebody has removed is not waited for', () => {
  const seen = observed({ ...late, seconds: 1, pods: [] })
  const { upgrade } = seen.status
  const status = { ...seen.status, upgrade: upgrade && { ...upgrade, to: 'nothing' } }
  const { store, events } = decideJob({ ...seen, status })
  expect(store.upgrade?.phase).toBe('RollingBack')
  expect(events[0]?.note).toBe('RevisionLost: nothing was removed: nothing can be made of it')
})
