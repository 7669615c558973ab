import { expect, test } from '@jest/globals'
import { JobHistory } from '../../../src/cluster/jobmanager/job-history.ts'
import type { FailureReport } from '../../../src/cluster/slot-messages.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'

const failure: FailureReport = {
  code: undefined,
  domain: 'user',
  message: 'odd',
  next: undefined,
  stack: undefined,
  retry: 'now',
}

test('a snapshot is pending, then completed or given up, with the time it took', () => {
  const clock = new ManualClock()
  const history = new JobHistory(clock)
  history.begun(1, 'checkpoint')
  clock.advance(5)
  expect(history.snapshot(1)).toMatchObject({ status: 'pending', durationMs: 5 })
  history.completed(1, 'store/chk-1')
  history.begun(2, 'savepoint')
  clock.advance(7)
  history.abandoned(2, 'failed', 'full disk')
  expect(history.snapshots).toMatchObject([
    { id: 1, status: 'completed', durationMs: 5, path: 'store/chk-1' },
    { id: 2, kind: 'savepoint', status: 'failed', durationMs: 7, reason: 'full disk' },
  ])
})

test('the oldest make room, and do not come back', () => {
  const history = new JobHistory(new ManualClock())
  for (let id = 1; id <= 51; id++) history.begun(id, 'checkpoint')
  history.completed(1, 'late')
  expect(history.snapshots.map(entry => entry.id)).toEqual(
    Array.from({ length: 50 }, (_, index) => index + 2),
  )
  for (let n = 0; n < 20; n++)
    history.jobFailed({ ...failure, message: String(n) }, { retryInMs: n, scope: undefined })
  expect(history.failures.map(entry => entry.message)).toEqual(
    Array.from({ length: 16 }, (_, index) => String(index + 4)),
  )
})
