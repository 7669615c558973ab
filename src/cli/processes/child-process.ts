/** A process of Weir that this one started, supervises, and takes with it when it ends. */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { decodeLife, lifeLine } from '../../cluster/supervision.ts'
import type { Clock } from '../../common/clock.ts'
import { nodeFlags } from '../../common/node-flags.ts'
import type { Terminal } from '../cli-io.ts'
import { forwardLines } from './forward-lines.ts'
import type { ProcessEnd } from './respawn-policy.ts'

export interface ChildOptions {
  /** For people: `taskmanager 2`. */
  readonly name: string
  readonly nodePath: string
  /** The door. */
  readonly script: string
  readonly cwd: string
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Where its standard error goes. */
  readonly logFile: string
  /** Where its standard output goes. */
  readonly out: Terminal
  readonly clock: Clock
  /** Its control thread says that the process lives; so long its other thread has been kept. */
  readonly onLife?: (keptMs: number) => void
  readonly onMessage: (message: unknown) => void
}

const lifeVariable = { [lifeLine.variable]: String(lifeLine.descriptor) }

const startFlags = [...nodeFlags, '--disable-warning=ExperimentalWarning']

export class WeirChild {
  readonly ended: Promise<ProcessEnd>
  readonly #child: ChildProcess
  readonly #clock: Clock
  readonly #startedMs: number
  #running = true

  constructor(options: ChildOptions) {
    const { nodePath, script, cwd, logFile, out, clock, onMessage, onLife } = options
    this.#clock = clock
    this.#startedMs = clock.monotonic()
    const log = openSync(logFile, 'a', 0o600)
    this.#child = spawn(nodePath, [...startFlags, script], {
      cwd,
      env: { ...options.environment, ...(onLife && lifeVariable) },
      stdio: ['ignore', 'pipe', log, 'ipc', onLife === undefined ? 'ignore' : 'pipe'],
      // Unlike JSON it keeps infinities: a watermark is one.
      serialization: 'advanced',
    })
    closeSync(log)
    if (this.#child.stdout !== null) forwardLines(this.#child.stdout, out)
    this.#child.on('message', onMessage)
    if (onLife !== undefined) {
      this.#child.stdio[lifeLine.descriptor]?.on('data', (bytes: Buffer) => {
        onLife(decodeLife(bytes))
      })
    }
    this.ended = new Promise(resolve => {
      const over = (code: number | null, signal: string | null): void => {
        this.#running = false
        resolve({ code, signal, livedMs: this.livedMs })
      }
      this.#child.on('close', over)
      // It could not be started at all.
      this.#child.on('error', () => over(null, null))
    })
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  get livedMs(): number {
    return this.#clock.monotonic() - this.#startedMs
  }

  send(message: unknown): void {
    // One that is just ending does not hear it.
    if (this.#running && this.#child.connected) this.#child.send(message as object, () => {})
  }

  /** It may say farewell first. */
  end(): void {
    if (this.#running) this.#child.kill('SIGTERM')
  }

  kill(): void {
    if (this.#running) this.#child.kill('SIGKILL')
  }
}
