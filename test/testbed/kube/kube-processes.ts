/**
 * Starts the processes of a cluster and starts again whichever ends, as an init system would, so that a
 * test may kill any of them by the number in `pids/NAME`. They end with this process, however it ends.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { TestbedError } from '../testbed-error.ts'
import type { Component } from './kube-components.ts'

const POLL_MS = 30
const READY_LIMIT_MS = 120_000
const RESTART_MS = 200
const SHOWN_LINES = 20

export interface KubeProcessesOptions {
  readonly folder: string
  readonly isReady: (address: string) => Promise<boolean>
}

export class KubeProcesses {
  readonly #options: KubeProcessesOptions
  readonly #running = new Map<string, ChildProcess>()
  #isStopping = false

  constructor(options: KubeProcessesOptions) {
    this.#options = options
    for (const name of ['pids', 'logs']) mkdirSync(join(options.folder, name), { recursive: true })
  }

  /** Starts it and waits until it is ready; throws with its last words where it ends before. */
  async start(component: Component): Promise<void> {
    this.#spawn(component)
    const startedMs = Date.now()
    const { name, readyAt } = component
    while (readyAt !== undefined && !(await this.#options.isReady(readyAt))) {
      const isDead = this.#running.get(name)?.exitCode != null
      if (isDead || Date.now() - startedMs > READY_LIMIT_MS) {
        throw new TestbedError(`${name} did not start\n${this.#lastWords(name)}`, 'see its log')
      }
      await pause(POLL_MS)
    }
    this.#restartAlways(component)
  }

  /** At once: nothing of a testbed is worth a long goodbye. */
  stop(): void {
    this.#isStopping = true
    for (const child of this.#running.values()) child.kill('SIGKILL')
  }

  #spawn({ name, command }: Component): void {
    const { folder } = this.#options
    const log = openSync(join(folder, 'logs', `${name}.log`), 'a')
    // The kernel ends it with this process, also when that is killed.
    const mortal = ['--pdeathsig', 'KILL', ...command]
    const child = spawn('setpriv', mortal, { stdio: ['ignore', log, log] })
    closeSync(log)
    child.on('error', error => process.stderr.write(`${name}: ${error.message}\n`))
    this.#running.set(name, child)
    writeFileSync(join(folder, 'pids', name), String(child.pid))
  }

  #restartAlways(component: Component): void {
    const child = this.#running.get(component.name)
    const restart = async (): Promise<void> => {
      await pause(RESTART_MS)
      if (this.#isStopping) return
      process.stderr.write(`${component.name} ended and is started again\n`)
      this.#spawn(component)
      this.#restartAlways(component)
    }
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) void restart()
    else child.once('exit', () => void restart())
  }

  #lastWords(name: string): string {
    const text = readFileSync(join(this.#options.folder, 'logs', `${name}.log`), 'utf8')
    return text.trimEnd().split('\n').slice(-SHOWN_LINES).join('\n')
  }
}
