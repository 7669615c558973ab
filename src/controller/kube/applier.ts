/**
 * Makes objects of one kind as they are to be, in as few writes as can be.
 *
 * A1: an object of another owner is left as it is, whatever its name: WEIR_KUBE_TAKEN. What a
 *     namesake of the owner has left behind is taken over, or is on its way out.
 * A2: what is the owner's and has lost the label that watches ask for is seen by none of them:
 *     another takes its place.
 */
import { isApplied, withDigest } from './applied.ts'
import type { KubeClient } from './kube-client.ts'
import { isKubeError, kubeErrors } from './kube-errors.ts'
import { type KubeObject, keyOf, type OwnerReference } from './kube-object.ts'
import type { CacheView } from './object-cache.ts'

export interface ApplierOptions<T extends KubeObject> {
  readonly client: KubeClient<T>
  /** `undefined`: objects that are never read. */
  readonly cache: CacheView<T> | undefined
  readonly manager: string
  /** Throws where this controller may not write. */
  readonly mayWrite: () => void
}

export class Applier<T extends KubeObject> {
  readonly #options: ApplierOptions<T>

  constructor(options: ApplierOptions<T>) {
    this.#options = options
  }

  /** Whether a write was needed. */
  async ensure(wanted: T, signal?: AbortSignal): Promise<boolean> {
    const { client, cache, manager, mayWrite } = this.#options
    const sent = withDigest(wanted)
    const known = cache?.get(keyOf(wanted.metadata))
    const found = known ?? (await this.#unseen(wanted, signal))
    if (found !== undefined) this.#checkOwner(found, wanted)
    if (isApplied(found, sent)) return false
    mayWrite()
    const applied = await client.apply(sent, { manager, signal })
    cache?.set(applied)
    return true
  }

  /** Made once and never changed. */
  async create(wanted: T, signal?: AbortSignal): Promise<boolean> {
    const { client, cache, mayWrite } = this.#options
    const known = cache?.get(keyOf(wanted.metadata))
    if (known !== undefined) {
      this.#checkOwner(known, wanted)
      return false
    }
    mayWrite()
    try {
      const created = await client.create(wanted, signal)
      cache?.set(created)
      return true
    } catch (error) {
      if (!isKubeError(error, 'WEIR_KUBE_CONFLICT')) throw error
      const found = await this.#unseen(wanted, signal)
      if (found === undefined) return false
      this.#checkOwner(found, wanted)
      if (!isStray(found, wanted)) return false
      // A2: its name is free once it is gone.
      await this.remove(found, undefined, signal)
      throw error
    }
  }

  /** Whether it could be made, by every rule of the cluster; what is in the way is thrown. */
  async attempt(wanted: T, signal?: AbortSignal): Promise<void> {
    const { client, mayWrite } = this.#options
    mayWrite()
    try {
      await client.tryCreate(wanted, signal)
    } catch (error) {
      if (!isKubeError(error, 'WEIR_KUBE_CONFLICT')) throw error
    }
  }

  /** Only this very object: one that took its name meanwhile stays. */
  async remove(object: T, graceSeconds?: number, signal?: AbortSignal): Promise<void> {
    const { client, mayWrite } = this.#options
    const { uid } = object.metadata
    if (uid === undefined) return
    mayWrite()
    const options = { uid, signal, ...(graceSeconds === undefined ? {} : { graceSeconds }) }
    await client.remove(object.metadata, options)
  }

  /** The watch sees what is Weir's only, and that late. */
  async #unseen({ metadata }: T, signal?: AbortSignal): Promise<T | undefined> {
    const { client, cache } = this.#options
    return cache === undefined ? undefined : client.find(metadata, signal)
  }

  /** A1 */
  #checkOwner(found: T, wanted: T): void {
    const owner = ownerOf(wanted)
    const other = ownerOf(found)
    if (owner === undefined || (other !== undefined && isSameOrNamesake(owner, other))) return
    throw kubeErrors.WEIR_KUBE_TAKEN({
      kind: wanted.kind,
      name: keyOf(wanted.metadata),
      owner: other === undefined ? 'somebody else' : `${other.kind} ${other.name} (${other.uid})`,
    })
  }
}

/** What watches ask for. */
const MANAGED_BY = 'app.kubernetes.io/managed-by'

function isStray({ metadata }: KubeObject, wanted: KubeObject): boolean {
  return metadata.labels?.[MANAGED_BY] !== wanted.metadata.labels?.[MANAGED_BY]
}

/** Of what is shared, as a namespace, nobody is. */
function ownerOf({ metadata: { ownerReferences = [] } }: KubeObject): OwnerReference | undefined {
  return ownerReferences.find(one => one.controller === true) ?? ownerReferences[0]
}

function isSameOrNamesake(one: OwnerReference, other: OwnerReference): boolean {
  return one.uid === other.uid || (one.kind === other.kind && one.name === other.name)
}
