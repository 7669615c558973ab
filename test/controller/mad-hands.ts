/** What people may do by hand to a job and to what belongs to it, each as one act. */
import type { Random } from '../../src/common/random.ts'
import { isKubeError } from '../../src/controller/kube/kube-errors.ts'
import type { KubeObject } from '../../src/controller/kube/kube-object.ts'
import { type ResourceKind, resourceKinds } from '../../src/controller/kube/resource-kind.ts'
import type { PodObject } from '../../src/controller/streamjob/pod-facts.ts'
import type { StreamJobObject } from '../../src/controller/streamjob/stream-job-object.ts'
import type { TestCluster } from './test-cluster.ts'

/** Stands in everything that a person writes, and may come back in nothing. */
export const HUSH = 'hush-word'

export interface MadWorld {
  readonly cluster: TestCluster
  readonly namespace: string
  readonly random: Random
}

/** Does it to one job; what is there no more is left. */
export type MadAct = (world: MadWorld, job: StreamJobObject) => Promise<unknown>

const jobs = ({ cluster }: MadWorld) => cluster.client<StreamJobObject>(resourceKinds.streamJob)

const edit = (spec: object): MadAct => {
  return (world, { metadata, spec: before }) =>
    jobs(world).apply(
      {
        apiVersion: 'weir.dev/v1alpha1',
        kind: 'StreamJob',
        metadata: { namespace: world.namespace, name: metadata.name },
        spec: { ...(before as object), ...spec },
      },
      { manager: 'person' },
    )
}

const annotate = (annotations: Readonly<Record<string, string>>): MadAct => {
  return (world, { metadata }) =>
    merge(world, {
      kind: resourceKinds.streamJob,
      object: { metadata },
      body: { metadata: { annotations } },
    })
}

/** A status that passes the CRD, and is none that a controller would write. */
const status = (fields: object): MadAct => {
  return (world, { metadata }) =>
    merge(world, {
      kind: resourceKinds.streamJob,
      object: { metadata },
      body: { status: fields },
      subresource: '/status',
    })
}

interface Merge {
  readonly kind: ResourceKind
  readonly object: { readonly metadata: KubeObject['metadata'] }
  readonly body: object
  readonly subresource?: string
}

function merge({ cluster, namespace }: MadWorld, { kind, object, body, subresource = '' }: Merge) {
  const { apiVersion, plural } = kind
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
  return cluster.transport.request({
    method: 'PATCH',
    path: `${root}/namespaces/${namespace}/${plural}/${object.metadata.name}${subresource}`,
    body,
    contentType: 'application/merge-patch+json',
    resource: plural,
  })
}

/** Of one kind that belong to the job, by owner. */
async function ownedBy(world: MadWorld, job: StreamJobObject, kind: ResourceKind) {
  const { namespace, cluster } = world
  const { items } = await cluster.client(kind).list({ namespace })
  const isOwned = ({ metadata }: KubeObject) =>
    metadata.ownerReferences?.some(one => one.uid === job.metadata.uid) === true
  return items.filter(isOwned)
}

const removeAll = (kind: ResourceKind): MadAct => {
  return async (world, job) => {
    for (const { metadata } of await ownedBy(world, job, kind)) {
      const { uid = '' } = metadata
      await world.cluster.client(kind).remove(metadata, { uid, graceSeconds: 0 })
    }
  }
}

const removeSecrets: MadAct = async ({ cluster, namespace }, { metadata, status: now }) => {
  const name = `${metadata.name}-${now?.epoch ?? 0}-${metadata.uid?.slice(0, 8)}`
  const secrets = cluster.client(resourceKinds.secret)
  const found = await secrets.get({ namespace, name })
  if (found) await secrets.remove(found.metadata, { uid: found.metadata.uid ?? '' })
}

const relabel = (labels: Readonly<Record<string, string | null>>): MadAct => {
  return async (world, job) => {
    const pods = await ownedBy(world, job, resourceKinds.pod)
    const object = pods[Math.floor(world.random.next() * pods.length)] as PodObject | undefined
    if (object === undefined) return
    await merge(world, { kind: resourceKinds.pod, object, body: { metadata: { labels } } })
  }
}

const scribble = (kind: ResourceKind, body: object): MadAct => {
  return async (world, job) => {
    for (const object of await ownedBy(world, job, kind)) await merge(world, { kind, object, body })
  }
}

const foreignRevision: MadAct = async ({ cluster, namespace, random }, { metadata }) => {
  const { uid = '', name } = metadata
  const owner = { apiVersion: 'weir.dev/v1alpha1', kind: 'StreamJob', name, uid, controller: true }
  const revision = {
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata: {
      namespace,
      name: `mad-${Math.floor(random.next() * 1e9)}`,
      labels: { 'app.kubernetes.io/managed-by': 'weir' },
      ownerReferences: [owner],
    },
    data: { manifest: { spec: [HUSH, null, 7] }, image: 7 },
    revision: Math.floor(random.next() * 1e9),
  }
  await cluster.client<KubeObject>(resourceKinds.controllerRevision).create(revision)
}

