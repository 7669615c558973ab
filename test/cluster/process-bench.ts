/** Jobmanagers and taskmanagers over real sockets, all in the process of the test. */
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Job } from '../../src/api/job.ts'
import { ControlThread } from '../../src/cluster/control/control-thread.ts'
import type { JobNotice } from '../../src/cluster/job-result.ts'
import { defaultSettings, type JobSettings } from '../../src/cluster/job-settings.ts'
import { JobManager, type JobManagerOptions } from '../../src/cluster/jobmanager/job-manager.ts'
import type { DataPlane } from '../../src/cluster/taskmanager/data-plane.ts'
import { LocalCopies } from '../../src/cluster/taskmanager/local-copies.ts'
import { TaskManager } from '../../src/cluster/taskmanager/task-manager.ts'
import { SystemClock } from '../../src/common/clock.ts'
import { silentLogger } from '../../src/common/logger.ts'
import { SystemRandom } from '../../src/common/random.ts'
import { planJob } from '../../src/graph/build-job-graph.ts'
import { DataEndpoint } from '../../src/runtime/network/data-endpoint.ts'
import type { TlsSettings } from '../../src/runtime/network/peer-socket.ts'
import { LocalFolderStore } from '../../src/storage/local-folder-store.ts'
import { Relay } from '../runtime/network/relay-fixture.ts'
import { controlInThread } from './control-in-thread.ts'

const JOB = 'weir test job'
const secret = Buffer.from('a secret that all of them know')
const version = '1.0.0'
const jobId = 'default.test'

/** Deaths are noticed by closed connections: the machine may be too busy for anything faster. */
const times = { intervalMs: 50, timeoutMs: 20_000 }

/** What is different about one taskmanager. */
interface TaskManagerTrial {
  readonly copies?: LocalCopies
  /** Other slots reach it through a relay. */
  readonly relayed?: boolean
  readonly secret?: Buffer
  readonly tls?: TlsSettings
  readonly version?: string
}

export class ProcessBench {
  readonly folder = mkdtempSync(join(tmpdir(), 'weir-bench-'))
  readonly notices: JobNotice[] = []
  /** What a supervisor would have been told. */
  readonly slots: number[] = []
  readonly store = new LocalFolderStore({
    folder: join(this.folder, 's'),
    random: new SystemRandom(),
  })
  /** Between the slots that were started with one. */
  readonly relays: Relay[] = []
  readonly #job: Job
  readonly #parallelism: number
  readonly #managers = new Set<TaskManager>()
  readonly #endpoints: DataEndpoint[] = []
  readonly #closing: Promise<void>[] = []
  #sockets = 0

  constructor(job: Job, parallelism: number) {
    this.#job = job
    this.#parallelism = parallelism
    // The bundle that is imported is one line: the job itself is in this process.
    Reflect.set(globalThis, JOB, job)
  }

  get code(): string {
    return `export default globalThis[${JSON.stringify(JOB)}]\n`
  }

  async jobManager(options: Partial<JobManagerOptions> = {}): Promise<JobManager> {
    const digest = createHash('sha256').update(this.code).digest('hex')
    const planAt = (parallelism: number) => planJob(this.#job, { name: 'test', parallelism })
    const manager = new JobManager({
      graph: planAt(this.#parallelism),
      planAt,
      bundle: { code: this.code, sourceMap: '', digest },
      args: {},
      jobId,
      store: this.store,
      restore: { kind: 'none' },
      run: 'this run',
      settings: quick,
      isWarm: false,
      listen: `unix:${join(this.folder, 'jm')}`,
      secret,
      tls: undefined,
      version,
      times,
      slotTimeoutMs: 30_000,
      startControlThread: controlInThread(),
      clock: new SystemClock(),
      random: new SystemRandom(),
      logger: silentLogger,
      onNotice: notice => void this.notices.push(notice),
      onSlots: slots => void this.slots.push(slots),
      onSilent: () => {},
      ...options,
    })
    await manager.start()
    return manager
  }

  async taskManager(slot: number, options: TaskManagerTrial = {}): Promise<TaskManager> {
    const clock = new SystemClock()
    const random = new SystemRandom()
    this.#sockets++
    const { copies, relayed = false, ...identity } = options
    const socket = `unix:${join(this.folder, `data-${this.#sockets}`)}`
    const endpoint = await DataEndpoint.listen({
      listen: relayed ? 'tcp://127.0.0.1:0' : socket,
      identity: { jobId, slot, version },
      secret,
      tls: options.tls,
      clock,
      random,
      logger: silentLogger,
    })
    this.#endpoints.push(endpoint)
    const dataPlane = relayed ? await this.#relayed(endpoint) : endpoint
    const address = `unix:${join(this.folder, 'jm')}`
    const end = { kind: 'dialer', address, slot } as const
    const own = { secret, tls: undefined, version, ...identity }
    const settings = { end, jobId, times, ...own }
    const control = new ControlThread({ settings, start: controlInThread(clock), clock })
    const manager = new TaskManager({
      slot,
      control,
      copies,
      dataPlane,
      workFolder: join(this.folder, 'code'),
      times,
      process: {
        pid: process.pid,
        host: 'here',
        figures: () => ({ residentBytes: 1, cpuSeconds: 1 }),
      },
      clock,
      random,
      logger: silentLogger,
    })
    this.#managers.add(manager)
    // A test that wants to see the error awaits `done` itself.
    const over = manager.done.catch(() => {}).then(() => control.end())
    this.#closing.push(over)
    manager.start()
    return manager
  }

  async #relayed(endpoint: DataEndpoint): Promise<DataPlane> {
    const relay = await Relay.before(endpoint.address)
    this.relays.push(relay)
    return {
      address: relay.address,
      get figures() {
        return endpoint.figures
      },
      exchange: one => endpoint.exchange(one),
    }
  }

  taskManagers(count: number): Promise<TaskManager[]> {
    return Promise.all(Array.from({ length: count }, (_, slot) => this.taskManager(slot)))
  }

  copies(slot: number): LocalCopies {
    return new LocalCopies({ folder: join(this.folder, `copies-${slot}`), logger: silentLogger })
  }

  async close(): Promise<void> {
    for (const manager of this.#managers) await manager.abandon()
    await Promise.all(this.#closing)
    for (const endpoint of this.#endpoints) await endpoint.close()
    for (const relay of this.relays) await relay.close()
    rmSync(this.folder, { recursive: true, force: true })
    Reflect.deleteProperty(globalThis, JOB)
  }
}

const quick: JobSettings = {
  ...defaultSettings,
  checkpoint: { ...defaultSettings.checkpoint, intervalMs: 20 },
  restart: { ...defaultSettings.restart, initialDelayMs: 0, maxDelayMs: 0 },
}

/** Waits until the test sees what it waits for. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise(resolve => setImmediate(resolve))
}
