/** A broker of the older line, killed and started again while it is read. */
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { kafkaSource } from '../../../src/connectors/kafka/index.ts'
import { text } from '../../../src/schema/text-format.ts'
import { SourceRun } from '../../contract/source-run.ts'
import { describeWithPart } from '../../testbed/describe-with-part.ts'
import { kafkaPartOf } from '../../testbed/kafka-part.ts'
import { stopServer } from '../../testbed/server-process.ts'
import { ownerOf, ownFolder } from '../../testbed/test-session.ts'
import { numbered, TestTopics } from './test-topics.ts'

const INSTALL_LIMIT_MS = 600_000

await describeWithPart('a broker of Kafka 3.9', 'kafka', () => {
  const session = process.env.WEIR_TESTBED_SESSION ?? join(process.cwd(), '.weir/testbed')
  const part = kafkaPartOf('3.9.2')
  let folder = ''
  let topics: TestTopics

  const start = async (): Promise<string> => {
    const environment = await part.start({ folder, owner: ownerOf(session) })
    return environment.WEIR_TESTBED_KAFKA ?? ''
  }

  beforeAll(async () => {
    folder = ownFolder(session, 'kafka-3.9.2')
    topics = new TestTopics(await start())
  }, INSTALL_LIMIT_MS)

  afterAll(async () => {
    await topics.close()
    await stopServer(folder, 'SIGKILL')
  })

  test('is read, also after it was killed and started again', async () => {
    const topic = await topics.make(2)
    await topics.send(topic, numbered(0, 10, 0))
    await topics.send(topic, numbered(10, 20, 1))
    const source = kafkaSource({ brokers: topics.brokers, topics: topic, value: text() })
    const run = await SourceRun.start(source as never, { parallelism: 2 })
    try {
      await run.runUntil(20)
      await topics.close()
      await stopServer(folder, 'SIGKILL')
      await start()
      await topics.send(topic, numbered(20, 30, 0))
      await topics.send(topic, numbered(30, 40, 1))
      await run.runUntil(40)
      const values = run.emitted.map(one => Number(one.value)).sort((a, b) => a - b)
      expect(values).toEqual(Array.from({ length: 40 }, (_, i) => i))
    } finally {
      await run.close()
    }
  }, 120_000)
})
