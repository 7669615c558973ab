/**
 * The files of a run whose slots are processes, under `.weir/run/<job>`: logs, and in a folder that
 * goes with the run its secret, job description and sockets.
 */
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { isAlive } from '../../cluster/jobmanager/rest/run-file.ts'
import type { JobDescriptionText } from '../../protocol/job-description.ts'

/** The kernel takes 107 bytes for the whole path of a socket. */
const SOCKET_FOLDER_BYTES_MAX = 80

export interface RunFolderOptions {
  readonly cwd: string
  readonly jobId: string
  /** Of the supervisor. */
  readonly pid: number
}

export class RunFolder {
  readonly jobFile: string
  readonly secretFile: string
  readonly logFolder: string
  readonly #scratch: string
  readonly #socketFolder: string
  #sockets = 0

  constructor({ cwd, jobId, pid }: RunFolderOptions) {
    this.logFolder = join(cwd, '.weir/run', jobId)
    mkdirSync(this.logFolder, { recursive: true, mode: 0o700 })
    this.#sweep()
    this.#scratch = join(this.logFolder, String(pid))
    rmSync(this.#scratch, { recursive: true, force: true })
    mkdirSync(this.#scratch, { mode: 0o700 })
    const isLong = Buffer.byteLength(this.#scratch) > SOCKET_FOLDER_BYTES_MAX
    this.#socketFolder = isLong ? mkdtempSync(join(tmpdir(), 'weir-slots-')) : this.#scratch
    this.jobFile = join(this.#scratch, 'job.json')
    this.secretFile = join(this.#scratch, 'secret')
    this.#write(this.secretFile, randomBytes(32).toString('hex'))
  }

  /** What whoever ends last removes. */
  get scratch(): string {
    return [...new Set([this.#scratch, this.#socketFolder])].join(delimiter)
  }

  get controlAddress(): string {
    return `unix:${join(this.#socketFolder, 'jobmanager')}`
  }

  get workFolder(): string {
    return join(this.#scratch, 'code')
  }

  get stateFolder(): string {
    return join(this.#scratch, 'state')
  }

  describe(description: JobDescriptionText): void {
    this.#write(this.jobFile, JSON.stringify(description))
  }

  /** A new one for each process: one that was killed leaves its socket behind. */
  dataAddress(): string {
    this.#sockets++
    return `unix:${join(this.#socketFolder, `data-${this.#sockets}`)}`
  }

  logOf(name: string): string {
    return join(this.logFolder, `${name.replaceAll(' ', '-')}.log`)
  }

  /** All but the logs. */
  remove(): void {
    for (const folder of [this.#scratch, this.#socketFolder]) {
      rmSync(folder, { recursive: true, force: true })
    }
  }

  /** The logs of the run before, and what runs left that were killed. */
  #sweep(): void {
    for (const name of readdirSync(this.logFolder)) {
      const isLeft = /^\d+$/.test(name) && !isAlive(Number(name))
      if (!isLeft && !name.endsWith('.log')) continue
      rmSync(join(this.logFolder, name), { recursive: true, force: true })
    }
  }

  #write(file: string, text: string): void {
    writeFileSync(file, text, { mode: 0o600 })
  }
}
