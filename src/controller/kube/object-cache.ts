/**
 * What the controller knows of one kind: the newest version of each object that it has heard of,
 * from the watch or from the answers to its own writes, in whatever order they come.
 *
 * C1: an object never goes back to an older version, nor comes back after its end.
 */
import { isNewer, type KubeObject, keyOf } from './kube-object.ts'

export type ObjectChange<T> =
  | { readonly kind: 'set'; readonly key: string; readonly now: T; readonly before: T | undefined }
  | { readonly kind: 'gone'; readonly key: string; readonly before: T }

/** What others than the reflector do with a cache. */
export type CacheView<T extends KubeObject> = Pick<
  ObjectCache<T>,
  'size' | 'get' | 'all' | 'group' | 'onChange' | 'set'
>

type Listener<T> = (change: ObjectChange<T>) => void
type IndexOf<T> = (object: T) => string | undefined
/** `before`: as it is kept by now. */
export type Slim<T> = (object: T, before: T | undefined) => T

export class ObjectCache<T extends KubeObject> {
  readonly #objects = new Map<string, T>()
  /** Key -> version of its end, until no older news of it can come. */
  readonly #ended = new Map<string, string>()
  readonly #listeners: Listener<T>[] = []
  readonly #indexOf: IndexOf<T>
  readonly #slim: Slim<T>
  readonly #index = new Map<string, Set<string>>()
  #version: string | undefined
  #bookmarked: string | undefined

  /** `indexOf` groups objects, as the pods of one job; `slim` drops what nobody reads. */
  constructor(indexOf: IndexOf<T> = () => undefined, slim: Slim<T> = same) {
    this.#indexOf = indexOf
    this.#slim = slim
  }

  get size(): number {
    return this.#objects.size
  }

  /** Up to which all news is known; `undefined` before the first list. */
  get version(): string | undefined {
    return this.#version
  }

  get(key: string): T | undefined {
    return this.#objects.get(key)
  }

  all(): readonly T[] {
    return [...this.#objects.values()]
  }

  /** In the order of their keys. */
  group(name: string): readonly T[] {
    const keys = [...(this.#index.get(name) ?? [])].toSorted()
    return keys.flatMap(key => this.#objects.get(key) ?? [])
  }

  onChange(listener: Listener<T>): void {
    this.#listeners.push(listener)
  }

  /** As much of it as is kept. */
  slim(object: T): T {
    return this.#slim(object, undefined)
  }

  /** News of the watch, or the answer to a write. */
  set(whole: T): void {
    const key = keyOf(whole.metadata)
    const { resourceVersion } = whole.metadata
    const before = this.#objects.get(key)
    const known = before?.metadata.resourceVersion ?? this.#ended.get(key)
    if (known !== undefined && !isNewer(resourceVersion, known)) return
    const object = this.#slim(whole, before)
    this.#ended.delete(key)
    this.#place(key, object)
    this.#tell({ kind: 'set', key, now: object, before })
  }

  /** The watch says so; the object is as it was last. */
  end(object: T): void {
    const key = keyOf(object.metadata)
    const before = this.#objects.get(key)
    const { resourceVersion } = object.metadata
    const isOlder =
      before !== undefined && isNewer(before.metadata.resourceVersion, resourceVersion)
    // The next object of this name is newer than the end of the one before.
    if (isOlder || resourceVersion === undefined) return
    this.#ended.set(key, resourceVersion)
    if (before === undefined) return
    this.#take(key, before)
    this.#tell({ kind: 'gone', key, before })
  }

  /** All news up to here is known. */
  reach(version: string): void {
    this.#version = version
  }

  /**
   * Likewise, once a minute. What ended before the last time is forgotten: a list, and an answer to
   * an older write, take seconds at most. Forgotten sooner, they would bring it back to life.
   */
  bookmark(version: string): void {
    const earlier = this.#bookmarked
    this.reach(version)
    this.#bookmarked = version
    if (earlier === undefined) return
    for (const [key, ended] of this.#ended) if (isNewer(earlier, ended)) this.#ended.delete(key)
  }

  /** A whole list as of a version: what is not in it and not newer is gone. */
  replace(objects: readonly T[], version: string): void {
    const keys = new Set(objects.map(object => keyOf(object.metadata)))
    for (const object of objects) this.set(object)
    for (const [key, before] of this.#objects) {
      if (keys.has(key) || isNewer(before.metadata.resourceVersion, version)) continue
      this.#ended.set(key, version)
      this.#take(key, before)
      this.#tell({ kind: 'gone', key, before })
    }
    this.#version = version
  }

  #place(key: string, object: T): void {
    const before = this.#objects.get(key)
    if (before !== undefined) this.#take(key, before)
    this.#objects.set(key, object)
    const group = this.#indexOf(object)
    if (group === undefined) return
    const keys = this.#index.get(group)
    if (keys === undefined) this.#index.set(group, new Set([key]))
    else keys.add(key)
  }

  #take(key: string, object: T): void {
    this.#objects.delete(key)
    const group = this.#indexOf(object)
    const keys = group === undefined ? undefined : this.#index.get(group)
    keys?.delete(key)
    if (group !== undefined && keys?.size === 0) this.#index.delete(group)
  }

  #tell(change: ObjectChange<T>): void {
    for (const listener of this.#listeners) listener(change)
  }
}

const same = <T>(object: T): T => object
