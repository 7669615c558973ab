/** A broker that may be killed: nobody else's. */
import { SystemClock } from '../../../src/common/clock.ts'
import { KafkaCluster } from '../../../src/connectors/kafka/kafka-cluster.ts'
import { TransactionClient } from '../../../src/connectors/kafka/transaction-client.ts'
import { kafkaPartOf } from '../../testbed/kafka-part.ts'
import { stopServer } from '../../testbed/server-process.ts'
import { ownerOf, ownFolder } from '../../testbed/test-session.ts'

const part = kafkaPartOf('4.4.0')

export class OwnBroker {
  readonly address: string
  readonly #folder: string
  readonly #session: string

  private constructor(address: string, folder: string, session: string) {
    this.address = address
    this.#folder = folder
    this.#session = session
  }

  static async start(session: string): Promise<OwnBroker> {
    const folder = ownFolder(session, 'kafka-of-the-ledger')
    const { WEIR_TESTBED_KAFKA: address = '' } = await part.start({
      folder,
      owner: ownerOf(session),
    })
    return new OwnBroker(address, folder, session)
  }

  /** Ends it and starts it again, on the same data and port. */
  async restart(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    await stopServer(this.#folder, signal)
    await part.start({ folder: this.#folder, owner: ownerOf(this.#session) })
  }

  async openTransactions(): Promise<readonly string[]> {
    const clock = new SystemClock()
    const cluster = new KafkaCluster({ brokers: this.address }, clock)
    try {
      return await new TransactionClient(cluster, clock).open()
    } finally {
      await cluster.close()
    }
  }

  stop(): Promise<void> {
    return stopServer(this.#folder, 'SIGKILL')
  }
}
