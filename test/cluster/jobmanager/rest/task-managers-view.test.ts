import { expect, test } from '@jest/globals'
import { taskManagersView } from '../../../../src/cluster/jobmanager/rest/task-managers-view.ts'
import { observedTestJob } from './observed-test-job.ts'

test('the process of each slot; none where all slots run in one', async () => {
  const observed = observedTestJob({ isQuiet: true })
  const { job } = observed
  expect(taskManagersView(observed)).toEqual({ taskManagers: [] })
  const taskManagers = [
    {
      slot: 0,
      state: 'ready' as const,
      pid: 7,
      host: 'here',
      dataAddress: 'unix:/d',
      silentMs: 120,
      blockedMs: 0,
      residentBytes: 1e8,
      cpuSeconds: 2,
      network: null,
    },
  ]
  const apart = { ...observed, job: { ...job, taskManagers: () => taskManagers } }
  expect(taskManagersView(apart)).toEqual({ taskManagers })
  job.cancel()
  await job.done
})
