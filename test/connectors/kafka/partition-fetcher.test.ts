import { afterEach, expect, test } from '@jest/globals'
import { SystemClock } from '../../../src/common/clock.ts'
import { splitId } from '../../../src/connectors/kafka/kafka-split.ts'
import { PartitionBuffer } from '../../../src/connectors/kafka/partition-buffer.ts'
import { PartitionFetcher } from '../../../src/connectors/kafka/partition-fetcher.ts'
import { describeWithPart } from '../../testbed/describe-with-part.ts'
import { TestTopics } from './test-topics.ts'

const PARTITIONS = 3
const TURNS = 5
/** An answer holds a quarter of it: one batch of the size below, and a part of the next. */
const BUFFER_BYTES = 256 * 1024
const BATCH_BYTES = 40 * 1024

await describeWithPart('fetching from a real broker', 'kafka', environment => {
  const brokers = environment.WEIR_TESTBED_KAFKA ?? ''
  const topics = new TestTopics(brokers)
  let fetcher: PartitionFetcher | undefined

  afterEach(async () => {
    await fetcher?.close()
    await topics.close()
  })

  test('partitions with more than an answer holds take turns', async () => {
    const topic = await topics.make(PARTITIONS)
    const value = 'x'.repeat(BATCH_BYTES)
    // Each call is a batch for each partition.
    const batch = Array.from({ length: PARTITIONS }, (_, partition) => ({ partition, value }))
    for (let i = 0; i < TURNS + 1; i++) await topics.send(topic, batch)

    const buffers = Array.from({ length: PARTITIONS }, (_, partition) => {
      return new PartitionBuffer({ id: splitId(topic, partition), topic, partition, offset: 0 })
    })
    // In the order in which their records came. Read at once, so that all of them have room again.
    const turns: number[] = []
    const { promise: done, resolve, reject } = Promise.withResolvers<void>()
    const started = new PartitionFetcher({
      brokers,
      clock: new SystemClock(),
      bufferBytes: BUFFER_BYTES,
      committed: true,
      onOutOfRange: 'fail',
      wakeUp: () => {
        if (started.failure !== undefined) reject(started.failure)
        for (const buffer of buffers) {
          if (buffer.current !== undefined) turns.push(buffer.split.partition)
          while (buffer.current !== undefined) buffer.dropCurrent()
        }
        if (turns.length >= TURNS * PARTITIONS) resolve()
      },
    })
    fetcher = started
    for (const buffer of buffers) started.add(buffer)
    await started.start()
    await done

    const all = buffers.map(({ split }) => split.partition)
    for (let turn = 0; turn < TURNS; turn++) {
      const served = turns.slice(turn * PARTITIONS, (turn + 1) * PARTITIONS)
      expect(served.toSorted()).toEqual(all)
    }
  })
})
