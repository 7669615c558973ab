import { expect, test } from '@jest/globals'
import type { KubeObject } from '../../../src/controller/kube/kube-object.ts'
import { NamespacesCache } from '../../../src/controller/kube/namespaces-cache.ts'
import { ObjectCache } from '../../../src/controller/kube/object-cache.ts'

const objectOf = (namespace: string, name: string, resourceVersion = '1'): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { namespace, name, resourceVersion, labels: { of: 'one' } },
})

function caches() {
  const newCache = () => new ObjectCache<KubeObject>(one => one.metadata.labels?.of)
  const parts = new Map(['a', 'b'].map(name => [name, newCache()]))
  return { parts, whole: new NamespacesCache(parts) }
}

test('several caches are seen as one', () => {
  const { parts, whole } = caches()
  const told: string[] = []
  whole.onChange(({ key }) => told.push(key))
  whole.set(objectOf('b', 'x'))
  parts.get('a')?.set(objectOf('a', 'y'))
  // Nobody watches there.
  whole.set(objectOf('c', 'z'))
  expect([whole.size, told]).toEqual([2, ['b/x', 'a/y']])
  expect(whole.get('b/x')?.metadata.name).toBe('x')
  expect(whole.get('c/z')).toBeUndefined()
  expect(whole.group('one').map(one => one.metadata.name)).toEqual(['y', 'x'])
})

test('a list of one namespace takes nothing from another', () => {
  const { parts, whole } = caches()
  whole.set(objectOf('a', 'y'))
  whole.set(objectOf('b', 'x'))
  parts.get('a')?.replace([], '9')
  expect(whole.all().map(one => one.metadata.name)).toEqual(['x'])
})
