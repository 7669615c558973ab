/** A job is cancelled in the middle of a snapshot: what becomes of what its sink has prepared. */
import { afterAll, afterEach, expect, test } from '@jest/globals'
import { collectSink, type RunningJob, runJob, startJob } from 'weir/testing'
import { job } from '../../../src/api/job.ts'
import type { Sink, SinkWriter } from '../../../src/api/sink.ts'
import { SystemClock } from '../../../src/common/clock.ts'
import { kafkaSink, kafkaSource } from '../../../src/connectors/kafka/index.ts'
import { KafkaCluster } from '../../../src/connectors/kafka/kafka-cluster.ts'
import type { KafkaCommittable } from '../../../src/connectors/kafka/kafka-committer.ts'
import { TransactionClient } from '../../../src/connectors/kafka/transaction-client.ts'
import { text } from '../../../src/schema/text-format.ts'
import { MemoryStore } from '../../../src/storage/memory-store.ts'
import { describeWithPart } from '../../testbed/describe-with-part.ts'
import { numbered, TestTopics } from './test-topics.ts'

/** Holds what comes there until it is opened. */
class Gate {
  #closed: Promise<void> = Promise.resolve()
  #waiting: (() => void)[] = []
  #open = (): void => {}
  held = 0

  close(): void {
    this.#closed = new Promise(resolve => {
      this.#open = resolve
    })
  }

  async pass(): Promise<void> {
    this.held++
    for (const told of this.#waiting.splice(0)) told()
    await this.#closed
  }

  /** Until so many came. */
  async came(count: number): Promise<void> {
    while (this.held < count) await new Promise<void>(resolve => this.#waiting.push(resolve))
  }

  open(): void {
    this.#open()
  }
}

class GatedStore extends MemoryStore {
  readonly metadata = new Gate()

  override async put(...args: Parameters<MemoryStore['put']>): Promise<void> {
    if (args[0].endsWith('/_metadata')) await this.metadata.pass()
    await super.put(...args)
  }
}

/** The same sink; `prepared` is told of each transaction that a writer closed. */
function watched(
  sink: Sink<string, KafkaCommittable>,
  prepared: () => void,
): Sink<string, KafkaCommittable> {
  return {
    ...sink,
    async createWriter(context, restored) {
      const writer = await sink.createWriter(context, restored)
      const prepareCommit = writer.prepareCommit.bind(writer)
      writer.prepareCommit = async () => {
        const committables = await prepareCommit()
        for (const _ of committables) prepared()
        return committables
      }
      return writer
    },
  }
}

/** Its part of a snapshot takes as long as the gate is closed. */
function slowSink(gate: Gate): Sink<string> {
  const writer: SinkWriter<string> = {
    write: () => {},
    blocked: false,
    flush: () => gate.pass(),
    prepareCommit: () => [],
    snapshotState: () => [],
    close: () => gate.open(),
  }
  return { name: 'slow', delivery: 'at-least-once', createWriter: () => writer }
}

const RECORDS = 40

await describeWithPart('a cancelled job that writes Kafka', 'kafka', environment => {
  const brokers = environment.WEIR_TESTBED_KAFKA ?? ''
  const topics = new TestTopics(brokers)
  const running: RunningJob[] = []
  let names = 0

  afterEach(async () => {
    for (const one of running.splice(0)) {
      one.cancel()
      await one.done
    }
  })
  afterAll(() => topics.close())

  const setUp = async (store: GatedStore) => {
    const [input, output] = [await topics.make(2), await topics.make(2)]
    const prefix = `cancelled-${process.pid}-${Date.now()}-${names++}`
    await topics.send(input, [...numbered(0, RECORDS / 2, 0), ...numbered(RECORDS / 2, RECORDS, 1)])
    const flushes = new Gate()
    let prepared = 0
    const wakes: (() => void)[] = []
    const copies = job(env => {
      const records = env
        .from(kafkaSource({ brokers, topics: input, value: text(), discoverEvery: '1h' }))
        .uid('in')
      const sink = kafkaSink({
        brokers,
        topic: output,
        value: text(),
        transactionalIdPrefix: prefix,
      })
      const seen = (): void => {
        prepared++
        for (const wake of wakes.splice(0)) wake()
      }
      records.to(watched(sink, seen)).uid('out')
      records.to(slowSink(flushes)).uid('slow')
    })
    const start = (restore?: string): RunningJob => {
      const started = startJob(copies, { parallelism: 2, store, ...(restore && { restore }) })
      running.push(started)
      return started
    }
    /** Until so many transactions were closed at a barrier. */
    const closed = async (count: number): Promise<void> => {
      while (prepared < count) await new Promise<void>(resolve => wakes.push(resolve))
    }
    return { input, output, prefix, flushes, start, closed }
  }
  const written = async (running: RunningJob, count: number): Promise<void> => {
    while (running.progress().recordsOut < count) await new Promise(done => setImmediate(done))
  }
  const stillOpen = async (prefix: string): Promise<readonly string[]> => {
    const clock = new SystemClock()
    const cluster = new KafkaCluster({ brokers }, clock)
    const open = await new TransactionClient(cluster, clock).open()
    await cluster.close()
    return open.filter(id => id.startsWith(prefix))
  }
  const visible = async (topic: string): Promise<readonly number[]> => {
    const sink = collectSink<string>()
    const reading = job(env =>
      env
        .from(kafkaSource({ brokers, topics: topic, value: text(), stop: 'latest' }))
        .uid('copies')
        .to(sink)
        .uid('out'),
    )
    await runJob(reading)
    return sink.results.map(Number).toSorted((a, b) => a - b)
  }
  /** The markers of a transaction come a little after its commit was answered. */
  const expectVisible = async (topic: string, count: number): Promise<void> => {
    let seen = await visible(topic)
    while (seen.length < count) seen = await visible(topic)
    expect(seen).toEqual(Array.from({ length: count }, (_, n) => n))
  }

  test('takes back what no snapshot holds: readers wait for nothing', async () => {
    const { output, prefix, flushes, start, closed } = await setUp(new GatedStore())
    const first = start()
    await written(first, 2 * RECORDS)
    flushes.close()
    const taking = first.savepoint()
    taking.catch(() => {})
    await closed(2)
    expect(await stillOpen(prefix)).toHaveLength(2)
    first.cancel()
    expect((await first.done).outcome).toBe('cancelled')
    await expect(taking).rejects.toThrow()
    expect(await stillOpen(prefix)).toEqual([])
    await topics.send(output, [{ value: '-1' }])
    // Nothing stands before what another program writes.
    expect(await visible(output)).toEqual([-1])
  })

  test('waits for the checkpoint that is being stored, and commits what it holds', async () => {
    const store = new GatedStore()
    const { output, prefix, start } = await setUp(store)
    const first = start()
    await written(first, 2 * RECORDS)
    store.metadata.close()
    const order = first.rescale(1)
    order.catch(() => {})
    await store.metadata.came(1)
    first.cancel()
    store.metadata.open()
    expect((await first.done).outcome).toBe('cancelled')
    await expectVisible(output, RECORDS)
    expect(await stillOpen(prefix)).toEqual([])
    const second = start('latest')
    await written(second, 0)
    await second.stop()
    await expectVisible(output, RECORDS)
  })

  test('leaves to whoever restores a savepoint what that alone holds', async () => {
    const { input, output, start } = await setUp(new GatedStore())
    const first = start()
    await written(first, 2 * RECORDS)
    const path = await first.savepoint()
    first.cancel()
    await first.done
    expect(await visible(output)).toEqual([])
    await topics.send(input, numbered(RECORDS, RECORDS + 2, 1))
    const second = start(path)
    await written(second, 4)
    await second.stop()
    await expectVisible(output, RECORDS + 2)
  })
})
