/** Counts the pods of a namespace for its ResourceQuota, in the place of Kubernetes' controller. */
import { isKubeError } from '../../src/controller/kube/kube-errors.ts'
import type { KubeObject } from '../../src/controller/kube/kube-object.ts'
import { resourceKinds } from '../../src/controller/kube/resource-kind.ts'
import type { PodObject } from '../../src/controller/streamjob/pod-facts.ts'
import type { TestCluster } from './test-cluster.ts'
import type { Seen } from './test-watch.ts'

const QUOTA = 'tight'
const kind = {
  apiVersion: 'v1',
  kind: 'ResourceQuota',
  plural: 'resourcequotas',
  isNamespaced: true,
}

export interface CountedQuota {
  readonly cluster: TestCluster
  readonly namespace: string
  readonly pods: Seen<PodObject>
}

export class QuotaCounter {
  readonly #options: CountedQuota
  #hard = 0
  #counting = Promise.resolve()

  constructor(options: CountedQuota) {
    this.#options = options
    // The API server itself counts what is made.
    options.pods.cache.onChange(({ kind: what }) => {
      if (what === 'gone' && this.#hard > 0) void this.#count()
    })
  }

  /** So many pods from now on. */
  async allow(pods: number): Promise<void> {
    const { cluster, namespace } = this.#options
    const metadata = { namespace, name: QUOTA }
    this.#hard = pods
    const { apiVersion, kind: ofQuota } = kind
    const quota = { apiVersion, kind: ofQuota, metadata, spec: { hard: { pods: String(pods) } } }
    await cluster.client<KubeObject>(kind).apply(quota, { manager: 'person' })
    await this.#count()
  }

  end(): Promise<void> {
    this.#hard = 0
    return this.#counting
  }

  #count(): Promise<void> {
    this.#counting = this.#counting.then(() => this.#countOnce())
    return this.#counting
  }

  /** Again where something was made meanwhile. */
  async #countOnce(): Promise<void> {
    const { cluster, namespace } = this.#options
    const quotas = cluster.client(kind)
    const { resourceVersion } = (await quotas.get({ namespace, name: QUOTA }))?.metadata ?? {}
    const { items } = await cluster.client<PodObject>(resourceKinds.pod).list({ namespace })
    const used = items.filter(({ status }) => !/Succeeded|Failed/.test(status?.phase ?? ''))
    const status = { hard: { pods: String(this.#hard) }, used: { pods: String(used.length) } }
    try {
      await cluster.transport.request({
        method: 'PATCH',
        path: `/api/v1/namespaces/${namespace}/resourcequotas/${QUOTA}/status`,
        body: { metadata: { resourceVersion }, status },
        contentType: 'application/merge-patch+json',
        resource: 'resourcequotas',
      })
    } catch (error) {
      if (!isKubeError(error, 'WEIR_KUBE_CONFLICT')) throw error
      await this.#countOnce()
    }
  }
}
