/**
 * Jobmanagers and taskmanagers as pods would be: started one by one, with nobody who knows of all.
 * What stands still and wakes up after another took its place must do no harm.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { SystemClock } from '../../src/common/clock.ts'
import { TlsJobLink } from '../../src/controller/link/tls-job-link.ts'
import type { JobDescriptionText } from '../../src/protocol/job-description.ts'
import { type JobFacts, jobFactsSchema } from '../../src/protocol/job-facts.ts'
import { epochKey } from '../../src/protocol/job-keys.ts'
import { freePorts } from '../testbed/free-ports.ts'
import { readLines, repository, ScratchFolders, weir } from './weir-process.ts'

const TRANSFERS = 84_000
const folders = new ScratchFolders()
const hands: Hand[] = []

beforeAll(async () => {
  // It builds what this test starts.
  expect(await weir(['--version'], repository)).toMatchObject({ code: 0 })
})

afterAll(() => {
  for (const hand of hands) hand.killAll()
  folders.remove()
})

interface Started {
  readonly child: ChildProcess
  readonly ended: Promise<number | null>
  log: string
}

/** Starts the processes of one job. */
class Hand {
  readonly folder = folders.make()
  readonly #all: Started[] = []

  constructor() {
    hands.push(this)
    const bundle = join(this.folder, 'job.mjs')
    const sample = pathToFileURL(join(repository, 'src/examples/bank-transfers.ts')).href
    writeFileSync(bundle, `export { default } from '${sample}'\n`)
    writeFileSync(join(this.folder, 'secret'), 'known to these processes only')
    writeFileSync(join(this.folder, 'no-secret'), 'known to somebody else only')
    const args = { transfers: String(TRANSFERS), rate: '12000', output: join(this.folder, 'out') }
    const description: JobDescriptionText = {
      formatVersion: 1,
      run: 'by hand',
      manifest: {
        apiVersion: 'weir.dev/v1alpha1',
        kind: 'StreamJob',
        metadata: { name: 'bank' },
        spec: {
          job: { module: 'bank-transfers.ts', args },
          parallelism: 2,
          checkpoint: { interval: '200ms', retained: 1000 },
        },
      },
      bundle,
      storeLocation: join(this.folder, 'store'),
      restore: { kind: 'none' },
      rest: null,
    }
    writeFileSync(join(this.folder, 'job.json'), JSON.stringify(description))
  }

  jobManager(environment: Readonly<Record<string, string>> = {}): Started {
    return this.#start('jobmanager', {
      ...environment,
      WEIR_JOB_FILE: join(this.folder, 'job.json'),
      WEIR_LISTEN: `unix:${join(this.folder, 'jm')}`,
    })
  }

  taskManager(slot: number, secret = 'secret'): Started {
    return this.#start('taskmanager', {
      WEIR_JOB_ID: 'default.bank',
      WEIR_SLOT: String(slot),
      WEIR_JOBMANAGER: `unix:${join(this.folder, 'jm')}`,
      WEIR_LISTEN: 'tcp://127.0.0.1:0',
      WEIR_WORK_FOLDER: join(this.folder, 'code'),
      WEIR_SECRET_FILE: join(this.folder, secret),
    })
  }

  /** Ids of the checkpoints that have completed. */
  get checkpoints(): readonly number[] {
    const folder = join(this.folder, 'store/default.bank')
    if (!existsSync(folder)) return []
    return readdirSync(folder)
      .filter(name => name.startsWith('chk-') && existsSync(join(folder, name, '_metadata')))
      .map(name => Number(name.slice('chk-'.length)))
  }

  /** Waits until `count` more checkpoints have completed. */
  async progress(count: number): Promise<void> {
    const from = Math.max(0, ...this.checkpoints)
    while (this.checkpoints.filter(id => id > from).length < count) await sleep(20)
  }

  /** What must hold of the output, whatever happened. */
  checkOutput(): void {
    const entries = readLines(join(this.folder, 'out')).map(
      line => JSON.parse(line) as { transfer: number; account: number; amount: number },
    )
    expect(entries).toHaveLength(2 * TRANSFERS)
    expect(new Set(entries.map(one => `${one.transfer} ${one.amount}`)).size).toBe(2 * TRANSFERS)
    expect(entries.reduce((sum, one) => sum + one.amount, 0)).toBe(0)
  }

  killAll(): void {
    for (const { child } of this.#all) child.kill('SIGKILL')
  }

  #start(kind: string, environment: Readonly<Record<string, string>>): Started {
    const child = spawn(process.execPath, [join(repository, `dist/bin/${kind}.js`)], {
      env: {
        ...process.env,
        WEIR_LOG: 'info',
        WEIR_SECRET_FILE: join(this.folder, 'secret'),
        ...environment,
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    const started: Started = {
      child,
      ended: new Promise(resolve => child.on('close', code => resolve(code))),
      log: '',
    }
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      started.log += text
    })
    this.#all.push(started)
    return started
  }
}

