/** Topics for tests, filled by another client than the one under test. */
import { Kafka, logLevel, type Message, type Producer, type Transaction } from 'kafkajs'

export class TestTopics {
  readonly brokers: string
  readonly kafka: Kafka
  readonly #producers: Producer[] = []
  #count = 0

  constructor(brokers: string) {
    this.brokers = brokers
    this.kafka = new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING })
  }

  /** A new topic. */
  async make(
    partitions = 1,
    config: Readonly<Record<string, string>> = {},
    name = `t${process.pid}-${Date.now().toString(36)}-${this.#count++}`,
  ): Promise<string> {
    await this.admin(admin =>
      admin.createTopics({
        waitForLeaders: true,
        topics: [
          {
            topic: name,
            numPartitions: partitions,
            configEntries: Object.entries(config).map(([key, value]) => ({ name: key, value })),
          },
        ],
      }),
    )
    return name
  }

  /** More partitions: there when it resolves. */
  async grow(topic: string, count: number): Promise<void> {
    await this.admin(async admin => {
      await admin.createPartitions({ topicPartitions: [{ topic, count }] })
      // kafkajs drops messages for a partition that the broker does not tell it of, and says nothing.
      for (;;) {
        const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
        if (topics[0]?.partitions.length === count) return
      }
    })
  }

  async admin<T>(work: (admin: ReturnType<Kafka['admin']>) => Promise<T>): Promise<T> {
    const admin = this.kafka.admin()
    await admin.connect()
    try {
      return await work(admin)
    } finally {
      await admin.disconnect()
    }
  }

  async send(topic: string, messages: readonly Message[], gzip = false): Promise<void> {
    const producer = await this.#producer()
    await producer.send({ topic, messages: [...messages], compression: gzip ? 1 : 0 })
  }

  /** An open transaction. */
  async begin(id = `tx${process.pid}-${this.#count++}`): Promise<Transaction> {
    const producer = this.kafka.producer({
      transactionalId: id,
      idempotent: true,
      maxInFlightRequests: 1,
    })
    this.#producers.push(producer)
    await producer.connect()
    return producer.transaction()
  }

  async close(): Promise<void> {
    await Promise.all(this.#producers.splice(0).map(producer => producer.disconnect()))
  }

  async #producer(): Promise<Producer> {
    const producer = this.kafka.producer({ allowAutoTopicCreation: false })
    await producer.connect()
    this.#producers.push(producer)
    return producer
  }
}

/** Messages with these numbers as values, in a partition. */
export function numbered(from: number, to: number, partition = 0): Message[] {
  return Array.from({ length: to - from }, (_, i) => {
    return { value: String(from + i), partition, timestamp: String(1_000_000 + from + i) }
  })
}
