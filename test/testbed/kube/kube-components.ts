/** The processes of a cluster as data: what each is called with, and how it says that it is ready. */
import { join } from 'node:path'
import { kubeconfigOf } from './kube-certificates.ts'
import { FAKE_NODE_MARK } from './kube-fake-nodes.ts'
import { endpointOf, type KubePlan } from './kube-plan.ts'

export interface Component {
  readonly name: string
  readonly command: readonly string[]
  /** The address that answers 200 once it works; without one it counts as ready when it runs. */
  readonly readyAt?: string
}

/** Written to disk lazily: a cluster of the testbed outlives its processes, not its machine. */
export function etcd({ folder, programs, ports }: KubePlan): Component {
  const client = `http://127.0.0.1:${ports.etcd}`
  const peer = `http://127.0.0.1:${ports.etcdPeer}`
  return {
    name: 'etcd',
    command: [
      ...[program(programs, 'control'), 'etcd', '--data-dir', join(folder, 'data/etcd')],
      ...['--unsafe-no-fsync', '--log-level=warn', '--initial-cluster', `default=${peer}`],
      ...['--listen-client-urls', client, '--advertise-client-urls', client],
      ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer],
    ],
  }
}

export function apiServer(plan: KubePlan): Component {
  const { folder, programs, ports, network } = plan
  const key = (name: string): string => join(folder, 'pki', name)
  return {
    name: 'apiserver',
    command: [
      ...[program(programs, 'control'), 'kube-apiserver'],
      `--etcd-servers=http://127.0.0.1:${ports.etcd}`,
      `--secure-port=${ports.api}`,
      `--bind-address=${network.index === 0 ? network.address : '0.0.0.0'}`,
      `--advertise-address=${network.address}`,
      `--tls-cert-file=${key('apiserver.crt')}`,
      `--tls-private-key-file=${key('apiserver.key')}`,
      `--client-ca-file=${key('ca.crt')}`,
      `--cert-dir=${key('made')}`,
      `--kubelet-client-certificate=${key('apiserver-kubelet.crt')}`,
      `--kubelet-client-key=${key('apiserver-kubelet.key')}`,
      '--kubelet-preferred-address-types=InternalIP',
      '--service-account-issuer=https://kubernetes.default.svc',
      `--service-account-signing-key-file=${key('service-account.key')}`,
      `--service-account-key-file=${key('service-account.key')}`,
      `--service-cluster-ip-range=${network.serviceRange}`,
      // On the loopback there is nobody to send services to, and the address would be refused.
      ...(network.index === 0 ? ['--endpoint-reconciler-type=none'] : []),
      '--authorization-mode=Node,RBAC',
      '--enable-admission-plugins=NodeRestriction',
      '--allow-privileged=true',
      '--profiling=false',
    ],
    readyAt: `${endpointOf(plan)}/readyz`,
  }
}

export function controllerManager(plan: KubePlan): Component {
  const key = (name: string): string => join(plan.folder, 'pki', name)
  return {
    name: 'controller-manager',
    command: [
      ...[program(plan.programs, 'cluster'), 'kube-controller-manager'],
      ...asClient(plan, 'controller-manager'),
      ...['--secure-port=0', '--leader-elect=false', '--profiling=false', ...unthrottled],
      `--service-account-private-key-file=${key('service-account.key')}`,
      `--root-ca-file=${key('ca.crt')}`,
      '--use-service-account-credentials',
      // A fake node cannot fail, but on a busy machine it is late to say that it is there.
      `--node-monitor-grace-period=${plan.form === 'node' ? '20s' : '600s'}`,
    ],
  }
}

export function scheduler(plan: KubePlan): Component {
  return {
    name: 'scheduler',
    command: [
      ...[program(plan.programs, 'cluster'), 'kube-scheduler', ...asClient(plan, 'scheduler')],
      ...['--secure-port=0', '--leader-elect=false', '--profiling=false', ...unthrottled],
    ],
  }
}

/** Plays the fake nodes, by the rules that its own module brings. */
export function kwok(plan: KubePlan): Component {
  const server = `127.0.0.1:${plan.ports.kwok}`
  return {
    name: 'kwok',
    command: [
      ...[program(plan.programs, 'kwok'), ...asClient(plan, 'admin')],
      `--config=${join(plan.programs.kwok ?? '', 'stages.yaml')}`,
      ...['--manage-all-nodes=false', `--server-address=${server}`],
      `--manage-nodes-with-annotation-selector=${FAKE_NODE_MARK}`,
      ...['--cidr=10.250.0.0/16', `--node-ip=${plan.network.address}`],
    ],
    readyAt: `http://${server}/healthz`,
  }
}

/** By default they ask 20 and 50 times a second at most: a thousand pods would take minutes. */
const unthrottled = ['--kube-api-qps=400', '--kube-api-burst=800']

function asClient(plan: KubePlan, client: string): readonly string[] {
  return [`--kubeconfig=${kubeconfigOf(plan, client)}`]
}

export function program(programs: KubePlan['programs'], name: string): string {
  return join(programs[name] ?? '', name)
}
