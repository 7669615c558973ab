/** Jobs by the thousand on a cluster whose nodes only claim to run them, and what is seen of them. */
import { setTimeout as pause } from 'node:timers/promises'
import { SystemClock } from '../../../src/common/clock.ts'
import { silentLogger } from '../../../src/common/logger.ts'
import { SystemRandom } from '../../../src/common/random.ts'
import { isKubeError } from '../../../src/controller/kube/kube-errors.ts'
import type { KubeObject } from '../../../src/controller/kube/kube-object.ts'
import { ObjectCache } from '../../../src/controller/kube/object-cache.ts'
import { Reflector } from '../../../src/controller/kube/reflector.ts'
import { type ResourceKind, resourceKinds } from '../../../src/controller/kube/resource-kind.ts'
import type { StreamJobObject } from '../../../src/controller/streamjob/stream-job-object.ts'
import { connectTo, installCrds, type TestCluster } from '../../controller/test-cluster.ts'
import type { PartEnvironment } from '../../testbed/part.ts'

const NAMESPACES = 10
/** Requests of the benchmark at once: more would only wait in the API server. */
const AT_ONCE = 16

const COUNT_EVERY_MS = 250

interface PodPage {
  readonly items: readonly unknown[]
  readonly metadata: { readonly remainingItemCount?: number }
}

export interface Seen<T extends KubeObject> {
  readonly cache: ObjectCache<T>
  until(holds: (cache: ObjectCache<T>) => boolean): Promise<void>
}

export class ClusterRig {
  readonly cluster: TestCluster
  readonly #ends: (() => Promise<void>)[] = []
  #namespaces: readonly string[] = []

  private constructor(environment: PartEnvironment) {
    this.cluster = connectTo(environment)
  }

  static async open(environment: PartEnvironment): Promise<ClusterRig> {
    const rig = new ClusterRig(environment)
    await installCrds(rig.cluster)
    const namespaces = rig.cluster.client(resourceKinds.namespace)
    const metadata = { name: 'weir-system' }
    await namespaces.apply(
      { apiVersion: 'v1', kind: 'Namespace', metadata },
      { manager: 'weir-bench' },
    )
    rig.#namespaces = await Promise.all(
      Array.from({ length: NAMESPACES }, () => rig.cluster.namespace()),
    )
    return rig
  }

  /** A view of the benchmark's own; `slim` keeps it small. */
  watch<T extends KubeObject>(kind: ResourceKind, slim: (object: T) => T): Seen<T> {
    const cache = new ObjectCache<T>(undefined, slim)
    const client = this.cluster.client<T>(kind)
    const shared = { clock: new SystemClock(), random: new SystemRandom(), logger: silentLogger }
    const reflector = new Reflector({ client, cache, ...shared })
    const ended = reflector.run()
    this.#ends.push(async () => {
      reflector.stop()
      await ended
    })
    const until = (holds: (cache: ObjectCache<T>) => boolean): Promise<void> =>
      new Promise(resolve => {
        const look = (): void => {
          if (holds(cache)) resolve()
        }
        cache.onChange(look)
        look()
      })
    return { cache, until }
  }

  /** Not by a watch: what one costs with so many pods would be taken for the controller's. */
  async podCount(): Promise<number> {
    const call = {
      method: 'GET',
      path: '/api/v1/pods',
      query: { limit: 1 },
      resource: 'pods',
    } as const
    const { items, metadata } = (await this.cluster.transport.request(call)) as PodPage
    return items.length + (metadata.remainingItemCount ?? 0)
  }

  async podsReach(count: number): Promise<void> {
    while ((await this.podCount()) < count) await pause(COUNT_EVERY_MS)
  }

  /** In the order of their numbers, spread over the namespaces. */
  async createJobs(prefix: string, count: number, spec: object): Promise<void> {
    const jobs = this.cluster.client<StreamJobObject>(resourceKinds.streamJob)
    await this.each(count, async number => {
      const namespace = this.namespaceOf(number)
      await jobs.create({
        apiVersion: 'weir.dev/v1alpha1',
        kind: 'StreamJob',
        metadata: { namespace, name: `${prefix}-${number}` },
        spec: {
          job: { module: 'src/examples/bank-transfers.ts' },
          checkpoint: { storage: 's3://bucket/bench' },
          resources: {
            taskManager: { cpu: '10m', memory: '256Mi' },
            jobManager: { cpu: '10m', memory: '256Mi' },
          },
          ...spec,
        },
      })
    })
  }

  namespaceOf(number: number): string {
    return this.#namespaces[number % this.#namespaces.length] ?? ''
  }

  /** Several at once; one that the server is too busy for is tried again. */
  async each(count: number, task: (number: number) => Promise<void>): Promise<void> {
    let next = 0
    const worker = async (): Promise<void> => {
      while (next < count) {
        const number = next++
        for (;;) {
          try {
            await task(number)
            break
          } catch (error) {
            const isBusy = ['WEIR_KUBE_BUSY', 'WEIR_KUBE_UNREACHABLE'] as const
            if (isKubeError(error, 'WEIR_KUBE_CONFLICT')) break
            if (!isBusy.some(code => isKubeError(error, code))) throw error
          }
        }
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, worker))
  }

  async close(): Promise<void> {
    for (const end of this.#ends) await end()
    await this.cluster.close()
  }
}
