/**
 * The rights that the install manifest gives the controller, and no others, for a controller of a
 * test: roles of names of their own, and a token of the service account.
 */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseAllDocuments } from 'yaml'
import type { WriterGrant } from '../../src/controller/controller-config.ts'
import { type KubeConfig, readKubeConfig } from '../../src/controller/kube/kube-config.ts'
import type { KubeObject } from '../../src/controller/kube/kube-object.ts'
import type { PartEnvironment } from '../testbed/part.ts'
import { type TestCluster, testKind } from './test-cluster.ts'

export const installFile = resolve(import.meta.dirname, '../../manifests/install/controller.yaml')

/** The objects of the manifest; in a namespace of the test none is the one of another test. */
export function installedObjects(namespace?: string): readonly KubeObject[] {
  const text = readFileSync(installFile, 'utf8')
  const renamed =
    namespace === undefined
      ? text
      : text
          .replaceAll('weir-system', namespace)
          .replaceAll(/\bweir-(controller-lease|writer|viewer|editor|admin)\b/g, `${namespace}-$1`)
          .replaceAll(
            /^( +name:|kind: ServiceAccount\n +name:) weir-controller$/gm,
            (_, before) => {
              return `${before} ${namespace}-controller`
            },
          )
  return parseAllDocuments(renamed).map(document => document.toJS() as KubeObject)
}

export interface Granted {
  readonly connection: KubeConfig
  readonly grant: WriterGrant
}

const rightKinds = new Set([
  'ServiceAccount',
  'ClusterRole',
  'ClusterRoleBinding',
  'Role',
  'RoleBinding',
])

/** Of a controller whose own namespace this is. */
export async function grantRights(
  cluster: TestCluster,
  namespace: string,
  environment: PartEnvironment,
): Promise<Granted> {
  for (const object of installedObjects(namespace)) {
    if (!rightKinds.has(object.kind)) continue
    const client = cluster.client(testKind(object))
    await client.apply(object, { manager: 'weir-test' })
  }
  const account = `${namespace}-controller`
  const connection = await connectionOf(cluster, { namespace, account, environment })
  return { connection, grant: { role: `${namespace}-writer`, account } }
}

export interface AccountOf {
  readonly namespace: string
  readonly account: string
  readonly environment: PartEnvironment
}

/** As a pod of this service account connects. */
export async function connectionOf(cluster: TestCluster, whose: AccountOf): Promise<KubeConfig> {
  const { namespace, account, environment } = whose
  const answer = (await cluster.transport.request({
    method: 'POST',
    path: `/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token`,
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} },
    resource: 'serviceaccounts',
  })) as { readonly status: { readonly token: string } }
  const admin = readKubeConfig({ environment, readFile: path => readFileSync(path, 'utf8') })
  const { token } = answer.status
  return { ...admin, clientCertificate: undefined, clientKey: undefined, token }
}
