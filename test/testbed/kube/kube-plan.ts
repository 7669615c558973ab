/** What one cluster is made of; written down beside its data (`plan.json`) for the process that runs it. */
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
}

/** Where the cluster is reached; all addresses are of this machine. */
export interface KubeNetwork {
  /** The API server's address, which is the node's as well. */
  readonly address: string
  /** Names of the node's network, empty where there is no node. */
  readonly link: string
  readonly hostAddress: string
  readonly podRange: string
  readonly serviceRange: string
}

export interface KubePorts {
  readonly api: number
  readonly etcd: number
  readonly etcdPeer: number
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
