/** For each kind that a controller watches: a cache, kept by a reflector, and a writer. */
import type { Clock } from '../../common/clock.ts'
import type { Logger } from '../../common/logger.ts'
import type { Random } from '../../common/random.ts'
import { Applier } from './applier.ts'
import { KubeClient } from './kube-client.ts'
import type { KubeObject } from './kube-object.ts'
import type { KubeTransport } from './kube-transport.ts'
import { NamespacesCache } from './namespaces-cache.ts'
import { type CacheView, ObjectCache, type Slim } from './object-cache.ts'
import { Reflector } from './reflector.ts'
import { type Reflection, Reflectors } from './reflectors.ts'
import type { ResourceKind } from './resource-kind.ts'

export interface WatcherOptions {
  readonly transport: KubeTransport
  /** None: all. */
  readonly namespaces: readonly string[]
  /** Throws where this controller may not write. */
  readonly mayWrite: () => void
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly onRestart: (resource: string, reason: string) => void
  readonly onMissed: (resource: string, count: number) => void
}

export interface WatcherShape {
  /** Owns the fields that are written. */
  readonly manager: string
  /** Groups objects, as the pods of one job. */
  readonly indexOf: (object: KubeObject) => string | undefined
}

export interface Watched<T extends KubeObject>
  extends Pick<Applier<T>, 'ensure' | 'create' | 'attempt'> {
  readonly remove: Applier<T>['remove']
  readonly client: KubeClient<T>
  readonly cache: CacheView<T>
  readonly reflector: Reflection
}

/** A watch without the type of its objects. */
export interface Watch {
  /** The plural of its kind. */
  readonly resource: string
  readonly cache: Pick<CacheView<KubeObject>, 'size'>
  readonly reflector: Reflection
}

export interface WatchedOptions<T> {
  readonly selector?: string
  /** Drops what nobody reads. */
  readonly slim?: Slim<T>
}

export interface KindWatcher {
  watched<T extends KubeObject>(kind: ResourceKind, options?: WatchedOptions<T>): Watched<T>
  readonly watches: readonly Watch[]
}

export function kindWatcher(options: WatcherOptions, shape: WatcherShape): KindWatcher {
  const watches: Watch[] = []
  const { transport, namespaces, mayWrite } = options
  const watched = <T extends KubeObject>(
    kind: ResourceKind,
    { selector, slim = withoutManagedFields }: WatchedOptions<T> = {},
  ): Watched<T> => {
    const client = new KubeClient<T>(transport, kind)
    const newCache = () => new ObjectCache<T>(shape.indexOf, slim)
    const reflectorOf = (cache: ObjectCache<T>, namespace?: string) =>
      new Reflector<T>({ ...reflecting(options, kind), client, cache, namespace, selector })
    const parts = new Map(
      kind.isNamespaced ? namespaces.map(name => [name, newCache()] as const) : [],
    )
    const whole = newCache()
    const cache = parts.size === 0 ? whole : new NamespacesCache(parts)
    const reflector =
      parts.size === 0
        ? reflectorOf(whole)
        : new Reflectors([...parts].map(([name, part]) => reflectorOf(part, name)))
    watches.push({ resource: kind.plural, cache, reflector })
    const applier = new Applier<T>({ client, cache, manager: shape.manager, mayWrite })
    return {
      client,
      cache,
      reflector,
      ensure: (object, signal) => applier.ensure(object, signal),
      create: (object, signal) => applier.create(object, signal),
      attempt: (object, signal) => applier.attempt(object, signal),
      remove: (object, grace, signal) => applier.remove(object, grace, signal),
    }
  }
  return { watched, watches }
}

function reflecting(
  { clock, random, logger, onRestart, onMissed }: WatcherOptions,
  { plural }: ResourceKind,
) {
  return {
    clock,
    random,
    logger,
    onRestart: (reason: string) => onRestart(plural, reason),
    onMissed: (count: number) => onMissed(plural, count),
  }
}

/** A third of most objects, and nobody reads it. */
export function withoutManagedFields<T extends KubeObject>(object: T): T {
  const { managedFields: _unread, ...metadata } = object.metadata as T['metadata'] & {
    readonly managedFields?: unknown
  }
  return { ...object, metadata }
}
