/** The calls of the Kubernetes API that the controller makes. Each is one request. */
import { isKubeError } from './kube-errors.ts'
import type { KubeObject, ObjectRef } from './kube-object.ts'
import type { KubeTransport } from './kube-transport.ts'
import { pathOf, type ResourceKind } from './resource-kind.ts'

export interface ApplyOptions {
  /** Owns the fields: one name a controller. */
  readonly manager: string
  readonly signal?: AbortSignal | undefined
}

export interface DeleteOptions {
  /** Another object of the same name is left alone. */
  readonly uid: string
  readonly graceSeconds?: number
  readonly signal?: AbortSignal | undefined
}

export interface ListOptions {
  readonly namespace?: string | undefined
  /** That one alone. */
  readonly name?: string
  readonly selector?: string | undefined
  readonly limit?: number
  readonly continueFrom?: string | undefined
  readonly signal?: AbortSignal | undefined
}

export interface ObjectList<T extends KubeObject> {
  readonly items: readonly T[]
  readonly resourceVersion: string
  readonly continueFrom: string | undefined
}

export interface JsonPatchStep {
  readonly op: 'test' | 'add' | 'remove' | 'replace'
  readonly path: string
  readonly value?: unknown
}

const APPLY = 'application/apply-patch+yaml'
const JSON_PATCH = 'application/json-patch+json'

export class KubeClient<T extends KubeObject = KubeObject> {
  readonly kind: ResourceKind
  readonly #transport: KubeTransport

  constructor(transport: KubeTransport, kind: ResourceKind) {
    this.#transport = transport
    this.kind = kind
  }

  /** `undefined`: there is none. */
  async get(ref: ObjectRef, signal?: AbortSignal): Promise<T | undefined> {
    try {
      return (await this.#call('GET', ref, { signal })) as T
    } catch (error) {
      if (isKubeError(error, 'WEIR_KUBE_NOT_FOUND')) return undefined
      throw error
    }
  }

  /** Likewise, for who may list and not get. */
  async find({ namespace, name }: ObjectRef, signal?: AbortSignal): Promise<T | undefined> {
    return (await this.list({ namespace, name, signal })).items[0]
  }

  async list(options: ListOptions = {}): Promise<ObjectList<T>> {
    const { namespace, name, selector, limit = 500, continueFrom, signal } = options
    const { resource } = this.#names
    const path = pathOf(this.kind, { namespace })
    const fieldSelector = name === undefined ? undefined : `metadata.name=${name}`
    const query = { limit, continue: continueFrom, labelSelector: selector, fieldSelector }
    const answer = await this.#transport.request({ method: 'GET', path, query, resource, signal })
    const list = answer as RawList<T>
    const { apiVersion, kind } = this.kind
    return {
      // The items of a list do not say what they are.
      items: (list.items ?? []).map(item => ({ ...item, apiVersion, kind })),
      resourceVersion: list.metadata?.resourceVersion ?? '0',
      continueFrom: list.metadata?.continue === '' ? undefined : list.metadata?.continue,
    }
  }

  /** Server-side apply: sets the fields, and drops those that this manager named before. */
  apply(object: T, options: ApplyOptions): Promise<T> {
    return this.#apply(object, options)
  }

  /** Likewise for the status; a `resourceVersion` in it is a precondition. */
  applyStatus(object: T, options: ApplyOptions): Promise<T> {
    return this.#apply(object, options, { subresource: 'status' })
  }

  async patch(ref: ObjectRef, steps: readonly JsonPatchStep[], signal?: AbortSignal): Promise<T> {
    return (await this.#call('PATCH', ref, { body: steps, contentType: JSON_PATCH, signal })) as T
  }

  async patchStatus(
    ref: ObjectRef,
    steps: readonly JsonPatchStep[],
    signal?: AbortSignal,
  ): Promise<T> {
    const how = { body: steps, contentType: JSON_PATCH, signal, subresource: 'status' } as const
    return (await this.#call('PATCH', ref, how)) as T
  }

  async create(object: T, signal?: AbortSignal): Promise<T> {
    const { namespace } = object.metadata
    return (await this.#call('POST', { namespace }, { body: object, signal })) as T
  }

  /** All that `create` would meet, and nothing is made; fields that are none are refused, too. */
  async tryCreate(object: T, signal?: AbortSignal): Promise<void> {
    const { namespace } = object.metadata
    const query = { dryRun: 'All', fieldValidation: 'Strict' }
    await this.#call('POST', { namespace }, { body: object, query, signal })
  }

  /** Fails with WEIR_KUBE_CONFLICT when the object is no longer of the given version. */
  async replace(object: T, signal?: AbortSignal): Promise<T> {
    return (await this.#call('PUT', object.metadata, { body: object, signal })) as T
  }

  /** Whether there was such an object. */
  async remove(ref: ObjectRef, options: DeleteOptions): Promise<boolean> {
    const { uid, graceSeconds, signal } = options
    const body = {
      kind: 'DeleteOptions',
      apiVersion: 'v1',
      preconditions: { uid },
      propagationPolicy: 'Background',
      ...(graceSeconds === undefined ? {} : { gracePeriodSeconds: graceSeconds }),
    }
    try {
      await this.#call('DELETE', ref, { body, signal })
      return true
    } catch (error) {
      if (isKubeError(error, 'WEIR_KUBE_NOT_FOUND')) return false
      throw error
    }
  }

  /** The lines of a watch. */
  watch(
    query: Readonly<Record<string, string | number | undefined>>,
    options: { readonly namespace?: string | undefined; readonly signal: AbortSignal },
  ): Promise<AsyncIterable<Buffer>> {
    const { namespace, signal } = options
    const path = pathOf(this.kind, { namespace })
    const { resource } = this.#names
    return this.#transport.open({ method: 'GET', path, query, resource, signal })
  }

  get #names() {
    return { resource: this.kind.plural }
  }

  async #apply(
    object: T,
    { manager, signal }: ApplyOptions,
    where: Pick<CallDetails, 'subresource'> = {},
  ): Promise<T> {
    const query = { fieldManager: manager, force: 'true' }
    const sent = { body: object, contentType: APPLY, query, signal, ...where }
    return (await this.#call('PATCH', object.metadata, sent)) as T
  }

  #call(method: Method, place: Partial<ObjectRef>, how: CallDetails): Promise<unknown> {
    const { namespace, name } = place
    const { subresource, ...rest } = how
    const path = pathOf(this.kind, { namespace, name, subresource })
    return this.#transport.request({ method, path, ...this.#names, ...rest })
  }
}

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

interface CallDetails {
  readonly body?: unknown
  readonly contentType?: string
  readonly query?: Readonly<Record<string, string>>
  readonly subresource?: 'status'
  readonly signal?: AbortSignal | undefined
}

interface RawList<T> {
  readonly items?: readonly T[]
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string }
}
