/** Whose a namespace is. */
import { expect, test } from '@jest/globals'
import { directoryOf, namespaceOf, setNamespace, setTenant, tenantOf } from './tenant-world.ts'

const named = (...names: readonly string[]) => ({ namespaces: { names } })
const labelled = { namespaces: { selector: { matchLabels: { team: 'bank' } } } }
const at = (hour: number) => ({ creationTimestamp: `2026-01-01T0${hour}:00:00Z` })
const names = (objects: readonly { metadata: { name: string } }[]) =>
  objects.map(one => one.metadata.name)

test('D1: the older tenant keeps a namespace, and the other is told whose it is', () => {
  const directory = directoryOf(
    [tenantOf('young', named('a', 'b'), at(2)), tenantOf('old', named('b'), at(1))],
    [namespaceOf('a'), namespaceOf('b')],
  )
  expect(directory.tenantOf('b')?.name).toBe('old')
  expect(names(directory.namespacesOf('young'))).toEqual(['a'])
  expect(directory.conflictsOf('young')).toEqual([{ namespace: 'b', owner: 'old' }])
})

test('a tenant that leaves gives its namespaces to the next', () => {
  const directory = directoryOf(
    [tenantOf('old', named('a'), at(1)), tenantOf('young', named('a'), at(2))],
    [namespaceOf('a')],
  )
  const told: string[] = []
  directory.onChange((namespace, tenants) => told.push(`${namespace}: ${tenants.join(', ')}`))
  setTenant(directory, tenantOf('old', named('a'), { ...at(1), deletionTimestamp: 'now' }))
  expect(directory.tenantOf('a')?.name).toBe('young')
  expect(told).toEqual(['a: old, young'])
})

test('labels come and go, and a namespace of the cluster is never taken by them', () => {
  const directory = directoryOf(
    [tenantOf('bank', labelled)],
    [namespaceOf('a'), namespaceOf('kube-system', { team: 'bank' })],
  )
  expect(directory.tenantOf('a')).toBeUndefined()
  setNamespace(directory, namespaceOf('a', { team: 'bank' }))
  expect(names(directory.namespacesOf('bank'))).toEqual(['a'])
  setNamespace(directory, namespaceOf('a', { team: 'shop' }))
  expect(directory.namespacesOf('bank')).toEqual([])
})

test('a spec that cannot be read has no namespace', () => {
  const directory = directoryOf([tenantOf('odd', { namespaces: {} })], [namespaceOf('a')])
  expect(directory.tenant('odd')?.spec).toBeUndefined()
  expect(directory.tenantOf('a')).toBeUndefined()
})
