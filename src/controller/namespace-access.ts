/**
 * The right to write where jobs are. The controller's own role reads, and writes the status of
 * Weir's kinds; what a job consists of it makes by a second role, to which it binds itself in the
 * namespaces that have a job or a savepoint, and in no other.
 */
import type { WriterGrant } from './controller-config.ts'
import type { Watched } from './kube/kind-watcher.ts'
import type { KubeClient } from './kube/kube-client.ts'
import { kubeErrors } from './kube/kube-errors.ts'
import { type KubeObject, keyOf } from './kube/kube-object.ts'
import type { CacheView } from './kube/object-cache.ts'
import { resourceKinds } from './kube/resource-kind.ts'
import type { Reconcile } from './kube/work-loop.ts'
import { labels } from './streamjob/job-names.ts'

export interface NamespaceAccessOptions {
  readonly grant: WriterGrant
  /** The controller's own. */
  readonly namespace: string
  readonly bindings: Pick<Watched<KubeObject>, 'ensure'> & {
    readonly cache: Pick<CacheView<KubeObject>, 'get'>
  }
  readonly roles: Pick<KubeClient, 'get'>
}

/** The API server asks a cache of its own who may what: it lags behind by milliseconds. */
export const KNOWN_AFTER_MS = 50

export class NamespaceAccess {
  readonly #options: NamespaceAccessOptions

  constructor(options: NamespaceAccessOptions) {
    this.#options = options
  }

  /** A pass over an object waits until its namespace is bound. */
  before(reconcile: Reconcile, objects: Pick<CacheView<KubeObject>, 'get'>): Reconcile {
    return async (key, signal) => {
      const object = objects.get(key)
      // A namespace that is on its way out takes nothing new, and must not be held up.
      const isWanted = object !== undefined && object.metadata.deletionTimestamp === undefined
      const { namespace } = object?.metadata ?? {}
      if (isWanted && namespace !== undefined && (await this.grantIn(namespace, signal))) {
        return KNOWN_AFTER_MS
      }
      return reconcile(key, signal)
    }
  }

  /** Whether the right is new. */
  async grantIn(namespace: string, signal: AbortSignal): Promise<boolean> {
    const { grant, bindings, roles } = this.#options
    const { role } = grant
    if (bindings.cache.get(keyOf({ namespace, name: role })) !== undefined) return false
    const found = await roles.get({ name: role }, signal)
    if (found === undefined) {
      const path = `/apis/${resourceKinds.clusterRole.apiVersion}/clusterroles/${role}`
      const said = 'the role that WEIR_WRITER_ROLE names is not there'
      throw kubeErrors.WEIR_KUBE_NOT_FOUND({ method: 'GET', path, status: 404, said })
    }
    return bindings.ensure(this.#bindingIn(namespace, found), signal)
  }

  /** It belongs to the role: who uninstalls Weir takes the rights back. */
  #bindingIn(namespace: string, { apiVersion, kind, metadata }: KubeObject): KubeObject {
    const { grant, namespace: own } = this.#options
    const { name, uid = '' } = metadata
    const binding = {
      apiVersion: resourceKinds.roleBinding.apiVersion,
      kind: resourceKinds.roleBinding.kind,
      metadata: {
        namespace,
        name,
        labels: { [labels.managedBy]: 'weir', 'app.kubernetes.io/name': 'weir' },
        ownerReferences: [{ apiVersion, kind, name, uid }],
      },
      roleRef: { apiGroup: apiVersion.split('/')[0], kind, name },
      subjects: [{ kind: 'ServiceAccount', name: grant.account, namespace: own }],
    }
    return binding
  }
}
