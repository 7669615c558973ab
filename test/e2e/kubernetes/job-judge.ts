/**
 * Judges what is seen of a job on a cluster, change by change.
 *
 *  W1  Its state pointer never goes back.
 *  W2  Its epoch never goes back.
 *  W3  Pods of two epochs, or two for one place, are never there together, but for those that leave
 *      or whose process is over, and for an epoch that its status calls warm: that one waits for
 *      the end of the other.
 */
import type { StreamJobStatus } from '../../../src/protocol/stream-job-status.ts'

/** Pods of two epochs. */
interface Together {
  readonly newer: string
  readonly names: string
}

interface SeenPod {
  readonly name: string
  readonly epoch: string
  readonly place: string
}

/** What `kubectl get --output` is to print of a pod, for `takePod`. */
export const podColumns =
  'jsonpath={.type} {.object.metadata.uid} {.object.metadata.name} {.object.status.phase} ' +
  '{.object.metadata.labels.weir\\.dev/epoch} {.object.metadata.labels.weir\\.dev/role} ' +
  '{.object.metadata.labels.weir\\.dev/slot} ' +
  '{.object.status.containerStatuses[*].state.terminated.exitCode} ' +
  '{.object.metadata.deletionTimestamp}{"\\n"}'

export class JobJudge {
  readonly #wrong: string[] = []
  /** Epochs that were said to wait, in whichever order pods and statuses are told. */
  readonly #warm = new Set<string>()
  readonly #together: Together[] = []
  #status: StreamJobStatus = {}
  /** By uid. */
  readonly #alive = new Map<string, SeenPod>()

  /** One sentence each. */
  get wrong(): readonly string[] {
    const together = this.#together.filter(({ newer }) => !this.#warm.has(newer))
    return [...this.#wrong, ...together.map(({ names }) => `W3: ${names}`)]
  }

  get status(): StreamJobStatus {
    return this.#status
  }

  takeStatus(status: StreamJobStatus): void {
    const before = this.#status
    this.#status = status
    const { warm } = status.upgrade ?? {}
    if (warm !== undefined) this.#warm.add(String(warm))
    const [was, is] = [before.state, status.state]
    if (was !== undefined && is === undefined) this.#wrong.push('W1: the state pointer is gone')
    const isOlder =
      was !== undefined &&
      is !== undefined &&
      (is.epoch < was.epoch || (is.epoch === was.epoch && is.checkpointId < was.checkpointId))
    if (isOlder) {
      const [from, to] = [was, is].map(one => `${one.epoch}/${one.checkpointId}`)
      this.#wrong.push(`W1: the state goes back from ${from} to ${to}`)
    }
    const [epoch, epochBefore] = [status.epoch ?? 0, before.epoch ?? 0]
    if (epoch < epochBefore) this.#wrong.push(`W2: epoch ${epoch} after ${epochBefore}`)
  }

  /** A line of `podColumns`. */
  takePod(line: string): void {
    const [type, uid = '', name = '', phase = '', epoch = '', ...more] = line.split(' ')
    const [role, slot, exitCode, leaves] = more
    const isOver = Boolean(exitCode) || !/Pending|Running/.test(phase)
    const isAlive = type !== 'DELETED' && !leaves && !isOver
    if (!isAlive) {
      this.#alive.delete(uid)
      return
    }
    const pod = { name, epoch, place: `${role} ${slot}` }
    for (const [otherUid, other] of this.#alive) {
      if (otherUid === uid) continue
      const names = `${name} beside ${other.name}`
      if (other.epoch !== epoch) {
        const newer = String(Math.max(Number(epoch), Number(other.epoch)))
        this.#together.push({ newer, names })
      } else if (other.place === pod.place) this.#wrong.push(`W3: ${names}`)
    }
    this.#alive.set(uid, pod)
  }
}
