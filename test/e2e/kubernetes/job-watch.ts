/** Follows a job on a cluster by `kubectl get --watch`, and has each change judged. */
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { StreamJobStatus } from '../../../src/protocol/stream-job-status.ts'
import type { PartEnvironment } from '../../testbed/part.ts'
import { JobJudge, podColumns } from './job-judge.ts'

const STATUS = 'jsonpath={.object.status}{"\\n"}'
/** Each fault has its own deadlines, which are shorter. */
const UNTIL_LIMIT_MS = 240_000

export class JobWatch {
  readonly #name: string
  readonly #judge = new JobJudge()
  readonly #following: ChildProcess[] = []
  readonly #waiting = new Set<() => void>()

  constructor(name: string, environment: PartEnvironment) {
    this.#name = name
    const kubectl = join(environment.WEIR_TESTBED_KUBE_TOOLS ?? '', 'kubectl')
    const follow = (take: (line: string) => void, ...args: readonly string[]): void => {
      const flags = ['--watch', '--output-watch-events', ...args]
      const child = spawn(kubectl, ['get', ...flags], {
        env: { ...process.env, ...environment },
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      this.#following.push(child)
      createInterface({ input: child.stdout }).on('line', line => {
        take(line)
        for (const look of this.#waiting) look()
      })
    }
    const takeStatus = (line: string): void => {
      if (line !== '') this.#judge.takeStatus(JSON.parse(line) as StreamJobStatus)
    }
    // By its name alone it would have to be there already.
    follow(takeStatus, 'streamjobs', '--field-selector', `metadata.name=${name}`, '-o', STATUS)
    const selector = `weir.dev/job=${name},weir.dev/role in (jobmanager,taskmanager)`
    follow(line => this.#judge.takePod(line), 'pods', '-l', selector, '-o', podColumns)
  }

  get status(): StreamJobStatus {
    return this.#judge.status
  }

  /** What must never be, one sentence each. */
  get wrong(): readonly string[] {
    return this.#judge.wrong
  }

  /** Until the status is so. */
  until(what: string, holds: (status: StreamJobStatus) => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        if (!holds(this.status)) return
        clearTimeout(limit)
        this.#waiting.delete(look)
        resolve()
      }
      const limit = setTimeout(() => {
        this.#waiting.delete(look)
        const { phase, upgrade, conditions } = this.status
        const seen = JSON.stringify({ phase, upgrade, conditions }, undefined, 1)
        reject(new Error(`${this.#name} never came so far: ${what}; it is ${seen}`))
      }, UNTIL_LIMIT_MS)
      this.#waiting.add(look)
      look()
    })
  }

  /** At work as it should be, and a checkpoint newer than `than` has completed. */
  settled(than: number): Promise<void> {
    return this.until(`settled, with a checkpoint after ${than}`, status => {
      const isReady = status.conditions?.some(one => one.type === 'Ready' && one.status === 'True')
      const newest = status.state?.checkpointId ?? 0
      return status.upgrade === undefined && isReady === true && newest > than
    })
  }

  close(): void {
    for (const child of this.#following) child.kill()
  }
}
