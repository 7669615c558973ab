/** Real Kubernetes in three sizes; what each has is said in `kube-plan.ts`. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePorts } from '../free-ports.ts'
import type { Part, PartEnvironment, PartOptions } from '../part.ts'
import { startServer } from '../server-process.ts'
import { TestbedError } from '../testbed-error.ts'
import { KUBERNETES_VERSION, type KubeProgram, kubeProgram } from './kube-binaries.ts'
import { kubeconfigOf, makeCertificates } from './kube-certificates.ts'
import { kubeImages } from './kube-images.ts'
import { takeNetwork } from './kube-network.ts'
import { nodePackages } from './kube-packages.ts'
import {
  endpointOf,
  type KubeForm,
  type KubePlan,
  type KubePorts,
  networkAt,
  writePlan,
} from './kube-plan.ts'

const programsOf: Readonly<Record<KubeForm, readonly KubeProgram[]>> = {
  control: ['control'],
  fake: ['control', 'cluster', 'tools', 'kwok'],
  node: ['control', 'cluster', 'tools', 'coredns', 'pause'],
}

export const kubeControlPart = kubePart('control', {
  name: 'kube-control',
  title: `Kubernetes ${KUBERNETES_VERSION}, control plane`,
  foundBy: 'WEIR_TESTBED_KUBE_CONTROL',
})

export const kubeFakePart = kubePart('fake', {
  name: 'kube-fake',
  title: `Kubernetes ${KUBERNETES_VERSION}, fake nodes`,
  foundBy: 'WEIR_TESTBED_KUBE_FAKE',
})

export const kubeNodePart = kubePart('node', {
  name: 'kube',
  title: `Kubernetes ${KUBERNETES_VERSION}, one node`,
  foundBy: 'WEIR_TESTBED_KUBE',
})

function kubePart(form: KubeForm, words: Pick<Part, 'name' | 'title' | 'foundBy'>): Part {
  return {
    ...words,
    install: async () => void (await programs(form)),
    start: options => startKube(form, words.foundBy, options),
  }
}

/** One after the other: each compile takes all cores. */
async function programs(form: KubeForm): Promise<KubePlan['programs']> {
  const folders: Record<string, string> = {}
  for (const name of programsOf[form]) folders[name] = await kubeProgram(name)
  return folders
}

async function startKube(
  form: KubeForm,
  foundBy: string,
  { folder, owner }: PartOptions,
): Promise<PartEnvironment> {
  const plan = await planOf(form, folder)
  for (const name of ['data', 'pki']) mkdirSync(join(folder, name), { recursive: true })
  await makeCertificates(plan)
  const ready = join(folder, 'ready')
  for (const name of ['ready', 'connected']) rmSync(join(folder, name), { force: true })
  const runner = join(import.meta.dirname, 'run-kube.ts')
  const node = [process.execPath, '--disable-warning=ExperimentalWarning', runner]
  await startServer({
    folder,
    owner,
    command: [...node, writePlan(plan)],
    isReady: async () => existsSync(ready),
  })
  return {
    [foundBy]: endpointOf(plan),
    KUBECONFIG: kubeconfigOf(plan, 'admin'),
    // The folder of kubectl and helm.
    ...(plan.programs.tools !== undefined && { WEIR_TESTBED_KUBE_TOOLS: plan.programs.tools }),
    // Where pods reach the machine, and what `enterNode` takes.
    ...(form === 'node' && {
      WEIR_TESTBED_KUBE_HOST: plan.network.hostAddress,
      WEIR_TESTBED_KUBE_NODE: folder,
    }),
  }
}

async function planOf(form: KubeForm, folder: string): Promise<KubePlan> {
  if (form === 'node' && process.getuid?.() !== 0) {
    const next = 'run it as root (sudo), or take the control plane: ./weir testbed up kube-control'
    throw new TestbedError('a real node needs root for its namespaces', next, true)
  }
  const common = { form, folder, programs: await programs(form) }
  if (form !== 'node') {
    return { ...common, network: networkAt(0), ports: await portsOf(folder), ...noNode }
  }
  const packages = (await nodePackages()) ?? ''
  const images = await kubeImages(common.programs)
  const network = await takeNetwork(folder)
  return { ...common, network, ports: nodePorts, packages, images }
}

const noNode = { packages: '', images: [] }

/** In a network of its own all are free. */
const nodePorts: KubePorts = { api: 6443, etcd: 2379, etcdPeer: 2380, kwok: 0 }

/** The same after a restart: clients go on. */
async function portsOf(folder: string): Promise<KubePorts> {
  const file = join(folder, 'ports.json')
  if (!existsSync(file)) {
    const [api, etcd, etcdPeer, kwok] = await freePorts(4)
    writeFileSync(file, JSON.stringify({ api, etcd, etcdPeer, kwok }))
  }
  return JSON.parse(readFileSync(file, 'utf8')) as KubePorts
}
