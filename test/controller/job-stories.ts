/** Stories of one job, each over one way of the controller, and what is so at their end. */
import type { KubeObject } from '../../src/controller/kube/kube-object.ts'
import { type ResourceKind, resourceKinds } from '../../src/controller/kube/resource-kind.ts'
import type { SavepointObject } from '../../src/controller/savepoint/savepoint-object.ts'
import type { StreamJobObject } from '../../src/controller/streamjob/stream-job-object.ts'
import { runningFacts, snapshot } from './fake-link.ts'
import type { Story, StoryWorld } from './job-story.ts'
import type { Seen } from './test-watch.ts'

const proven = { ...runningFacts, checkpoints: { ...runningFacts.checkpoints, completed: 2 } }
const NAME = 'bank'

/** Given again it changes the spec. */
const applyJob = ({ cluster, namespace }: StoryWorld, module: string, spec: object = {}) =>
  cluster.client<StreamJobObject>(resourceKinds.streamJob).apply(
    {
      apiVersion: 'weir.dev/v1alpha1',
      kind: 'StreamJob',
      metadata: { namespace, name: NAME },
      spec: { job: { module }, checkpoint: { storage: 's3://bucket/prefix' }, ...spec },
    },
    { manager: 'person' },
  )

const remove = ({ cluster }: StoryWorld, { metadata }: KubeObject, kind: ResourceKind) =>
  cluster.client(kind).remove(metadata, { uid: metadata.uid ?? '' })

const gone = (all: readonly KubeObject[], name: string): true | undefined =>
  all.some(one => one.metadata.name === name) ? undefined : true

/** Deployed, and proven. */
async function deployed(world: StoryWorld, spec: object = {}): Promise<StreamJobObject> {
  world.link.said.set(NAME, proven)
  await applyJob(world, 'a.ts', spec)
  return settled(world, ({ epoch, phase }) => epoch === 1 && phase === 'Running')
}

type Status = NonNullable<StreamJobObject['status']>

/** No upgrade is under way, what runs is stable, and `holds`. */
const settled = ({ jobs }: StoryWorld, holds: (status: Status) => boolean) =>
  jobs.until(all =>
    all.find(({ status }) => {
      const { revision, upgrade } = status ?? {}
      const isOver = upgrade === undefined && revision?.stable !== undefined
      return status !== undefined && isOver && holds(status)
    }),
  )

const shortName = (name: string): string => name.replaceAll(/-[0-9a-f]{8}(?=-|$)/g, '-ID')

/** Removes the files of what an epoch was stopped with: at some time, beside the story. */
const isLeftover = (name: string): boolean => /^bank-stop-.*-dispose-\d+$/.test(name)

const podsOf = ({ pods }: StoryWorld, count: number) =>
  pods.until(all => {
    const names = all
      .map(one => shortName(one.metadata.name))
      .filter(name => !isLeftover(name))
      .toSorted()
    return names.length === count ? names : undefined
  })

async function endOf(world: StoryWorld, { status }: StreamJobObject, podCount: number) {
  const { epoch, phase, revision, state, refused } = status ?? {}
  return {
    epoch,
    phase,
    isStable: revision?.stable === revision?.current,
    refused: refused?.reason,
    state: state?.kind,
    pods: await podsOf(world, podCount),
    stops: world.link.stops.size,
  }
}

/** Deployed, changed, and running again as the changed one. */
export const upgradeStory =
  (mode: 'savepoint' | 'last-state' | 'stateless', surge: 'auto' | 'never' = 'auto'): Story =>
  async world => {
    await deployed(world, { upgrade: { mode, surge } })
    await applyJob(world, 'b.ts', { upgrade: { mode, surge } })
    const last = await settled(world, ({ epoch, revision }) => {
      return epoch === 2 && revision?.stable === revision?.current
    })
    return endOf(world, last, 2)
  }

/** And what the first was stopped with is needed by nobody any more. */
export const leftoverStory: Story = async world => {
  const { watching, link, jobs, pods } = world
  const savepoints = watching.watch<SavepointObject>(resourceKinds.savepoint)
  await deployed(world)
  await applyJob(world, 'b.ts')
  const stop = await savepoints.until(all => all.find(one => one.status?.phase === 'Completed'))
  await jobs.until(all => all.find(one => one.status?.epoch === 2))
  link.said.set(NAME, { ...proven, latest: snapshot(900) })
  const last = await settled(world, ({ epoch, revision }) => {
    return epoch === 2 && revision?.stable === revision?.current
  })
  await savepoints.until(all => gone(all, stop.metadata.name))
  const removing = pods.cache.all().filter(one => isLeftover(one.metadata.name))
  return { ...(await endOf(world, last, 2)), removing: removing.length }
}

/** The savepoint `first` of the job, once it is completed. */
async function taken(world: StoryWorld, savepoints: Seen<SavepointObject>) {
  const { cluster, namespace } = world
  await cluster.client(resourceKinds.savepoint).create({
    apiVersion: 'weir.dev/v1alpha1',
    kind: 'Savepoint',
    metadata: { namespace, name: 'first' },
    spec: { job: NAME },
  } as KubeObject)
  return verified(world, savepoints)
}

/** The one that is whole, once its files were read and the pod that did is gone. */
async function verified({ pods }: StoryWorld, savepoints: Seen<SavepointObject>) {
  const isReader = ({ metadata }: KubeObject) => metadata.labels?.['weir.dev/role'] === 'verify'
  const whole = await savepoints.until(all => all.find(one => one.status?.verifiedAt !== undefined))
  await pods.until(all => (all.some(isReader) ? undefined : true))
  return whole
}

