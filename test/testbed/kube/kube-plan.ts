/** What one cluster is made of; written down beside its data (`plan.json`) for the processes that run it. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * `control`: etcd and the API server. `fake`: with scheduler, controllers and nodes that only claim to
 * run their pods. `node`: with one real node.
 */
export type KubeForm = 'control' | 'fake' | 'node'

export interface KubePlan {
  readonly form: KubeForm
  readonly folder: string
  /** Folders of programs, by the name of the Go package that they were built from. */
  readonly programs: Readonly<Record<string, string>>
  readonly network: KubeNetwork
  readonly ports: KubePorts
  /** Only of a real node: what is laid over `/usr` (empty: nothing), and archives of images. */
  readonly packages: string
  readonly images: readonly string[]
}

/** Where the cluster is reached; all addresses are of this machine. */
export interface KubeNetwork {
  /** Of the real nodes on this machine, from 1 on; 0: no node, everything is on the loopback. */
  readonly index: number
  /** The API server's address, which is the node's as well. */
  readonly address: string
  /** Where processes of the machine listen for the pods. */
  readonly hostAddress: string
  readonly podRange: string
  readonly serviceRange: string
}

export interface KubePorts {
  readonly api: number
  readonly etcd: number
  readonly etcdPeer: number
  readonly kwok: number
}

export function networkAt(index: number): KubeNetwork {
  return {
    index,
    address: index === 0 ? '127.0.0.1' : `10.99.${index}.2`,
    hostAddress: index === 0 ? '127.0.0.1' : `10.99.${index}.1`,
    podRange: `10.100.${index}.0/24`,
    serviceRange: `10.101.${index}.0/24`,
  }
}

/** Name of the end of the node's cable that the machine sees. */
export function linkOf(index: number): string {
  return `weir-kube${index}`
}

/** Path of the control group that all pods of a node are in. */
export function cgroupOf(index: number): string {
  return `/weir-kube${index}`
}

export function writePlan(plan: KubePlan): string {
  const file = join(plan.folder, 'plan.json')
  writeFileSync(file, JSON.stringify(plan, undefined, 2))
  return file
}

export function readPlan(file: string): KubePlan {
  return JSON.parse(readFileSync(file, 'utf8')) as KubePlan
}

/** The n-th address of a range such as `10.101.3.0/24`. */
export function addressIn(range: string, n: number): string {
  return range.replace(/\d+\/\d+$/, String(n))
}

export function endpointOf({ network, ports }: KubePlan): string {
  return `https://${network.address}:${ports.api}`
}
