/** Brings a cluster's processes up one after the other, and says when the whole is ready. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { runTool } from '../run-tool.ts'
import { TestbedError } from '../testbed-error.ts'
import { enforcePolicies } from './enforce-policies.ts'
import { kubeconfigOf } from './kube-certificates.ts'
import { apiServer, controllerManager, etcd, kwok, scheduler } from './kube-components.ts'
import { dnsObjects } from './kube-dns.ts'
import { fakeNodes } from './kube-fake-nodes.ts'
import {
  CONTAINERD_SOCKET,
  NODE_NAME,
  nodeComponents,
  writeNodeFiles,
} from './kube-node-components.ts'
import type { KubePlan } from './kube-plan.ts'
import { KubeProcesses } from './kube-processes.ts'
import { type KubeObject, kubeRequest } from './kube-request.ts'

const POLL_MS = 50
const LIMIT_MS = 120_000

export async function runKubeProcesses(plan: KubePlan): Promise<void> {
  const processes = new KubeProcesses({
    folder: plan.folder,
    isReady: address => isReady(plan, address),
  })
  process.once('SIGTERM', () => {
    processes.stop()
    process.exit(0)
  })
  if (plan.form === 'node') await prepareNode(plan)
  // The API server waits for etcd by itself.
  for (const one of [etcd(plan), apiServer(plan)]) await processes.start(one)
  if (plan.form !== 'control') {
    for (const one of [controllerManager(plan), scheduler(plan)]) await processes.start(one)
  }
  if (plan.form === 'node') await startNode(plan, processes)
  if (plan.form === 'fake') await startFakeNodes(plan, processes)
  writeFileSync(join(plan.folder, 'ready'), '')
}

async function isReady(plan: KubePlan, address: string): Promise<boolean> {
  if (address.startsWith('unix:')) return await answersContainerd()
  if (address.startsWith('http:')) return (await fetch(address).catch(() => undefined))?.ok === true
  const call = { path: new URL(address).pathname }
  const answer = await kubeRequest(kubeconfigOf(plan, 'admin'), call).catch(() => undefined)
  return answer?.status === 200
}

async function answersContainerd(): Promise<boolean> {
  if (!existsSync(CONTAINERD_SOCKET)) return false
  return await runTool('ctr', ['version'], { install: '' }).then(
    () => true,
    () => false,
  )
}

const bridgeSetting = 'bridge/bridge-nf-call-iptables'

/** Mounts and settings, in the namespaces of the node: nothing of it reaches the machine. */
async function prepareNode(plan: KubePlan): Promise<void> {
  await until('the network', async () => existsSync(join(plan.folder, 'connected')))
  const mount = (...args: readonly string[]) => runTool('mount', args, { install: '' })
  for (const folder of ['/run', '/var/lib']) await mount('-t', 'tmpfs', 'weir', folder)
  if (plan.packages !== '') {
    await mount('-t', 'overlay', '-o', `lowerdir=${plan.packages}:/usr`, 'weir', '/usr')
  }
  mkdirSync('/run/cni', { recursive: true })
  writeNodeFiles(plan)
  // The last one lets policies see what goes from pod to pod.
  const settings = ['ipv4/ip_forward', 'ipv4/conf/all/route_localnet', bridgeSetting]
  for (const name of settings) writeFileSync(join('/proc/sys/net', name), '1')
}

async function startNode(plan: KubePlan, processes: KubeProcesses): Promise<void> {
  for (const component of nodeComponents(plan)) {
    await processes.start(component)
    if (component.name !== 'containerd') continue
    for (const image of plan.images) {
      await runTool('ctr', ['--namespace', 'k8s.io', 'images', 'import', image], { install: '' })
    }
  }
  void enforcePolicies(kubeconfigOf(plan, 'admin'))
  await until('the node', () => isNodeReady(plan, NODE_NAME))
  await applyAll(plan, dnsObjects(plan))
  await until('the DNS', async () => {
    const deployment = await read(plan, '/apis/apps/v1/namespaces/kube-system/deployments/coredns')
    return deployment?.status?.readyReplicas === 1
  })
}

async function startFakeNodes(plan: KubePlan, processes: KubeProcesses): Promise<void> {
  const nodes = fakeNodes()
  await applyAll(plan, nodes)
  await processes.start(kwok(plan))
  for (const { metadata } of nodes) {
    await until(`node ${metadata.name}`, () => isNodeReady(plan, metadata.name))
  }
}

interface Condition {
  readonly type: string
  readonly status: string
}

interface ReadObject {
  readonly status?: { readonly readyReplicas?: number; readonly conditions?: readonly Condition[] }
}

async function isNodeReady(plan: KubePlan, name: string): Promise<boolean> {
  const node = await read(plan, `/api/v1/nodes/${name}`)
  const ready = node?.status?.conditions?.find(one => one.type === 'Ready')
  return ready?.status === 'True'
}

async function read(plan: KubePlan, path: string): Promise<ReadObject | undefined> {
  const { status, text } = await kubeRequest(kubeconfigOf(plan, 'admin'), { path })
  return status === 200 ? (JSON.parse(text) as ReadObject) : undefined
}

async function applyAll(plan: KubePlan, objects: readonly KubeObject[]): Promise<void> {
  for (const body of objects) {
    const { status, text } = await kubeRequest(kubeconfigOf(plan, 'admin'), {
      method: 'PATCH',
      path: `${pathOf(body)}?fieldManager=testbed&force=true`,
      contentType: 'application/apply-patch+yaml',
      body,
    })
    if (status >= 300) throw new TestbedError(`${body.kind} ${body.metadata.name}: ${text}`, '')
  }
}

function pathOf({ apiVersion, kind, metadata: { name, namespace } }: KubeObject): string {
  const root = apiVersion.includes('/') ? 'apis' : 'api'
  const place = namespace === undefined ? '' : `namespaces/${namespace}/`
  return `/${root}/${apiVersion}/${place}${kind.toLowerCase()}s/${name}`
}

async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  const startedMs = Date.now()
  while (!(await condition().catch(() => false))) {
    if (Date.now() - startedMs > LIMIT_MS) {
      throw new TestbedError(`${what} is not ready`, 'see the logs of the processes')
    }
    await pause(POLL_MS)
  }
}
