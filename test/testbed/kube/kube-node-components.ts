/** The processes of the one real node, and the files that they read. Everything lies in its own `/run`. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { kubeconfigOf } from './kube-certificates.ts'
import { type Component, program } from './kube-components.ts'
import { addressIn, cgroupOf, type KubePlan } from './kube-plan.ts'

export const CONTAINERD_SOCKET = '/run/containerd/containerd.sock'
export const NODE_NAME = 'weir-node'
/** The place of the cluster's DNS in the range of services. */
export const DNS_PLACE = 10

const cniFolder = '/run/cni'

/** In the order in which they start. */
export function nodeComponents(plan: KubePlan): readonly Component[] {
  return [containerd(), kubelet(plan), kubeProxy(plan)]
}

function containerd(): Component {
  return {
    name: 'containerd',
    command: ['containerd', '--config', '/run/containerd.toml'],
    readyAt: `unix:${CONTAINERD_SOCKET}`,
  }
}

function kubelet(plan: KubePlan): Component {
  return {
    name: 'kubelet',
    command: [
      ...[program(plan.programs, 'cluster'), 'kubelet', '--config=/run/kubelet.json'],
      `--kubeconfig=${kubeconfigOf(plan, 'kubelet')}`,
      ...['--root-dir=/var/lib/kubelet', '--cert-dir=/run/kubelet-pki'],
      ...[`--hostname-override=${NODE_NAME}`, `--node-ip=${plan.network.address}`],
    ],
    readyAt: 'http://127.0.0.1:10248/healthz',
  }
}

function kubeProxy({ programs }: KubePlan): Component {
  return {
    name: 'kube-proxy',
    command: [program(programs, 'cluster'), 'kube-proxy', '--config=/run/kube-proxy.json'],
    readyAt: 'http://127.0.0.1:10256/healthz',
  }
}

export function writeNodeFiles(plan: KubePlan): void {
  const json = (name: string, value: unknown): void =>
    writeFileSync(join('/run', name), JSON.stringify(value, undefined, 2))
  json('kubelet.json', kubeletConfiguration(plan))
  json('kube-proxy.json', proxyConfiguration(plan))
  json('cni/10-weir.conflist', podNetwork(plan.network.podRange))
  writeFileSync('/run/containerd.toml', containerdConfiguration)
  // Names that are not the cluster's lead nowhere: there is no way out.
  writeFileSync('/run/resolv.conf', 'nameserver 127.0.0.1\n')
}

/** Sandboxes of the machine often forbid to lower `oom_score_adj` and know neither AppArmor nor hugetlb. */
const containerdConfiguration = `version = 2
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/weir/pause:1"
  restrict_oom_score_adj = true
  disable_apparmor = true
  disable_hugetlb_controller = true
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      SystemdCgroup = false
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "${cniFolder}"
`

function kubeletConfiguration(plan: KubePlan): unknown {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: join(plan.folder, 'pki/ca.crt') },
    },
    authorization: { mode: 'Webhook' },
    cgroupDriver: 'cgroupfs',
    cgroupRoot: cgroupOf(plan.network.index),
    failCgroupV1: false,
    failSwapOn: false,
    enforceNodeAllocatable: ['pods'],
    containerRuntimeEndpoint: `unix://${CONTAINERD_SOCKET}`,
    clusterDomain: 'cluster.local',
    clusterDNS: [addressIn(plan.network.serviceRange, DNS_PLACE)],
    resolvConf: '/run/resolv.conf',
    podLogsDir: join(plan.folder, 'logs/pods'),
    evictionHard: { 'memory.available': '200Mi', 'nodefs.available': '1%' },
    imageGCHighThresholdPercent: 100,
    nodeStatusUpdateFrequency: '5s',
    nodeLeaseDurationSeconds: 15,
    syncFrequency: '10s',
    // The default lets a container that crashed wait for minutes.
    crashLoopBackOff: { maxContainerRestartPeriod: '2s' },
  }
}

function proxyConfiguration(plan: KubePlan): unknown {
  return {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    mode: 'nftables',
    clientConnection: { kubeconfig: kubeconfigOf(plan, 'proxy') },
    clusterCIDR: plan.network.podRange,
    hostnameOverride: NODE_NAME,
    healthzBindAddress: '127.0.0.1:10256',
    metricsBindAddress: '127.0.0.1:10249',
    conntrack: { maxPerCore: 0, min: 0 },
  }
}

function podNetwork(subnet: string): unknown {
  const ipam = {
    type: 'host-local',
    dataDir: '/run/cni-addresses',
    ranges: [[{ subnet }]],
    routes: [{ dst: '0.0.0.0/0' }],
  }
  return {
    cniVersion: '1.0.0',
    name: 'weir',
    plugins: [
      { type: 'bridge', bridge: 'pods', isGateway: true, hairpinMode: true, ipam },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  }
}
