/** Nodes that kwok plays: what is scheduled there counts as running, and nothing runs. */
import type { KubeObject } from './kube-request.ts'

const COUNT = 10
/** kwok plays the nodes that carry it. */
export const FAKE_NODE_MARK = 'kwok.x-k8s.io/node=fake'

const capacity = { cpu: '64', memory: '256Gi', pods: '1100' }

export function fakeNodes(): readonly KubeObject[] {
  const [mark = '', value = ''] = FAKE_NODE_MARK.split('=')
  return Array.from({ length: COUNT }, (_, index) => ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: `fake-${index}`,
      annotations: { [mark]: value },
      labels: { 'kubernetes.io/hostname': `fake-${index}`, 'kubernetes.io/os': 'linux' },
    },
    status: { allocatable: capacity, capacity },
  }))
}
