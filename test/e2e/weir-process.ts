/** `./weir` as a user starts it: a process of its own, in a folder of its own. */
import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

export const repository = resolve(import.meta.dirname, '../..')

/** Longer than any run takes: one that hangs becomes a failed test, not a process left behind. */
const RUN_LIMIT_MS = 120_000
const POLL_MS = 10

export interface WeirEnd {
  /** `null`: it was killed. */
  readonly code: number | null
  readonly out: string
  readonly err: string
}

export class WeirProcess {
  readonly ended: Promise<WeirEnd>
  readonly #pid: number
  #said = { out: '', err: '' }
  #running = true

  constructor(
    args: readonly string[],
    cwd: string,
    environment: Readonly<Record<string, string>> = {},
  ) {
    const child = spawn(join(repository, 'weir'), args, {
      cwd,
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own: the launcher and what it starts die together.
      detached: true,
      timeout: RUN_LIMIT_MS,
      killSignal: 'SIGKILL',
    })
    this.#pid = child.pid as number
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.#said.out += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#said.err += text
    })
    this.ended = new Promise((resolve, reject) => {
      child.on('error', reject).on('close', code => {
        this.#running = false
        resolve({ code, ...this.#said })
      })
    })
  }

  get isRunning(): boolean {
    return this.#running
  }

  /** What it wrote to standard error so far. */
  get err(): string {
    return this.#said.err
  }

  get pid(): number {
    return this.#pid
  }

  /** Of the command alone; what it started has to notice by itself. */
  async killAlone(): Promise<WeirEnd> {
    process.kill(this.#pid, 'SIGKILL')
    return this.ended
  }

  /** As `kill -9` does: no word of farewell. */
  async kill(): Promise<WeirEnd> {
    process.kill(-this.#pid, 'SIGKILL')
    return this.ended
  }

  /** Waits until something can be seen from outside. False when the process ended before. */
  async runsUntil(condition: () => boolean | Promise<boolean>): Promise<boolean> {
    while (!(await condition())) {
      if (!this.#running) return false
      await pause(POLL_MS)
    }
    return this.#running
  }
}

export function weir(args: readonly string[], cwd: string): Promise<WeirEnd> {
  return new WeirProcess(args, cwd).ended
}

/** A manifest of the repository. */
export function sampleManifest(name: string): string {
  return join(repository, 'manifests/samples', `${name}.yaml`)
}

/** `--set` for each of these fields of the spec. */
export function setAll(fields: Readonly<Record<string, string | number>>): readonly string[] {
  return Object.entries(fields).flatMap(([name, value]) => ['--set', `spec.${name}=${value}`])
}

export class ScratchFolders {
  readonly #folders: string[] = []

  make(): string {
    const folder = mkdtempSync(join(tmpdir(), 'weir-e2e-'))
    this.#folders.push(folder)
    return folder
  }

  remove(): void {
    for (const folder of this.#folders) rmSync(folder, { recursive: true, force: true })
  }
}

/** The files of a sink that readers may see; none while there is no folder. */
export function finishedParts(folder: string): readonly string[] {
  try {
    return readdirSync(folder).filter(name => !name.startsWith('.') && !name.startsWith('_'))
  } catch {
    return []
  }
}

export function readLines(folder: string): readonly string[] {
  return finishedParts(folder).flatMap(name =>
    readFileSync(join(folder, name), 'utf8')
      .split('\n')
      .filter(line => line !== ''),
  )
}
