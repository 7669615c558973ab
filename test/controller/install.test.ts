/**
 * The rights of the installed controller on a real API server: what it may do in each place, all of
 * it, and what it may not. Where the chart gives it one namespace: `charts/charts.test.ts`.
 */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { SystemClock } from '../../src/common/clock.ts'
import { KubeClient } from '../../src/controller/kube/kube-client.ts'
import type { KubeObject } from '../../src/controller/kube/kube-object.ts'
import { openTransport } from '../../src/controller/kube/open-transport.ts'
import { resourceKinds } from '../../src/controller/kube/resource-kind.ts'
import { NamespaceAccess } from '../../src/controller/namespace-access.ts'
import { describeWithPart } from '../testbed/describe-with-part.ts'
import { type Granted, grantRights, installedObjects, installFile } from './granted.ts'
import { rightsOf } from './rights-of.ts'
import { connectTo, installCrds, testKind } from './test-cluster.ts'

/** In every namespace, and of what belongs to the cluster. */
const everywhere = [
  'list,watch configmaps',
  'list,watch controllerrevisions.apps',
  'get customresourcedefinitions.apiextensions.k8s.io',
  'list,watch limitranges',
  'list,watch namespaces',
  'list,watch networkpolicies.networking.k8s.io',
  'list,watch poddisruptionbudgets.policy',
  'list,watch pods',
  'list,watch resourcequotas',
  'list,watch,create,patch,delete rolebindings.rbac.authorization.k8s.io',
  'get,list,watch,create,patch,delete savepoints.weir.dev',
  'update savepoints.weir.dev/finalizers',
  'patch savepoints.weir.dev/status',
  'list,watch services',
  'get,list,watch,patch streamjobs.weir.dev',
  'update streamjobs.weir.dev/finalizers',
  'patch streamjobs.weir.dev/status',
  'list,watch,patch streamtenants.weir.dev',
  'patch streamtenants.weir.dev/status',
]

/** Where a job is, or a tenant. */
const besideJobs = [
  'list,watch,create,patch,delete configmaps',
  'list,watch,create,delete controllerrevisions.apps',
  'get customresourcedefinitions.apiextensions.k8s.io',
  'create,patch events.events.k8s.io',
  'list,watch,create,patch,delete limitranges',
  'list,watch,patch namespaces',
  'list,watch,create,patch,delete networkpolicies.networking.k8s.io',
  'list,watch,create,patch poddisruptionbudgets.policy',
  'list,watch,create,delete pods',
  'list,watch,create,patch,delete resourcequotas',
  'list,watch,create,patch,delete rolebindings.rbac.authorization.k8s.io',
  'get,list,watch,create,patch,delete savepoints.weir.dev',
  'update savepoints.weir.dev/finalizers',
  'patch savepoints.weir.dev/status',
  'create secrets',
  'list,watch,create,patch services',
  'get,list,watch,patch streamjobs.weir.dev',
  'update streamjobs.weir.dev/finalizers',
  'patch streamjobs.weir.dev/status',
  'list,watch,patch streamtenants.weir.dev',
  'patch streamtenants.weir.dev/status',
]

