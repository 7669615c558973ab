import { expect, test } from '@jest/globals'
import { job } from '../../src/api/job.ts'
import { collectionSource } from '../../src/connectors/collection/collection-source.ts'
import { collectSink } from '../../src/testing/collect-sink.ts'
import { runJob } from '../../src/testing/run-job.ts'

test('a bounded job runs to its end and commits once', async () => {
  const sink = collectSink<number>()
  const numbers = Array.from({ length: 1_000 }, (_, i) => i)
  const doubled = job(env =>
    env
      .from(collectionSource(numbers))
      .uid('numbers')
      .map(n => n * 2)
      .to(sink)
      .uid('out'),
  )
  const result = await runJob(doubled)
  expect(result).toMatchObject({ outcome: 'finished', restarts: 0 })
  expect(sink.results).toEqual(numbers.map(n => n * 2))
})
