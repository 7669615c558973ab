/** Connections that break are no reason to give up; a port that always hangs up is. */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals'
import { SystemClock } from '../../../src/common/clock.ts'
import { KafkaCluster } from '../../../src/connectors/kafka/kafka-cluster.ts'
import { describeWithPart } from '../../testbed/describe-with-part.ts'
import { KafkaRelay } from '../../testbed/kafka-relay.ts'

await describeWithPart('a broker behind a bad line', 'kafka', environment => {
  let relay: KafkaRelay
  let cluster: KafkaCluster

  beforeAll(async () => {
    relay = await KafkaRelay.start(environment.WEIR_TESTBED_KAFKA ?? '')
  })
  afterEach(() => cluster.close())
  afterAll(() => relay.close())

  /** So many requests are lost, with their connections. */
  const lose = (count: number): void => {
    let lost = 0
    relay.hooks = { request: () => (lost++ < count ? 'lost' : undefined) }
  }

  test('is asked again when the first connections break', async () => {
    lose(2)
    cluster = new KafkaCluster({ brokers: relay.address }, new SystemClock())
    expect(await cluster.brokerIds()).toEqual([1])
  })

  test('is there, but not ours, when every connection breaks', async () => {
    lose(Number.POSITIVE_INFINITY)
    cluster = new KafkaCluster({ brokers: relay.address }, new SystemClock())
    await expect(cluster.brokerIds()).rejects.toMatchObject({ code: 'WEIR_KAFKA_HANDSHAKE' })
  })

  test('that has answered before is out of reach for now', async () => {
    lose(0)
    cluster = new KafkaCluster({ brokers: relay.address }, new SystemClock())
    await cluster.brokerIds()
    relay.cut()
    lose(Number.POSITIVE_INFINITY)
    await expect(cluster.brokerIds()).rejects.toMatchObject({ code: 'WEIR_KAFKA_UNREACHABLE' })
  })
})
