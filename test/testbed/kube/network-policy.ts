/**
 * What NetworkPolicy objects allow on the one node, as rules of nftables. kube-proxy enforces none. Pure:
 * the same objects give the same text.
 *
 * A pod that some policy selects has a chain for the direction: what an entry allows returns from it,
 * the rest is dropped. Answers to what was allowed pass, and the node reaches its own pods always.
 */
export interface PolicyObjects {
  readonly pods: readonly PolicyPod[]
  readonly namespaces: readonly { readonly metadata: Metadata }[]
  readonly policies: readonly NetworkPolicy[]
}

interface Metadata {
  readonly name: string
  readonly namespace?: string
  readonly labels?: Readonly<Record<string, string>>
}

interface PolicyPod {
  readonly metadata: Metadata
  readonly spec: {
    readonly hostNetwork?: boolean
    readonly containers: readonly { readonly ports?: readonly ContainerPort[] }[]
  }
  readonly status?: { readonly podIP?: string; readonly phase?: string }
}

interface ContainerPort {
  readonly name?: string
  readonly containerPort: number
}

interface NetworkPolicy {
  readonly metadata: Metadata
  readonly spec: {
    readonly podSelector?: Selector
    readonly policyTypes?: readonly ('Ingress' | 'Egress')[]
    readonly ingress?: readonly {
      readonly from?: readonly Peer[]
      readonly ports?: readonly Port[]
    }[]
    readonly egress?: readonly { readonly to?: readonly Peer[]; readonly ports?: readonly Port[] }[]
  }
}

interface Selector {
  readonly matchLabels?: Readonly<Record<string, string>>
  readonly matchExpressions?: readonly {
    readonly key: string
    readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist'
    readonly values?: readonly string[]
  }[]
}

interface Peer {
  readonly podSelector?: Selector
  readonly namespaceSelector?: Selector
  readonly ipBlock?: { readonly cidr: string; readonly except?: readonly string[] }
}

interface Port {
  readonly protocol?: string
  readonly port?: number | string
  readonly endPort?: number
}

type Direction = 'ingress' | 'egress'

const TABLE = 'ip weir-policy'

/** For `nft -f`: replaces what was there, whole. */
export function policyRules(objects: PolicyObjects): string {
  const pods = objects.pods.filter(isReachable)
  const chains: string[] = []
  const jumps: Record<Direction, string[]> = { ingress: [], egress: [] }
  for (const direction of ['ingress', 'egress'] as const) {
    for (const pod of pods) {
      const policies = objects.policies.filter(policy => isIsolating(policy, pod, direction))
      if (policies.length === 0) continue
      const address = pod.status?.podIP ?? ''
      const chain = `${direction}-${address.replaceAll('.', '-')}`
      const rules = policies.flatMap(policy => entries(objects, policy, { direction, pod }))
      const lines = [...new Set(rules), 'drop'].map(rule => `    ${rule}\n`)
      chains.push(`  chain ${chain} {\n${lines.join('')}  }\n`)
      jumps[direction].push(`${address} : jump ${chain}`)
    }
  }
  const from = jumpBy('saddr', jumps.egress)
  const to = jumpBy('daddr', jumps.ingress)
  return `table ${TABLE}
delete table ${TABLE}
table ${TABLE} {
${chains.join('')}  chain between {
    type filter hook forward priority 0; policy accept;
    ct state established,related accept
${from}${to}  }
  chain inwards {
    type filter hook input priority 0; policy accept;
    ct state established,related accept
${from}  }
}
`
}

function jumpBy(field: string, jumps: readonly string[]): string {
  return jumps.length === 0 ? '' : `    ip ${field} vmap { ${jumps.join(', ')} }\n`
}

function isReachable({ spec, status }: PolicyPod): boolean {
  const hasEnded = status?.phase === 'Succeeded' || status?.phase === 'Failed'
  return status?.podIP !== undefined && spec.hostNetwork !== true && !hasEnded
}

