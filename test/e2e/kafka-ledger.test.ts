/**
 * The ledger sample from Kafka to Kafka on real servers, its processes killed at random moments: a
 * reader of committed records sees every entry once, and those of one account in their order.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { runJob } from 'weir/testing'
import { job } from '../../src/api/job.ts'
import { SeededRandom } from '../../src/common/random.ts'
import { datagen, sequence, uniformInt } from '../../src/connectors/datagen/index.ts'
import { kafkaSink, kafkaSource } from '../../src/connectors/kafka/index.ts'
import { json } from '../../src/schema/json-format.ts'
import { type Infer, record } from '../../src/schema/record.ts'
import { z } from '../../src/schema/z.ts'
import { TestTopics } from '../connectors/kafka/test-topics.ts'
import { SourceRun } from '../contract/source-run.ts'
import { TestBuckets } from '../storage/s3/test-buckets.ts'
import { describeWithPart } from '../testbed/describe-with-part.ts'
import { ScratchFolders, sampleManifest, setAll, WeirProcess } from './weir-process.ts'

const TRANSFERS = 150_000
const KILLS = process.env.WEIR_TEST_LONG === '1' ? 30 : 4

const Transfer = record({ id: z.int(), from: z.int32(), to: z.int32(), amount: z.int32() })
const Balance = record({
  account: z.int32(),
  transfer: z.int(),
  amount: z.int32(),
  balance: z.int(),
})

await describeWithPart('the ledger sample', ['kafka', 's3'], environment => {
  const folders = new ScratchFolders()
  const brokers = environment.WEIR_TESTBED_KAFKA ?? ''
  const topics = new TestTopics(brokers)
  let bucket = ''
  let input = ''
  let output = ''

  beforeAll(async () => {
    const buckets = new TestBuckets(environment)
    bucket = await buckets.make()
    buckets.close()
    input = await topics.make(4)
    output = await topics.make(4)
    const made = { id: sequence(), amount: uniformInt(1, 10_000) }
    const fields = { ...made, from: uniformInt(0, 99), to: uniformInt(0, 99) }
    await runJob(
      job(env =>
        env
          .from(datagen({ type: Transfer, rows: TRANSFERS, seed: 1, fields }))
          .uid('made-up')
          .to(
            kafkaSink({ brokers, topic: input, value: json(Transfer), delivery: 'at-least-once' }),
          )
          .uid('feed'),
      ),
    )
  })
  afterAll(async () => {
    await topics.close()
    folders.remove()
  })

  const run = (folder: string, restore: boolean): WeirProcess => {
    const fields = {
      'checkpoint.storage': `s3://${bucket}/jobs`,
      'checkpoint.interval': '150ms',
      'job.args.brokers': brokers,
      'job.args.input': input,
      'job.args.output': output,
      'job.args.feed': 0,
      'job.args.until': 'latest',
    }
    const from = restore ? ['--restore', 'latest'] : []
    const command = ['run', sampleManifest('kafka/ledger'), ...setAll(fields), ...from]
    return new WeirProcess(command, folder, environment)
  }

  const entries = async (): Promise<readonly Infer<typeof Balance>[]> => {
    const stop = 'latest' as const
    const source = kafkaSource({ brokers, topics: output, value: json(Balance), stop })
    const reading = await SourceRun.start(source as never, { parallelism: 1, batchSize: 512 })
    await reading.runToEnd()
    await reading.close()
    return reading.emitted.map(one => one.value as Infer<typeof Balance>)
  }

  test('killed at random moments, it gives every entry once and in order', async () => {
    const random = new SeededRandom(7)
    const folder = folders.make()
    let restore = false
    let kills = 0
    for (;;) {
      const process = run(folder, restore)
      restore = true
      const runs = await process.runsUntil(() => process.err.includes('REST API at'))
      const killAt = Date.now() + random.int(2_500)
      const isThere = runs && (await process.runsUntil(() => Date.now() >= killAt))
      if (isThere && kills < KILLS) {
        await process.kill()
        kills++
        continue
      }
      const end = await process.ended
      // Killed before it began: there is nothing to restore yet, and that is said.
      if (end.err.includes('WEIR_RESTORE_NOTHING')) restore = false
      else {
        expect({ code: end.code, said: end.code === 0 ? '' : end.err }).toEqual({
          code: 0,
          said: '',
        })
        break
      }
    }
    expect(kills).toBeGreaterThan(0)

    let found = await entries()
    for (let tries = 0; found.length < 2 * TRANSFERS && tries < 20; tries++) found = await entries()
    expect(found).toHaveLength(2 * TRANSFERS)
    const sides = new Set(found.map(({ transfer, amount }) => `${transfer} ${amount > 0}`))
    expect(sides.size).toBe(2 * TRANSFERS)
    expect(found.reduce((sum, { amount }) => sum + amount, 0)).toBe(0)
    const balances = new Map<number, number>()
    for (const { account, amount, balance } of found) {
      expect(balance).toBe((balances.get(account) ?? 0) + amount)
      balances.set(account, balance)
    }
  }, 600_000)
})
