/** How far a source is behind: what it tells, on a real broker. */
import { afterAll, afterEach, expect, test } from '@jest/globals'
import type { SourceOutput } from '../../../src/api/source.ts'
import { kafkaSource } from '../../../src/connectors/kafka/index.ts'
import type { KafkaReader } from '../../../src/connectors/kafka/kafka-reader.ts'
import { text } from '../../../src/schema/text-format.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { describeWithPart } from '../../testbed/describe-with-part.ts'
import { numbered, TestTopics } from './test-topics.ts'

/** The records of `numbered` are of about this time. */
const NUMBERED_MS = 1_000_000

await describeWithPart('the lag of a Kafka source', 'kafka', environment => {
  const brokers = environment.WEIR_TESTBED_KAFKA ?? ''
  const topics = new TestTopics(brokers)
  let reader: KafkaReader<string> | undefined
  let wake = (): void => {}

  afterEach(() => reader?.close())
  afterAll(() => topics.close())

  const read = async (topic: string, clock: ManualClock, stop?: number) => {
    const source = kafkaSource({ brokers, topics: topic, value: text() })
    const context = {
      runtime: { operatorName: 'k', subtaskIndex: 0, parallelism: 1, attempt: 0, count() {} },
      clock,
      requestSplit() {},
      wakeUp: () => wake(),
    }
    const made = source.createReader(context) as unknown as KafkaReader<string>
    reader = made
    await made.start()
    const place = { topic, partition: 0, offset: 0, ...(stop !== undefined && { stop }) }
    made.addSplits([{ id: `${topic}-0`, ...place }])
    return made
  }
  /** Polls until `count` records came. */
  const take = async (from: KafkaReader<string>, count: number): Promise<void> => {
    let left = count
    const output: SourceOutput<string> = {
      get batchSize() {
        return left
      },
      blocked: false,
      offset: 0,
      selectSplit() {},
      collect: () => void left--,
      finishSplit() {},
      reject() {},
    }
    for (;;) {
      const woken = new Promise<void>(resolve => {
        wake = resolve
      })
      const result = from.poll(output)
      if (left === 0) return
      if (result === 'nothing') await woken
    }
  }
  const until = async (is: () => boolean): Promise<void> => {
    while (!is()) {
      await new Promise<void>(resolve => {
        wake = resolve
      })
    }
  }

  test('is what waits, and how old it may be', async () => {
    const topic = await topics.make(1)
    await topics.send(topic, numbered(0, 10))
    const clock = new ManualClock(NUMBERED_MS + 60_000)
    const made = await read(topic, clock)
    expect(made.lag()).toBeUndefined()
    await take(made, 4)
    // Record 3 was given: what comes behind it is younger.
    expect(made.lag()).toEqual({ records: 6, ms: 60_000 - 3 })
    await take(made, 6)
    expect(made.lag()).toEqual({ records: 0, ms: 0 })
  })

  test('of what comes after a long silence is not the length of the silence', async () => {
    const topic = await topics.make(1)
    await topics.send(topic, numbered(0, 1))
    const clock = new ManualClock(NUMBERED_MS)
    const made = await read(topic, clock)
    await take(made, 1)
    clock.advance(3_600_000)
    await topics.send(topic, numbered(1, 3))
    await until(() => (made.lag()?.records ?? 0) > 0)
    expect(made.lag()).toEqual({ records: 2, ms: 0 })
    clock.advance(5_000)
    expect(made.lag()).toEqual({ records: 2, ms: 5_000 })
  })

  test('counts neither what is not committed nor what is not wanted', async () => {
    const topic = await topics.make(1)
    await topics.send(topic, numbered(0, 10))
    const transaction = await topics.begin()
    await transaction.send({ topic, messages: numbered(10, 20) })
    const made = await read(topic, new ManualClock(NUMBERED_MS))
    await take(made, 10)
    expect(made.lag()).toEqual({ records: 0, ms: 0 })
    await transaction.abort()
    await made.close()
    const bounded = await read(topic, new ManualClock(NUMBERED_MS), 6)
    await take(bounded, 2)
    expect(bounded.lag()?.records).toBe(4)
  })
})
