import { describe, expect, test } from '@jest/globals'
import { type PolicyObjects, policyRules } from './network-policy.ts'

function pod(address: string, namespace: string, app: string) {
  const ports = [{ name: 'web', containerPort: 8080 }]
  return {
    metadata: { name: app, namespace, labels: { app } },
    spec: { containers: [{ ports }] },
    status: { podIP: address, phase: 'Running' },
  }
}

const pods = [
  pod('10.0.0.1', 'jobs', 'one'),
  pod('10.0.0.2', 'jobs', 'two'),
  pod('10.0.0.3', 'other', 'far'),
]
const namespaces = [
  { metadata: { name: 'jobs' } },
  { metadata: { name: 'other', labels: { team: 'b' } } },
]

type Spec = PolicyObjects['policies'][number]['spec']

function rulesOf(spec: Spec): string {
  const policies = [{ metadata: { name: 'p', namespace: 'jobs' }, spec }]
  return policyRules({ pods, namespaces, policies })
}

/** What a chain of the text holds. */
function chainOf(rules: string, name: string): readonly string[] {
  const body = new RegExp(`chain ${name} \\{\\n([^}]*)  \\}`).exec(rules)?.[1]
  return body?.trim().split(/\n\s*/) ?? []
}

const one = { matchLabels: { app: 'one' } }

describe('rules of network policies', () => {
  test('without a policy nobody is isolated', () => {
    const rules = policyRules({ pods, namespaces, policies: [] })
    expect(rules).not.toContain('drop')
    expect(rules).not.toContain('vmap')
  })

  test('a policy without entries isolates whom it selects, in its direction and namespace', () => {
    const rules = rulesOf({ podSelector: {}, policyTypes: ['Ingress'] })
    expect(chainOf(rules, 'ingress-10-0-0-1')).toEqual(['drop'])
    expect(chainOf(rules, 'ingress-10-0-0-2')).toEqual(['drop'])
    expect(rules).not.toContain('10-0-0-3')
    expect(rules).not.toContain('egress-')
  })

  test('peers are pods of the namespace, of others by their labels, or addresses', () => {
    const from = [
      { podSelector: { matchExpressions: [{ key: 'app', operator: 'NotIn', values: ['one'] }] } },
      { namespaceSelector: { matchLabels: { team: 'b' } } },
      { ipBlock: { cidr: '10.1.0.0/16', except: ['10.1.1.0/24'] } },
    ] as const
    expect(chainOf(rulesOf({ podSelector: one, ingress: [{ from }] }), 'ingress-10-0-0-1')).toEqual(
      [
        'ip saddr 10.0.0.2 return',
        'ip saddr 10.0.0.3 return',
        'ip saddr 10.1.0.0/16 ip saddr != 10.1.1.0/24 return',
        'drop',
      ],
    )
  })

  test('ports are numbers, ranges or names of the pod that is reached', () => {
    const ports = [{ port: 53, protocol: 'UDP' }, { port: 80, endPort: 90 }, { port: 'web' }]
    const inwards = rulesOf({ podSelector: one, ingress: [{ ports }] })
    expect(chainOf(inwards, 'ingress-10-0-0-1')).toEqual([
      'udp dport 53 return',
      'tcp dport 80-90 return',
      'tcp dport 8080 return',
      'drop',
    ])
    const outwards = rulesOf({ podSelector: one, egress: [{ ports: [{ port: 'web' }] }] })
    expect(chainOf(outwards, 'egress-10-0-0-1')).toContain(
      'ip daddr 10.0.0.3 tcp dport 8080 return',
    )
    // With entries for the way out both ways are isolated.
    expect(chainOf(outwards, 'ingress-10-0-0-1')).toEqual(['drop'])
  })

  test('pods that have ended count no more', () => {
    const ended = pods.map(each => ({ ...each, status: { ...each.status, phase: 'Failed' } }))
    const policies = [{ metadata: { name: 'p', namespace: 'jobs' }, spec: {} }]
    expect(policyRules({ pods: ended, namespaces, policies })).not.toContain('drop')
  })
})
