/**
 * The all-round job as a user runs it, in a folder of its own, to be hurt: started, killed, restored
 * with another number of slots, and judged by what it committed.
 */
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { JobArguments } from '../../src/api/job-arguments.ts'
import { type JobFigures, SteeredRun } from '../e2e/steered-run.ts'
import { repository, setAll } from '../e2e/weir-process.ts'
import { plansOf } from './all-round/all-round-job.ts'
import { type CheckOptions, checkOutput } from './check-output.ts'
import { SmallDisk } from './small-disk.ts'
import { SocketRelays } from './socket-relays.ts'

export interface ForceOptions {
  /** Of the job's input and of everything that is drawn. */
  readonly seed: number
  /** Of the job, the same in every start: `records`, `splits`. */
  readonly args: Readonly<Record<string, number>>
  /** Of the manifest's spec. */
  readonly fields: Readonly<Record<string, string | number>>
  /** Checkpoints go to a disk of so many bytes. */
  readonly diskBytes?: number
  /** Connections between its processes can be cut. */
  readonly relays?: boolean
}

export interface StartOptions {
  readonly parallelism: number
  /** `latest`, or a folder. */
  readonly restore?: string
  /** Of this start only: how fast its sink is, say. */
  readonly args?: Readonly<Record<string, number>>
}

const manifest = join(import.meta.dirname, 'all-round/all-round.yaml')

export class ForceRun {
  readonly folder = mkdtempSync(join(tmpdir(), 'weir-force-'))
  readonly smallDisk: SmallDisk | undefined
  readonly relays: SocketRelays | undefined
  readonly #options: ForceOptions
  readonly #parallelisms: number[] = []
  #job: SteeredRun | undefined

  constructor(options: ForceOptions) {
    this.#options = options
    const { diskBytes, relays = false } = options
    this.smallDisk =
      diskBytes === undefined ? undefined : new SmallDisk(join(this.folder, 'disk'), diskBytes)
    mkdirSync(this.#sockets)
    const runs = join(this.folder, '.weir/run/default.all-round')
    this.relays = relays ? new SocketRelays([this.#sockets, runs]) : undefined
  }

  /** Where its processes have their sockets. */
  get #sockets(): string {
    return join(this.folder, 's')
  }

  /** As it was started last. */
  get job(): SteeredRun {
    if (this.#job === undefined) throw new Error('nothing was started')
    return this.#job
  }

  start({ parallelism, restore, args = {} }: StartOptions): void {
    const { seed, fields } = this.#options
    const jobArgs = { seed, output: join(this.folder, 'out'), ...this.#options.args, ...args }
    const all: Record<string, string | number> = { ...fields }
    if (this.smallDisk !== undefined) all['checkpoint.storage'] = `file://${this.smallDisk.folder}`
    for (const [name, value] of Object.entries(jobArgs)) all[`job.args.${name}`] = value
    this.#parallelisms.push(parallelism)
    this.#job = new SteeredRun({
      args: [
        manifest,
        '--parallelism',
        String(parallelism),
        ...(restore === undefined ? [] : ['--restore', restore]),
        ...setAll(all),
      ],
      folder: this.folder,
      jobId: 'default.all-round',
      environment: { TMPDIR: this.#sockets },
    })
  }

  /** Orders that it goes on at another parallelism: from now on it must, whatever strikes. */
  async rescale(parallelism: number): Promise<void> {
    const answer = await this.job.call('POST', '/rescale', { parallelism })
    const { accepted } = (answer ?? {}) as { readonly accepted?: boolean }
    if (accepted !== true) throw new Error(`no rescale: ${JSON.stringify(answer)}`)
    this.#parallelisms.push(parallelism)
  }

  /** Waits until it runs there. False when the job ended before. */
  untilAt(parallelism: number): Promise<boolean> {
    const isThere = ({ status, vertices }: JobFigures): boolean =>
      status === 'running' && vertices.some(vertex => vertex.parallelism === parallelism)
    return this.job.until(isThere)
  }

  /** Waits for the end; gives a sentence for all that is wrong. */
  async judge(order: CheckOptions['order']): Promise<readonly string[]> {
    const { code, err } = await this.job.ended
    if (code !== 0) return [`exit code ${code}: ${err}`]
    const { seed, args } = this.#options
    const texts = Object.entries({ seed, ...args }).map(([name, value]) => [name, String(value)])
    const plans = plansOf(new JobArguments(Object.fromEntries(texts)))
    const options = { plans, parallelisms: this.#parallelisms, order }
    return checkOutput(join(this.folder, 'out'), options)
  }

  /** Ends what still runs and removes the folder. What is left of a failed run: see `kept`. */
  async end({ keep }: { readonly keep: boolean }): Promise<void> {
    if (this.#job?.isRunning === true) await this.#job.kill()
    this.relays?.close()
    rmSync(this.#sockets, { recursive: true, force: true })
    if (keep) cpSync(this.folder, this.kept, { recursive: true })
    this.smallDisk?.remove()
    rmSync(this.folder, { recursive: true, force: true })
  }

  /** The folders of tests go with the run of all tests; this one stays. */
  get kept(): string {
    return join(repository, '.weir/failed', basename(this.folder))
  }
}
