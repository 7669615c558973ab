/** A connection of a test to a real API server, as its administrator. */
import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { SystemClock } from '../../src/common/clock.ts'
import { crdDocument } from '../../src/controller/crd/custom-resource.ts'
import { customResources } from '../../src/controller/crd/custom-resources.ts'
import { KubeClient } from '../../src/controller/kube/kube-client.ts'
import { readKubeConfig } from '../../src/controller/kube/kube-config.ts'
import type { KubeObject } from '../../src/controller/kube/kube-object.ts'
import type { KubeTransport } from '../../src/controller/kube/kube-transport.ts'
import { openTransport } from '../../src/controller/kube/open-transport.ts'
import { type ResourceKind, resourceKinds } from '../../src/controller/kube/resource-kind.ts'
import type { PartEnvironment } from '../testbed/part.ts'

export interface TestCluster {
  readonly transport: KubeTransport
  client<T extends KubeObject = KubeObject>(kind: ResourceKind): KubeClient<T>
  /** A namespace of its own for each caller. */
  namespace(labels?: Readonly<Record<string, string>>): Promise<string>
  /** Which a controller of Kubernetes would make; no pod is made without. */
  defaultAccount(namespace: string): Promise<void>
  close(): Promise<void>
}

const plurals: Readonly<Record<string, string>> = {
  NetworkPolicy: 'networkpolicies',
}
const clusterKinds = new Set(['Namespace', 'ClusterRole', 'ClusterRoleBinding'])

/** The kind of an object that comes from a manifest. */
export function testKind({ apiVersion, kind }: KubeObject): ResourceKind {
  const plural = plurals[kind] ?? `${kind.toLowerCase()}s`
  return { apiVersion, kind, plural, isNamespaced: !clusterKinds.has(kind) }
}

export function connectTo(environment: PartEnvironment): TestCluster {
  const config = readKubeConfig({ environment, readFile: path => readFileSync(path, 'utf8') })
  const observe = (): void => {}
  const { transport, dispatcher } = openTransport({ config, clock: new SystemClock(), observe })
  const client = <T extends KubeObject = KubeObject>(kind: ResourceKind) =>
    new KubeClient<T>(transport, kind)
  return {
    transport,
    client,
    namespace: async (labels = {}) => {
      const metadata = { name: '', generateName: 'test-', labels }
      const wanted = { apiVersion: 'v1', kind: 'Namespace', metadata }
      const made = await client(testKind(wanted)).create(wanted)
      return made.metadata.name
    },
    defaultAccount: async namespace => {
      const kind = { apiVersion: 'v1', kind: 'ServiceAccount' }
      const accounts = client({ ...kind, plural: 'serviceaccounts', isNamespaced: true })
      const metadata = { namespace, name: 'default' }
      await accounts.apply({ ...kind, metadata }, { manager: 'weir-test' })
    },
    close: () => dispatcher.destroy(),
  }
}

interface ServedCrd extends KubeObject {
  readonly status?: { readonly conditions?: readonly { type: string; status: string }[] }
}

/** Weir's kinds, served. Idempotent, also for several callers at once. */
export async function installCrds(cluster: TestCluster): Promise<void> {
  const crds = cluster.client<ServedCrd>(resourceKinds.crd)
  for (const resource of customResources) {
    const document = crdDocument(resource)
    await crds.apply(document, { manager: 'weir-test' })
    while (!isEstablished(await crds.get(document.metadata))) await pause(20)
  }
}

function isEstablished(crd: ServedCrd | undefined): boolean {
  const found = crd?.status?.conditions?.find(({ type }) => type === 'Established')
  return found?.status === 'True'
}
