/** Small batches behind each other would make a slow broker slower: they fill up while one waits. */
import { afterAll, afterEach, beforeEach, expect, test } from '@jest/globals'
import { SystemClock, type TimerHandle } from '../../../src/common/clock.ts'
import { kafkaSink, kafkaSource } from '../../../src/connectors/kafka/index.ts'
import { text } from '../../../src/schema/text-format.ts'
import { SinkRun } from '../../contract/sink-run.ts'
import { SourceRun } from '../../contract/source-run.ts'
import { describeWithPart } from '../../testbed/describe-with-part.ts'
import { KafkaRelay } from '../../testbed/kafka-relay.ts'
import { ManualClock } from '../manual-clock.ts'
import { TestTopics } from './test-topics.ts'

/** As nothing else takes. */
const LINGER_MS = 12_345

/** Stands still for what waits so long, and for nothing else: a broker may want a second try. */
class LingerClock extends SystemClock {
  readonly #batches = new ManualClock()

  override schedule(delayMs: number, callback: () => void): TimerHandle {
    if (delayMs === LINGER_MS) return this.#batches.schedule(delayMs, callback)
    return super.schedule(delayMs, callback)
  }

  /** The time of all batches that are open now is over. */
  lingered(): void {
    this.#batches.advance(LINGER_MS)
  }
}

/** Requests to write: each waits until it is let through. */
class HeldWrites {
  readonly #waiting: (() => void)[] = []
  readonly #seen: (() => void)[] = []
  #isOpen = false
  count = 0

  async request({ name }: { readonly name: string }): Promise<undefined> {
    if (name !== 'Produce') return
    this.count++
    for (const seen of this.#seen.splice(0)) seen()
    if (!this.#isOpen) await new Promise<void>(resolve => this.#waiting.push(resolve))
  }

  /** Until one more came than `count`. */
  async another(count: number): Promise<void> {
    while (this.count <= count) await new Promise<void>(resolve => this.#seen.push(resolve))
  }

  open(): void {
    this.#isOpen = true
    for (const pass of this.#waiting.splice(0)) pass()
  }
}

await describeWithPart('small batches of the Kafka sink', 'kafka', environment => {
  const brokers = environment.WEIR_TESTBED_KAFKA ?? ''
  const topics = new TestTopics(brokers)
  let relay: KafkaRelay
  let writes: HeldWrites
  let run: SinkRun<string> | undefined

  beforeEach(async () => {
    relay = await KafkaRelay.start(brokers)
    writes = new HeldWrites()
    relay.hooks = { request: seen => writes.request(seen) }
  })
  afterEach(async () => {
    writes.open()
    await run?.close()
    await relay.close()
  })
  afterAll(() => topics.close())

  /** A value `P:V` goes to partition P. */
  const start = async (partitions: number, clock: LingerClock) => {
    const topic = await topics.make(partitions)
    const sink = kafkaSink<string>({
      brokers: relay.address,
      topic,
      value: text(),
      delivery: 'at-least-once',
      linger: LINGER_MS,
      partition: value => Number(value.split(':')[0]),
    })
    run = (await SinkRun.start(sink as never, { parallelism: 1, clock })) as SinkRun<string>
    return { topic, run }
  }
  const read = async (topic: string): Promise<readonly string[]> => {
    const source = kafkaSource({ brokers, topics: topic, value: text(), stop: 'latest' })
    const reading = await SourceRun.start(source as never, { parallelism: 1 })
    await reading.runToEnd()
    await reading.close()
    return reading.emitted.map(one => String(one.value))
  }

  test('what comes while a batch is on its way is one batch, sent behind it', async () => {
    const clock = new LingerClock()
    const { topic, run: open } = await start(1, clock)
    for (const value of ['0:a', '0:b', '0:c', '0:d']) {
      await open.write(value)
      clock.lingered()
      await writes.another(0)
    }
    writes.open()
    // By itself: no record and no time has to come.
    await writes.another(1)
    await open.checkpoint()
    expect(writes.count).toBe(2)
    expect(await read(topic)).toEqual(['0:a', '0:b', '0:c', '0:d'])
  })

  test('a batch of another partition is sent when its time is over', async () => {
    const clock = new LingerClock()
    const { topic, run: open } = await start(2, clock)
    await open.write('0:a')
    clock.lingered()
    await writes.another(0)
    await open.write('0:b', '1:x')
    clock.lingered()
    await open.write('1:y')
    clock.lingered()
    writes.open()
    await open.checkpoint()
    // a; x; b; y behind x.
    expect(writes.count).toBe(4)
    expect((await read(topic)).toSorted()).toEqual(['0:a', '0:b', '1:x', '1:y'])
  })
})
