/** What the controller of StreamJobs watches and writes: for each kind a cache and a writer. */
import { isDeepStrictEqual } from 'node:util'
import { Applier } from '../kube/applier.ts'
import {
  kindWatcher,
  type Watch,
  type Watched,
  type WatcherOptions,
  withoutManagedFields,
} from '../kube/kind-watcher.ts'
import { KubeClient } from '../kube/kube-client.ts'
import { type KubeObject, keyOf } from '../kube/kube-object.ts'
import { type ResourceKind, resourceKinds } from '../kube/resource-kind.ts'
import { MANAGED, MANAGER } from './job-names.ts'
import type { ConfigMapObject } from './job-objects.ts'
import type { ControllerRevisionObject } from './job-revisions.ts'
import type { PodObject } from './pod-facts.ts'
import type { StreamJobObject } from './stream-job-object.ts'

export interface JobWorldOptions extends WatcherOptions {
  /** It binds itself to the role that lets it write. */
  readonly isGranting: boolean
}

export interface JobWorld {
  readonly jobs: Watched<StreamJobObject>
  readonly pods: Watched<PodObject>
  readonly configMaps: Watched<ConfigMapObject>
  readonly revisions: Watched<ControllerRevisionObject>
  readonly services: Watched<KubeObject>
  readonly budgets: Watched<KubeObject>
  readonly policies: Watched<KubeObject>
  /** `undefined`: it has no need of any. */
  readonly bindings: Watched<KubeObject> | undefined
  /** Made and never read. */
  readonly secrets: Pick<Applier<KubeObject>, 'create'>
  /** What a job ended with; they are looked after elsewhere. */
  readonly savepoints: Pick<Applier<KubeObject>, 'create'>
  readonly watches: readonly Watch[]
  readonly mayWrite: () => void
}

export function makeJobWorld(options: JobWorldOptions): JobWorld {
  const shape = { manager: MANAGER, indexOf: ownerUid }
  const { watched, watches } = kindWatcher(options, shape)
  const { transport, mayWrite } = options
  const unread = (kind: ResourceKind) =>
    new Applier({
      client: new KubeClient(transport, kind),
      cache: undefined,
      manager: MANAGER,
      mayWrite,
    })
  const managed = { selector: MANAGED }
  return {
    jobs: watched(resourceKinds.streamJob, { slim: sameSpec }),
    pods: watched<PodObject>(resourceKinds.pod, { ...managed, slim: podFactsOnly }),
    configMaps: watched<ConfigMapObject>(resourceKinds.configMap, managed),
    revisions: watched<ControllerRevisionObject>(resourceKinds.controllerRevision, managed),
    services: watched(resourceKinds.service, managed),
    budgets: watched(resourceKinds.podDisruptionBudget, managed),
    policies: watched(resourceKinds.networkPolicy, managed),
    bindings: options.isGranting ? watched(resourceKinds.roleBinding, managed) : undefined,
    secrets: unread(resourceKinds.secret),
    savepoints: unread(resourceKinds.savepoint),
    watches,
    mayWrite,
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
  return metadata.ownerReferences?.find(one => one.controller === true)?.uid
}

/** A spec that did not change stays the same object: what follows from it is known by that. */
function sameSpec(now: StreamJobObject, before: StreamJobObject | undefined): StreamJobObject {
  const kept = withoutManagedFields(now)
  return isDeepStrictEqual(kept.spec, before?.spec) ? { ...kept, spec: before?.spec } : kept
}

/** What pods are made of fills most of the memory, and nobody reads it again. */
function podFactsOnly(pod: PodObject): PodObject {
  const { spec: _unread, ...kept } = withoutManagedFields(pod)
  return kept
}
