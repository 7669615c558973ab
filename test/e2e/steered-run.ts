/** A `weir run` that is watched and steered from outside, through its REST API and its processes. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { childrenOf, type WeirChildProcess } from './weir-children.ts'
import { type WeirEnd, WeirProcess } from './weir-process.ts'

export interface SteeredRunOptions {
  /** Of `weir run`: the manifest and the flags. */
  readonly args: readonly string[]
  /** Where it is started: `.weir` and relative paths are below it. */
  readonly folder: string
  /** `<namespace>.<name>`. */
  readonly jobId: string
  readonly environment?: Readonly<Record<string, string>>
}

export interface JobFigures {
  readonly status: string
  readonly recordsIn: number
  readonly recordsOut: number
  readonly restarts: number
  readonly checkpointsCompleted: number
  readonly checkpointsFailed: number
  readonly vertices: readonly { readonly parallelism: number }[]
}

interface RunFile {
  readonly url: string
  readonly token: string
}

interface Checkpoints {
  readonly history: readonly { readonly id: number; readonly status: string }[]
}

interface Parts {
  readonly parts: readonly { readonly inFlightBytes: number }[]
}

const POLL_MS = 40

export class SteeredRun {
  readonly #process: WeirProcess
  readonly #runFile: string

  constructor({ args, folder, jobId, environment }: SteeredRunOptions) {
    this.#runFile = join(folder, `.weir/run/${jobId}.json`)
    this.#process = new WeirProcess(['run', ...args], folder, environment)
  }

  get ended(): Promise<WeirEnd> {
    return this.#process.ended
  }

  get isRunning(): boolean {
    return this.#process.isRunning
  }

  /** Of the command itself. */
  get pid(): number {
    return this.#process.pid
  }

  /** What it wrote to standard error so far. */
  get said(): string {
    return this.#process.err
  }

  /** What it has started and what runs now. */
  processes(kind?: WeirChildProcess['kind']): readonly WeirChildProcess[] {
    const all = childrenOf(this.#process.pid)
    return all.filter(one => kind === undefined || one.kind === kind)
  }

  /** The figures of the running job; `undefined` before it can be reached. */
  async figures(): Promise<JobFigures | undefined> {
    return (await this.call('GET', '/job')) as JobFigures | undefined
  }

  /** Asks the running job; `undefined` when it cannot be reached. */
  async call(method: 'GET' | 'POST', path: string, body?: unknown): Promise<unknown> {
    try {
      // Read each time: another jobmanager has another address.
      const { url, token } = JSON.parse(readFileSync(this.#runFile, 'utf8')) as RunFile
      const answer = await fetch(url + path, {
        method,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      return await answer.json()
    } catch {
      return undefined
    }
  }

  /** Waits for something that can be seen. False when the job ended before. */
  async until(condition: (figures: JobFigures) => boolean): Promise<boolean> {
    for (;;) {
      const figures = await this.figures()
      if (figures !== undefined && condition(figures)) return true
      if (!this.isRunning) return false
      await pause(POLL_MS)
    }
  }

  /** Waits for so many more checkpoints; another jobmanager counts anew. */
  async untilCheckpoints(more: number): Promise<boolean> {
    let first: number | undefined
    return await this.until(({ checkpointsCompleted }) => {
      if (first === undefined || checkpointsCompleted < first) first = checkpointsCompleted
      return checkpointsCompleted >= first + more
    })
  }

  /** Of the newest completed checkpoint: data in flight that it holds. */
  async inFlightBytes(): Promise<number> {
    const list = (await this.call('GET', '/checkpoints')) as Checkpoints | undefined
    const newest = list?.history.find(({ status }) => status === 'completed')
    const detail = (await this.call('GET', `/checkpoints/${newest?.id}`)) as Parts | undefined
    return (detail?.parts ?? []).reduce((sum, part) => sum + part.inFlightBytes, 0)
  }

  /** SIGKILL for the taskmanager of a slot; false when the job ended before it ran again. */
  async killSlot(slot: number, restartsAfter: number): Promise<boolean> {
    const victim = this.processes('taskmanager').find(one => one.slot === slot)
    if (victim === undefined) throw new Error(`slot ${slot} has no taskmanager`)
    process.kill(victim.pid, 'SIGKILL')
    return await this.until(
      ({ restarts, status }) => restarts === restartsAfter && status === 'running',
    )
  }

  /** All processes of the run, at once. */
  async kill(): Promise<void> {
    await this.#process.kill()
  }

  /** Stops the job; gives the folder of its savepoint. */
  async stopWithSavepoint(): Promise<string> {
    const answer = await this.call('POST', '/stop', { savepoint: true, wait: true })
    await this.ended
    const { savepointPath } = (answer ?? {}) as { readonly savepointPath?: unknown }
    if (typeof savepointPath === 'string') return savepointPath
    throw new Error(`no savepoint: ${JSON.stringify(answer)}`)
  }
}
