/** A tenant comes, one of its jobs waits for the other's room, and the tenant goes. */
import type { KubeObject } from '../../../src/controller/kube/kube-object.ts'
import { resourceKinds } from '../../../src/controller/kube/resource-kind.ts'
import type { StreamTenantObject } from '../../../src/controller/tenancy/stream-tenant-object.ts'
import { runningFacts } from '../fake-link.ts'
import type { Story, StoryWorld } from '../job-story.ts'

const isReady = ({ status }: StreamTenantObject): boolean =>
  status?.conditions?.some(one => one.type === 'Ready' && one.status === 'True') === true

const createJob = ({ cluster, namespace, link }: StoryWorld, name: string) => {
  link.said.set(name, runningFacts)
  return cluster.client(resourceKinds.streamJob).create({
    apiVersion: 'weir.dev/v1alpha1',
    kind: 'StreamJob',
    metadata: { namespace, name },
    spec: { job: { module: 'a.ts' }, checkpoint: { storage: 's3://bucket/prefix' } },
  } as KubeObject)
}

const jobIn = ({ jobs }: StoryWorld, name: string, phase: string) =>
  jobs.until(all => all.find(one => one.metadata.name === name && one.status?.phase === phase))

export const tenantStory: Story = async world => {
  const { cluster, namespace, watching, jobs, pods } = world
  const tenants = watching.watchAll<StreamTenantObject>(resourceKinds.streamTenant)
  const name = `tenant-${namespace}`
  const client = cluster.client<StreamTenantObject>(resourceKinds.streamTenant)
  const spec = {
    namespaces: { names: [namespace] },
    quota: { jobs: 1, slots: 1 },
    limits: { default: { cpu: '100m', memory: '1Gi' } },
  }
  const wanted = { apiVersion: 'weir.dev/v1alpha1', kind: 'StreamTenant', metadata: { name }, spec }
  await client.apply(wanted, { manager: 'person' })
  const tenant = await tenants.until(all =>
    all.find(one => one.metadata.name === name && isReady(one)),
  )
  const first = await createJob(world, 'first')
  await jobIn(world, 'first', 'Running')
  await createJob(world, 'second')
  const waiting = await jobIn(world, 'second', 'Queued')
  const { uid = '' } = first.metadata
  await cluster.client(resourceKinds.streamJob).remove(first.metadata, { uid })
  const admitted = await jobIn(world, 'second', 'Running')
  await client.remove({ name }, { uid: tenant.metadata.uid ?? '' })
  await tenants.until(all => (all.some(one => one.metadata.name === name) ? undefined : true))
  // No longer the tenant's, the job is let out again.
  await jobs.until(all => all.find(one => one.status?.tenant === undefined))
  const kinds = ['resourceQuota', 'limitRange', 'networkPolicy'] as const
  const left: string[] = []
  for (const kind of kinds) {
    const { items } = await cluster.client(resourceKinds[kind]).list({ namespace })
    left.push(...items.map(one => `${one.kind} ${one.metadata.name}`))
  }
  const own = await cluster.client(resourceKinds.namespace).get({ name: namespace })
  return {
    position: waiting.status?.queue?.position,
    epoch: admitted.status?.epoch,
    reserved: admitted.status?.reserved?.slots,
    pods: pods.cache
      .all()
      .map(one => one.metadata.name)
      .toSorted(),
    left: left.toSorted(),
    isLabelled: own?.metadata.labels?.['weir.dev/tenant'] !== undefined,
  }
}
