/**
 * A job fails right after a savepoint that did not end it: the transactions of the savepoint are in
 * no checkpoint. What the job writes again and what the savepoint holds are the same records.
 */
import { afterAll, afterEach, expect, test } from '@jest/globals'
import { collectSink, type RunningJob, runJob, startJob } from 'weir/testing'
import { job } from '../../../src/api/job.ts'
import { kafkaSink, kafkaSource } from '../../../src/connectors/kafka/index.ts'
import { text } from '../../../src/schema/text-format.ts'
import { MemoryStore } from '../../../src/storage/memory-store.ts'
import { describeWithPart } from '../../testbed/describe-with-part.ts'
import { numbered, TestTopics } from './test-topics.ts'

const RECORDS = 40
/** The job fails at it, once. */
const BAD = String(RECORDS)

await describeWithPart('a savepoint of a job that fails right after it', 'kafka', environment => {
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

  const setUp = async () => {
    const [input, output] = [await topics.make(2), await topics.make(2)]
    const transactionalIdPrefix = `failed-${process.pid}-${Date.now()}-${names++}`
    await topics.send(input, [...numbered(0, RECORDS / 2, 0), ...numbered(RECORDS / 2, RECORDS, 1)])
    let isSound = false
    const copies = job(env =>
      env
        .from(kafkaSource({ brokers, topics: input, value: text(), discoverEvery: '1h' }))
        .uid('in')
        .map(value => {
          if (value !== BAD || isSound) return value
          isSound = true
          throw new Error('told to fail')
        })
        .to(kafkaSink({ brokers, topic: output, value: text(), transactionalIdPrefix }))
        .uid('out'),
    )
    const store = new MemoryStore()
    const start = (options: { restore?: string; attempts?: number } = {}): RunningJob => {
      const { restore, attempts = 3 } = options
      const from = restore === undefined ? {} : { restore }
      const started = startJob(copies, { parallelism: 2, store, restart: { attempts }, ...from })
      running.push(started)
      return started
    }
    return { input, output, start }
  }
  const written = async (one: RunningJob, count: number): Promise<void> => {
    while (one.progress().recordsOut < count) await new Promise(done => setImmediate(done))
  }
  const visible = async (topic: string): Promise<readonly number[]> => {
    const sink = collectSink<string>()
    const source = kafkaSource({ brokers, topics: topic, value: text(), stop: 'latest' })
    await runJob(job(env => env.from(source).uid('copies').to(sink).uid('out')))
    return sink.results.map(Number).toSorted((a, b) => a - b)
  }
  /** The markers of a transaction come a little after its commit was answered. */
  const expectVisible = async (topic: string, count: number): Promise<void> => {
    let seen = await visible(topic)
    while (seen.length < count) seen = await visible(topic)
    expect(seen).toEqual(Array.from({ length: count }, (_, n) => n))
  }

  test('the job goes on without it, and readers see each record once', async () => {
    const { input, output, start } = await setUp()
    const first = start()
    await written(first, RECORDS)
    const path = await first.savepoint()
    await topics.send(input, numbered(RECORDS, RECORDS + 1, 0))
    while (first.progress().restarts === 0) await new Promise(done => setImmediate(done))
    // One of two regions starts again; what it had written before counts, too.
    await written(first, RECORDS + RECORDS / 2 + 1)
    await first.stop()
    await expectVisible(output, RECORDS + 1)
    // Its own transactions were ended for that: who goes back there is told, and nothing is doubled.
    const second = await start({ restore: path, attempts: 0 }).done
    expect(second.error).toMatchObject({ code: 'WEIR_KAFKA_TRANSACTION_LOST' })
    await expectVisible(output, RECORDS + 1)
  })

  test('the job that did not go on is continued from it, and nothing is lost', async () => {
    const { input, output, start } = await setUp()
    const first = start({ attempts: 0 })
    await written(first, RECORDS)
    const path = await first.savepoint()
    await topics.send(input, numbered(RECORDS, RECORDS + 1, 0))
    expect((await first.done).outcome).toBe('failed')
    expect(await visible(output)).toEqual([])
    const second = start({ restore: path })
    await written(second, 1)
    await second.stop()
    await expectVisible(output, RECORDS + 1)
  })
})