/** Back to a savepoint by its name, which is deleted in the middle of it. */
export const restoreStory: Story = async world => {
  const { watching, jobs } = world
  const savepoints = watching.watch<SavepointObject>(resourceKinds.savepoint)
  await deployed(world)
  const whole = await taken(world, savepoints)
  await applyJob(world, 'a.ts', { restore: { savepoint: 'first' }, restoreNonce: 1 })
  await jobs.until(all => all.find(one => one.status?.upgrade?.restoring === whole.status?.path))
  await remove(world, whole, resourceKinds.savepoint)
  const last = await settled(world, ({ epoch, revision }) => {
    return epoch === 2 && revision?.stable === revision?.current
  })
  await savepoints.until(all => gone(all, 'first'))
  const { start, nonces } = last.status ?? {}
  const isFromThere = start?.path === whole.status?.path
  return { ...(await endOf(world, last, 3)), isFromThere, nonce: nonces?.restore }
}

/** The changed one does not come to run beside the one that runs on. */
export const refusalStory: Story = async world => {
  await deployed(world, { rollback: { maxRestarts: 1 } })
  world.kubelet.failing.set(2, 1)
  await applyJob(world, 'b.ts', { rollback: { maxRestarts: 1 } })
  const last = await settled(world, ({ refused, phase }) => {
    return refused !== undefined && phase === 'Running'
  })
  return endOf(world, last, 2)
}

/** The changed one does not come to run: the one before runs again, from the state it left. */
export const rollbackStory =
  (exitCode: number): Story =>
  async world => {
    const spec = { rollback: { maxRestarts: 1 }, upgrade: { surge: 'never' } }
    await deployed(world, spec)
    world.kubelet.failing.set(2, exitCode)
    await applyJob(world, 'b.ts', spec)
    const last = await settled(world, ({ epoch, phase }) => epoch === 3 && phase === 'Running')
    return endOf(world, last, 2)
  }

export const suspendStory: Story = async world => {
  await deployed(world)
  await applyJob(world, 'a.ts', { state: 'suspended' })
  const rests = await settled(world, ({ phase }) => phase === 'Suspended')
  const resting = await endOf(world, rests, 0)
  await applyJob(world, 'a.ts')
  const last = await settled(world, ({ epoch, phase }) => epoch === 2 && phase === 'Running')
  return { resting, again: await endOf(world, last, 2) }
}

/** Over a savepoint and its disposal to the deletion of the job with another one. */
export const savepointStory: Story = async world => {
  const { watching, link, jobs } = world
  const savepoints = watching.watch<SavepointObject>(resourceKinds.savepoint)
  const job = await deployed(world, { deletionPolicy: 'savepoint' })
  const whole = await taken(world, savepoints)
  await remove(world, whole, resourceKinds.savepoint)
  await savepoints.until(all => gone(all, 'first'))
  await remove(world, job, resourceKinds.streamJob)
  const kept = await savepoints.until(all =>
    all.find(one => one.metadata.name === `${NAME}-final-1` && one.status?.phase === 'Completed'),
  )
  await jobs.until(all => gone(all, NAME))
  return {
    taken: link.savepoints.size,
    stops: link.stops.size,
    kept: kept.status?.path === link.said.get(NAME)?.latest?.path,
    pods: await podsOf(world, 3),
  }
}

/** Over a raised nonce to a purge. */
export const purgeStory: Story = async world => {
  const { link, watching, jobs } = world
  const savepoints = watching.watch<SavepointObject>(resourceKinds.savepoint)
  const job = await deployed(world, { deletionPolicy: 'purge', savepointNonce: 1 })
  await verified(world, savepoints)
  await jobs.until(all => all.find(one => one.status?.nonces?.savepoint === 1))
  await remove(world, job, resourceKinds.streamJob)
  await jobs.until(all => gone(all, NAME))
  return {
    taken: link.savepoints.size,
    stops: link.stops.size,
    kept: savepoints.cache.all().map(one => one.metadata.name),
    pods: await podsOf(world, 1),
  }
}

/** All ways after each other. */
export const lifeStory: Story = async world => {
  const { jobs, watching } = world
  const savepoints = watching.watch<SavepointObject>(resourceKinds.savepoint)
  await deployed(world)
  await applyJob(world, 'b.ts', { savepointNonce: 1 })
  await verified(world, savepoints)
  await settled(world, ({ epoch, revision }) => {
    return epoch === 2 && revision?.stable === revision?.current
  })
  world.kubelet.failing.set(3, 2)
  await applyJob(world, 'c.ts', { savepointNonce: 1, upgrade: { surge: 'never' } })
  await settled(world, ({ epoch, phase }) => epoch === 4 && phase === 'Running')
  await applyJob(world, 'b.ts', { savepointNonce: 1, state: 'suspended' })
  await settled(world, ({ phase }) => phase === 'Suspended')
  await podsOf(world, 0)
  await applyJob(world, 'b.ts', { savepointNonce: 1, deletionPolicy: 'purge' })
  const last = await settled(world, ({ epoch, phase }) => epoch === 5 && phase === 'Running')
  const end = await endOf(world, last, 2)
  await remove(world, last, resourceKinds.streamJob)
  await jobs.until(all => gone(all, NAME))
  return { ...end, left: await podsOf(world, 1) }
}
