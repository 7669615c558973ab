import { expect, test } from '@jest/globals'
import type { SinkWriter } from '../../src/api/sink.ts'
import { collectSink } from '../../src/testing/collect-sink.ts'

/** More arguments than fit the stack of one call. */
const MANY = 400_000

test('a commit may be of any size, and counts once', async () => {
  const sink = collectSink<number>()
  const writer = sink.createWriter({} as never, []) as SinkWriter<number>
  for (let i = 0; i < MANY; i++) writer.write(i, 0)
  const [committable] = await writer.prepareCommit()
  const committer = await sink.createCommitter?.({} as never)
  let again = 0
  const request = { committable, alreadyCommitted: () => void again++ }
  await committer?.commit([request as never])
  await committer?.commit([request as never])
  expect([sink.results.length, sink.results.at(-1), again]).toEqual([MANY, MANY - 1, 1])
})
