/**
 * A benchmark's job run as a user runs it: `weir run` with its processes, in a folder of its own,
 * watched through the REST API. The job leaves its reports there.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SteeredRun } from '../e2e/steered-run.ts'
import { setAll } from '../e2e/weir-process.ts'

export interface JobRunOptions {
  /** `test/bench/jobs/<job>-job.ts`. */
  readonly job: string
  readonly parallelism: number
  readonly args: Readonly<Record<string, string | number>>
  /** Of the manifest's spec. */
  readonly fields?: Readonly<Record<string, string | number>>
  /** Where its checkpoints lie; default: in its folder. */
  readonly storage?: string
  readonly environment?: Readonly<Record<string, string>>
}

/** How one snapshot of the job went, as the REST API tells it. */
export interface Snapshot {
  readonly id: number
  readonly status: string
  readonly durationMs: number
  readonly sizeBytes: number | null
  readonly parts: readonly SnapshotPart[]
}

export interface SnapshotPart {
  readonly alignmentMs: number
  readonly startDelayMs: number
  readonly syncMs: number
  readonly asyncMs: number
}

export class JobRun {
  readonly folder = mkdtempSync(join(tmpdir(), 'weir-bench-'))
  readonly run: SteeredRun

  constructor(options: JobRunOptions) {
    const { job, parallelism, args, fields = {}, storage, environment = {} } = options
    const all: Record<string, string | number> = { ...fields }
    if (storage !== undefined) all['checkpoint.storage'] = storage
    for (const [name, value] of Object.entries({ report: this.reports, ...args })) {
      all[`job.args.${name}`] = value
    }
    const module = join(import.meta.dirname, `jobs/${job}-job.ts`)
    this.run = new SteeredRun({
      args: [module, '--parallelism', String(parallelism), ...setAll(all)],
      folder: this.folder,
      jobId: `default.${job}-job`,
      environment,
    })
  }

  get reports(): string {
    return join(this.folder, 'report')
  }

  /** What the subtasks of one kind left: `sink`, `source`. */
  reportsOf<T>(kind: string): readonly T[] {
    return readdirSync(this.reports)
      .filter(name => name.startsWith(`${kind}-`))
      .map(name => JSON.parse(readFileSync(join(this.reports, name), 'utf8')) as T)
  }

  /** Waits for the end; throws when the job failed. */
  async finished(): Promise<void> {
    const { code, err } = await this.run.ended
    if (code !== 0) throw new Error(`the job ended with ${code}: ${err}`)
  }

  /** The completed snapshots that the job still knows, with their parts. */
  async snapshots(): Promise<readonly Snapshot[]> {
    const list = (await this.run.call('GET', '/checkpoints')) as { history: readonly Snapshot[] }
    const completed = list.history.filter(({ status }) => status === 'completed')
    const details = completed.map(({ id }) => this.run.call('GET', `/checkpoints/${id}`))
    return (await Promise.all(details)) as readonly Snapshot[]
  }

  async end(): Promise<void> {
    if (this.run.isRunning) await this.run.kill()
    rmSync(this.folder, { recursive: true, force: true })
  }
}