const upgradeTo = (phase: string, more: object = {}): MadAct => {
  const at = { startedAt: '2001-01-01T00:00:00Z', since: '2039-01-01T00:00:00Z' }
  const made = {
    phase,
    goal: 'upgrade',
    from: 'nobody',
    to: 'nothing',
    cause: 'ByHand',
    mode: 'savepoint',
  }
  return status({ upgrade: { ...made, attempt: 1, ...at, ...more } })
}

const manyArgs = Object.fromEntries(
  Array.from({ length: 64 }, (_, index) => [`a${index}`, HUSH + 'x'.repeat(1_000)]),
)

/** By what a person would call it. */
export const madActs: Readonly<Record<string, MadAct>> = {
  'very many arguments': edit({ job: { module: 'a.ts', args: manyArgs } }),
  'a template with an annotation of its own': edit({
    podTemplate: { taskManager: { metadata: { annotations: { note: HUSH } }, spec: {} } },
  }),
  'a template with lists in the place of objects': edit({
    podTemplate: { taskManager: { metadata: [], spec: [HUSH] }, jobManager: { spec: 7 } },
  }),
  'a template whose containers are none': edit({
    podTemplate: { jobManager: { spec: { containers: { jobmanager: HUSH } } } },
  }),
  'a template that takes all labels away': edit({
    podTemplate: { taskManager: { metadata: { labels: null, ownerReferences: null } } },
  }),
  'a template without containers': edit({
    podTemplate: { taskManager: { spec: { containers: null, volumes: null } } },
  }),
  'a secret that is not there': edit({ secrets: [{ name: 'nowhere' }] }),
  'other slots': edit({ parallelism: 2 }),
  'a rest': edit({ state: 'suspended' }),
  'no rest': edit({ state: 'running' }),
  'a pause in other words': annotate({ 'weir.dev/pause': HUSH, 'weir.dev/applied': HUSH }),
  'a force that is none': annotate({ 'weir.dev/force-delete': '[]' }),
  'a status that is gone': status({ conditions: null, phase: null, revision: null, start: null }),
  'a status that has finished': status({ phase: 'Finished' }),
  'a status that has failed': status({ phase: 'Failed' }),
  'a status of a later epoch': status({ epoch: 40 }),
  'a status with another revision': status({ revision: { current: 'nobody', stable: 'nobody' } }),
  'an upgrade in planning': upgradeTo('Planning'),
  'an upgrade in savepointing': upgradeTo('Savepointing'),
  'an upgrade in stopping': upgradeTo('Stopping', { goal: 'suspend' }),
  'an upgrade in starting': upgradeTo('Starting', { startingAt: '2001-01-01T00:00:00Z' }),
  'an upgrade in verifying': upgradeTo('Verifying', { startingAt: '2039-01-01T00:00:00Z' }),
  'an upgrade in rolling back': upgradeTo('RollingBack', { rollback: 'ByHand' }),
  'no revisions': removeAll(resourceKinds.controllerRevision),
  'a revision of somebody else': foreignRevision,
  'no files': removeAll(resourceKinds.configMap),
  'no secret': removeSecrets,
  'no service': removeAll(resourceKinds.service),
  'no budget': removeAll(resourceKinds.podDisruptionBudget),
  'no policy': removeAll(resourceKinds.networkPolicy),
  'no pods': removeAll(resourceKinds.pod),
  'files with other text': scribble(resourceKinds.configMap, { data: { 'job.yaml': HUSH } }),
  'a pod of another epoch': relabel({ 'weir.dev/epoch': '9' }),
  'a pod of another slot': relabel({ 'weir.dev/slot': '7' }),
  'a pod of another attempt': relabel({ 'weir.dev/attempt': '99' }),
  'a pod of no role': relabel({ 'weir.dev/role': 'hush' }),
  'a pod of another job': relabel({ 'weir.dev/job': 'other' }),
  'a pod of nobody': relabel({ 'app.kubernetes.io/managed-by': null }),
  'a pod with labels that are no numbers': relabel({
    'weir.dev/epoch': 'x',
    'weir.dev/slot': null,
  }),
  'a job without finalizers': async (world, { metadata }) =>
    merge(world, {
      kind: resourceKinds.streamJob,
      object: { metadata },
      body: { metadata: { finalizers: null } },
    }),
}

/** What the API server itself refuses, or is gone already, is no news. */
export async function doneMadly(act: () => Promise<unknown>): Promise<boolean> {
  try {
    await act()
    return true
  } catch (error) {
    const isRefused =
      isKubeError(error, 'WEIR_KUBE_INVALID') ||
      isKubeError(error, 'WEIR_KUBE_NOT_FOUND') ||
      isKubeError(error, 'WEIR_KUBE_CONFLICT')
    if (!isRefused) throw error
    return false
  }
}
