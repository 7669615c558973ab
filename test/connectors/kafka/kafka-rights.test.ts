/** Who may do what: passwords, tokens, certificates and rules of a real broker. */
import { readFileSync } from 'node:fs'
import { rootCertificates } from 'node:tls'
import { afterAll, afterEach, describe, expect, test } from '@jest/globals'
import {
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  ResourcePatternTypes,
} from 'kafkajs'
import {
  type KafkaSinkOptions,
  type KafkaSourceOptions,
  kafkaSink,
  kafkaSource,
} from '../../../src/connectors/kafka/index.ts'
import { text } from '../../../src/schema/text-format.ts'
import { type SinkCheckpoint, SinkRun } from '../../contract/sink-run.ts'
import { SourceRun } from '../../contract/source-run.ts'
import { describeWithPart } from '../../testbed/describe-with-part.ts'
import { kafkaPasswords } from '../../testbed/kafka-passwords.ts'
import { forgotten } from './forgotten-transactions.ts'
import { numbered, TestTopics } from './test-topics.ts'

const asAlice = {
  mechanism: 'scram-sha-256',
  username: 'alice',
  password: kafkaPasswords.alice,
} as const

await describeWithPart('what a user of Kafka may not do', 'kafka', environment => {
  const topics = new TestTopics(environment.WEIR_TESTBED_KAFKA ?? '')
  const brokers = environment.WEIR_TESTBED_KAFKA_SASL ?? ''
  const runs: { close(): Promise<void> }[] = []

  afterEach(async () => {
    for (const run of runs.splice(0)) await run.close()
  })
  afterAll(() => topics.close())

  /** A rule about alice, or about somebody else, which shuts alice out as well. */
  const allow = async (
    user: string,
    operation: AclOperationTypes,
    resource: { readonly type: AclResourceTypes; readonly name: string },
  ): Promise<void> => {
    const acl = {
      resourceType: resource.type,
      resourceName: resource.name,
      resourcePatternType: ResourcePatternTypes.LITERAL,
      principal: `User:${user}`,
      host: '*',
      operation,
      permissionType: AclPermissionTypes.ALLOW,
    }
    await topics.admin(admin => admin.createAcls({ acl: [acl] }))
  }
  /** Only carol may use transactional ids that begin so. */
  const shutOut = async (prefix: string): Promise<void> => {
    const acl = {
      resourceType: AclResourceTypes.TRANSACTIONAL_ID,
      resourceName: prefix,
      resourcePatternType: ResourcePatternTypes.PREFIXED,
      principal: 'User:carol',
      host: '*',
      operation: AclOperationTypes.WRITE,
      permissionType: AclPermissionTypes.ALLOW,
    }
    await topics.admin(admin => admin.createAcls({ acl: [acl] }))
  }
  const onTopic = (name: string) => ({ type: AclResourceTypes.TOPIC, name })
  const filled = async (): Promise<string> => {
    const topic = await topics.make(1)
    await topics.send(topic, numbered(0, 3))
    return topic
  }
  const open = async (options: Partial<KafkaSourceOptions<string>>) => {
    const source = kafkaSource<string>({
      brokers,
      topics: [],
      value: text(),
      sasl: asAlice,
      ...options,
    })
    const run = await SourceRun.start(source as never, { parallelism: 1 })
    runs.push(run)
    return run
  }
  const read = async (topic: string, options: Partial<KafkaSourceOptions<string>> = {}) => {
    const run = await open({ topics: topic, stop: 'latest', ...options })
    await run.runToEnd()
    return run.emitted.map(one => one.value)
  }
  const openSink = async (
    topic: string,
    options: Partial<KafkaSinkOptions<string>>,
    restored?: SinkCheckpoint,
  ) => {
    const sink = kafkaSink<string>({ brokers, topic, value: text(), sasl: asAlice, ...options })
    const run = await SinkRun.start(sink as never, { parallelism: 1, restored })
    runs.push(run)
    return run
  }
  const write = async (topic: string, options: Partial<KafkaSinkOptions<string>> = {}) => {
    const run = await openSink(topic, options)
    await run.write('x' as never)
    await run.finish()
  }
  const denied = (what: string, reason: string) => ({
    code: 'WEIR_KAFKA_DENIED',
    message: `not allowed to use ${what}: ${reason}`,
  })

  test('see a topic, or read it', async () => {
    const topic = await filled()
    expect(await read(topic)).toHaveLength(3)
    const wanted = denied(`the topic ${topic}`, 'TOPIC_AUTHORIZATION_FAILED')
    await allow('carol', AclOperationTypes.READ, onTopic(topic))
    await expect(read(topic)).rejects.toMatchObject(wanted)
    await allow('alice', AclOperationTypes.DESCRIBE, onTopic(topic))
    await expect(read(topic)).rejects.toMatchObject(wanted)
  })

  test('go on reading when the right is taken away', async () => {
    const topic = await filled()
    const run = await open({ topics: topic })
    await run.runUntil(3)
    await allow('carol', AclOperationTypes.READ, onTopic(topic))
    const wanted = denied(`the topic ${topic}`, 'TOPIC_AUTHORIZATION_FAILED')
    await expect(run.runUntil(4)).rejects.toMatchObject(wanted)
  })

  test('use a group', async () => {
    const topic = await filled()
    const group = `group-${topic}`
    await allow('carol', AclOperationTypes.READ, { type: AclResourceTypes.GROUP, name: group })
    const wanted = denied(`the group ${group}`, 'GROUP_AUTHORIZATION_FAILED')
    await expect(read(topic, { group })).rejects.toMatchObject(wanted)
  })

  test.each(['exactly-once', 'at-least-once'] as const)('write a topic %s', async delivery => {
    const topic = await topics.make(1)
    await write(topic, { delivery })
    await allow('alice', AclOperationTypes.DESCRIBE, onTopic(topic))
    const wanted = denied(`the topic ${topic}`, 'TOPIC_AUTHORIZATION_FAILED')
    await expect(write(topic, { delivery })).rejects.toMatchObject(wanted)
    const hidden = await topics.make(1)
    await allow('carol', AclOperationTypes.WRITE, onTopic(hidden))
    await expect(write(hidden, { delivery })).rejects.toMatchObject({ code: 'WEIR_KAFKA_DENIED' })
  })

  test('use a transactional id', async () => {
    const topic = await topics.make(1)
    const transactionalIdPrefix = `secret-${topic}`
    await shutOut(transactionalIdPrefix)
    await expect(write(topic, { transactionalIdPrefix })).rejects.toMatchObject({
      code: 'WEIR_KAFKA_DENIED',
      message: expect.stringContaining('TRANSACTIONAL_ID_AUTHORIZATION_FAILED'),
    })
  })

  test('commit when the right to the transactional id was taken away', async () => {
    const topic = await topics.make(1)
    const transactionalIdPrefix = `taken-${topic}`
    const run = await openSink(topic, { transactionalIdPrefix })
    await run.write('x' as never)
    const { id } = await run.checkpoint()
    await shutOut(transactionalIdPrefix)
    await expect(run.commitUpTo(id)).rejects.toMatchObject({
      code: 'WEIR_KAFKA_DENIED',
      message: expect.stringContaining('TRANSACTIONAL_ID_AUTHORIZATION_FAILED'),
    })
  })

  describe('read the topic that it writes', () => {
    /** A checkpoint whose transaction was committed, by a user who may write there only. */
    const written = async () => {
      const topic = await topics.make(1)
      await allow('alice', AclOperationTypes.WRITE, onTopic(topic))
      const run = await openSink(topic, { transactionalIdPrefix: topic })
      await run.write('x' as never)
      const checkpoint = await run.checkpoint()
      await run.commitUpTo(checkpoint.id)
      await run.close()
      return { topic, checkpoint }
    }

    test('the name tells, as long as the brokers know it', async () => {
      const { topic, checkpoint } = await written()
      await openSink(topic, { transactionalIdPrefix: topic }, checkpoint)
    })

    test('afterwards nobody can, and the job does not guess', async () => {
      const { topic, checkpoint } = await written()
      const restored = forgotten(checkpoint)
      await expect(openSink(topic, {}, restored)).rejects.toMatchObject({
        code: 'WEIR_KAFKA_TRANSACTION_UNCLEAR',
        message: expect.stringContaining(`1 records in ${topic}-0 at offsets 0 to 0`),
      })
      await openSink(topic, { onLostTransaction: 'continue' }, restored)
      await allow('alice', AclOperationTypes.READ, onTopic(topic))
      await openSink(topic, {}, restored)
    })
  })

  test('come with a wrong password', async () => {
    const sasl = { ...asAlice, password: 'not-this-one' }
    const topic = await topics.make(1)
    await expect(write(topic, { sasl })).rejects.toMatchObject({ code: 'WEIR_KAFKA_CREDENTIALS' })
  })

  test('come with a mechanism that the broker does not have', async () => {
    const topic = await filled()
    const sasl = { ...asAlice, mechanism: 'scram-sha-1' as 'scram-sha-256' }
    for (const attempt of [() => read(topic, { sasl }), () => write(topic, { sasl })]) {
      await expect(attempt()).rejects.toMatchObject({
        code: 'WEIR_KAFKA_CREDENTIALS',
        message: expect.stringContaining('by scram-sha-1: '),
      })
    }
  })

  test('come with a password where none is asked for', async () => {
    const topic = await filled()
    for (const attempt of [read, write]) {
      await expect(attempt(topic, { brokers: topics.brokers })).rejects.toMatchObject({
        code: 'WEIR_KAFKA_HANDSHAKE',
      })
    }
  })

  test('come with a token that is over', async () => {
    const topic = await filled()
    const sasl = (lifeSeconds: number) => {
      return { mechanism: 'oauthbearer', token: async () => tokenOf('dave', lifeSeconds) } as const
    }
    expect(await read(topic, { sasl: sasl(600) })).toHaveLength(3)
    await write(topic, { sasl: sasl(600) })
    const error = await read(topic, { sasl: sasl(-600) }).catch((thrown: Error) => thrown)
    expect(error).toMatchObject({ code: 'WEIR_KAFKA_CREDENTIALS' })
    expect(`${String(error)} ${JSON.stringify(error)}`).not.toContain(tokenOf('dave', -600))
    const broken = { mechanism: 'oauthbearer', token: () => 'no token at all' } as const
    await expect(read(topic, { sasl: broken })).rejects.toMatchObject({
      code: 'WEIR_KAFKA_CREDENTIALS',
    })
  })

  test('be shown a certificate that the CA did not sign', async () => {
    const topic = await filled()
    const secured = { brokers: environment.WEIR_TESTBED_KAFKA_SASL_SSL ?? '' }
    const ca = readFileSync(environment.WEIR_TESTBED_KAFKA_CA ?? '', 'utf8')
    expect(await read(topic, { ...secured, tls: { ca } })).toHaveLength(3)
    const wrong = { ...secured, tls: { ca: rootCertificates[0] } }
    for (const attempt of [() => read(topic, wrong), () => write(topic, wrong)]) {
      await expect(attempt()).rejects.toMatchObject({
        code: 'WEIR_KAFKA_HANDSHAKE',
        message: expect.stringMatching(/certificate/),
      })
    }
  })
})

/** An unsigned token: the test broker looks at nothing but who and until when. */
function tokenOf(subject: string, lifeSeconds: number): string {
  const nowSeconds = Math.floor(Date.now() / 1_000)
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const claims = { sub: subject, iat: nowSeconds - 1_000, exp: nowSeconds + lifeSeconds }
  return `${part({ alg: 'none' })}.${part(claims)}.`
}
