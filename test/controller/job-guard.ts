/**
 * What may hold at no time, whatever becomes of controllers: a state pointer or an epoch that goes
 * back, two deployments of a job that are at work or two pods in one of its places. One that waits
 * to begin is not at work, nor one that has said that it is over.
 */
import type { ObjectChange } from '../../src/controller/kube/object-cache.ts'
import type { PodObject } from '../../src/controller/streamjob/pod-facts.ts'
import type { StreamJobObject } from '../../src/controller/streamjob/stream-job-object.ts'
import type { FakeLink } from './fake-link.ts'
import { isWarm } from './job-kubelet.ts'
import type { Seen } from './test-watch.ts'

const roles = new Set<string | undefined>(['jobmanager', 'taskmanager'])

export class JobGuard {
  readonly broken: string[] = []
  readonly #link: FakeLink
  /** Job and epoch of those that were made to wait for the order to begin. */
  readonly #warm = new Set<string>()

  constructor(jobs: Seen<StreamJobObject>, pods: Seen<PodObject>, link: FakeLink) {
    this.#link = link
    jobs.cache.onChange(change => this.#checkStatus(change))
    pods.cache.onChange(() => this.#checkPods(pods.cache.all()))
  }

  #checkStatus(change: ObjectChange<StreamJobObject>): void {
    if (change.kind === 'gone' || change.before === undefined) return
    const { now, before } = change
    const [is, was] = [now.status ?? {}, before.status ?? {}]
    if (now.metadata.uid !== before.metadata.uid) return
    if ((is.epoch ?? 0) < (was.epoch ?? 0)) this.#note(`epoch ${was.epoch} -> ${is.epoch}`)
    if (was.state === undefined) return
    const { epoch, checkpointId } = is.state ?? { epoch: 0, checkpointId: 0 }
    const isOlder =
      epoch < was.state.epoch ||
      (epoch === was.state.epoch && checkpointId < was.state.checkpointId)
    if (!isOlder) return
    this.#note(`state ${was.state.epoch}/${was.state.checkpointId} -> ${epoch}/${checkpointId}`)
  }

  #checkPods(all: readonly PodObject[]): void {
    const epochs = new Map<string, string>()
    const places = new Map<string, string>()
    for (const { metadata } of all.filter(isWarm)) {
      const { 'weir.dev/job': job, 'weir.dev/epoch': epoch } = metadata.labels ?? {}
      this.#warm.add(`${job} ${epoch}`)
    }
    for (const { metadata, status } of all) {
      const { labels = {}, name, deletionTimestamp } = metadata
      const isOver = status?.phase === 'Succeeded' || status?.phase === 'Failed'
      const role = labels['weir.dev/role']
      if (isOver || deletionTimestamp !== undefined || !roles.has(role)) continue
      const job = metadata.ownerReferences?.[0]?.uid ?? ''
      const epoch = labels['weir.dev/epoch'] ?? ''
      const place = `${job} ${role} ${epoch} ${labels['weir.dev/slot']}`
      const otherPod = places.get(place)
      if (otherPod !== undefined) this.#note(`${otherPod} and ${name} in one place`)
      places.set(place, name)
      if (!this.#isAtWork(labels['weir.dev/job'] ?? '', Number(epoch))) continue
      const otherEpoch = epochs.get(job)
      if (otherEpoch !== undefined && otherEpoch !== epoch) {
        this.#note(`epochs ${otherEpoch} and ${epoch} at once: ${name}`)
      }
      epochs.set(job, epoch)
    }
  }

  #isAtWork(job: string, epoch: number): boolean {
    const waits = this.#warm.has(`${job} ${epoch}`) && !this.#link.hasBegun(job, epoch)
    return !waits && !this.#link.isOver(job, epoch)
  }

  #note(what: string): void {
    if (!this.broken.includes(what)) this.broken.push(what)
  }
}
