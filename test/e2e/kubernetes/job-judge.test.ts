import { expect, test } from '@jest/globals'
import { JobJudge } from './job-judge.ts'

const at = (epoch: number, checkpointId: number) => {
  const kind = 'checkpoint' as const
  const state = { epoch, checkpointId, kind, path: 's3://b/c', completedAt: 'then', sizeBytes: 1 }
  return { epoch, state }
}
const live = (uid: string, place: string) => `MODIFIED ${uid} pod-${uid} Running ${place}`

test('a job that goes on is right: newer state, newer pods', () => {
  const judge = new JobJudge()
  judge.takeStatus({ epoch: 1 })
  for (const status of [at(1, 1), at(1, 5), at(2, 5), at(2, 6)]) judge.takeStatus(status)
  judge.takePod(live('a', '1 taskmanager 0'))
  judge.takePod(live('b', '1 taskmanager 1'))
  judge.takePod(live('a', '1 taskmanager 0'))
  judge.takePod('MODIFIED a pod-a Running 1 taskmanager 0  2026-01-01T00:00:00Z')
  judge.takePod('MODIFIED b pod-b Running 1 taskmanager 1 137 ')
  judge.takePod(live('d', '1 taskmanager 1'))
  judge.takePod('MODIFIED d pod-d Failed 1 taskmanager 1')
  judge.takePod(live('c', '2 taskmanager 0'))
  expect(judge.wrong).toEqual([])
})

test('W1: older state is noticed, and lost state', () => {
  const judge = new JobJudge()
  for (const status of [at(2, 6), at(2, 5), at(1, 9)]) judge.takeStatus(status)
  judge.takeStatus({ epoch: 1 })
  expect(judge.wrong.filter(one => one.startsWith('W1'))).toEqual([
    'W1: the state goes back from 2/6 to 2/5',
    'W1: the state goes back from 2/5 to 1/9',
    'W1: the state pointer is gone',
  ])
  // W2
  expect(judge.wrong).toContain('W2: epoch 1 after 2')
})

test('W3: two incarnations are noticed, of a slot and of a job', () => {
  const judge = new JobJudge()
  judge.takePod(live('a', '1 jobmanager 0'))
  judge.takePod(live('b', '1 jobmanager 0'))
  judge.takePod('DELETED b pod-b Running 1 jobmanager 0')
  judge.takePod(live('c', '2 taskmanager 0'))
  expect(judge.wrong).toEqual(['W3: pod-b beside pod-a', 'W3: pod-c beside pod-a'])
})

test('W3: one that waits for the end of the other is no second incarnation', () => {
  const judge = new JobJudge()
  judge.takePod(live('a', '1 jobmanager 0'))
  judge.takePod(live('b', '2 jobmanager 0'))
  expect(judge.wrong).toEqual(['W3: pod-b beside pod-a'])
  const times = { startedAt: 'then', since: 'then' }
  const to = {
    goal: 'upgrade',
    from: 'a',
    to: 'b',
    cause: 'SpecChanged',
    mode: 'savepoint',
  } as const
  judge.takeStatus({ upgrade: { ...to, ...times, phase: 'Reserving', attempt: 1, warm: 2 } })
  expect(judge.wrong).toEqual([])
  judge.takePod(live('c', '2 jobmanager 0'))
  expect(judge.wrong).toEqual(['W3: pod-c beside pod-b'])
})