function isIsolating({ metadata, spec }: NetworkPolicy, pod: PolicyPod, direction: Direction) {
  const byDefault = spec.egress === undefined ? ['Ingress'] : ['Ingress', 'Egress']
  const types: readonly string[] = spec.policyTypes ?? byDefault
  const isOfType = types.includes(direction === 'ingress' ? 'Ingress' : 'Egress')
  const isInSpace = pod.metadata.namespace === metadata.namespace
  return isOfType && isInSpace && selects(spec.podSelector, pod.metadata.labels)
}

interface Isolated {
  readonly direction: Direction
  readonly pod: PolicyPod
}

/** One rule for each peer and port of each entry. */
function entries(objects: PolicyObjects, policy: NetworkPolicy, isolated: Isolated): string[] {
  const { direction, pod } = isolated
  const list =
    direction === 'ingress'
      ? policy.spec.ingress?.map(({ from, ports }) => ({ peers: from, ports }))
      : policy.spec.egress?.map(({ to, ports }) => ({ peers: to, ports }))
  const field = direction === 'ingress' ? 'saddr' : 'daddr'
  return (list ?? [])
    .flatMap(({ peers, ports }) =>
      peersOf(objects, policy, peers).flatMap(peer => {
        const targets = direction === 'ingress' ? [pod] : objects.pods.filter(isReachable)
        const matches = portMatches(ports, { targets, direction })
        return matches.map(match => [...peer.map(one => `ip ${field} ${one}`), match, 'return'])
      }),
    )
    .map(words => words.filter(word => word !== '').join(' '))
}

/** Each peer as the tests that its address must pass; no test: anybody. */
function peersOf(objects: PolicyObjects, policy: NetworkPolicy, peers: readonly Peer[] = []) {
  if (peers.length === 0) return [[]]
  return peers.flatMap(({ ipBlock, podSelector, namespaceSelector }): string[][] => {
    if (ipBlock !== undefined) {
      return [[ipBlock.cidr, ...(ipBlock.except ?? []).map(one => `!= ${one}`)]]
    }
    return objects.pods
      .filter(isReachable)
      .filter(({ metadata }) => {
        const space = objects.namespaces.find(one => one.metadata.name === metadata.namespace)
        const isInSpace =
          namespaceSelector === undefined
            ? metadata.namespace === policy.metadata.namespace
            : selects(namespaceSelector, space?.metadata.labels)
        return isInSpace && selects(podSelector, metadata.labels)
      })
      .map(({ status }) => [status?.podIP ?? ''])
  })
}

interface PortTargets {
  /** Whose containers may give a port its name. */
  readonly targets: readonly PolicyPod[]
  readonly direction: Direction
}

function portMatches(ports: readonly Port[] = [], { targets, direction }: PortTargets): string[] {
  if (ports.length === 0) return ['']
  return ports.flatMap(({ protocol = 'TCP', port, endPort }) => {
    const kind = protocol.toLowerCase()
    if (port === undefined) return [`meta l4proto ${kind}`]
    if (typeof port === 'number') {
      return [`${kind} dport ${endPort === undefined ? port : `${port}-${endPort}`}`]
    }
    return targets.flatMap(({ spec, status }) =>
      spec.containers
        .flatMap(container => container.ports ?? [])
        .filter(({ name }) => name === port)
        .map(({ containerPort }) => {
          const whose = direction === 'egress' ? `ip daddr ${status?.podIP} ` : ''
          return `${whose}${kind} dport ${containerPort}`
        }),
    )
  })
}

/** An empty selector selects everything. */
function selects(selector: Selector | undefined, labels: Metadata['labels'] = {}): boolean {
  const { matchLabels = {}, matchExpressions = [] } = selector ?? {}
  const hasLabels = Object.entries(matchLabels).every(([key, value]) => labels[key] === value)
  return (
    hasLabels &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      const value = labels[key]
      switch (operator) {
        case 'In':
          return value !== undefined && values.includes(value)
        case 'NotIn':
          return value === undefined || !values.includes(value)
        case 'Exists':
          return value !== undefined
        case 'DoesNotExist':
          return value === undefined
      }
    })
  )
}
