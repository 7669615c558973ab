/** A broker for the Kafka benchmarks, with topics and records to read. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Admin, Kafka, logLevel } from 'kafkajs'
import type { SinkContext, SinkWriter } from '../../../src/api/sink.ts'
import { SystemClock } from '../../../src/common/clock.ts'
import { type KafkaSinkOptions, kafkaSink } from '../../../src/connectors/kafka/index.ts'
import { raw } from '../../../src/schema/text-format.ts'
import { kafkaPartOf } from '../../testbed/kafka-part.ts'
import { stopServer } from '../../testbed/server-process.ts'
import type { CaseRun } from '../bench-harness.ts'

export const VALUE = Buffer.from('x'.repeat(100))

type WriteOptions = Partial<KafkaSinkOptions<Uint8Array>> & { readonly topic: string }

interface OpenSink {
  readonly writer: Pick<SinkWriter<Uint8Array>, 'write' | 'blocked'>
  /** Until the writer takes more. */
  readonly room: () => Promise<void>
  readonly committed: () => Promise<void>
}

export class Rig {
  readonly brokers: string
  readonly kafka: Kafka
  readonly folder: string
  readonly #admin: Admin
  #topics = 0

  private constructor(folder: string, brokers: string) {
    this.folder = folder
    this.brokers = brokers
    this.kafka = new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING })
    this.#admin = this.kafka.admin()
  }

  static async start(): Promise<Rig> {
    const folder = mkdtempSync(join(tmpdir(), 'weir-bench-kafka-'))
    const environment = await kafkaPartOf('4.4.0').start({ folder, owner: process.pid })
    const rig = new Rig(folder, environment.WEIR_TESTBED_KAFKA ?? '')
    await rig.#admin.connect()
    return rig
  }

  async topic(numPartitions = 1): Promise<string> {
    const topic = `bench-${this.#topics++}`
    await this.#admin.createTopics({
      topics: [{ topic, numPartitions }],
      waitForLeaders: false,
    })
    // Its own way to wait for leaders fails where the broker is busy.
    for (;;) {
      const found = await this.#admin.fetchTopicMetadata({ topics: [topic] }).catch(() => undefined)
      if (found?.topics[0]?.partitions.length === numPartitions) return topic
    }
  }

  /** The disk would be full otherwise, and the broker busy with it. */
  async drop(topic: string): Promise<void> {
    await this.#admin.deleteTopics({ topics: [topic] })
  }

  /** A topic with so many records, evenly spread. */
  async filled(count: number, partitions = 1): Promise<string> {
    const topic = await this.topic(partitions)
    const batchBytes = Math.min(1 << 19, Math.ceil((count * 110) / partitions / 4))
    await this.write({ topic, delivery: 'at-least-once', batchBytes }, count)
    return topic
  }

  /** A topic that is written already: the first record of a partition costs brokers its files. */
  async begun(partitions: number): Promise<string> {
    const topic = await this.topic(partitions)
    let next = 0
    await this.write({ topic, delivery: 'at-least-once', partition: () => next++ }, partitions)
    return topic
  }

  /** By Weir's sink, and committed where it is exactly once. */
  async write(options: WriteOptions, count: number): Promise<CaseRun> {
    let elapsedMs = 0
    await this.#writing(options, async ({ writer, room, committed }) => {
      const startedMs = performance.now()
      for (let i = 0; i < count; i++) {
        if (writer.blocked) await room()
        writer.write(VALUE, i)
      }
      await committed()
      elapsedMs = performance.now() - startedMs
    })
    return { count, elapsedMs }
  }

  /** Values of somebody else's making and pace, each at once. */
  async feed(
    topic: string,
    make: (write: (value: Uint8Array) => void) => Promise<void>,
  ): Promise<void> {
    const options = { topic, delivery: 'at-least-once', linger: 1 } as const
    await this.#writing(options, async ({ writer, committed }) => {
      await make(value => writer.write(value, Date.now()))
      await committed()
    })
  }

  async #writing(options: WriteOptions, use: (open: OpenSink) => Promise<void>): Promise<void> {
    let wake = (): void => {}
    const context: SinkContext = {
      runtime: { operatorName: 'k', subtaskIndex: 0, parallelism: 1, attempt: 0, count() {} },
      clock: new SystemClock(),
      jobId: `fill-${this.#topics++}`,
      operatorUid: 'bench',
      restoredCheckpointId: undefined,
      wakeUp: () => wake(),
    }
    const sink = kafkaSink<Uint8Array>({ brokers: this.brokers, value: raw(), ...options })
    const committer = await sink.createCommitter?.(context)
    const writer = await sink.createWriter(context, [])
    const room = () =>
      new Promise<void>(resolve => {
        wake = resolve
      })
    const committed = async (): Promise<void> => {
      await writer.flush(true)
      const requests = (await writer.prepareCommit()).map(committable => ({
        committable,
        checkpointId: 1,
        retries: 0,
        alreadyCommitted: () => {},
        retryLater: (cause: unknown) => Promise.reject(cause),
        failed: (cause: unknown) => Promise.reject(cause),
      }))
      await committer?.commit(requests as never)
    }
    await use({ writer, room, committed })
    await writer.close()
    await committer?.close()
  }

  async stop(): Promise<void> {
    await this.#admin.disconnect()
    await stopServer(this.folder)
    rmSync(this.folder, { recursive: true, force: true })
  }
}
