/** Writes transfers into a topic, by another client than Weir's, until it is told to stop. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Kafka, Producer } from 'kafkajs'
import { SeededRandom } from '../../../src/common/random.ts'

export interface OtherTransfersOptions {
  readonly topic: string
  readonly seed: number
  readonly accounts: number
}

/** Above all that the job makes up itself. */
const FIRST_ID = 1_000_000
const BATCH = 40
const PAUSE_MS = 40

export class OtherTransfers {
  readonly #producer: Producer
  readonly #options: OtherTransfersOptions
  readonly #random: SeededRandom
  #writing: Promise<void> | undefined
  #stopped = false
  #next = FIRST_ID

  constructor(kafka: Kafka, options: OtherTransfersOptions) {
    this.#producer = kafka.producer({ allowAutoTopicCreation: false })
    this.#options = options
    this.#random = new SeededRandom(options.seed)
  }

  async start(): Promise<void> {
    await this.#producer.connect()
    this.#writing = this.#write()
  }

  /** What is there then is all there is. */
  async stop(): Promise<void> {
    if (this.#stopped) return
    this.#stopped = true
    await this.#writing
    await this.#producer.disconnect()
  }

  async #write(): Promise<void> {
    const { topic, accounts } = this.#options
    while (!this.#stopped) {
      const messages = Array.from({ length: BATCH }, () => {
        const from = this.#random.int(accounts)
        const to = this.#random.int(accounts)
        return { value: JSON.stringify({ id: this.#next++, from, to, amount: 1 + from }) }
      })
      // The broker may be down: what did not get in is no part of the input.
      await this.#producer.send({ topic, messages }).catch(() => undefined)
      await pause(PAUSE_MS)
    }
  }
}
