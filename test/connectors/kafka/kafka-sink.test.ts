import { afterAll, afterEach, expect, test } from '@jest/globals'
import type { Sink } from '../../../src/api/sink.ts'
import { SystemClock } from '../../../src/common/clock.ts'
import { SeededRandom } from '../../../src/common/random.ts'
import {
  type KafkaSinkOptions,
  kafkaSink,
  kafkaSource,
} from '../../../src/connectors/kafka/index.ts'
import { KafkaCluster } from '../../../src/connectors/kafka/kafka-cluster.ts'
import { TransactionClient } from '../../../src/connectors/kafka/transaction-client.ts'
import { text } from '../../../src/schema/text-format.ts'
import { type SinkCheckpoint, SinkRun, type SinkRunOptions } from '../../contract/sink-run.ts'
import { SourceRun } from '../../contract/source-run.ts'
import { describeWithPart } from '../../testbed/describe-with-part.ts'
import { TestTopics } from './test-topics.ts'

interface Prepared {
  readonly transactionalId: string
}

await describeWithPart('the Kafka sink', 'kafka', environment => {
  const brokers = environment.WEIR_TESTBED_KAFKA ?? ''
  const topics = new TestTopics(brokers)
  const runs: SinkRun<string>[] = []
  let prefixes = 0

  afterEach(async () => {
    for (const run of runs.splice(0)) await run.close()
  })
  afterAll(() => topics.close())

  /** A sink as each process makes it anew; all of one `prefix` are one job's. */
  const makeSink = (
    topic: string,
    options: Partial<KafkaSinkOptions<string>> = {},
  ): (() => Sink<string>) => {
    const transactionalIdPrefix = `test-${process.pid}-${Date.now()}-${prefixes++}`
    const all = { brokers, topic, value: text(), transactionalIdPrefix, ...options }
    return () => kafkaSink<string>(all) as unknown as Sink<string>
  }
  const start = async (
    make: () => Sink<string>,
    options: Partial<SinkRunOptions> = {},
  ): Promise<SinkRun<string>> => {
    const run = await SinkRun.start(make() as never, { parallelism: 1, ...options })
    runs.push(run as SinkRun<string>)
    return run as SinkRun<string>
  }
  const read = async (topic: string, isolation: 'read_committed' | 'read_uncommitted') => {
    const source = kafkaSource({ brokers, topics: topic, value: text(), stop: 'latest', isolation })
    const run = await SourceRun.start(source as never, { parallelism: 1 })
    await run.runToEnd()
    await run.close()
    return run.emitted.map(one => String(one.value))
  }
  const visible = (topic: string): Promise<readonly string[]> => read(topic, 'read_committed')
  /** The markers of a transaction come a little after its commit was answered. */
  const expectVisible = async (topic: string, wanted: readonly string[]): Promise<void> => {
    const started = Date.now()
    while ((await visible(topic)).length < wanted.length && Date.now() - started < 20_000);
    expect((await visible(topic)).toSorted()).toEqual(wanted.toSorted())
  }
  /** Waits until a transaction of this prefix is open; gives its name. */
  const opened = async (prefix: string): Promise<string> => {
    const clock = new SystemClock()
    const cluster = new KafkaCluster({ brokers }, clock)
    const transactions = new TransactionClient(cluster, clock)
    let found: string | undefined
    while (found === undefined) {
      found = (await transactions.open()).find(id => id.startsWith(`${prefix}/`))
    }
    await cluster.close()
    return found
  }
  /** Waits until the broker has ended a transaction whose time was over. */
  const aborted = async (transactionalId: string): Promise<void> => {
    const clock = new SystemClock()
    const cluster = new KafkaCluster({ brokers }, clock)
    const transactions = new TransactionClient(cluster, clock)
    while ((await transactions.describe(transactionalId))?.state !== 'CompleteAbort');
    await cluster.close()
  }
  const records = (from: number, to: number): string[] =>
    Array.from({ length: to - from }, (_, i) => `r${String(from + i).padStart(4, '0')}`)

  test('shows records when their checkpoint is committed, in order', async () => {
    const topic = await topics.make(1)
    const run = await start(makeSink(topic))
    await run.write(...records(0, 100))
    const checkpoint = await run.checkpoint()
    await run.write(...records(100, 110))
    expect(await visible(topic)).toEqual([])
    await run.commitUpTo(checkpoint.id)
    await expectVisible(topic, records(0, 100))
    expect(await visible(topic)).toEqual(records(0, 100))
    await run.finish()
    await expectVisible(topic, records(0, 110))
  })

  test('a checkpoint without records commits nothing, and the next one does', async () => {
    const topic = await topics.make(1)
    const run = await start(makeSink(topic))
    expect((await run.checkpoint()).committables).toEqual([])
    await run.write('r')
    expect((await run.checkpoint()).committables).toHaveLength(1)
    await run.finish()
    await expectVisible(topic, ['r'])
  })

  test('a fresh process commits what a dead one prepared, again and again', async () => {
    const topic = await topics.make(2)
    const make = makeSink(topic)
    const first = await start(make, { parallelism: 2 })
    await first.write(...records(0, 20))
    const restored = await first.checkpoint()
    await first.write(...records(20, 30))
    // Dead: neither closed nor committed. Its last transaction is open.
    for (let i = 0; i < 3; i++) await start(make, { restored, parallelism: 2 })
    await expectVisible(topic, records(0, 20))
    const last = await start(make, { restored, parallelism: 2 })
    await last.write(...records(20, 40))
    await last.finish()
    await expectVisible(topic, records(0, 40))
  })

  test('what a dead process left open is aborted at once', async () => {
    const topic = await topics.make(1)
    const make = makeSink(topic)
    const first = await start(make, { parallelism: 3 })
    await first.write(...records(0, 30))
    await first.checkpoint()
    await first.write(...records(30, 60))
    await first.checkpoint()
    // Nothing of it completed, and the next attempt has fewer writers.
    const second = await start(make, { parallelism: 1 })
    await second.write('after')
    await second.finish()
    await expectVisible(topic, ['after'])
  })

  test.each([1, 2, 3, 4, 5, 6, 7, 8])(
    'crashes and rescales at any point leave each record once (seed %i)',
    async seed => {
      const topic = await topics.make(2)
      const random = new SeededRandom(seed)
      // An attempt that is not closed must do nothing any more, as a dead process would.
      const isClosed = seed % 2 === 0
      const make = makeSink(topic, isClosed ? {} : { linger: '1h' })
      let position = 0
      let retained: { position: number; checkpoint: SinkCheckpoint } | undefined
      let lastCheckpointId = 0
      const begin = (): Promise<SinkRun<string>> =>
        start(make, {
          parallelism: 1 + random.int(3),
          restored: retained?.checkpoint,
          lastCheckpointId,
        })
      let run = await begin()
      for (let step = 0; step < 25; step++) {
        const dice = random.int(10)
        if (dice < 4) {
          const count = random.int(6)
          await run.write(...records(position, position + count))
          position += count
        } else if (dice < 8) {
          const checkpoint = await run.checkpoint()
          lastCheckpointId = checkpoint.id
          if (random.int(4) === 0) continue
          retained = { position, checkpoint }
          if (random.int(3) > 0) await run.commitUpTo(checkpoint.id)
        } else {
          if (isClosed) await run.close()
          position = retained?.position ?? 0
          run = await begin()
        }
      }
      await run.finish()
      await expectVisible(topic, records(0, position))
    },
    120_000,
  )

  test('a name is used again only after many others, and an old checkpoint is still told', async () => {
    const topic = await topics.make(1)
    const make = makeSink(topic)
    const run = await start(make)
    const checkpoints: SinkCheckpoint[] = []
    for (let i = 0; i < 40; i++) {
      await run.write(`r${i}`)
      const checkpoint = await run.checkpoint()
      checkpoints.push(checkpoint)
      await run.commitUpTo(checkpoint.id)
    }
    await run.close()
    const all = Array.from({ length: 40 }, (_, i) => `r${i}`)
    await expectVisible(topic, all)
    // Its transaction was committed, then its name was used by another.
    await start(make, { restored: checkpoints[1] })
    await start(make, { restored: checkpoints[30] })
    await expectVisible(topic, all)
  }, 120_000)

  test('a prepared transaction that the broker has ended is a loss, and said to be one', async () => {
    const topic = await topics.make(1)
    const run = await start(makeSink(topic, { transactionTimeout: '1s' }))
    await run.write('gone', 'too')
    const checkpoint = await run.checkpoint()
    const [prepared] = checkpoint.committables.map(one => one.value as unknown as Prepared)
    await aborted(prepared?.transactionalId ?? '')
    await expect(run.commitUpTo(checkpoint.id)).rejects.toMatchObject({
      code: 'WEIR_KAFKA_TRANSACTION_LOST',
      message: expect.stringContaining(`2 records in ${topic}-0 at offsets 0 to 1 are lost`),
    })
    const tolerant = makeSink(topic, { onLostTransaction: 'continue' })
    await start(tolerant, { restored: checkpoint })
    expect(await visible(topic)).toEqual([])
  })

  test('an open transaction that the broker has ended fails the job, which writes it again', async () => {
    const topic = await topics.make(1)
    const transactionalIdPrefix = `ended-${topic}`
    const run = await start(makeSink(topic, { transactionTimeout: '1s', transactionalIdPrefix }))
    await run.write('gone')
    await aborted(await opened(transactionalIdPrefix))
    await run.write('late')
    await expect(run.checkpoint()).rejects.toMatchObject({ code: 'WEIR_KAFKA_TRANSACTION_ENDED' })
  })

  test('a timeout that the brokers do not allow, or that an outage exceeds, is refused', async () => {
    const topic = await topics.make(1)
    const checkpoints = { intervalMs: 60_000, timeoutMs: 600_000 }
    await expect(start(makeSink(topic, { transactionTimeout: '1h' }))).rejects.toMatchObject({
      code: 'WEIR_KAFKA_TRANSACTION_TIMEOUT',
      message: expect.stringContaining('3600000 ms, but of 900000 ms'),
    })
    const short = makeSink(topic, { transactionTimeout: '12m' })
    await expect(start(short, { checkpoints })).rejects.toMatchObject({
      code: 'WEIR_KAFKA_TRANSACTION_TIMEOUT_SHORT',
      message: expect.stringMatching(/is 12m, .* for 13m: 1m .*, 10m .*, 2m .* allow 15m/),
    })
    // By default it is as long as the brokers allow.
    const long = makeSink(topic, { expectedDowntime: '5m' })
    await expect(start(long, { checkpoints })).rejects.toMatchObject({
      message: expect.stringContaining('is 15m, but a transaction may have to live for 16m'),
    })
    await start(makeSink(topic, { expectedDowntime: '4m' }), { checkpoints })
    // Without an interval nobody knows how long one lasts.
    const never = { ...checkpoints, intervalMs: undefined }
    await start(makeSink(topic, { transactionTimeout: '1s' }), { checkpoints: never })
  })

  test('at least once shows records when they are flushed', async () => {
    const topic = await topics.make(1)
    const run = await start(makeSink(topic, { delivery: 'at-least-once' }))
    await run.write(...records(0, 100))
    const { committables } = await run.checkpoint()
    expect(committables).toEqual([])
    expect(await visible(topic)).toEqual(records(0, 100))
  })

  test.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const)(
    'the broker takes batches packed by %s',
    async compression => {
      // The broker unpacks them to pack them anew.
      const other = compression === 'gzip' ? 'zstd' : 'gzip'
      const topic = await topics.make(1, { 'compression.type': other })
      const run = await start(makeSink(topic, { compression, batchBytes: 5_000 }))
      await run.write(...records(0, 3_000))
      await run.finish()
      await expectVisible(topic, records(0, 3_000))
    },
  )

  test('topic, key, headers, time and partition of each record are the user’s', async () => {
    const [one, two] = [await topics.make(4), await topics.make(4)]
    const run = await start(
      makeSink('', {
        topic: value => (value.startsWith('a') ? one : two),
        key: value => value.slice(0, 2),
        headers: value => [{ name: 'h', value: Buffer.from(value) }],
        timestamp: value => 1_000 + value.length,
      }),
    )
    await run.write('a1', 'b1', 'a2', 'b2x', 'a1again')
    await run.finish()
    await expectVisible(one, ['a1', 'a2', 'a1again'])
    await expectVisible(two, ['b1', 'b2x'])
    const consumer = topics.kafka.consumer({ groupId: `g-${one}` })
    const seen: unknown[] = []
    await consumer.connect()
    await consumer.subscribe({ topics: [two], fromBeginning: true })
    await new Promise<void>(resolve => {
      void consumer.run({
        eachMessage: async ({ message }) => {
          const { key, value, headers, timestamp } = message
          seen.push([String(key), String(value), String(headers?.h), timestamp])
          if (seen.length === 2) resolve()
        },
      })
    })
    await consumer.disconnect()
    expect(seen.toSorted()).toEqual([
      ['b1', 'b1', 'b1', '1002'],
      ['b2', 'b2x', 'b2x', '1003'],
    ])
  })

  test('what is wrong is named', async () => {
    const topic = await topics.make(1, { 'max.message.bytes': '2000' })
    await expect(start(makeSink('no-such-topic'))).rejects.toMatchObject({
      code: 'WEIR_KAFKA_TOPIC_MISSING',
    })
    const large = await start(makeSink(topic))
    await large.write('x'.repeat(5_000))
    await expect(large.checkpoint()).rejects.toMatchObject({
      code: 'WEIR_KAFKA_MESSAGE_TOO_LARGE',
    })
    const lost = await start(makeSink(topic, { partition: (_, partitions) => partitions }))
    await expect(lost.write('x')).rejects.toMatchObject({ code: 'WEIR_KAFKA_PARTITION_INVALID' })
    expect(() => makeSink(topic, { bufferBytes: 1 })()).toThrow('the option bufferBytes')
    expect(() => makeSink('')()).toThrow('the option topic')
  })
})
