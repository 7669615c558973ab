import { expect, test } from '@jest/globals'
import { blackhole } from '../../../src/connectors/blackhole/index.ts'
import { SinkRun } from '../../contract/sink-run.ts'

test('the blackhole counts what it drops, over all writers', async () => {
  const sink = blackhole<number>()
  const run = await SinkRun.start(sink as never, { parallelism: 3 })
  await run.write(...([1, 2, 3, 4, 5] as never[]))
  await run.finish()
  expect(sink.dropped).toBe(5)
})
