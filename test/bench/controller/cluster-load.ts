/**
 * What a cluster of the testbed spends on what is asked of it: processor time of each of its
 * processes, and the requests that its API server has answered, whoever made them.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { assertDefined } from '../../../src/common/assert.ts'
import { kubeRequest } from '../../testbed/kube/kube-request.ts'
import type { PartEnvironment } from '../../testbed/part.ts'
import { cpuMsOf } from './process-cpu.ts'

export interface ClusterLoad {
  /** Milliseconds of processor time, by the name of the process. */
  readonly cpuMs: ReadonlyMap<string, number>
  /** How many requests, by verb and resource; watches and leases apart. */
  readonly requests: ReadonlyMap<string, number>
}

export async function clusterLoad(environment: PartEnvironment): Promise<ClusterLoad> {
  const kubeconfig = assertDefined(environment.KUBECONFIG, 'the testbed names its kubeconfig')
  const pids = join(dirname(dirname(kubeconfig)), 'pids')
  const cpuOf = (name: string) => cpuMsOf(Number(readFileSync(join(pids, name), 'utf8')))
  const { text } = await kubeRequest(kubeconfig, { path: '/metrics' })
  return {
    cpuMs: new Map(readdirSync(pids).map(name => [name, cpuOf(name)])),
    requests: requestsIn(text),
  }
}

const REQUESTS = 'apiserver_request_total{'

function requestsIn(metrics: string): Map<string, number> {
  const requests = new Map<string, number>()
  for (const line of metrics.split('\n')) {
    if (!line.startsWith(REQUESTS)) continue
    const label = (name: string) => new RegExp(`[{,]${name}="([^"]*)"`).exec(line)?.[1] ?? ''
    const [verb, resource] = [label('verb'), label('resource')]
    if (verb === 'WATCH' || resource === 'leases') continue
    // A subresource is a resource of its own for those who count what a pod costs.
    const place = [resource, label('subresource')].filter(text => text !== '').join('/')
    const key = `${verb} ${place}`
    requests.set(key, (requests.get(key) ?? 0) + Number(line.split(' ').at(-1)))
  }
  return requests
}

/** What came since; the largest first. */
export function grown(
  now: ReadonlyMap<string, number>,
  before: ReadonlyMap<string, number>,
): readonly (readonly [string, number])[] {
  return [...now]
    .map(([name, value]) => [name, value - (before.get(name) ?? 0)] as const)
    .filter(([, value]) => value > 0)
    .toSorted(([, one], [, other]) => other - one)
}
