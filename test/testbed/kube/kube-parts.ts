/** Real Kubernetes in three sizes; what each has is said in `kube-plan.ts`. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePorts } from '../free-ports.ts'
import type { Part, PartEnvironment, PartOptions } from '../part.ts'
import { startServer } from '../server-process.ts'
import { KUBERNETES_VERSION, type KubeProgram, kubeProgram } from './kube-binaries.ts'
import { kubeconfigOf, makeCertificates } from './kube-certificates.ts'
import {
  endpointOf,
  type KubeForm,
  type KubeNetwork,
  type KubePlan,
  type KubePorts,
  writePlan,
} from './kube-plan.ts'

const programsOf: Readonly<Record<KubeForm, readonly KubeProgram[]>> = {
  control: ['control'],
  fake: ['control', 'cluster', 'kwok'],
  node: ['control', 'cluster', 'coredns', 'pause'],
}

export const kubeControlPart = kubePart('control', {
  name: 'kube-control',
  title: `Kubernetes ${KUBERNETES_VERSION}, control plane`,
  foundBy: 'WEIR_TESTBED_KUBE_CONTROL',
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
  const plan: KubePlan = {
    form,
    folder,
    programs: await programs(form),
    network: onLoopback,
    ports: await portsOf(folder),
  }
  for (const name of ['data', 'pki']) mkdirSync(join(folder, name), { recursive: true })
  await makeCertificates(plan)
  const ready = join(folder, 'ready')
  rmSync(ready, { force: true })
  const runner = join(import.meta.dirname, 'run-kube.ts')
  const node = [process.execPath, '--disable-warning=ExperimentalWarning', runner]
  await startServer({
    folder,
    owner,
    command: [...node, writePlan(plan)],
    isReady: async () => existsSync(ready),
  })
  return { [foundBy]: endpointOf(plan), KUBECONFIG: kubeconfigOf(plan, 'admin') }
}

const onLoopback: KubeNetwork = {
  address: '127.0.0.1',
  link: '',
  hostAddress: '127.0.0.1',
  podRange: '10.100.0.0/24',
  serviceRange: '10.101.0.0/24',
}

/** The same after a restart: clients go on. */
async function portsOf(folder: string): Promise<KubePorts> {
  const file = join(folder, 'ports.json')
  if (!existsSync(file)) {
    const [api, etcd, etcdPeer] = await freePorts(3)
    writeFileSync(file, JSON.stringify({ api, etcd, etcdPeer }))
  }
  return JSON.parse(readFileSync(file, 'utf8')) as KubePorts
}
