/** A job that is moved to other slots while it runs: nothing is lost, nothing is doubled. */
import { expect, test } from '@jest/globals'
import { defaultSettings } from '../../src/cluster/job-settings.ts'
import { JobHistory } from '../../src/cluster/jobmanager/job-history.ts'
import { emptyCounts } from '../../src/cluster/jobmanager/job-master-options.ts'
import { LocalDeployment } from '../../src/cluster/local-deployment.ts'
import { ProgressMeter } from '../../src/cluster/progress-meter.ts'
import { UserCounters } from '../../src/cluster/user-counters.ts'
import { SystemClock } from '../../src/common/clock.ts'
import { SeededRandom } from '../../src/common/random.ts'
import { planJob } from '../../src/graph/build-job-graph.ts'
import { MemoryStore } from '../../src/storage/memory-store.ts'
import { failOnce } from '../../src/testing/fail-once.ts'
import { startJob } from '../../src/testing/run-job.ts'
import { countingJob } from './counting-job.ts'

const size = { records: 3_000, keys: 13, perCheckpoint: 60 }
const options = { checkpointEvery: 1, maxParallelism: 16 } as const

test('L1: up and down, one deployment after the other', async () => {
  const counting = countingJob(size)
  const running = startJob(counting.job, { ...options, parallelism: 2 })
  for (const parallelism of [5, 1, 3]) {
    await until(() => running.progress().status === 'running')
    await running.rescale(parallelism)
    expect(running.progress().vertices[0]?.parallelism).toBe(parallelism)
  }
  const { outcome, restarts } = await running.done
  expect({ outcome, restarts }).toEqual({ outcome: 'finished', restarts: 0 })
  // What came out over all of them.
  expect(running.progress().recordsOut).toBe(size.records)
  counting.check()
})

test('a failure on the way is survived: the order holds over restarts', async () => {
  const counting = countingJob({ ...size, map: failOnce(200, 2) })
  const running = startJob(counting.job, { ...options, parallelism: 2 })
  await until(() => running.progress().status === 'running')
  await running.rescale(3)
  const { outcome } = await running.done
  expect(outcome).toBe('finished')
  counting.check()
})

test('L2: another order takes its place, and ends the job', async () => {
  for (const order of ['stop', 'cancel'] as const) {
    const counting = countingJob(size)
    const running = startJob(counting.job, { ...options, parallelism: 2 })
    await until(() => running.progress().status === 'running')
    const moving = running.rescale(4)
    void running[order]()
    await expect(moving).rejects.toMatchObject({ code: 'WEIR_RESCALE_REFUSED' })
    expect((await running.done).outcome).toBe(order === 'stop' ? 'stopped' : 'cancelled')
  }
})

test('what cannot be done is refused at once, and the job goes on', async () => {
  const counting = countingJob(size)
  const running = startJob(counting.job, { ...options, parallelism: 2 })
  const refused = (reason: string) =>
    expect.objectContaining({
      code: 'WEIR_RESCALE_REFUSED',
      message: expect.stringMatching(reason),
    })
  await expect(running.rescale(3)).rejects.toEqual(refused('it is starting'))
  await until(() => running.progress().status === 'running')
  await expect(running.rescale(17)).rejects.toEqual(refused('spec.maxParallelism is 16'))
  await running.rescale(2)
  expect((await running.done).outcome).toBe('finished')
  counting.check()
})

test('L1: a deployment has the slots of its graph, and counts in what is shared', async () => {
  const clock = new SystemClock()
  const { job } = countingJob({ records: 50, keys: 3 })
  const graph = planJob(job, { name: 'test', parallelism: 3 })
  const shared = {
    run: 'r',
    meter: new ProgressMeter(graph, clock),
    counters: new UserCounters(),
    history: new JobHistory(clock),
    counts: emptyCounts(),
  }
  const deployment = new LocalDeployment(
    {
      graph,
      jobId: 'default.test',
      store: new MemoryStore(),
      restore: { kind: 'none' },
      settings: defaultSettings,
      clock,
      random: new SeededRandom(1),
    },
    graph,
    shared,
  )
  deployment.master.start()
  expect((await deployment.master.done).outcome).toBe('finished')
  expect(deployment.tasks).toHaveLength(3 * graph.vertices.length)
  expect(shared.counts.checkpointsCompleted).toBe(1)
})

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise(resolve => setImmediate(resolve))
}
