import { expect, test } from '@jest/globals'
import type { JobMaster } from '../../src/cluster/jobmanager/job-master.ts'
import { ProgressMeter } from '../../src/cluster/progress-meter.ts'
import { progressOf } from '../../src/cluster/progress-of.ts'
import { planJob } from '../../src/graph/build-job-graph.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { countingJob } from './counting-job.ts'

test('what the master counts stands beside what the tasks count', () => {
  const graph = planJob(countingJob({ records: 1, keys: 1 }).job, { name: 'test' })
  const counts = {
    checkpointsCompleted: 3,
    checkpointsFailed: 1,
    lastCheckpoint: undefined,
    lastCheckpointPath: undefined,
    lastCheckpointFailure: 'the disk was full',
  }
  const master = { counts, status: 'running', restarts: 2, lastFailure: undefined } as JobMaster
  expect(progressOf(master, new ProgressMeter(graph, new ManualClock()), [])).toMatchObject({
    name: 'test',
    status: 'running',
    restarts: 2,
    checkpointsCompleted: 3,
    checkpointsFailed: 1,
    lastCheckpointFailure: 'the disk was full',
    recordsIn: 0,
  })
})
