/** Whose transactions are whose: late writers, other sinks, other prefixes, names used again. */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals'
import type { Sink } from '../../../src/api/sink.ts'
import { SystemClock, type TimerHandle } from '../../../src/common/clock.ts'
import {
  type KafkaSinkOptions,
  kafkaSink,
  kafkaSource,
} from '../../../src/connectors/kafka/index.ts'
import { KafkaCluster } from '../../../src/connectors/kafka/kafka-cluster.ts'
import { TransactionClient } from '../../../src/connectors/kafka/transaction-client.ts'
import { SLOTS, writeName } from '../../../src/connectors/kafka/transaction-names.ts'
import { text } from '../../../src/schema/text-format.ts'
import { type SinkCheckpoint, SinkRun, type SinkRunOptions } from '../../contract/sink-run.ts'
import { SourceRun } from '../../contract/source-run.ts'
import { describeWithPart } from '../../testbed/describe-with-part.ts'
import { KafkaRelay } from '../../testbed/kafka-relay.ts'
import { forgotten } from './forgotten-transactions.ts'
import { TestTopics } from './test-topics.ts'

await describeWithPart('the transactions of Kafka sinks', 'kafka', environment => {
  const brokers = environment.WEIR_TESTBED_KAFKA ?? ''
  const topics = new TestTopics(brokers)
  const clock = new SystemClock()
  const cluster = new KafkaCluster({ brokers }, clock)
  const transactions = new TransactionClient(cluster, clock)
  const runs: SinkRun<string>[] = []
  let relay: KafkaRelay
  let topic = ''

  beforeAll(async () => {
    relay = await KafkaRelay.start(brokers)
  })
  afterEach(async () => {
    relay.hooks = {}
    for (const run of runs.splice(0)) await run.close()
  })
  afterAll(async () => {
    await topics.close()
    await cluster.close()
    await relay.close()
  })

  const start = async (
    options: Partial<KafkaSinkOptions<string>> = {},
    how: Partial<SinkRunOptions> = {},
  ): Promise<SinkRun<string>> => {
    const own = { brokers, topic, value: text(), transactionalIdPrefix: topic, ...options }
    const sink = kafkaSink<string>(own) as unknown as Sink<string>
    const run = await SinkRun.start(sink as never, { parallelism: 1, ...how })
    runs.push(run as SinkRun<string>)
    return run as SinkRun<string>
  }
  const visible = async (): Promise<readonly string[]> => {
    const source = kafkaSource({ brokers, topics: topic, value: text(), stop: 'latest' })
    const run = await SourceRun.start(source as never, { parallelism: 1 })
    await run.runToEnd()
    await run.close()
    return run.emitted.map(one => String(one.value))
  }
  /** The markers of a transaction come a little after its end was answered. */
  const expectVisible = async (wanted: readonly string[]): Promise<void> => {
    const started = Date.now()
    while ((await visible()).length < wanted.length && Date.now() - started < 20_000);
    expect(await visible()).toEqual(wanted)
  }
  /** Of this test, and open. */
  const open = async (): Promise<readonly string[]> =>
    (await transactions.open()).filter(id => id.includes(topic))
  /** Waits for one that is not in the checkpoint. */
  const leftOpenAfter = async (checkpoint: SinkCheckpoint): Promise<string> => {
    for (;;) {
      const [id] = (await open()).filter(one => !isPrepared(checkpoint, one))
      if (id !== undefined) return id
    }
  }

  test('a writer that was given up, and looks around late, leaves its successor alone', async () => {
    topic = await topics.make(1)
    const looks = Promise.withResolvers<void>()
    const wakes = Promise.withResolvers<undefined>()
    relay.hooks = {
      request: ({ name }) => {
        if (name !== 'ListTransactions') return undefined
        looks.resolve()
        return wakes.promise
      },
    }
    let generation = 1
    const isSuperseded = async (): Promise<boolean> => generation > 1
    const late = start({ brokers: relay.address }, { isSuperseded })
    const refused = expect(late).rejects.toMatchObject({ code: 'WEIR_KAFKA_WRITER_SUCCEEDED' })
    await looks.promise
    generation++
    const successor = await start()
    await successor.write('prepared')
    const checkpoint = await successor.checkpoint()
    wakes.resolve(undefined)
    await refused
    await successor.commitUpTo(checkpoint.id)
    await expectVisible(['prepared'])
  })

  test('what a writer that was given up begins after it has a successor is swept up', async () => {
    topic = await topics.make(1)
    const run = await start({ linger: 0 }, { clock: new ShortMinutes() })
    // As a process that was given up may do.
    const name = { base: 0, writer: 0, run: 'dead', slot: 1 }
    const dead = await transactions.init(writeName(`${topic}/sink`, name), 60_000)
    await transactions.addPartitions(dead, [{ topic, partition: 0 }])
    await run.write('own')
    // Its own is left alone.
    while (!(await open()).every(id => id !== dead.transactionalId)) await run.write('own')
    expect(await open()).toHaveLength(1)
    await run.finish()
  })

  test('two sinks that were given one prefix do not end each other’s', async () => {
    topic = await topics.make(1)
    const one = await start({}, { operatorUid: 'one' })
    await one.write('of one')
    const checkpoint = await one.checkpoint()
    await start({}, { operatorUid: 'two' })
    await one.commitUpTo(checkpoint.id)
    await expectVisible(['of one'])
  })

  test('a name that was used again, by one that was aborted, is no loss', async () => {
    topic = await topics.make(1)
    const run = await start({ linger: 0 })
    const checkpoints: SinkCheckpoint[] = []
    const records: string[] = []
    const write = async (): Promise<void> => {
      records.push(`r${records.length}`)
      await run.write(records.at(-1) ?? '')
    }
    for (let i = 0; i < SLOTS; i++) {
      await write()
      const checkpoint = await run.checkpoint()
      checkpoints.push(checkpoint)
      await run.commitUpTo(checkpoint.id)
    }
    await run.write('never committed')
    const [first] = checkpoints
    while ((await open()).length === 0);
    // Its name is that of the first transaction.
    await run.close()
    await start({}, { restored: first })
    await expectVisible(records)
  }, 60_000)

  test.each([
    ['committed', 'is no loss when the broker has forgotten its name'],
    ['deleted', 'is no loss when its records were deleted since'],
    ['open', 'is a loss when the broker has forgotten its name, and it was never committed'],
  ])('%s: a transaction %s', async state => {
    topic = await topics.make(1)
    const run = await start()
    await run.write('r')
    const checkpoint = await run.checkpoint()
    if (state !== 'open') await run.commitUpTo(checkpoint.id)
    if (state === 'deleted') {
      await run.write('next')
      await run.commitUpTo((await run.checkpoint()).id)
      const partitions = [{ partition: 0, offset: '2' }]
      await topics.admin(async admin => {
        // So it learns about the topic.
        await admin.fetchTopicOffsets(topic)
        await admin.deleteTopicRecords({ topic, partitions })
      })
    }
    if (state === 'open') {
      const [own] = checkpoint.committables
      const { transactionalId = '' } = (own?.value ?? {}) as { transactionalId?: string }
      const found = await transactions.describe(transactionalId)
      if (found !== undefined) await transactions.end(found, 'abort')
    }
    const again = start({}, { restored: forgotten(checkpoint) })
    if (state === 'open') {
      await expect(again).rejects.toMatchObject({ code: 'WEIR_KAFKA_TRANSACTION_LOST' })
    } else await again
  })

  describePrefixes('with another prefix than before', { jobId: 'job', isAborted: true })
  describePrefixes('as another job', { jobId: 'copy', isAborted: false })

  /** What was prepared is committed in both cases; whether what was open ends depends. */
  function describePrefixes(
    what: string,
    { jobId, isAborted }: { readonly jobId: string; readonly isAborted: boolean },
  ): void {
    test(`restored ${what}, it ${isAborted ? 'ends' : 'leaves'} what was left open`, async () => {
      topic = await topics.make(1)
      const dead = await start({ linger: 0 })
      await dead.write('prepared')
      const restored = await dead.checkpoint()
      await dead.write('left open')
      const leftOpen = await leftOpenAfter(restored)
      await start({ transactionalIdPrefix: `new-${topic}` }, { restored, jobId })
      expect(await open()).toEqual(isAborted ? [] : [leftOpen])
      if (!isAborted) await dead.close()
      await expectVisible(['prepared'])
    })
  }
})

/** Minutes pass at once, everything shorter takes its time. */
class ShortMinutes extends SystemClock {
  override schedule(delayMs: number, callback: () => void): TimerHandle {
    return super.schedule(delayMs >= 60_000 ? 50 : delayMs, callback)
  }
}

function isPrepared({ committables }: SinkCheckpoint, id: string): boolean {
  return committables.some(({ value }) => {
    return (value as unknown as { readonly transactionalId: string }).transactionalId === id
  })
}
