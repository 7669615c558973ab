/** What the controller of StreamJobs watches and writes: for each kind a cache and a writer. */
import type { Clock } from '../../common/clock.ts'
import type { Logger } from '../../common/logger.ts'
import type { Random } from '../../common/random.ts'
import { Applier } from '../kube/applier.ts'
import { KubeClient } from '../kube/kube-client.ts'
import { type KubeObject, keyOf } from '../kube/kube-object.ts'
import type { KubeTransport } from '../kube/kube-transport.ts'
import { ObjectCache } from '../kube/object-cache.ts'
import { Reflector } from '../kube/reflector.ts'
import { type ResourceKind, resourceKinds } from '../kube/resource-kind.ts'
import { MANAGED, MANAGER } from './job-names.ts'
import type { ConfigMapObject } from './job-objects.ts'
import type { ControllerRevisionObject } from './job-revisions.ts'
import type { PodObject } from './pod-facts.ts'
import type { StreamJobObject } from './stream-job-object.ts'

export interface WorldOptions {
  readonly transport: KubeTransport
  /** One namespace, or all. */
  readonly namespace: string | undefined
  /** Throws where this controller may not write. */
  readonly mayWrite: () => void
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly onRestart: (resource: string, reason: string) => void
  readonly onMissed: (resource: string, count: number) => void
}

export interface Watched<T extends KubeObject> extends Pick<Applier<T>, 'ensure' | 'create'> {
  readonly remove: Applier<T>['remove']
  readonly client: KubeClient<T>
  readonly cache: ObjectCache<T>
}

export interface JobWorld {
  readonly jobs: Watched<StreamJobObject>
  readonly pods: Watched<PodObject>
  readonly configMaps: Watched<ConfigMapObject>
  readonly revisions: Watched<ControllerRevisionObject>
  readonly services: Watched<KubeObject>
  readonly budgets: Watched<KubeObject>
  readonly policies: Watched<KubeObject>
  /** Made and never read. */
  readonly secrets: Pick<Applier<KubeObject>, 'create'>
  readonly reflectors: ReadonlyMap<string, Reflector<KubeObject>>
  readonly caches: ReadonlyMap<string, ObjectCache<KubeObject>>
  readonly mayWrite: () => void
}

export function makeJobWorld(options: WorldOptions): JobWorld {
  const reflectors = new Map<string, Reflector<KubeObject>>()
  const caches = new Map<string, ObjectCache<KubeObject>>()
  const watched = <T extends KubeObject>(kind: ResourceKind, selector?: string): Watched<T> => {
    const client = new KubeClient<T>(options.transport, kind)
    const cache = new ObjectCache<T>(ownerUid)
    const { clock, random, logger, namespace, mayWrite } = options
    const reflector = new Reflector<T>({
      client,
      cache,
      namespace,
      selector,
      slim: withoutManagedFields,
      clock,
      random,
      logger,
      onRestart: reason => options.onRestart(kind.plural, reason),
      onMissed: count => options.onMissed(kind.plural, count),
    })
    reflectors.set(kind.plural, reflector as unknown as Reflector<KubeObject>)
    caches.set(kind.plural, cache as unknown as ObjectCache<KubeObject>)
    const applier = new Applier<T>({ client, cache, manager: MANAGER, mayWrite })
    return {
      client,
      cache,
      ensure: (object, signal) => applier.ensure(object, signal),
      create: (object, signal) => applier.create(object, signal),
      remove: (object, grace, signal) => applier.remove(object, grace, signal),
    }
  }
  const secrets = new Applier({
    client: new KubeClient(options.transport, resourceKinds.secret),
    cache: undefined,
    manager: MANAGER,
    mayWrite: options.mayWrite,
  })
  return {
    jobs: watched<StreamJobObject>(resourceKinds.streamJob),
    pods: watched<PodObject>(resourceKinds.pod, MANAGED),
    configMaps: watched<ConfigMapObject>(resourceKinds.configMap, MANAGED),
    revisions: watched<ControllerRevisionObject>(resourceKinds.controllerRevision, MANAGED),
    services: watched(resourceKinds.service, MANAGED),
    budgets: watched(resourceKinds.podDisruptionBudget, MANAGED),
    policies: watched(resourceKinds.networkPolicy, MANAGED),
    secrets,
    reflectors,
    caches,
    mayWrite: options.mayWrite,
  }
}

/** The key of the job that an object belongs to. */
export function ownerKey({ metadata }: KubeObject): string | undefined {
  const owner = metadata.ownerReferences?.find(one => one.kind === 'StreamJob')
  if (owner === undefined) return undefined
  return keyOf({ namespace: metadata.namespace, name: owner.name })
}

/** Not by the name: a namesake that was deleted may have left things behind. */
function ownerUid({ metadata }: KubeObject): string | undefined {
  return metadata.ownerReferences?.find(one => one.kind === 'StreamJob')?.uid
}

/** A third of most objects, and nobody reads it. */
function withoutManagedFields<T extends KubeObject>(object: T): T {
  const { managedFields: _unread, ...metadata } = object.metadata as T['metadata'] & {
    readonly managedFields?: unknown
  }
  return { ...object, metadata }
}
