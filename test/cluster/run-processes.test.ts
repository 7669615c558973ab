/** The processes as their doors run them, with a supervisor that the test plays. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { runJobManager } from '../../src/cluster/jobmanager/run-jobmanager.ts'
import {
  type FromJobManager,
  type ProcessHost,
  processExits,
} from '../../src/cluster/supervision.ts'
import { runTaskManager } from '../../src/cluster/taskmanager/run-taskmanager.ts'
import { controlInThread } from './control-in-thread.ts'
import { countingJob } from './counting-job.ts'
import { until } from './process-bench.ts'

let folder = ''

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'weir-process-'))
  writeFileSync(join(folder, 'secret'), 'sixteen characters and more')
})

afterEach(() => {
  Reflect.deleteProperty(globalThis, 'weirProcessTest')
  rmSync(folder, { recursive: true, force: true })
})

/** A process, as far as this test lets it be one. */
class Hosted {
  readonly log: string[] = []
  readonly told: FromJobManager[] = []
  readonly host: ProcessHost
  #take: (message: unknown) => void = () => {}
  #gone: () => void = () => {}
  term: () => void = () => {}

  constructor(environment: Readonly<Record<string, string>>) {
    this.host = {
      environment: { WEIR_SECRET_FILE: join(folder, 'secret'), ...environment },
      pid: process.pid,
      version: '1.0.0',
      startControlThread: controlInThread(),
      onTerm: callback => {
        this.term = callback
      },
      log: line => void this.log.push(line),
      supervisor: {
        send: message => void this.told.push(message as FromJobManager),
        onMessage: take => {
          this.#take = take
        },
        onGone: callback => {
          this.#gone = callback
        },
      },
    }
  }

  tell(message: unknown): void {
    this.#take(message)
  }

  leaveAlone(): void {
    this.#gone()
  }
}

function jobManager(): Hosted {
  return new Hosted({
    WEIR_JOB_FILE: join(folder, 'job.json'),
    WEIR_LISTEN: `unix:${join(folder, 'jm')}`,
  })
}

function taskManager(slot: number): Hosted {
  return new Hosted({
    WEIR_JOB_ID: 'default.test',
    WEIR_SLOT: String(slot),
    WEIR_JOBMANAGER: `unix:${join(folder, 'jm')}`,
    WEIR_LISTEN: `unix:${join(folder, `d${slot}`)}`,
    WEIR_WORK_FOLDER: join(folder, 'code'),
  })
}

function describeJob(counting: ReturnType<typeof countingJob>, rest: object | null = null): void {
  Reflect.set(globalThis, 'weirProcessTest', counting.job)
  mkdirSync(join(folder, 'bundle'))
  const bundle = join(folder, 'bundle/job.mjs')
  writeFileSync(bundle, 'export default globalThis.weirProcessTest\n')
  const spec = { job: { module: 'a.ts' }, parallelism: 2, checkpoint: { interval: '20ms' } }
  const manifest = { apiVersion: 'weir.dev/v1alpha1', kind: 'StreamJob' }
  writeFileSync(
    join(folder, 'job.json'),
    JSON.stringify({
      formatVersion: 1,
      run: 'this run',
      manifest: { ...manifest, metadata: { name: 'test' }, spec },
      bundle,
      storeLocation: join(folder, 'store'),
      restore: { kind: 'none' },
      rest,
    }),
  )
}

test('a job runs to its end, and the supervisor hears all of it', async () => {
  const counting = countingJob({ records: 2_000, keys: 5 })
  describeJob(counting, { port: 0, folder })
  const manager = jobManager()
  const ends = [
    runJobManager(manager.host),
    ...[0, 1].map(slot => runTaskManager(taskManager(slot).host)),
  ]
  expect(await Promise.all(ends)).toEqual([processExits.ok, processExits.ok, processExits.ok])
  counting.check()
  expect(manager.told[0]).toEqual({ kind: 'up' })
  expect(manager.told.at(-1)).toMatchObject({
    kind: 'ended',
    result: { outcome: 'finished', restarts: 0 },
    failure: undefined,
    progress: { status: 'finished', recordsIn: 2_000 },
  })
  expect(manager.told).toContainEqual({
    kind: 'notice',
    notice: { level: 'info', text: expect.stringMatching(/^REST API at http/) },
  })
})

test('told to stop, it stops; without a supervisor all of them end', async () => {
  describeJob(countingJob({ records: 1e6, keys: 5, perCheckpoint: 100 }))
  const manager = jobManager()
  const ended = runJobManager(manager.host)
  const workers = [taskManager(0), taskManager(1)]
  const ends = workers.map(one => runTaskManager(one.host))
  const running = (): boolean =>
    manager.told.some(one => one.kind === 'progress' && one.progress.status === 'running')
  await until(running)
  manager.tell({ kind: 'stop' })
  expect(await ended).toBe(processExits.ok)
  expect(manager.told.at(-1)).toMatchObject({ kind: 'ended', result: { outcome: 'stopped' } })
  expect(await Promise.all(ends)).toEqual([processExits.ok, processExits.ok])
  const orphan = jobManager()
  const orphanEnded = runJobManager(orphan.host)
  await until(() => orphan.told.length > 0)
  orphan.leaveAlone()
  expect(await orphanEnded).toBe(processExits.failed)
})

test('what is configured wrongly ends at once, and is not worth another start', async () => {
  const manager = jobManager()
  expect(await runJobManager(manager.host)).toBe(processExits.refused)
  expect(manager.log.join('')).toMatch(/WEIR_JOB_FILE_INVALID.*no such file/)
  const worker = new Hosted({ WEIR_SLOT: 'first' })
  expect(await runTaskManager(worker.host)).toBe(processExits.refused)
  expect(worker.log.join('')).toMatch(/WEIR_CONFIG_INVALID/)
})
