/**
 * The manifest that installs the controller: a real API server takes it, and its roles let the
 * controller do its work and no more.
 */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { parseAllDocuments } from 'yaml'
import { KubeClient } from '../../src/controller/kube/kube-client.ts'
import type { KubeObject } from '../../src/controller/kube/kube-object.ts'
import type { ResourceKind } from '../../src/controller/kube/resource-kind.ts'
import { describeWithPart } from '../testbed/describe-with-part.ts'
import { connectTo } from './test-cluster.ts'

const file = resolve(import.meta.dirname, '../../manifests/install/controller.yaml')
const account = 'system:serviceaccount:weir-system:weir-controller'

const plurals: Readonly<Record<string, string>> = {
  Namespace: 'namespaces',
  ServiceAccount: 'serviceaccounts',
  ClusterRole: 'clusterroles',
  ClusterRoleBinding: 'clusterrolebindings',
  Role: 'roles',
  RoleBinding: 'rolebindings',
  Deployment: 'deployments',
  PodDisruptionBudget: 'poddisruptionbudgets',
}

await describeWithPart('the installed controller', 'kube-control', environment => {
  const cluster = connectTo(environment)
  beforeAll(async () => {
    for (const document of parseAllDocuments(readFileSync(file, 'utf8'))) {
      const object = document.toJS() as KubeObject
      const { apiVersion, kind, metadata } = object
      const isNamespaced = metadata.namespace !== undefined
      const resource: ResourceKind = {
        apiVersion,
        kind,
        plural: plurals[kind] ?? kind,
        isNamespaced,
      }
      const client = new KubeClient(cluster.transport, resource)
      await client.apply(object, { manager: 'weir-test' })
    }
  })
  afterAll(() => cluster.close())

  const may = async (verb: string, what: string, namespace: string): Promise<boolean> => {
    const [resource = '', group = '', subresource] = what.split('.')
    const groups: Readonly<Record<string, string>> = {
      weir: 'weir.dev',
      policy: 'policy',
      networking: 'networking.k8s.io',
      events: 'events.k8s.io',
      coordination: 'coordination.k8s.io',
      apps: 'apps',
      rbac: 'rbac.authorization.k8s.io',
      apiextensions: 'apiextensions.k8s.io',
    }
    const attributes = { verb, resource, group: groups[group] ?? '', namespace, subresource }
    const answer = await cluster.transport.request({
      method: 'POST',
      path: '/apis/authorization.k8s.io/v1/subjectaccessreviews',
      body: {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SubjectAccessReview',
        spec: { user: account, resourceAttributes: attributes },
      },
      resource: 'subjectaccessreviews',
    })
    return (answer as { readonly status: { readonly allowed: boolean } }).status.allowed
  }

  test.each([
    ['watch', 'streamjobs.weir', 'jobs'],
    ['patch', 'streamjobs.weir.status', 'jobs'],
    ['create', 'pods', 'jobs'],
    ['delete', 'pods', 'jobs'],
    ['patch', 'services', 'jobs'],
    ['patch', 'configmaps', 'jobs'],
    ['create', 'secrets', 'jobs'],
    ['patch', 'poddisruptionbudgets.policy', 'jobs'],
    ['patch', 'networkpolicies.networking', 'jobs'],
    ['create', 'events.events', 'jobs'],
    ['update', 'leases.coordination', 'weir-system'],
    ['get', 'customresourcedefinitions.apiextensions', ''],
  ])('may %s %s', async (verb, what, namespace) => {
    expect(await may(verb, what, namespace)).toBe(true)
  })

  test.each([
    ['get', 'secrets', 'jobs'],
    ['list', 'secrets', ''],
    ['watch', 'secrets', 'weir-system'],
    ['delete', 'secrets', 'jobs'],
    ['patch', 'streamjobs.weir', 'jobs'],
    ['delete', 'streamjobs.weir', 'jobs'],
    ['delete', 'services', 'jobs'],
    ['patch', 'pods', 'jobs'],
    ['create', 'pods..exec', 'jobs'],
    ['update', 'leases.coordination', 'jobs'],
    ['create', 'deployments.apps', 'jobs'],
    ['create', 'clusterrolebindings.rbac', ''],
    ['patch', 'customresourcedefinitions.apiextensions', ''],
    ['delete', 'namespaces', ''],
  ])('may not %s %s', async (verb, what, namespace) => {
    expect(await may(verb, what, namespace)).toBe(false)
  })
})
