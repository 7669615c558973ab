/** Makes objects of one kind as they are to be, in as few writes as can be. */
import { isApplied, withDigest } from './applied.ts'
import type { KubeClient } from './kube-client.ts'
import { isKubeError } from './kube-errors.ts'
import { type KubeObject, keyOf } from './kube-object.ts'
import type { ObjectCache } from './object-cache.ts'

export interface ApplierOptions<T extends KubeObject> {
  readonly client: KubeClient<T>
  /** `undefined`: objects that are never read. */
  readonly cache: ObjectCache<T> | undefined
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
    if (isApplied(cache?.get(keyOf(wanted.metadata)), sent)) return false
    mayWrite()
    const applied = await client.apply(sent, { manager, signal })
    cache?.set(applied)
    return true
  }

  /** Made once and never changed; another one of its name is left as it is. */
  async create(wanted: T, signal?: AbortSignal): Promise<boolean> {
    const { client, cache, mayWrite } = this.#options
    if (cache?.get(keyOf(wanted.metadata)) !== undefined) return false
    mayWrite()
    try {
      const created = await client.create(wanted, signal)
      cache?.set(created)
      return true
    } catch (error) {
      if (isKubeError(error, 'WEIR_KUBE_CONFLICT')) return false
      throw error
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
}
