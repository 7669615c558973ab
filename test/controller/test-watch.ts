/** What a test sees of a real API server, and what it says in the place of a kubelet. */
import { SystemClock } from '../../src/common/clock.ts'
import { silentLogger } from '../../src/common/logger.ts'
import { SystemRandom } from '../../src/common/random.ts'
import type { KubeObject } from '../../src/controller/kube/kube-object.ts'
import { ObjectCache } from '../../src/controller/kube/object-cache.ts'
import { Reflector } from '../../src/controller/kube/reflector.ts'
import type { ResourceKind } from '../../src/controller/kube/resource-kind.ts'
import type { TestCluster } from './test-cluster.ts'

export interface Seen<T extends KubeObject> {
  readonly cache: ObjectCache<T>
  /** As soon as it finds something. */
  until<R>(find: (objects: readonly T[]) => R | undefined): Promise<R>
}

export interface Watching {
  watch<T extends KubeObject>(kind: ResourceKind): Seen<T>
  /** In all namespaces, or what belongs to none. */
  watchAll<T extends KubeObject>(kind: ResourceKind): Seen<T>
  end(): Promise<void>
}

/** Caches of the test's own. */
export function watcherOf(cluster: TestCluster, namespace: string): Watching {
  const ends: (() => Promise<unknown>)[] = []
  const watchIn = <T extends KubeObject>(
    within: string | undefined,
    kind: ResourceKind,
  ): Seen<T> => {
    const cache = new ObjectCache<T>()
    const reflector = new Reflector({
      client: cluster.client<T>(kind),
      cache,
      namespace: within,
      clock: new SystemClock(),
      random: new SystemRandom(),
      logger: silentLogger,
    })
    const ended = reflector.run()
    ends.push(() => {
      reflector.stop()
      return ended
    })
    const until = <R>(find: (objects: readonly T[]) => R | undefined): Promise<R> =>
      new Promise(resolve => {
        const look = (): void => {
          const found = find(cache.all())
          if (found !== undefined) resolve(found)
        }
        cache.onChange(look)
        look()
      })
    return { cache, until }
  }
  return {
    watch: kind => watchIn(namespace, kind),
    watchAll: kind => watchIn(undefined, kind),
    end: async () => {
      for (const end of ends) await end()
    },
  }
}

export class PodTeller {
  readonly #cluster: TestCluster
  readonly #namespace: string

  constructor(cluster: TestCluster, namespace: string) {
    this.#cluster = cluster
    this.#namespace = namespace
  }

  /** Its container waits, in the words of the kubelet. */
  waits(name: string, reason: string, message: string): Promise<unknown> {
    const container = name.includes('-tm-') ? 'taskmanager' : 'jobmanager'
    const state = { waiting: { reason, message } }
    const about = { name: container, image: 'x', imageID: '', restartCount: 0, ready: false, state }
    const conditions = [{ type: 'PodScheduled', status: 'True' }]
    return this.#patch(name, { phase: 'Pending', conditions, containerStatuses: [about] })
  }

  /** What the kubelet says of a pod. */
  async say(name: string, phase: string, last: { code?: number; word?: string } = {}) {
    const { code, word: message = 'last words' } = last
    const ready = phase === 'Running' ? 'True' : 'False'
    const ended = { exitCode: code, reason: 'Error', message, finishedAt: new Date().toISOString() }
    const state = code === undefined ? { running: {} } : { terminated: ended }
    const container = name.includes('-tm-') ? 'taskmanager' : 'jobmanager'
    const about = { name: container, image: 'x', imageID: '', restartCount: 0, ready: false, state }
    const status = {
      phase,
      podIP: '10.0.0.1',
      conditions: [{ type: 'Ready', status: ready }],
      containerStatuses: [about],
    }
    await this.#patch(name, status)
  }

  async #patch(name: string, status: object): Promise<void> {
    const path = `/api/v1/namespaces/${this.#namespace}/pods/${name}/status`
    const contentType = 'application/merge-patch+json'
    const { transport } = this.#cluster
    await transport.request({
      method: 'PATCH',
      path,
      body: { status },
      contentType,
      resource: 'pods',
    })
  }
}
