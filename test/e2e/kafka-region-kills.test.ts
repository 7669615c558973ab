/**
 * From Kafka to Kafka by slots that exchange nothing: one is killed again and again, and its region
 * alone starts again. Readers of committed records see each once, in the order of its partition.
 */
import { join } from 'node:path'
import { afterAll, expect, test } from '@jest/globals'
import { kafkaSource } from '../../src/connectors/kafka/index.ts'
import { text } from '../../src/schema/text-format.ts'
import { TestTopics } from '../connectors/kafka/test-topics.ts'
import { SourceRun } from '../contract/source-run.ts'
import { describeWithPart } from '../testbed/describe-with-part.ts'
import { SteeredRun } from './steered-run.ts'
import { ScratchFolders, setAll } from './weir-process.ts'

const SLOTS = 3
const VICTIM = 1
const KILLS = 3
const PARTITIONS = 6
const CHUNK = 600

interface Failure {
  readonly scope: { readonly regions: number; readonly of: number; readonly slots: number[] } | null
}

await describeWithPart('a killed slot of a job from Kafka to Kafka', 'kafka', environment => {
  const brokers = environment.WEIR_TESTBED_KAFKA ?? ''
  const topics = new TestTopics(brokers)
  const folders = new ScratchFolders()

  afterAll(async () => {
    await topics.close()
    folders.remove()
  })

  /** Numbers from `from` on, each in the partition of its remainder. */
  const send = (topic: string, from: number): Promise<void> =>
    topics.send(
      topic,
      Array.from({ length: CHUNK }, (_, i) => {
        return { value: String(from + i), partition: (from + i) % PARTITIONS }
      }),
    )

  /** Sends until it is told to stop; gives how many there are in all. */
  const feed = (topic: string): (() => Promise<number>) => {
    let isOver = false
    const feeding = (async () => {
      let sent = 0
      do {
        await send(topic, sent)
        sent += CHUNK
      } while (!isOver)
      return sent
    })()
    return () => {
      isOver = true
      return feeding
    }
  }

  const read = async (topic: string) => {
    const source = kafkaSource({ brokers, topics: topic, value: text(), stop: 'latest' })
    const reading = await SourceRun.start(source as never, { parallelism: 1, batchSize: 512 })
    await reading.runToEnd()
    await reading.close()
    return reading.emitted.map(({ value, splitId }) => ({ number: Number(value), splitId }))
  }

  test('takes no other one with it, and nothing is lost, doubled or out of order', async () => {
    const [input, output] = [await topics.make(PARTITIONS), await topics.make(PARTITIONS)]
    const folder = folders.make()
    const run = new SteeredRun({
      args: [
        join(import.meta.dirname, 'kafka-slices-job.ts'),
        '--parallelism',
        String(SLOTS),
        ...setAll({
          'checkpoint.interval': '200ms',
          'job.args.brokers': brokers,
          'job.args.input': input,
          'job.args.output': output,
          'job.args.partitions': PARTITIONS,
        }),
      ],
      folder,
      jobId: 'default.kafka-slices-job',
    })
    expect(await run.until(({ status }) => status === 'running')).toBe(true)
    const stopFeeding = feed(input)
    for (let kill = 1; kill <= KILLS; kill++) {
      expect(await run.untilCheckpoints(2)).toBe(true)
      expect(await run.killSlot(VICTIM, kill)).toBe(true)
    }
    const { failures } = (await run.call('GET', '/exceptions')) as { failures: readonly Failure[] }
    const scope = { regions: 1, of: SLOTS, slots: [VICTIM] }
    expect(failures.map(failure => failure.scope)).toEqual(Array(KILLS).fill(scope))
    const sent = await stopFeeding()
    let found = await read(output)
    while (run.isRunning && found.length < sent) found = await read(output)
    await run.stopWithSavepoint()
    const numbers = (await read(output)).map(({ number }) => number)
    const all = Array.from({ length: sent }, (_, n) => n)
    expect(numbers.toSorted((a, b) => a - b)).toEqual(all)
    for (let p = 0; p < PARTITIONS; p++) {
      const own = numbers.filter(number => number % PARTITIONS === p)
      expect(own).toEqual(all.filter(number => number % PARTITIONS === p))
    }
  }, 120_000)
})
