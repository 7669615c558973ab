/** A controller as a process of its own, beside a cluster of a benchmark: its figures, its end. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { findInstallation } from '../../../src/cli/installation.ts'
import { metricSum, objectWrites } from '../../controller/metric-sum.ts'
import type { PartEnvironment } from '../../testbed/part.ts'
import { cpuMsOf } from './process-cpu.ts'

export interface ProcessOptions {
  readonly environment: PartEnvironment
  /** Holds its master key. */
  readonly keyFile: string
  readonly port: number
  /** Gets a profile of its processor time when it ends in peace; empty: none is made. */
  readonly profileFolder: string
}

export class ControllerProcess {
  readonly #child: ChildProcess
  readonly #url: string
  readonly startedMs = performance.now()
  #said = ''

  constructor({ environment, keyFile, port, profileFolder }: ProcessOptions) {
    const profile = profileFolder === '' ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileFolder}`]
    this.#url = `http://127.0.0.1:${port}`
    const door = join(findInstallation().home, 'dist/bin/controller.js')
    this.#child = spawn(process.execPath, [...profile, door], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: {
        ...environment,
        PATH: process.env.PATH ?? '',
        WEIR_ENGINE_IMAGE: 'localhost/weir:bench',
        WEIR_MASTER_KEY_FILE: keyFile,
        WEIR_PROBES: `127.0.0.1:${port}`,
        WEIR_NAMESPACE: 'weir-system',
      },
    })
    this.#child.stderr?.on('data', (text: Buffer) => {
      this.#said = (this.#said + text.toString()).slice(-10_000)
    })
  }

  /** It knows the cluster. */
  async ready(): Promise<void> {
    while (!(await this.#isReady())) {
      if (this.#child.exitCode !== null) throw new Error(`the controller ended: ${this.#said}`)
      await pause(20)
    }
  }

  async #isReady(): Promise<boolean> {
    return fetch(`${this.#url}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    )
  }

  /** The sum of a metric over the labels that match. */
  async figure(name: string, labels?: RegExp): Promise<number> {
    return metricSum(await this.#metrics(), name, labels)
  }

  async writes(): Promise<number> {
    return objectWrites(await this.#metrics())
  }

  async #metrics(): Promise<string> {
    return (await fetch(`${this.#url}/metrics`)).text()
  }

  get cpuMs(): number {
    return cpuMsOf(this.#child.pid ?? 0)
  }

  get residentMiB(): number {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, 'utf8')
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1_024
  }

  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const ended = once(this.#child, 'exit')
    this.#child.kill(signal)
    await ended
  }
}
