import { expect, test } from '@jest/globals'
import { collectSink, failOnce, ManualClock, runJob, startJob } from 'weir/testing'
import { job } from '../../src/api/job.ts'
import { collectionSource } from '../../src/connectors/collection/collection-source.ts'
import { countingJob } from '../cluster/counting-job.ts'

test('a test passes arguments in and reads results out', async () => {
  const sink = collectSink<string>()
  const greeting = job(env =>
    env
      .from(collectionSource(['you', 'them']))
      .uid('whom')
      .map(whom => `${env.args.required('word')}, ${whom}`)
      .to(sink)
      .uid('out'),
  )
  const { outcome } = await runJob(greeting, { args: { word: 'hello' } })
  expect(outcome).toBe('finished')
  expect(sink.results).toEqual(['hello, you', 'hello, them'])
  sink.clear()
  expect(sink.results).toEqual([])
})

test('what a function counts can be read', async () => {
  const counting = job(env =>
    env
      .from(collectionSource([1, 2, 3, 4]))
      .uid('numbers')
      .process({
        processElement(value: number, { runtime }, out) {
          if (value % 2 === 0) runtime.count('even')
          out.collect(value)
        },
      })
      .name('filter')
      .uid('filter')
      .to(collectSink<number>())
      .uid('out'),
  )
  const { counters } = await runJob(counting)
  expect([...counters]).toEqual([{ operator: 'filter', metric: 'even', count: 2 }])
})

test('a job that fails for good rejects with its error', async () => {
  const failing = countingJob({ records: 10, keys: 1, map: failOnce(5, 100) })
  await expect(runJob(failing.job)).rejects.toThrow('planned failure')
})

test('time stands still until the test lets it go on', async () => {
  const clock = new ManualClock()
  const paced = countingJob({ records: 30, keys: 1, perCheckpoint: 10 })
  const running = startJob(paced.job, { clock, checkpointEvery: '1m' })
  for (const done of [1, 2]) {
    await until(() => running.progress().recordsOut === done * 10)
    expect(running.progress().checkpointsCompleted).toBe(done - 1)
    clock.advance(60_000)
    await until(() => running.progress().checkpointsCompleted === done)
  }
  expect((await running.done).outcome).toBe('finished')
  paced.check()
})

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise(resolve => setImmediate(resolve))
}
