/** What goes wrong at brokers and topics is said, by a code, and never tried again for ever. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { collectSink, runJob } from 'weir/testing'
import { type DeadLetter, outputTag } from '../../../src/api/functions.ts'
import { job } from '../../../src/api/job.ts'
import { SystemClock } from '../../../src/common/clock.ts'
import {
  type KafkaSinkOptions,
  type KafkaSourceOptions,
  kafkaSink,
  kafkaSource,
} from '../../../src/connectors/kafka/index.ts'
import { KafkaCluster } from '../../../src/connectors/kafka/kafka-cluster.ts'
import { TransactionClient } from '../../../src/connectors/kafka/transaction-client.ts'
import { json } from '../../../src/schema/json-format.ts'
import { record } from '../../../src/schema/record.ts'
import { text } from '../../../src/schema/text-format.ts'
import { z } from '../../../src/schema/z.ts'
import { SinkRun } from '../../contract/sink-run.ts'
import { SourceRun } from '../../contract/source-run.ts'
import { describeWithPart } from '../../testbed/describe-with-part.ts'
import { HastyClock } from './hasty-clock.ts'
import { startOldBroker } from './old-broker.ts'
import { numbered, TestTopics } from './test-topics.ts'

describe('a broker of long ago', () => {
  let old: Awaited<ReturnType<typeof startOldBroker>>
  beforeAll(async () => {
    old = await startOldBroker()
  })
  afterAll(() => old.close())

  const wanted = {
    code: 'WEIR_KAFKA_BROKER_TOO_OLD',
    message: expect.stringMatching(/does not know Metadata in version 5; it serves 0 to 1/),
  }

  test('is named by the source', async () => {
    const source = kafkaSource({ brokers: old.address, topics: 't', value: text() })
    const run = SourceRun.start(source as never, { parallelism: 1 })
    await expect(run).rejects.toMatchObject(wanted)
  })

  test('is named by the sink', async () => {
    const sink = kafkaSink({ brokers: old.address, topic: 't', value: text() })
    const run = SinkRun.start(sink as never, { parallelism: 1 })
    await expect(run).rejects.toMatchObject(wanted)
  })
})

await describeWithPart('what goes wrong at a broker', 'kafka', environment => {
  const brokers = environment.WEIR_TESTBED_KAFKA ?? ''
  const topics = new TestTopics(brokers)
  const runs: { close(): Promise<void> }[] = []

  afterEach(async () => {
    for (const run of runs.splice(0)) await run.close()
  })
  afterAll(() => topics.close())

  const open = async (options: Partial<KafkaSourceOptions<string>>) => {
    const source = kafkaSource<string>({ brokers, topics: [], value: text(), ...options })
    const clock = new HastyClock()
    const run = await SourceRun.start(source as never, { parallelism: 1, clock })
    runs.push(run)
    return run
  }
  const openSink = async (options: Partial<KafkaSinkOptions<string>>) => {
    const sink = kafkaSink<string>({ brokers, topic: '-', value: text(), ...options })
    const clock = new HastyClock()
    const run = await SinkRun.start<string>(sink as never, { parallelism: 1, clock })
    runs.push(run)
    return run
  }
  /** Waits until so many transactions of a prefix are open, prepared or not. */
  const opened = async (prefix: string, count: number): Promise<void> => {
    const clock = new SystemClock()
    const cluster = new KafkaCluster({ brokers }, clock)
    const transactions = new TransactionClient(cluster, clock)
    const own = async () => (await transactions.open()).filter(id => id.startsWith(`${prefix}/`))
    while ((await own()).length < count);
    await cluster.close()
  }
  const remove = (topic: string) => topics.admin(admin => admin.deleteTopics({ topics: [topic] }))

  test('a topic that is deleted while it is read, and another is not', async () => {
    const [gone, kept] = [await topics.make(1), await topics.make(1)]
    await topics.send(gone, numbered(0, 2))
    await topics.send(kept, numbered(2, 4))
    const run = await open({ topics: [gone, kept], discoverEvery: '1d' })
    await run.runUntil(4)
    await remove(gone)
    await expect(run.runUntil(5)).rejects.toMatchObject({
      code: 'WEIR_KAFKA_TOPIC_MISSING',
      message: `there is no topic ${gone}`,
    })
  })

  test('a topic that is deleted, found by the look for new partitions', async () => {
    const topic = await topics.make(1)
    const run = await open({ topics: topic, discoverEvery: '10s' })
    await remove(topic)
    await expect(run.runUntil(1)).rejects.toMatchObject({ code: 'WEIR_KAFKA_TOPIC_MISSING' })
  })

  test.each(['exactly-once', 'at-least-once'] as const)(
    'a topic that is deleted while it is written %s',
    async delivery => {
      const topic = await topics.make(1)
      const run = await openSink({ topic, delivery })
      await run.write('a')
      await run.checkpoint()
      await remove(topic)
      await run.write('b')
      await expect(run.checkpoint()).rejects.toMatchObject({
        // A transaction cannot even begin there; the next attempt finds no topic.
        code: expect.stringMatching(/^WEIR_KAFKA_(TOPIC_MISSING|REQUEST_FAILED)$/),
        message: expect.stringContaining(topic),
      })
      await expect(openSink({ topic, delivery })).rejects.toMatchObject({
        code: 'WEIR_KAFKA_TOPIC_MISSING',
      })
    },
  )

  test.each(['exactly-once', 'at-least-once'] as const)(
    'a topic that is not there, and nothing goes on %s',
    async delivery => {
      const sink = kafkaSink<string>({ brokers, topic: 'not-there', value: text(), delivery })
      const clock = new HastyClock()
      const start = SinkRun.start(sink as never, { parallelism: 1, clock })
      await expect(start).rejects.toMatchObject({ code: 'WEIR_KAFKA_TOPIC_MISSING' })
      expect(clock.waiting).toBe(0)
    },
  )

  test('a topic of single records that is not there', async () => {
    const topic = await topics.make(1)
    const run = await openSink({ topic: value => value })
    await run.write(topic)
    await run.checkpoint()
    await run.write('no-such-topic')
    await expect(run.checkpoint()).rejects.toMatchObject({ code: 'WEIR_KAFKA_TOPIC_MISSING' })
  })

  test('a failure of the sink fails the job, also without checkpoints and further records', async () => {
    const topic = await topics.make(1, { 'max.message.bytes': '2000' })
    const input = await topics.make(1)
    await topics.send(input, [{ value: 'x'.repeat(5_000) }])
    const copies = job(env =>
      env
        .from(kafkaSource({ brokers, topics: input, value: text() }))
        .uid('in')
        .to(kafkaSink({ brokers, topic, value: text(), delivery: 'at-least-once' }))
        .uid('out'),
    )
    await expect(runJob(copies, { restart: { strategy: 'none' } })).rejects.toMatchObject({
      code: 'WEIR_KAFKA_MESSAGE_TOO_LARGE',
    })
  })

  test('a record that is not what it should be goes where the error policy says', async () => {
    const topic = await topics.make(2)
    await topics.send(topic, [
      { partition: 1, value: '{"n":1}' },
      { partition: 1, value: '{"n":' },
      { partition: 1, value: '{"n":2}' },
    ])
    const Numbered = record({ n: z.int() })
    const bad = outputTag<DeadLetter>('bad')
    const [good, rejected] = [collectSink<{ n: number }>(), collectSink<DeadLetter>()]
    const reads = job(env => {
      const stream = env
        .from(kafkaSource({ brokers, topics: topic, value: json(Numbered), stop: 'latest' }))
        .uid('in')
        .onError({ kind: 'dead-letter', tag: bad as never })
      stream.getSideOutput(bad).to(rejected).uid('bad')
      stream.to(good).uid('good')
    })
    expect((await runJob(reads)).outcome).toBe('finished')
    expect(good.results).toEqual([{ n: 1 }, { n: 2 }])
    expect(rejected.results).toMatchObject([
      { code: 'WEIR_RECORD_MALFORMED', split: `${topic}-1`, offset: '1', record: '{"n":' },
    ])
    const failing = job(env =>
      env
        .from(kafkaSource({ brokers, topics: topic, value: json(Numbered), stop: 'latest' }))
        .uid('in')
        .to(good)
        .uid('good'),
    )
    await expect(runJob(failing, { restart: { strategy: 'none' } })).rejects.toMatchObject({
      message: expect.stringMatching(new RegExp(`${topic}-1.*offset 1`, 's')),
    })
  })

  test('a writer that wakes after its successor began commits nothing', async () => {
    const topic = await topics.make(1)
    const transactionalIdPrefix = `zombie-${topic}`
    const old = await openSink({ topic, transactionalIdPrefix })
    await old.write('kept')
    const kept = await old.checkpoint()
    await old.write('prepared')
    const late = await old.checkpoint()
    await old.write('open')
    await opened(transactionalIdPrefix, 3)
    const sink = kafkaSink<string>({ brokers, topic, value: text(), transactionalIdPrefix })
    const successor = await SinkRun.start<string>(sink as never, {
      parallelism: 1,
      restored: kept,
      lastCheckpointId: late.id,
    })
    runs.push(successor)
    await successor.write('again')
    const later = await old.checkpoint()
    for (const { id } of [late, later]) {
      await expect(old.commitUpTo(id)).rejects.toMatchObject({
        code: 'WEIR_KAFKA_TRANSACTION_LOST',
        message: expect.stringContaining(`1 records in ${topic}-0 at offsets `),
      })
    }
    // Nor does it begin anything new, which nobody would end.
    await old.write('late')
    await expect(old.checkpoint()).rejects.toMatchObject({ code: 'WEIR_KAFKA_WRITER_SUCCEEDED' })
    await successor.finish()
    // The markers of a transaction come a little after its end was answered.
    const run = await open({ topics: topic })
    await run.runUntil(2)
    expect(run.emitted.map(one => one.value)).toEqual(['kept', 'again'])
  })
})
