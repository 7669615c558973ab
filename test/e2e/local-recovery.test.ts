/**
 * A job of several processes whose checkpoints lie in a bucket, on a real S3 server. A proxy before
 * it counts what is fetched: a restart reads the state from the copies of the slots.
 */
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { TestBuckets } from '../storage/s3/test-buckets.ts'
import { describeWithPart } from '../testbed/describe-with-part.ts'
import { FaultyProxy } from '../testbed/faulty-proxy.ts'
import { SteeredRun } from './steered-run.ts'
import { readLines, ScratchFolders, sampleManifest, setAll } from './weir-process.ts'

const JOB = 'default.bank-transfers'
const SLOTS = 3
const TRANSFERS = 60_000
const folders = new ScratchFolders()

await describeWithPart('state that is restored after a kill', 's3', environment => {
  let buckets: TestBuckets
  let proxy: FaultyProxy
  let fetched: Fetched
  let folder = ''
  let run: SteeredRun

  beforeAll(() => {
    buckets = new TestBuckets(environment)
  })

  beforeEach(async () => {
    proxy = await FaultyProxy.start(environment.WEIR_TESTBED_S3 ?? '')
    fetched = new Fetched(proxy)
    folder = folders.make()
    run = new SteeredRun({
      args: [
        sampleManifest('bank-transfers'),
        '--parallelism',
        String(SLOTS),
        ...setAll({
          'checkpoint.storage': `s3://${await buckets.make()}/jobs`,
          'checkpoint.interval': '1s',
          'job.args.transfers': TRANSFERS,
          'job.args.rate': 10_000,
          'job.args.output': join(folder, 'out'),
        }),
      ],
      folder,
      jobId: JOB,
      environment: {
        ...environment,
        AWS_ENDPOINT_URL_S3: proxy.endpoint,
        WEIR_STATE_FOLDER: join(folder, 'state'),
      },
    })
  })

  afterEach(async () => {
    if (run.isRunning) await run.kill()
    await proxy.close()
  })

  afterAll(() => {
    buckets.close()
    folders.remove()
  })

  const copiesOf = (slot: number): string => join(folder, 'state', JOB, String(slot))

  /** Kills the taskmanager of slot 1 and waits until the job runs again. */
  async function kill({ losesCopies }: { readonly losesCopies: boolean }): Promise<void> {
    expect(await run.untilCheckpoints(2)).toBe(true)
    expect(await run.until(() => filesIn(copiesOf(1)) > 0)).toBe(true)
    fetched.files.clear()
    const victim = run.processes('taskmanager').find(({ slot }) => slot === 1)
    process.kill(victim?.pid ?? 0, 'SIGKILL')
    // As a machine that is gone takes its disk with it.
    if (losesCopies) rmSync(copiesOf(1), { recursive: true, force: true })
    const isBack = await run.until(({ restarts, status }) => restarts > 0 && status === 'running')
    expect(isBack).toBe(true)
    expect(run.said).toMatch(/restored from s3:/)
  }

  async function isExact(): Promise<void> {
    expect(await run.ended).toMatchObject({ code: 0 })
    const entries = readLines(join(folder, 'out')).map(line => JSON.parse(line) as Entry)
    expect(entries).toHaveLength(2 * TRANSFERS)
    expect(new Set(entries.map(e => `${e.transfer} ${e.amount > 0}`)).size).toBe(2 * TRANSFERS)
    expect(entries.reduce((sum, entry) => sum + entry.amount, 0)).toBe(0)
  }

  test('comes from the copies of all slots, and nothing of it is fetched', async () => {
    await kill({ losesCopies: false })
    expect([...fetched.files]).toEqual([])
    await isExact()
  }, 120_000)

  test('is fetched for the slot alone whose copies are lost', async () => {
    await kill({ losesCopies: true })
    expect(fetched.files.size).toBeGreaterThan(0)
    expect([...fetched.files].filter(file => !file.endsWith('-1.state'))).toEqual([])
    await isExact()
  }, 120_000)
})

/** The state files that were read from the store. */
class Fetched {
  readonly files = new Set<string>()

  constructor(proxy: FaultyProxy) {
    proxy.fault = ({ method, path }) => {
      const file = /\/([^/?]+\.state)(?:\?|$)/.exec(path)?.[1]
      if (method === 'GET' && file !== undefined) this.files.add(decodeURIComponent(file))
      return undefined
    }
  }
}

/** Below a folder, at any depth. */
function filesIn(folder: string): number {
  if (!existsSync(folder)) return 0
  const all = readdirSync(folder, { recursive: true, withFileTypes: true })
  return all.filter(one => one.isFile() && one.name.endsWith('.state')).length
}

interface Entry {
  readonly transfer: number
  readonly account: number
  readonly amount: number
}
