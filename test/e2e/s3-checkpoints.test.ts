/** A job whose checkpoints lie in a bucket, on a real S3 server: killed, restored, inspected. */
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { SystemClock } from '../../src/common/clock.ts'
import { SystemRandom } from '../../src/common/random.ts'
import { S3ObjectStore } from '../../src/storage/s3/s3-object-store.ts'
import { TestBuckets } from '../storage/s3/test-buckets.ts'
import { describeWithPart } from '../testbed/describe-with-part.ts'
import { readLines, ScratchFolders, sampleManifest, setAll, WeirProcess } from './weir-process.ts'

const folders = new ScratchFolders()

await describeWithPart('checkpoints in a bucket', 's3', environment => {
  let buckets: TestBuckets
  let bucket: string
  const saved = { ...process.env }

  beforeAll(async () => {
    Object.assign(process.env, environment)
    buckets = new TestBuckets(environment)
    bucket = await buckets.make()
  })

  afterAll(() => {
    process.env = saved
    buckets.close()
    folders.remove()
  })

  const run = (folder: string, ...more: readonly string[]): WeirProcess => {
    const fields = {
      'checkpoint.storage': `s3://${bucket}/jobs`,
      'checkpoint.interval': '100ms',
      'job.args.transfers': 300_000,
      'job.args.rate': 60_000,
      'job.args.output': join(folder, 'out'),
    }
    const command = ['run', sampleManifest('bank-transfers'), ...setAll(fields), ...more]
    return new WeirProcess(command, folder, environment)
  }

  test('a killed job goes on from the last of them, and gives each record once', async () => {
    const folder = folders.make()
    const store = new S3ObjectStore({
      location: `s3://${bucket}/jobs`,
      random: new SystemRandom(),
      clock: new SystemClock(),
    })
    const first = run(folder)
    let found: readonly string[] = []
    while (found.length < 2 && first.isRunning) {
      const all = await store.list('default.bank-transfers/chk-')
      found = all.map(entry => entry.key).filter(key => key.endsWith('/_metadata'))
    }
    await first.kill()
    const second = run(folder, '--restore', 'latest')
    expect(await second.ended).toMatchObject({ code: 0 })
    expect(second.err).toMatch(
      /restored from s3:\/\/[\w-]+\/jobs\/default\.bank-transfers\/chk-\d+/,
    )
    const entries = readLines(join(folder, 'out')).map(line => JSON.parse(line) as Entry)
    expect(entries).toHaveLength(600_000)
    expect(new Set(entries.map(e => `${e.transfer} ${e.amount > 0}`)).size).toBe(600_000)
    expect(entries.reduce((sum, entry) => sum + entry.amount, 0)).toBe(0)
    const kept = (await store.list('default.bank-transfers/chk-')).map(entry => entry.key)
    const last = kept.findLast(key => key.endsWith('/_metadata')) ?? ''
    const path = `s3://${bucket}/jobs/${last.replace('/_metadata', '')}`
    for (const shown of [path, `${path}/_metadata`]) {
      const inspected = await new WeirProcess(['savepoint', 'inspect', shown], folder, environment)
        .ended
      expect(inspected.code).toBe(0)
      expect(JSON.parse(inspected.out)).toMatchObject({ jobId: 'default.bank-transfers' })
    }
  }, 120_000)

  test.each([
    [
      'a bucket that is not there',
      { 'checkpoint.storage': 's3://no-such-bucket/a' },
      'BUCKET_MISSING',
    ],
    [
      'an endpoint without a bucket',
      { 'checkpoint.storage': 's3://?endpoint=x' },
      'LOCATION_INVALID',
    ],
    [
      'a server that does not answer',
      { 'checkpoint.storage': 's3://weir/a?endpoint=http://127.0.0.1:1' },
      'UNREACHABLE',
    ],
  ])('%s is named before the job starts', async (_, fields, code) => {
    const end = await run(folders.make(), ...setAll(fields)).ended
    expect(end.err).toContain(`WEIR_STORE_${code}`)
    expect(end.code).toBe(2)
    expect(end.err).toContain('next: ')
  })
})

interface Entry {
  readonly transfer: number
  readonly account: number
  readonly amount: number
}
