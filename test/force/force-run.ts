/**
 * The all-round job as a user runs it, in a folder of its own, to be hurt: started, watched through
 * its REST API, killed, restored with another number of slots, and judged by what it committed.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { JobArguments } from '../../src/api/job-arguments.ts'
import { type WeirEnd, WeirProcess } from '../e2e/weir-process.ts'
import { plansOf } from './all-round/all-round-job.ts'
import { type CheckOptions, checkOutput } from './check-output.ts'
import { type JobProcess, jobProcesses } from './job-processes.ts'
import { SmallDisk } from './small-disk.ts'

export interface ForceOptions {
  /** Of the job's input and of everything that is drawn. */
  readonly seed: number
  /** Of the job, the same in every start: `records`, `rate`, … */
  readonly args: Readonly<Record<string, number>>
  /** Of the manifest's spec. */
  readonly fields: Readonly<Record<string, string | number>>
  /** Checkpoints go to a disk of so many bytes. */
  readonly diskBytes?: number
}

export interface StartOptions {
  readonly parallelism: number
  /** `latest`, or a folder. */
  readonly restore?: string
  /** Of this start only: how fast its sink is, say. */
  readonly args?: Readonly<Record<string, number>>
}

export interface JobFigures {
  readonly status: string
  readonly recordsIn: number
  readonly recordsOut: number
  readonly restarts: number
  readonly checkpointsCompleted: number
  readonly checkpointsFailed: number
}

interface RunFile {
  readonly url: string
  readonly token: string
  readonly pid: number
}

const manifest = join(import.meta.dirname, 'all-round/all-round.yaml')

export class ForceRun {
  readonly folder = mkdtempSync(join(tmpdir(), 'weir-force-'))
  readonly smallDisk: SmallDisk | undefined
  readonly #options: ForceOptions
  readonly #parallelisms: number[] = []
  #process: WeirProcess | undefined

  constructor(options: ForceOptions) {
    this.#options = options
    const { diskBytes } = options
    this.smallDisk =
      diskBytes === undefined ? undefined : new SmallDisk(join(this.folder, 'disk'), diskBytes)
  }

  get ended(): Promise<WeirEnd> {
    return this.#running().ended
  }

  /** What the last process wrote to standard error. */
  get said(): string {
    return this.#running().err
  }

  start({ parallelism, restore, args = {} }: StartOptions): void {
    const { seed, fields } = this.#options
    const all = { seed, output: join(this.folder, 'out'), ...this.#options.args, ...args }
    const storage = this.smallDisk && { 'checkpoint.storage': `file://${this.smallDisk.folder}` }
    const sets = [
      ...Object.entries({ ...storage, ...fields }).map(([name, value]) => `spec.${name}=${value}`),
      ...Object.entries(all).map(([name, value]) => `spec.job.args.${name}=${value}`),
    ]
    this.#parallelisms.push(parallelism)
    this.#process = new WeirProcess(
      [
        'run',
        manifest,
        '--parallelism',
        String(parallelism),
        ...(restore === undefined ? [] : ['--restore', restore]),
        ...sets.flatMap(set => ['--set', set]),
      ],
      this.folder,
    )
  }

  /** Those that can be struck: `any` but the one that looks after them. */
  processes(role: 'jobmanager' | 'taskmanager' | 'any'): readonly JobProcess[] {
    const all = jobProcesses(this.#running().pid)
    return all.filter(one => role === 'any' || one.role === role || one.role === 'whole')
  }

  get isRunning(): boolean {
    return this.#running().isRunning
  }

  /** The figures of the running job; `undefined` before it can be reached. */
  async figures(): Promise<JobFigures | undefined> {
    return (await this.call('GET', '/job')) as JobFigures | undefined
  }

  /** Asks the running job; `undefined` when it cannot be reached. */
  async call(method: 'GET' | 'POST', path: string, body?: unknown): Promise<unknown> {
    const file = this.runFile()
    if (file === undefined) return undefined
    try {
      const answer = await fetch(file.url + path, {
        method,
        headers: { authorization: `Bearer ${file.token}`, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      return await answer.json()
    } catch {
      return undefined
    }
  }

  runFile(): RunFile | undefined {
    try {
      const file = join(this.folder, '.weir/run/default.all-round.json')
      return JSON.parse(readFileSync(file, 'utf8')) as RunFile
    } catch {
      return undefined
    }
  }

  /** Waits for something that can be seen. False when the job ended before. */
  async until(condition: (figures: JobFigures) => boolean): Promise<boolean> {
    const process = this.#running()
    return await process.runsUntil(async () => {
      const figures = await this.figures()
      return figures !== undefined && condition(figures)
    })
  }

  /** Waits for so many more checkpoints. */
  async untilCheckpoints(more: number): Promise<boolean> {
    let first: number | undefined
    return await this.until(({ checkpointsCompleted }) => {
      first ??= checkpointsCompleted
      return checkpointsCompleted >= first + more
    })
  }

  /** All processes of the run, at once. */
  async kill(): Promise<void> {
    await this.#running().kill()
  }

  /** Stops the job; gives the folder of its savepoint. */
  async stopWithSavepoint(): Promise<string> {
    const answer = await this.call('POST', '/stop', { savepoint: true, wait: true })
    await this.ended
    const { savepointPath } = (answer ?? {}) as { readonly savepointPath?: unknown }
    if (typeof savepointPath !== 'string')
      throw new Error(`no savepoint: ${JSON.stringify(answer)}`)
    return savepointPath
  }

  /** Waits for the end; gives a sentence for all that is wrong. */
  async judge(order: CheckOptions['order']): Promise<readonly string[]> {
    const { code, err } = await this.ended
    if (code !== 0) return [`exit code ${code}: ${err}`]
    const { seed, args } = this.#options
    const texts = Object.entries({ seed, ...args }).map(([name, value]) => [name, String(value)])
    const plans = plansOf(new JobArguments(Object.fromEntries(texts)))
    const options = { plans, parallelisms: this.#parallelisms, order }
    return checkOutput(join(this.folder, 'out'), options)
  }

  /** Ends what still runs and removes the folder; a failed run keeps it. */
  async end({ keep }: { readonly keep: boolean }): Promise<void> {
    if (this.#process?.isRunning === true) await this.#process.kill()
    this.smallDisk?.remove()
    if (!keep) rmSync(this.folder, { recursive: true, force: true })
  }

  #running(): WeirProcess {
    if (this.#process === undefined) throw new Error('nothing was started')
    return this.#process
  }
}
