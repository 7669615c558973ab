/** The whole controller with tenants, on a real API server: the test says what pods do. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { KubeObject } from '../../../src/controller/kube/kube-object.ts'
import { resourceKinds } from '../../../src/controller/kube/resource-kind.ts'
import type { StreamJobObject } from '../../../src/controller/streamjob/stream-job-object.ts'
import type { StreamTenantObject } from '../../../src/controller/tenancy/stream-tenant-object.ts'
import { describeWithPart } from '../../testbed/describe-with-part.ts'
import { crashEach } from '../crash-points.ts'
import { type Granted, grantRights } from '../granted.ts'
import { type RunningController, runTestController } from '../run-test-controller.ts'
import { connectTo, installCrds } from '../test-cluster.ts'
import { type Watching, watcherOf } from '../test-watch.ts'
import { tenantStory } from './tenant-story.ts'

interface Spelled extends KubeObject {
  readonly spec?: Readonly<Record<string, unknown>>
  readonly subjects?: readonly object[]
  readonly roleRef?: object
}

await describeWithPart('tenants', 'kube-control', environment => {
  const cluster = connectTo(environment)
  const jobs = cluster.client<StreamJobObject>(resourceKinds.streamJob)
  const tenants = cluster.client<StreamTenantObject>(resourceKinds.streamTenant)
  let watching: Watching
  let namespace = ''
  let other = ''
  let tenant = ''

  let seen: ReturnType<typeof watchAll>
  let granted: Granted
  let running: RunningController

  const watchAll = () => ({
    jobs: watching.watch<StreamJobObject>(resourceKinds.streamJob),
    tenants: watching.watchAll<StreamTenantObject>(resourceKinds.streamTenant),
    namespaces: watching.watchAll(resourceKinds.namespace),
    quotas: watching.watch<Spelled>(resourceKinds.resourceQuota),
    limits: watching.watch<Spelled>(resourceKinds.limitRange),
    policies: watching.watch<Spelled>(resourceKinds.networkPolicy),
    bindings: watching.watch<Spelled>(resourceKinds.roleBinding),
  })

  const start = (): void => {
    running = runTestController({
      config: { namespace, tenancy: true, userRoles: namespace, grant: granted.grant },
      connection: granted.connection,
    })
  }

  const stop = async (): Promise<void> => {
    expect(await running.stop()).toBe(0)
  }

  const applyTenant = (spec: object, name = tenant) =>
    tenants.apply(
      { apiVersion: 'weir.dev/v1alpha1', kind: 'StreamTenant', metadata: { name }, spec },
      { manager: 'person' },
    )

  const createJob = (name: string, spec: object) =>
    jobs.create({
      apiVersion: 'weir.dev/v1alpha1',
      kind: 'StreamJob',
      metadata: { namespace, name },
      spec: {
        job: { module: 'src/examples/bank-transfers.ts' },
        checkpoint: { storage: 's3://bucket/prefix' },
        ...spec,
      },
    })

  const jobIn = (name: string, phase: string) =>
    seen.jobs.until(all =>
      all.find(one => one.metadata.name === name && one.status?.phase === phase),
    )

  const conditionOf = (object: StreamJobObject | StreamTenantObject, type: string) =>
    object.status?.conditions?.find(one => one.type === type)

  const quota = { slots: 3, cpu: 8, memory: '16Gi' }

  beforeAll(async () => {
    await installCrds(cluster)
    namespace = await cluster.namespace()
    other = await cluster.namespace()
    tenant = `tenant-${namespace}`
    const account = { apiVersion: 'v1', kind: 'ServiceAccount', plural: 'serviceaccounts' }
    await cluster
      .client({ ...account, isNamespaced: true })
      .apply(
        { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace, name: 'default' } },
        { manager: 'weir-test' },
      )
    granted = await grantRights(cluster, namespace, environment)
    watching = watcherOf(cluster, namespace)
    seen = watchAll()
    start()
  })
  afterAll(async () => {
    await stop()
    await watching.end()
    await cluster.close()
  })

  test('a tenant makes what its namespaces are to have, and mends it', async () => {
    await applyTenant({
      namespaces: { names: [namespace] },
      quota,
      access: {
        admins: [{ kind: 'User', name: 'ada' }],
        viewers: [
          { kind: 'Group', name: 'ada' },
          { kind: 'ServiceAccount', name: 'ada', namespace },
        ],
      },
      limits: { default: { cpu: '500m', memory: '1Gi' }, max: { memory: '8Gi' } },
      network: { egress: [{ cidr: '10.0.0.0/8', ports: [{ port: 443 }] }] },
    })
    const ready = await seen.tenants.until(all =>
      all.find(one => one.metadata.name === tenant && conditionOf(one, 'Ready')?.status === 'True'),
    )
    expect(ready.metadata.finalizers).toEqual(['weir.dev/tenant'])
    expect(ready.status?.namespaces).toEqual([namespace])
    const own = await cluster.client(resourceKinds.namespace).get({ name: namespace })
    expect(own?.metadata.labels).toMatchObject({
      'weir.dev/tenant': tenant,
      'pod-security.kubernetes.io/enforce': 'restricted',
    })
    const only = (all: readonly Spelled[]) => all.find(one => one.metadata.name === 'weir-tenant')
    expect(await seen.quotas.until(only)).toMatchObject({
      spec: { hard: { 'requests.cpu': '16', 'requests.memory': '32Gi' } },
    })
    expect(await seen.limits.until(only)).toMatchObject({
      spec: { limits: [{ type: 'Container', max: { memory: '8Gi' } }] },
    })
    const policy = await seen.policies.until(only)
    expect(policy.spec).toMatchObject({
      podSelector: {},
      policyTypes: ['Ingress', 'Egress'],
      egress: [
        { ports: [{ port: 53 }, { port: 53 }] },
        { to: [{ ipBlock: { cidr: '10.0.0.0/8' } }], ports: [{ port: 443, protocol: 'TCP' }] },
      ],
    })
    const admins = await seen.bindings.until(all =>
      all.find(one => one.metadata.name === 'weir-tenant-admin'),
    )
    expect(admins.roleRef).toMatchObject({ kind: 'ClusterRole', name: `${namespace}-admin` })
    expect(admins.metadata.ownerReferences?.[0]?.name).toBe(tenant)

    // Somebody lets himself in, and takes the wall down.
    const bindings = cluster.client<Spelled>(resourceKinds.roleBinding)
    await bindings.patch(admins.metadata, [
      {
        op: 'add',
        path: '/subjects/-',
        value: { kind: 'User', name: 'eve', apiGroup: 'rbac.authorization.k8s.io' },
      },
    ])
    await seen.bindings.until(all =>
      all.find(one => one.subjects?.length === 2 && one.metadata.name === 'weir-tenant-admin'),
    )
    await seen.bindings.until(all => all.find(one => one.subjects?.length === 1))
    const { uid = '' } = policy.metadata
    await cluster.client(resourceKinds.networkPolicy).remove(policy.metadata, { uid })
    await seen.policies.until(all => {
      const found = only(all)
      return found === undefined || found.metadata.uid === uid ? undefined : found
    })
  })

  test('a condition that somebody puts into its status by hand goes', async () => {
    const times = { lastTransitionTime: '2001-01-01T00:00:00Z' }
    const value = { type: 'Stalled', status: 'True', reason: 'ByHand', message: 'no', ...times }
    const steps = [{ op: 'add', path: '/status/conditions/-', value }] as const
    await tenants.patchStatus({ name: tenant }, steps)
    const isStalled = (one: StreamTenantObject): boolean =>
      one.metadata.name === tenant && conditionOf(one, 'Stalled') !== undefined
    await seen.tenants.until(all => (all.some(isStalled) ? true : undefined))
    await seen.tenants.until(all => (all.some(isStalled) ? undefined : true))
  })

  test('a job over the quota waits, says what lacks, and starts once there is room', async () => {
    await createJob('first', { parallelism: 2 })
    const first = await jobIn('first', 'Deploying')
    expect(first.status).toMatchObject({
      tenant,
      reserved: { slots: 2, cpu: '2500m', memory: '2560Mi' },
    })
    await createJob('second', { parallelism: 2 })
    const second = await jobIn('second', 'Queued')
    expect(second.status?.queue).toMatchObject({ position: 1, reason: 'QuotaPending' })
    expect(conditionOf(second, 'QuotaAdmitted')).toMatchObject({
      status: 'False',
      reason: 'QuotaPending',
      message: expect.stringContaining('slots: needs 2, 1 of 3 are free'),
    })
    // A small one passes it.
    await createJob('third', { parallelism: 1 })
    await jobIn('third', 'Deploying')
    expect(
      (await cluster.client(resourceKinds.pod).list({ namespace })).items.map(
        one => one.metadata.name,
      ),
    ).not.toContain('second-jm-1-1')

    // A controller that begins anew admits nobody twice.
    await stop()
    start()
    await applyTenant({ namespaces: { names: [namespace] }, quota: { ...quota, slots: 1 } })
    await seen.tenants.until(all =>
      all.find(
        one =>
          one.metadata.name === tenant &&
          one.status?.usage?.slots === 3 &&
          one.status.jobs?.queued === 1,
      ),
    )
    const { uid = '' } = first.metadata
    await applyTenant({ namespaces: { names: [namespace] }, quota })
    await jobs.remove(first.metadata, { uid })
    const admitted = await jobIn('second', 'Deploying')
    expect(admitted.status?.queue).toBeUndefined()
    expect(conditionOf(admitted, 'QuotaAdmitted')?.status).toBe('True')
    const policy = await seen.policies.until(all => all.find(one => one.metadata.name === 'second'))
    expect(policy.spec?.policyTypes).toEqual(['Ingress', 'Egress'])
  })

  test('a namespace that an older tenant has stays there', async () => {
    const young = `young-${namespace}`
    await applyTenant({ namespaces: { names: [namespace, other] } }, young)
    const told = await seen.tenants.until(all =>
      all.find(one => one.metadata.name === young && conditionOf(one, 'NamespaceConflict')),
    )
    expect(conditionOf(told, 'NamespaceConflict')?.message).toContain(`${namespace} is ${tenant}'s`)
    expect(told.status?.namespaces).toEqual([other])
    await tenants.remove(told.metadata, { uid: told.metadata.uid ?? '' })
    await seen.tenants.until(all =>
      all.some(one => one.metadata.name === young) ? undefined : true,
    )
  })

  test('its end takes what it made, and leaves its jobs', async () => {
    const object = seen.tenants.cache.get(tenant)
    await tenants.remove({ name: tenant }, { uid: object?.metadata.uid ?? '' })
    await seen.tenants.until(all =>
      all.some(one => one.metadata.name === tenant) ? undefined : true,
    )
    for (const kind of ['resourceQuota', 'limitRange', 'roleBinding', 'networkPolicy'] as const) {
      const { items } = await cluster.client(resourceKinds[kind]).list({ namespace })
      expect(items.filter(one => one.metadata.name.startsWith('weir-tenant'))).toEqual([])
    }
    const own = await cluster.client(resourceKinds.namespace).get({ name: namespace })
    expect(own?.metadata.labels).not.toHaveProperty(['weir.dev/tenant'])
    const kept = await jobs.get({ namespace, name: 'second' })
    expect(kept?.status?.epoch).toBe(1)
    const open = await seen.policies.until(all =>
      all.find(
        one => one.metadata.name === 'second' && String(one.spec?.policyTypes) === 'Ingress',
      ),
    )
    expect(open.spec).not.toHaveProperty('egress')
  })
})

/** All writes with --long, else some. */
const STRIDE = process.env.WEIR_TEST_LONG === '1' ? 1 : 12

// After the controller above, which would look after this tenant as well.
await describeWithPart('tenants whose controller dies', 'kube-control', environment => {
  const cluster = connectTo(environment)
  beforeAll(() => installCrds(cluster))
  afterAll(() => cluster.close())

  test('after a write: the end is the same', async () => {
    const options = { cluster, environment, story: tenantStory, tenancy: true }
    const { calm, struck } = await crashEach(options, STRIDE)
    expect(calm).toMatchObject({
      end: {
        position: 1,
        epoch: 1,
        reserved: 1,
        pods: ['first-jm-1-1', 'first-tm-1-0-1', 'second-jm-1-1', 'second-tm-1-0-1'],
        left: ['NetworkPolicy first', 'NetworkPolicy second'],
        isLabelled: false,
      },
      broken: [],
      orphans: [],
    })
    for (const { at, run } of struck) {
      expect({ at, run }).toEqual({ at, run: { end: calm.end, broken: [], orphans: [] } })
    }
  })
})