test('a taskmanager that wakes up after another took its slot', async () => {
  const hand = new Hand()
  const jobManager = hand.jobManager()
  const first = hand.taskManager(0)
  const zombie = hand.taskManager(1)
  await hand.progress(2)
  zombie.child.kill('SIGSTOP')
  const second = hand.taskManager(1)
  await hand.progress(2)
  zombie.child.kill('SIGCONT')
  expect(await jobManager.ended).toBe(0)
  expect(await first.ended).toBe(0)
  expect(await second.ended).toBe(0)
  hand.checkOutput()
  // It has noticed by itself that it was away, and waits for a slot that is free.
  expect(zombie.log).toMatch(/this process stood still/)
  expect(zombie.child.exitCode).toBeNull()
  expect(jobManager.log).toMatch(/WEIR_SLOT_LOST .*was silent for 2s/)
}, 90_000)

test('a jobmanager that wakes up after another took over', async () => {
  const hand = new Hand()
  const zombie = hand.jobManager()
  const taskManagers = [hand.taskManager(0), hand.taskManager(1)]
  await hand.progress(2)
  zombie.child.kill('SIGSTOP')
  const successor = hand.jobManager()
  await hand.progress(2)
  zombie.child.kill('SIGCONT')
  expect(await zombie.ended).toBe(1)
  expect(await successor.ended).toBe(0)
  for (const one of taskManagers) expect(await one.ended).toBe(0)
  hand.checkOutput()
  expect(zombie.log).toMatch(/WEIR_JOB_FENCED/)
  expect(successor.log).toMatch(/restored from /)
}, 90_000)

test('the link leads to each jobmanager in turn, and the last leaves its last word', async () => {
  const hand = new Hand()
  const master = 'the master key of this installation'
  const podIp = '127.0.0.1'
  const target = { namespace: 'default', name: 'bank', uid: 'a-uid', epoch: 1, podIp }
  writeFileSync(join(hand.folder, 'secret'), epochKey(master, target))
  const [port = 0] = await freePorts(1)
  const lastWord = join(hand.folder, 'word')
  const environment = {
    WEIR_REST_LISTEN: `tcp://${podIp}:${port}`,
    WEIR_LAST_WORD_FILE: lastWord,
  }
  const link = new TlsJobLink({ masterKeys: [master], clock: new SystemClock(), port })
  /** One that is not there yet refuses the connection. */
  const heard = async (holds: (facts: JobFacts) => boolean): Promise<JobFacts> => {
    for (;;) {
      const facts = await link.facts(target).catch(() => undefined)
      if (facts !== undefined && holds(facts)) return facts
      await sleep(20)
    }
  }

  const first = hand.jobManager(environment)
  const taskManagers = [hand.taskManager(0), hand.taskManager(1)]
  const before = await heard(({ latest, status }) => status === 'running' && latest !== null)
  first.child.kill('SIGKILL')
  await first.ended
  const second = hand.jobManager(environment)
  const after = await heard(({ status }) => status === 'running')
  expect(after.latest?.id).toBeGreaterThanOrEqual(before.latest?.id ?? 0)
  expect(after.latest?.sizeBytes).toBeGreaterThan(0)
  // It was not given the orders of the one before.
  expect(await link.savepointState(target, 'a-uid-1-1')).toBeUndefined()

  const order = { requestId: 'a-uid-1-2', savepoint: true, drain: false }
  await link.stop(target, order)
  expect(await second.ended).toBe(0)
  for (const one of taskManagers) expect(await one.ended).toBe(0)
  const word = jobFactsSchema.parse(JSON.parse(readFileSync(lastWord, 'utf8')))
  expect(word).toMatchObject({ status: 'stopped', latest: { kind: 'savepoint' } })
  expect(word.stop).toMatchObject({ id: order.requestId, status: 'completed', error: null })
  expect(word.stop?.snapshot).toEqual(word.latest)
  expect(existsSync(join(word.latest?.path ?? '', '_metadata'))).toBe(true)
}, 90_000)

test('a taskmanager with another secret is refused, and says so', async () => {
  const hand = new Hand()
  hand.jobManager()
  const stranger = hand.taskManager(0, 'no-secret')
  expect(await stranger.ended).toBe(2)
  expect(stranger.log).toMatch(/WEIR_PEER_UNPROVEN/)
}, 60_000)
