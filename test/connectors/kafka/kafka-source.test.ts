import { readFileSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { SystemClock } from '../../../src/common/clock.ts'
import type { KafkaSourceOptions } from '../../../src/connectors/kafka/index.ts'
import { kafkaSource } from '../../../src/connectors/kafka/index.ts'
import { text } from '../../../src/schema/text-format.ts'
import { testSource } from '../../contract/source.ts'
import { SourceRun, type SourceRunOptions } from '../../contract/source-run.ts'
import { describeWithPart } from '../../testbed/describe-with-part.ts'
import { kafkaPasswords } from '../../testbed/kafka-passwords.ts'
import { numbered, TestTopics } from './test-topics.ts'

await describeWithPart('on a real broker', 'kafka', environment => {
  const brokers = environment.WEIR_TESTBED_KAFKA ?? ''
  const topics = new TestTopics(brokers)
  const runs: SourceRun<unknown>[] = []
  let contractTopic = ''

  beforeAll(async () => {
    contractTopic = await topics.make(1)
    await topics.send(contractTopic, numbered(0, 40))
  })
  afterEach(async () => {
    for (const run of runs.splice(0)) await run.close()
    await topics.close()
  })

  const open = async (
    options: Partial<KafkaSourceOptions<string>>,
    run: Partial<SourceRunOptions> = {},
  ): Promise<SourceRun<string>> => {
    const source = kafkaSource<string>({ brokers, topics: [], value: text(), ...options })
    const started = await SourceRun.start(source as never, { parallelism: 1, ...run })
    runs.push(started as SourceRun<unknown>)
    return started as SourceRun<string>
  }
  /** Everything that is there, sorted by number. */
  const readAll = async (options: Partial<KafkaSourceOptions<string>>): Promise<number[]> => {
    const run = await open({ stop: 'latest', ...options })
    await run.runToEnd()
    return run.emitted.map(one => Number(one.value)).sort((a, b) => a - b)
  }
  /** The markers of a transaction come a little after its commit was answered. */
  const visible = async (topic: string, count: number): Promise<void> => {
    const started = Date.now()
    while (Date.now() - started < 20_000) {
      if ((await readAll({ topics: topic })).length >= count) return
    }
  }
  const range = (from: number, to: number): number[] =>
    Array.from({ length: to - from }, (_, i) => from + i)

  testSource('the Kafka source', {
    make: () =>
      kafkaSource({ brokers, topics: contractTopic, value: text(), stop: 'latest' }) as never,
    expected: () => range(0, 40).map(String),
    cuts: [0, 1, 20, 39, 40],
  })

  test('reads all partitions with their offsets and timestamps', async () => {
    const topic = await topics.make(7)
    for (let p = 0; p < 7; p++) await topics.send(topic, numbered(p * 100, p * 100 + 50, p))
    const run = await open({ topics: topic, stop: 'latest' }, { parallelism: 3 })
    await run.runToEnd()
    expect(run.emitted).toHaveLength(350)
    for (const { value, timestamp, splitId, offset } of run.emitted) {
      expect(timestamp).toBe(1_000_000 + Number(value))
      expect(splitId).toBe(`${topic}-${Math.floor(Number(value) / 100)}`)
      expect(offset).toBe(Number(value) % 100)
    }
  })

  test.each(['gzip', 'snappy', 'lz4', 'zstd', 'uncompressed'])(
    'reads what the broker stores as %s',
    async compression => {
      const topic = await topics.make(1, { 'compression.type': compression })
      const long = numbered(0, 1_000).map(one => {
        return { ...one, value: `${String(one.value)} ${'the same again '.repeat(8)}` }
      })
      await topics.send(topic, long)
      await topics.send(topic, [{ value: '1000 ä€𝄞' }])
      const run = await open({ topics: topic, stop: 'latest' })
      await run.runToEnd()
      expect(run.emitted.map(one => Number(one.value.split(' ')[0]))).toEqual(range(0, 1_001))
      expect(run.emitted.at(-1)?.value).toBe('1000 ä€𝄞')
    },
  )

  test.each([
    ['behind the last record', { start: 12, stop: 'latest' as const, end: 10 }],
    ['behind the end that was given', { start: 7, stop: 3, end: 3 }],
  ])('does not start %s', async (_where, { start, stop, end }) => {
    const topic = await topics.make(1)
    await topics.send(topic, numbered(0, 10))
    const from = { topics: topic, start: { offsets: { [topic]: { 0: start } } } }
    const to = stop === 'latest' ? stop : { offsets: { [topic]: { 0: stop } } }
    await expect(open({ ...from, stop: to })).rejects.toMatchObject({
      code: 'WEIR_KAFKA_END_BEFORE_START',
      message: expect.stringMatching(new RegExp(`${topic}-0 .* ${start} .* ${end}$`)),
    })
  })

  test('has nothing to read where it starts at its end', async () => {
    const topic = await topics.make(1)
    await topics.send(topic, numbered(0, 10))
    expect(await readAll({ topics: topic, start: 'latest' })).toEqual([])
  })

  test('shows keys, headers and null values to who asks for them', async () => {
    const topic = await topics.make(1)
    await topics.send(topic, [
      { key: 'k', value: 'v', headers: { a: 'x', b: ['y', 'z'] } },
      { key: null, value: null },
      { key: '', value: '' },
    ])
    const source = kafkaSource({
      brokers,
      topics: topic,
      stop: 'latest',
      read: ({ key, value, headers, partition, offset }) => ({
        key: key?.toString() ?? null,
        value: value?.toString() ?? null,
        headers: headers.map(({ name, value: of }) => `${name}=${String(of)}`),
        place: `${partition}@${offset}`,
      }),
    })
    const run = await SourceRun.start(source as never, { parallelism: 1 })
    runs.push(run)
    await run.runToEnd()
    expect(run.emitted.map(one => one.value)).toEqual([
      { key: 'k', value: 'v', headers: ['a=x', 'b=y', 'b=z'], place: '0@0' },
      { key: null, value: null, headers: [], place: '0@1' },
      { key: '', value: '', headers: [], place: '0@2' },
    ])
  })

  test('a record without a value is rejected with its place, and reading goes on', async () => {
    const topic = await topics.make(1)
    await topics.send(topic, [{ value: '1' }, { value: null }, { value: '2' }])
    const run = await open({ topics: topic, stop: 'latest' })
    await run.runToEnd()
    expect(run.emitted.map(one => one.value)).toEqual(['1', '2'])
    expect(run.rejected).toEqual([
      expect.objectContaining({ offset: 1, splitId: `${topic}-0`, record: '' }),
    ])
    expect(String(run.rejected[0]?.error)).toContain('WEIR_KAFKA_NULL_VALUE')
  })

  describe('of transactions', () => {
    test('only committed records are seen, in any interleaving', async () => {
      const topic = await topics.make(1)
      const abandoned = await topics.begin()
      const kept = await topics.begin()
      await abandoned.send({ topic, messages: numbered(900, 910) })
      await kept.send({ topic, messages: numbered(0, 10) })
      await abandoned.send({ topic, messages: numbered(910, 920) })
      await kept.send({ topic, messages: numbered(10, 20) })
      await abandoned.abort()
      await kept.send({ topic, messages: numbered(20, 30) })
      await kept.commit()
      await topics.send(topic, numbered(30, 40))
      await visible(topic, 40)
      expect(await readAll({ topics: topic })).toEqual(range(0, 40))
      // A range that begins inside of the transaction that was taken back.
      const from = { start: { offsets: { [topic]: { 0: 15 } } } }
      const inside = await readAll({ topics: topic, ...from })
      expect(inside).toEqual(range(5, 40).filter(n => inside.includes(n)))
      expect(inside.some(n => n >= 900)).toBe(false)
      const dirty = await readAll({ topics: topic, isolation: 'read_uncommitted' })
      expect(dirty).toEqual([...range(0, 40), ...range(900, 920)])
    })

    test('an open one holds back what comes after it, until it ends', async () => {
      const topic = await topics.make(1)
      await topics.send(topic, numbered(0, 5))
      const transaction = await topics.begin()
      await transaction.send({ topic, messages: numbered(5, 10) })
      await topics.send(topic, numbered(10, 15))
      expect(await readAll({ topics: topic })).toEqual(range(0, 5))
      const run = await open({ topics: topic })
      await run.runUntil(5)
      await transaction.commit()
      await run.runUntil(15)
      expect(run.emitted.map(one => Number(one.value))).toEqual(range(0, 15))
    })

    test('a bounded source ends where only markers are left', async () => {
      const topic = await topics.make(1)
      const transaction = await topics.begin()
      await transaction.send({ topic, messages: numbered(0, 5) })
      await transaction.abort()
      expect(await readAll({ topics: topic })).toEqual([])
    })
  })

  describe('starts', () => {
    let topic = ''
    beforeAll(async () => {
      topic = await topics.make(2)
      await topics.send(topic, numbered(0, 10, 0))
      await topics.send(topic, numbered(10, 20, 1))
    })

    test('at the latest, and sees what comes then', async () => {
      const own = await topics.make(1)
      await topics.send(own, numbered(0, 10))
      const run = await open({ topics: own, start: 'latest' })
      await topics.send(own, numbered(10, 12))
      await run.runUntil(2)
      expect(run.emitted.map(one => Number(one.value))).toEqual([10, 11])
    })

    test('at a time', async () => {
      const start = { timestamp: 1_000_007 }
      expect(await readAll({ topics: topic, start })).toEqual(range(7, 20))
      expect(await readAll({ topics: topic, start: { timestamp: 9_999_999 } })).toEqual([])
    })

    test('at given offsets, and at the earliest where none is given', async () => {
      const start = { offsets: { [topic]: { 0: 4 } } }
      expect(await readAll({ topics: topic, start })).toEqual(range(4, 20))
    })

    test('where the group was, or otherwise as told', async () => {
      const group = `g${Date.now()}`
      const start = (otherwise: 'earliest' | 'latest' | 'fail') =>
        readAll({ topics: topic, group, start: { committed: otherwise } })
      expect(await start('earliest')).toEqual(range(0, 20))
      expect(await start('latest')).toEqual([])
      await expect(start('fail')).rejects.toMatchObject({ code: 'WEIR_KAFKA_OPTION_INVALID' })
      await topics.admin(admin =>
        admin.setOffsets({ groupId: group, topic, partitions: [{ partition: 1, offset: '5' }] }),
      )
      expect(await start('earliest')).toEqual([...range(0, 10), ...range(15, 20)])
      expect(await start('latest')).toEqual(range(15, 20))
    })

    test('and stops at a time or at given offsets', async () => {
      expect(await readAll({ topics: topic, stop: { timestamp: 1_000_013 } })).toEqual(range(0, 13))
      const stop = { offsets: { [topic]: { 0: 3, 1: 0 } } }
      expect(await readAll({ topics: topic, stop })).toEqual(range(0, 3))
    })

    test('on single partitions and on topics of a pattern', async () => {
      expect(await readAll({ topics: { partitions: { [topic]: [1] } } })).toEqual(range(10, 20))
      expect(await readAll({ topics: new RegExp(`^${topic}$`) })).toEqual(range(0, 20))
      await expect(readAll({ topics: { partitions: { [topic]: [1, 9] } } })).rejects.toThrow(
        `with the partition ${topic}-9`,
      )
    })
  })

  test('partitions that are added later are read from their beginning', async () => {
    const topic = await topics.make(1)
    await topics.send(topic, numbered(0, 2))
    const run = await open({ topics: topic, start: 'latest', discoverEvery: '100ms' })
    await topics.grow(topic, 2)
    await topics.send(topic, numbered(10, 12, 1))
    await run.runUntil(2)
    expect(run.emitted.map(one => one.value)).toEqual(['10', '11'])
  })

  describe('where records were deleted', () => {
    let topic = ''
    const start = () => ({ offsets: { [topic]: { 0: 3 } } })
    beforeAll(async () => {
      topic = await topics.make(1)
      await topics.send(topic, numbered(0, 20))
      await topics.admin(async admin => {
        await admin.fetchTopicOffsets(topic)
        await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '10' }] })
      })
    })

    test('the job fails, and the error says what is there', async () => {
      await expect(readAll({ topics: topic, start: start() })).rejects.toMatchObject({
        code: 'WEIR_KAFKA_OFFSET_OUT_OF_RANGE',
        message: expect.stringContaining('the broker has 10 to 20'),
      })
    })

    test('it goes on where it was told to', async () => {
      const onOutOfRange = 'earliest'
      expect(await readAll({ topics: topic, start: start(), onOutOfRange })).toEqual(range(10, 20))
    })
  })

  test('offsets are noted for the group when the checkpoint completed', async () => {
    const topic = await topics.make(1)
    const group = `noted${Date.now()}`
    await topics.send(topic, numbered(0, 20))
    const source = kafkaSource({ brokers, topics: topic, value: text(), group })
    const reader = source.createReader({
      runtime: {
        operatorName: 'kafka',
        subtaskIndex: 0,
        parallelism: 1,
        attempt: 0,
        count: () => {},
      },
      clock: new SystemClock(),
      requestSplit: () => {},
      wakeUp: () => {},
    })
    const split = { id: `${topic}-0`, topic, partition: 0, offset: 7 }
    try {
      await reader.start()
      reader.addSplits([split])
      reader.snapshotState(1)
      const noted = async (): Promise<string | undefined> => {
        const all = await topics.admin(admin =>
          admin.fetchOffsets({ groupId: group, topics: [topic] }),
        )
        return all[0]?.partitions.find(one => one.partition === 0)?.offset
      }
      expect(await noted()).toBe('-1')
      reader.notifyCheckpointComplete?.(1)
      let offset = await noted()
      while (offset === '-1') offset = await noted()
      expect(offset).toBe('7')
    } finally {
      await reader.close()
    }
  })

  test('memory for what is not read yet is bounded', async () => {
    const topic = await topics.make(4)
    const large = 'x'.repeat(100_000)
    for (let p = 0; p < 4; p++) {
      for (let i = 0; i < 4; i++) {
        await topics.send(
          topic,
          Array.from({ length: 8 }, () => ({ value: large, partition: p })),
        )
      }
    }
    const run = await open({ topics: topic, stop: 'latest', bufferBytes: 1 << 20 })
    await run.runToEnd()
    expect(run.emitted).toHaveLength(128)
  })

  describe('what is wrong is named', () => {
    const failure = async (options: Partial<KafkaSourceOptions<string>>) => {
      const error = await readAll(options).then(
        () => new Error('it was taken'),
        (thrown: unknown) => thrown as Error,
      )
      return { error, shown: `${error} ${JSON.stringify(error)}` }
    }

    test('a topic that is not there', async () => {
      const { error } = await failure({ topics: 'no-such-topic' })
      expect(error).toMatchObject({
        code: 'WEIR_KAFKA_TOPIC_MISSING',
        message: 'there is no topic no-such-topic',
      })
    })

    test('a broker that is not there', async () => {
      const { error } = await failure({ topics: 't', brokers: '127.0.0.1:1' })
      expect(error).toMatchObject({ code: 'WEIR_KAFKA_UNREACHABLE' })
    })

    test.each(['scram-sha-256', 'scram-sha-512'] as const)('a password by %s', async mechanism => {
      const sasl = { mechanism, username: 'alice', password: kafkaPasswords.alice }
      const secured = { topics: contractTopic, brokers: environment.WEIR_TESTBED_KAFKA_SASL ?? '' }
      expect(await readAll({ ...secured, sasl })).toEqual(range(0, 40))
      const wrong = { ...sasl, password: 'not-this-one' }
      const { error, shown } = await failure({ ...secured, sasl: wrong })
      expect(error).toMatchObject({ code: 'WEIR_KAFKA_CREDENTIALS' })
      expect(shown).not.toContain('not-this-one')
    })

    test('a missing password', async () => {
      const secured = environment.WEIR_TESTBED_KAFKA_SASL ?? ''
      const { error } = await failure({ topics: contractTopic, brokers: secured })
      expect(error).toMatchObject({ code: 'WEIR_KAFKA_HANDSHAKE' })
    })

    test('TLS, with and without the right CA', async () => {
      const ca = readFileSync(environment.WEIR_TESTBED_KAFKA_CA ?? '', 'utf8')
      const secured = environment.WEIR_TESTBED_KAFKA_SASL_SSL ?? ''
      const sasl = { mechanism: 'plain', username: 'bob', password: kafkaPasswords.bob } as const
      const options = { topics: contractTopic, brokers: secured, sasl }
      expect(await readAll({ ...options, tls: { ca } })).toEqual(range(0, 40))
      const { error } = await failure({ ...options, tls: true })
      expect(error).toMatchObject({ code: 'WEIR_KAFKA_HANDSHAKE' })
      expect(error.message).toMatch(/certificate/)
    })

    test.each([
      ['brokers', { brokers: 'localhost' }],
      ['topics', { topics: [] }],
      ['value', { value: undefined }],
      ['group', { start: { committed: 'earliest' } as const }],
    ])('the option %s', (option, wrong) => {
      const good = { brokers, topics: 't', value: text() }
      expect(() => kafkaSource({ ...good, ...wrong } as never)).toThrow(`the option ${option}`)
    })
  })

  afterAll(() => topics.close())
})