test('the manifest holds nothing but what it says', () => {
  const kinds = installedObjects().map(({ kind }) => kind)
  expect(kinds.toSorted()).toEqual([
    'ClusterRole',
    'ClusterRole',
    'ClusterRole',
    'ClusterRole',
    'ClusterRole',
    'ClusterRoleBinding',
    'Deployment',
    'Namespace',
    'NetworkPolicy',
    'PodDisruptionBudget',
    'Role',
    'RoleBinding',
    'ServiceAccount',
  ])
  expect(readFileSync(installFile, 'utf8')).not.toMatch(/["']\*["']/)
})

await describeWithPart('the installed controller', 'kube-control', environment => {
  const cluster = connectTo(environment)
  const clock = new SystemClock()
  let own = ''
  let jobs = ''
  let elsewhere = ''
  let granted: Granted
  let asController: ReturnType<typeof openTransport>

  beforeAll(async () => {
    await installCrds(cluster)
    own = await cluster.namespace()
    jobs = await cluster.namespace()
    elsewhere = await cluster.namespace()
    granted = await grantRights(cluster, own, environment)
    asController = openTransport({ config: granted.connection, clock, observe: () => {} })
  })
  afterAll(async () => {
    await asController.dispatcher.destroy()
    await cluster.close()
  })

  const account = () => `system:serviceaccount:${own}:${granted.grant.account}`

  /** As the controller does it, with its own token. */
  const bindItself = (role: string) => {
    const bindings = new KubeClient(asController.transport, resourceKinds.roleBinding)
    const access = new NamespaceAccess({
      grant: { ...granted.grant, role },
      namespace: own,
      bindings: {
        cache: { get: () => undefined },
        ensure: async object => {
          await bindings.apply(object, { manager: 'weir-test' })
          return true
        },
      },
      roles: new KubeClient(asController.transport, resourceKinds.clusterRole),
    })
    const objects = { get: () => ({ metadata: { namespace: jobs } }) as KubeObject }
    const pass = access.before(async () => undefined, objects)
    return pass(`${jobs}/job`, new AbortController().signal)
  }

  test('the API server takes the whole manifest', async () => {
    for (const object of installedObjects(own)) {
      const client = cluster.client(testKind(object))
      expect(await client.apply(object, { manager: 'weir-test' })).toMatchObject({
        kind: object.kind,
      })
    }
  })

  test('reads where no job is, and writes nothing there', async () => {
    expect(await rightsOf(cluster, account(), elsewhere)).toEqual(everywhere)
  })

  test('keeps its lease in its own namespace, and only that one', async () => {
    const rights = await rightsOf(cluster, account(), own)
    const lease = 'create leases.coordination.k8s.io'
    expect(rights.filter(right => !everywhere.includes(right))).toEqual([lease])
    const named = { namespace: own, name: 'weir-controller' }
    const leases = new KubeClient(asController.transport, resourceKinds.lease)
    expect(await leases.get(named)).toBeUndefined()
    await expect(leases.get({ ...named, name: 'another' })).rejects.toThrow('403')
  })

  test('binds itself to the role that writes, and to no other', async () => {
    for (const role of ['cluster-admin', `${own}-admin`]) {
      await expect(bindItself(role)).rejects.toThrow('403')
    }
    expect(await bindItself(granted.grant.role)).toBe(50)
    expect(await rightsOf(cluster, account(), jobs)).toEqual(besideJobs)
    expect(await rightsOf(cluster, account(), elsewhere)).toEqual(everywhere)
  })

  test.each([
    [
      'viewer',
      [
        'get,list,watch controllerrevisions.apps',
        'get,list,watch events',
        'get,list,watch events.events.k8s.io',
        'get,list,watch pods',
        'get,list,watch pods/log',
        'get,list,watch savepoints.weir.dev',
        'get,list,watch streamjobs.weir.dev',
      ],
    ],
    [
      'editor',
      [
        'get,list,watch controllerrevisions.apps',
        'get,list,watch events',
        'get,list,watch events.events.k8s.io',
        'get,list,watch pods',
        'create pods/exec',
        'get,list,watch pods/log',
        'get,list,watch,create,update,patch,delete savepoints.weir.dev',
        'get,list,watch,create,update,patch,delete streamjobs.weir.dev',
        'get,list,watch,create,update,patch,delete streamjobs.weir.dev/scale',
      ],
    ],
  ])('a person who is %s may what the role says', async (role, rights) => {
    const apiVersion = 'rbac.authorization.k8s.io/v1'
    const binding = {
      apiVersion,
      kind: 'RoleBinding',
      metadata: { namespace: elsewhere, name: role },
      roleRef: {
        apiGroup: 'rbac.authorization.k8s.io',
        kind: 'ClusterRole',
        name: `${own}-${role}`,
      },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: `a ${role}` }],
    }
    await cluster.client(resourceKinds.roleBinding).apply(binding, { manager: 'weir-test' })
    expect(await rightsOf(cluster, `a ${role}`, elsewhere)).toEqual(rights)
    expect(await rightsOf(cluster, `a ${role}`, jobs)).toEqual([])
  })

  test('the binding goes with the role', async () => {
    const { role } = granted.grant
    const found = await cluster
      .client(resourceKinds.roleBinding)
      .get({ namespace: jobs, name: role })
    const writer = await cluster.client(resourceKinds.clusterRole).get({ name: role })
    expect(found?.metadata.ownerReferences?.[0]).toMatchObject({ uid: writer?.metadata.uid })
  })
})
