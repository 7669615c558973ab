/**
 * The files of a run whose slots are processes: sockets, secret and job description in a folder of
 * their own that nobody else may read, logs beside the run file.
 */
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { JobDescriptionText } from '../../protocol/job-description.ts'

export class RunFolder {
  readonly jobFile: string
  readonly secretFile: string
  readonly logFolder: string
  /** Short: the path of a socket has at most 107 bytes. Removed by whoever ends last. */
  readonly scratch: string
  #sockets = 0

  constructor(cwd: string, jobId: string) {
    this.scratch = mkdtempSync(join(tmpdir(), 'weir-slots-'))
    this.logFolder = join(cwd, '.weir/run', jobId)
    rmSync(this.logFolder, { recursive: true, force: true })
    mkdirSync(this.logFolder, { recursive: true, mode: 0o700 })
    this.jobFile = join(this.scratch, 'job.json')
    this.secretFile = join(this.scratch, 'secret')
    this.#write(this.secretFile, randomBytes(32).toString('hex'))
  }

  get controlAddress(): string {
    return `unix:${join(this.scratch, 'jobmanager')}`
  }

  get workFolder(): string {
    return join(this.scratch, 'code')
  }

  get stateFolder(): string {
    return join(this.logFolder, 'state')
  }

  describe(description: JobDescriptionText): void {
    this.#write(this.jobFile, JSON.stringify(description))
  }

  /** A new one for each process: one that was killed leaves its socket behind. */
  dataAddress(): string {
    this.#sockets++
    return `unix:${join(this.scratch, `data-${this.#sockets}`)}`
  }

  logOf(name: string): string {
    return join(this.logFolder, `${name.replaceAll(' ', '-')}.log`)
  }

  /** All but the logs. */
  remove(): void {
    rmSync(this.scratch, { recursive: true, force: true })
    rmSync(this.stateFolder, { recursive: true, force: true })
  }

  #write(file: string, text: string): void {
    writeFileSync(file, text, { mode: 0o600 })
  }
}
