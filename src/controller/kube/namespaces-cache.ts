/** What is known of one kind in several namespaces: a cache for each, seen as one. */
import { type KubeObject, keyOf } from './kube-object.ts'
import type { CacheView, ObjectCache, ObjectChange } from './object-cache.ts'

export class NamespacesCache<T extends KubeObject> implements CacheView<T> {
  readonly #parts: ReadonlyMap<string, ObjectCache<T>>

  /** By namespace. */
  constructor(parts: ReadonlyMap<string, ObjectCache<T>>) {
    this.#parts = parts
  }

  get size(): number {
    return [...this.#parts.values()].reduce((sum, part) => sum + part.size, 0)
  }

  get(key: string): T | undefined {
    const [namespace = ''] = key.split('/')
    return this.#parts.get(namespace)?.get(key)
  }

  all(): readonly T[] {
    return [...this.#parts.values()].flatMap(part => part.all())
  }

  group(name: string): readonly T[] {
    const found = [...this.#parts.values()].flatMap(part => part.group(name))
    return found.toSorted((a, b) => (keyOf(a.metadata) < keyOf(b.metadata) ? -1 : 1))
  }

  onChange(listener: (change: ObjectChange<T>) => void): void {
    for (const part of this.#parts.values()) part.onChange(listener)
  }

  /** The answer to a write; elsewhere nothing is written. */
  set(object: T): void {
    this.#parts.get(object.metadata.namespace ?? '')?.set(object)
  }
}
