/**
 * What a kubelet and jobmanagers do with the pods of a namespace: those of a job run, those that run
 * a verb succeed, those that leave are gone; a jobmanager that was stopped ends with its last word.
 */
import { isKubeError } from '../../src/controller/kube/kube-errors.ts'
import { resourceKinds } from '../../src/controller/kube/resource-kind.ts'
import type { PodObject } from '../../src/controller/streamjob/pod-facts.ts'
import type { JobFacts } from '../../src/protocol/job-facts.ts'
import { writeSavepointReport } from '../../src/protocol/savepoint-report.ts'
import { type FakeLink, runningFacts } from './fake-link.ts'
import type { TestCluster } from './test-cluster.ts'
import { PodTeller, type Seen } from './test-watch.ts'

export interface KubeletOptions {
  readonly cluster: TestCluster
  readonly namespace: string
  readonly pods: Seen<PodObject>
  readonly link: FakeLink
}

type Fate = 'runs' | 'ended' | 'fails' | 'gone'

const verbs = new Set<string | undefined>(['verb', 'verify', 'plan'])

/** Of a savepoint that was read. */
export const wholeReport = writeSavepointReport({
  checkpointId: 101,
  completedAtMs: 1_700_000_000_000,
  formatVersion: 1,
  checksum: 'sha256:ab',
  sizeBytes: 1_000,
})

export class JobKubelet {
  /** Epoch -> the exit code that its jobmanagers end with. */
  readonly failing = new Map<number, number>()
  readonly #options: KubeletOptions
  readonly #teller: PodTeller
  readonly #told = new Set<string>()
  #isOver = false

  constructor(options: KubeletOptions) {
    this.#options = options
    const { cluster, namespace, pods, link } = options
    this.#teller = new PodTeller(cluster, namespace)
    const look = (): void => {
      for (const pod of pods.cache.all()) void this.#tell(pod)
    }
    pods.cache.onChange(look)
    link.onChange(look)
    look()
  }

  end(): void {
    this.#isOver = true
  }

  #fateOf({ metadata, status }: PodObject): Fate | undefined {
    const { deletionTimestamp, labels = {} } = metadata
    if (deletionTimestamp !== undefined) return 'gone'
    // What has ended stays as it ended.
    if (status?.phase === 'Succeeded' || status?.phase === 'Failed') return undefined
    const role = labels['weir.dev/role']
    if (verbs.has(role)) return 'ended'
    if (role !== 'jobmanager') return 'runs'
    if (this.failing.has(Number(labels['weir.dev/epoch']))) return 'fails'
    const facts = this.#options.link.said.get(labels['weir.dev/job'] ?? '')
    return facts !== undefined && hasEnded(facts, labels) ? 'ended' : 'runs'
  }

  async #tell(pod: PodObject): Promise<void> {
    const { name, uid = '', namespace, labels = {} } = pod.metadata
    const fate = this.#fateOf(pod)
    if (fate === undefined || this.#isOver || this.#told.has(`${uid} ${fate}`)) return
    this.#told.add(`${uid} ${fate}`)
    const { cluster, link } = this.#options
    const job = labels['weir.dev/job'] ?? ''
    const epoch = Number(labels['weir.dev/epoch'])
    try {
      if (fate === 'gone') {
        await cluster
          .client(resourceKinds.pod)
          .remove({ namespace, name }, { uid, graceSeconds: 0 })
      } else if (fate === 'fails') {
        await this.#teller.say(name, 'Failed', { code: this.failing.get(epoch) ?? 1 })
      } else if (fate === 'ended') {
        const isReader = labels['weir.dev/role'] === 'verify'
        const word = isReader ? wholeReport : JSON.stringify(link.said.get(job) ?? runningFacts)
        await this.#teller.say(name, 'Succeeded', { code: 0, word })
      } else {
        if (labels['weir.dev/role'] === 'jobmanager') {
          if (isWarm(pod)) link.warm(job, epoch)
          else link.started(job, epoch)
        }
        await this.#teller.say(name, 'Running')
      }
    } catch (error) {
      // One that is gone meanwhile needs nothing said.
      if (isKubeError(error, 'WEIR_KUBE_NOT_FOUND')) return
      this.#told.delete(`${uid} ${fate}`)
      await this.#tell(pod)
    }
  }
}

/** Its job is described as one that waits for the order to begin. */
export function isWarm({ spec }: PodObject): boolean {
  return JSON.stringify(spec).includes('"--warm"')
}

/** By an order to this epoch, whose number its name has. */
function hasEnded({ status, stop }: JobFacts, labels: Readonly<Record<string, string>>): boolean {
  const order = new RegExp(`-${labels['weir.dev/epoch']}-(delete-)?\\d+$`)
  return status === 'stopped' && order.test(stop?.id ?? '')
}
