/** The real API server sees it in `install.test.ts`; here: when it binds, and when it does not. */
import { expect, test } from '@jest/globals'
import { type KubeObject, keyOf } from '../../src/controller/kube/kube-object.ts'
import { NamespaceAccess } from '../../src/controller/namespace-access.ts'

const role: KubeObject = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRole',
  metadata: { name: 'weir-writer', uid: 'role-uid' },
}

function jobAt(namespace: string, more: object = {}): KubeObject {
  const metadata = { name: 'job', namespace, ...more }
  return { apiVersion: 'weir.dev/v1alpha1', kind: 'StreamJob', metadata }
}

function accessTo(jobs: readonly KubeObject[], roles: readonly KubeObject[] = [role]) {
  const cache = new Map<string, KubeObject>()
  const known = new Map(jobs.map(job => [keyOf(job.metadata), job]))
  const bound: KubeObject[] = []
  const passes: string[] = []
  const access = new NamespaceAccess({
    grant: { role: 'weir-writer', account: 'weir-controller' },
    namespace: 'weir-system',
    bindings: {
      cache,
      ensure: async object => {
        bound.push(object)
        cache.set(keyOf(object.metadata), object)
        return true
      },
    },
    roles: { get: async ({ name }) => roles.find(one => one.metadata.name === name) },
  })
  const reconcile = access.before(async key => {
    passes.push(key)
    return 7
  }, known)
  const pass = (key: string) => reconcile(key, new AbortController().signal)
  return { pass, passes, bound, cache }
}

test('the first job of a namespace waits for the right to write, the others have it', async () => {
  const { pass, passes, bound } = accessTo([jobAt('a'), jobAt('b')])
  expect(await pass('a/job')).toBe(50)
  expect(passes).toEqual([])
  expect(await pass('a/job')).toBe(7)
  expect(await pass('b/job')).toBe(50)
  expect(bound.map(({ metadata }) => metadata.namespace)).toEqual(['a', 'b'])
  expect(bound[0]).toMatchObject({
    kind: 'RoleBinding',
    metadata: { name: 'weir-writer', ownerReferences: [{ kind: 'ClusterRole', uid: 'role-uid' }] },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'weir-writer' },
    subjects: [{ kind: 'ServiceAccount', name: 'weir-controller', namespace: 'weir-system' }],
  })
})

test('a binding that somebody took away comes back', async () => {
  const { pass, bound, cache } = accessTo([jobAt('a')])
  await pass('a/job')
  cache.delete('a/weir-writer')
  expect(await pass('a/job')).toBe(50)
  expect(bound).toHaveLength(2)
})

test('a job that leaves or has left binds nothing', async () => {
  const { pass, passes, bound } = accessTo([jobAt('a', { deletionTimestamp: 'now' })])
  expect(await pass('a/job')).toBe(7)
  expect(await pass('b/gone')).toBe(7)
  expect(passes).toEqual(['a/job', 'b/gone'])
  expect(bound).toEqual([])
})

test('a role that is missing is named', async () => {
  const { pass, passes } = accessTo([jobAt('a')], [])
  await expect(pass('a/job')).rejects.toThrow('WEIR_WRITER_ROLE')
  expect(passes).toEqual([])
})
