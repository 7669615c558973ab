/**
 * Follows a job on a cluster by `kubectl get --watch`, and judges each change.
 *
 *  W1  Its state pointer never goes back.
 *  W2  Its epoch never goes back.
 *  W3  Pods of two epochs, or two for one place, are never there together, but for those that leave.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { StreamJobStatus } from '../../../src/protocol/stream-job-status.ts'
import type { PartEnvironment } from '../../testbed/part.ts'

interface SeenPod {
  readonly uid: string
  readonly name: string
  readonly epoch: string
  readonly place: string
}

const STATUS = 'jsonpath={.object.status}{"\\n"}'
const POD =
  'jsonpath={.type} {.object.metadata.uid} {.object.metadata.name} {.object.status.phase} ' +
  '{.object.metadata.labels.weir\\.dev/epoch} {.object.metadata.labels.weir\\.dev/role} ' +
  '{.object.metadata.labels.weir\\.dev/slot} {.object.metadata.deletionTimestamp}{"\\n"}'

export class JobWatch {
  /** What must never be, one sentence each. */
  readonly wrong: string[] = []
  status: StreamJobStatus = {}
  readonly #name: string
  readonly #following: ChildProcess[] = []
  readonly #alive = new Map<string, SeenPod>()
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
    const selector = `weir.dev/job=${name},weir.dev/role in (jobmanager,taskmanager)`
    // By its name alone it would have to be there already.
    const itself = `metadata.name=${name}`
    follow(line => this.#takeStatus(line), 'streamjobs', '--field-selector', itself, '-o', STATUS)
    follow(line => this.#takePod(line), 'pods', '-l', selector, '-o', POD)
  }

  /** Until the status is so; the time limit is the test's. */
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

  #takeStatus(line: string): void {
    if (line === '') return
    const before = this.status
    const status = JSON.parse(line) as StreamJobStatus
    this.status = status
    const [was, is] = [before.state, status.state]
    if (was !== undefined && is === undefined) this.wrong.push('W1: the state pointer is gone')
    const isOlder =
      was !== undefined &&
      is !== undefined &&
      (is.epoch < was.epoch || (is.epoch === was.epoch && is.checkpointId < was.checkpointId))
    if (isOlder) {
      this.wrong.push(
        `W1: the state goes back from ${was.epoch}/${was.checkpointId} to ` +
          `${is.epoch}/${is.checkpointId}`,
      )
    }
    if ((status.epoch ?? 0) < (before.epoch ?? 0)) {
      this.wrong.push(`W2: epoch ${status.epoch} after ${before.epoch}`)
    }
  }

  #takePod(line: string): void {
    const [type, uid = '', name = '', phase = '', epoch = '', role, slot, leaves] = line.split(' ')
    const isAlive = type !== 'DELETED' && !leaves && /Pending|Running/.test(phase)
    if (!isAlive) {
      this.#alive.delete(uid)
      return
    }
    const pod = { uid, name, epoch, place: `${role} ${slot}` }
    for (const other of this.#alive.values()) {
      const isTwice = other.uid !== uid && (other.epoch !== epoch || other.place === pod.place)
      if (isTwice) this.wrong.push(`W3: ${name} beside ${other.name}`)
    }
    this.#alive.set(uid, pod)
  }
}

/** Each fault has its own deadlines, which are shorter. */
const UNTIL_LIMIT_MS = 240_000
