/** Whole jobs that read a real broker: failures, restores, other parallelisms. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { collectSink, failOnce, runJob, startJob } from 'weir/testing'
import { job } from '../../../src/api/job.ts'
import { kafkaSink, kafkaSource } from '../../../src/connectors/kafka/index.ts'
import { text } from '../../../src/schema/text-format.ts'
import { MemoryStore } from '../../../src/storage/memory-store.ts'
import { describeWithPart } from '../../testbed/describe-with-part.ts'
import { numbered, TestTopics } from './test-topics.ts'

const PARTITIONS = 5
const PER_PARTITION = 2_000

await describeWithPart('a job that reads Kafka', 'kafka', environment => {
  const topics = new TestTopics(environment.WEIR_TESTBED_KAFKA ?? '')
  let topic = ''
  const all = Array.from({ length: PARTITIONS * PER_PARTITION }, (_, n) => n)

  beforeAll(async () => {
    topic = await topics.make(PARTITIONS)
    for (let p = 0; p < PARTITIONS; p++) {
      await topics.send(topic, numbered(p * PER_PARTITION, (p + 1) * PER_PARTITION, p))
    }
  })
  afterAll(() => topics.close())

  const reading = (fail: (value: string) => string, bounded = true) => {
    const sink = collectSink<number>()
    const source = {
      brokers: topics.brokers,
      topics: topic,
      value: text(),
      group: `job-${topic}`,
      ...(bounded && { stop: 'latest' as const }),
    }
    const reads = job(env =>
      env
        .from(kafkaSource(source))
        .uid('numbers')
        .map(fail)
        .map(value => Number(value))
        .to(sink)
        .uid('out'),
    )
    const sorted = (): number[] => sink.results.toSorted((a, b) => a - b)
    return { reads, sink, sorted }
  }

  test('gives every record once although it fails three times', async () => {
    const { reads, sink, sorted } = reading(failOnce<string>(1_500, 3))
    const options = { parallelism: 2, checkpointEvery: 1 }
    expect((await runJob(reads, options)).outcome).toBe('finished')
    expect(sink.written.length).toBeGreaterThan(all.length)
    expect(sorted()).toEqual(all)
  })

  test('goes on from a savepoint with another parallelism, whatever the group has noted', async () => {
    const store = new MemoryStore()
    const { reads, sorted, sink } = reading(value => value, false)
    const first = startJob(reads, { parallelism: 2, maxParallelism: 16, store, checkpointEvery: 1 })
    while (sink.results.length < 100) await new Promise(resolve => setImmediate(resolve))
    const path = await first.savepoint()
    first.cancel()
    await first.done
    sink.clear()
    await topics.send(topic, numbered(all.length, all.length + 10, 3))
    const second = startJob(reads, {
      parallelism: 3,
      maxParallelism: 16,
      store,
      checkpointEvery: 1,
      restore: path,
    })
    const last = all.length + 9
    while (!sink.results.includes(last)) await new Promise(resolve => setTimeout(resolve, 10))
    void second.stop()
    await second.done
    const restored = sorted()
    // What the first run gave is not there again, and nothing of the rest is missing or doubled.
    expect(new Set(restored).size).toBe(restored.length)
    expect(restored.length).toBeLessThanOrEqual(all.length + 10)
    expect(restored.at(-1)).toBe(last)
  })

  test('from Kafka to Kafka, failures leave each record once and in its order', async () => {
    const output = await topics.make(3)
    const copies = job(env =>
      env
        .from(
          kafkaSource({
            brokers: topics.brokers,
            topics: topic,
            value: text(),
            stop: { offsets: { [topic]: new Array<number>(PARTITIONS).fill(PER_PARTITION) } },
          }),
        )
        .uid('numbers')
        .map(failOnce<string>(1_700, 3))
        .to(
          kafkaSink({
            brokers: topics.brokers,
            topic: output,
            value: text(),
            // What was in one partition stays in one, and so in order.
            key: value => String(Math.floor(Number(value) / PER_PARTITION)),
          }),
        )
        .uid('out'),
    )
    expect((await runJob(copies, { parallelism: 2, checkpointEvery: 20 })).outcome).toBe('finished')
    const sink = collectSink<string>()
    const readBack = job(env =>
      env
        .from(
          kafkaSource({ brokers: topics.brokers, topics: output, value: text(), stop: 'latest' }),
        )
        .uid('copies')
        .to(sink)
        .uid('out'),
    )
    // The markers of the last transaction come a little after its commit was answered.
    for (let tries = 0; sink.results.length < all.length && tries < 100; tries++) {
      sink.clear()
      await runJob(readBack)
    }
    const numbers = sink.results.map(Number)
    expect(numbers.toSorted((a, b) => a - b)).toEqual(all)
    const key = (n: number): number => Math.floor(n / PER_PARTITION)
    const written = [...Map.groupBy(numbers, key).values()]
    for (const ordered of written) expect(ordered).toEqual(ordered.toSorted((a, b) => a - b))
  })
})
