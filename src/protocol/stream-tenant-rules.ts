/** The rules between the fields of a StreamTenant. */
import { isIP } from 'node:net'
import { celOneOf } from './cel-text.ts'
import { has, type ManifestRule } from './manifest-rule.ts'
import { parseQuantity, type Quantity } from './quantity.ts'
import type { StreamTenantSpec } from './stream-tenant.ts'

type Rule = ManifestRule<StreamTenantSpec>
type Peer = NonNullable<StreamTenantSpec['network']['egress']>[number]

const atMost = (small: Quantity | undefined, large: Quantity | undefined): boolean =>
  small === undefined ||
  large === undefined ||
  (parseQuantity(small) ?? 0) <= (parseQuantity(large) ?? 0)

export const streamTenantRules: readonly Rule[] = [
  ...namespaceRules(),
  ...sharingRules(),
  ...accessRules(),
  ...networkRules('egress'),
  ...networkRules('ingress'),
  ...limitRules(),
  {
    path: 'spec.defaults.checkpointStorage',
    holds: ({ defaults, policy }) =>
      defaults?.checkpointStorage === undefined ||
      policy.storage === undefined ||
      policy.storage.some(prefix => defaults.checkpointStorage?.startsWith(prefix)),
    problem: 'is outside of spec.policy.storage',
    fix: 'choose a folder below one of the prefixes, or add one',
    cel: {
      at: 'spec',
      rule:
        '!has(self.defaults) || !has(self.defaults.checkpointStorage) || ' +
        '!has(self.policy.storage) || ' +
        'self.policy.storage.exists(p, self.defaults.checkpointStorage.startsWith(p))',
    },
  },
]

function namespaceRules(): Rule[] {
  return [
    {
      path: 'spec.namespaces',
      holds: ({ namespaces }) => has(namespaces.names) !== has(namespaces.selector),
      problem: 'expected exactly one of names and selector',
      fix: 'keep one of them, such as names: [payments]',
      cel: { at: 'spec.namespaces', rule: celOneOf('names', 'selector') },
    },
    {
      path: 'spec.namespaces.selector',
      holds: ({ namespaces: { selector } }) =>
        selector === undefined || Object.keys(selector.matchLabels).length > 0,
      problem: 'is empty and would take every namespace',
      fix: 'add a label to matchLabels',
      cel: {
        at: 'spec.namespaces',
        rule: '!has(self.selector) || self.selector.matchLabels.size() > 0',
      },
    },
    {
      path: 'spec.namespaces.names',
      holds: ({ namespaces }) => namespaces.names === undefined || namespaces.names.length > 0,
      problem: 'is empty',
      fix: 'add a namespace',
      cel: { at: 'spec.namespaces', rule: '!has(self.names) || self.names.size() > 0' },
    },
    {
      path: 'spec.namespaces.names',
      holds: ({ namespaces }) =>
        (namespaces.names ?? []).every(name => name !== 'default' && !name.startsWith('kube-')),
      problem: 'has a namespace of the cluster itself',
      fix: 'remove default and kube-*',
      cel: {
        at: 'spec.namespaces',
        rule: "!has(self.names) || self.names.all(n, n != 'default' && !n.startsWith('kube-'))",
      },
    },
  ]
}

function sharingRules(): Rule[] {
  const needsCohort = (field: 'borrow' | 'lend'): Rule => ({
    path: `spec.${field}`,
    holds: spec => !has(spec[field]) || has(spec.cohort),
    problem: 'needs spec.cohort',
    fix: `add cohort: NAME, or remove ${field}`,
    cel: { at: 'spec', rule: `!has(self.${field}) || has(self.cohort)` },
  })
  const lendAtMost = (field: 'jobs' | 'slots'): Rule => ({
    path: `spec.lend.${field}`,
    holds: ({ lend, quota }) => atMost(lend?.[field], quota?.[field]),
    problem: `is above spec.quota.${field}`,
    fix: 'lend no more than there is',
    cel: {
      at: 'spec',
      rule:
        `!has(self.lend) || !has(self.lend.${field}) || !has(self.quota) || ` +
        `!has(self.quota.${field}) || self.lend.${field} <= self.quota.${field}`,
    },
  })
  return [
    needsCohort('borrow'),
    needsCohort('lend'),
    {
      path: 'spec.borrow',
      holds: spec => !has(spec.borrow) || has(spec.quota),
      problem: 'needs spec.quota: without one there is nothing to exceed',
      fix: 'add a quota, or remove borrow',
      cel: { at: 'spec', rule: '!has(self.borrow) || has(self.quota)' },
    },
    lendAtMost('jobs'),
    lendAtMost('slots'),
  ]
}

function accessRules(): Rule[] {
  return (['admins', 'editors', 'viewers'] as const).map(role => ({
    path: `spec.access.${role}`,
    holds: ({ access }) =>
      (access?.[role] ?? []).every(
        ({ kind, namespace }) => (kind === 'ServiceAccount') === (namespace !== ''),
      ),
    problem: 'expected a namespace with each ServiceAccount, and with nothing else',
    fix: 'add namespace: NAME to the ServiceAccount, or remove it',
    cel: {
      at: `spec.access.${role}[]`,
      rule: "(self.kind == 'ServiceAccount') == (self.namespace != '')",
    },
  }))
}

function networkRules(direction: 'egress' | 'ingress'): Rule[] {
  const path = `spec.network.${direction}`
  const peers = ({ network }: StreamTenantSpec): readonly Peer[] => network[direction] ?? []
  return [
    {
      path,
      holds: spec => peers(spec).every(peer => has(peer.cidr) !== has(peer.namespace)),
      problem: 'expected exactly one of cidr and namespace in each entry',
      fix: 'keep one of them, such as cidr: 10.0.0.0/8',
      cel: { at: `${path}[]`, rule: 'has(self.cidr) != has(self.namespace)' },
    },
    {
      path,
      holds: spec => peers(spec).every(({ cidr }) => cidr === undefined || isAddressRange(cidr)),
      problem: 'has a cidr that is no address range',
      fix: 'write an address and the length of its prefix, such as 10.0.0.0/8',
      cel: { at: `${path}[]`, rule: '!has(self.cidr) || isCIDR(self.cidr)' },
    },
    {
      path,
      holds: spec =>
        peers(spec).every(peer =>
          (peer.ports ?? []).every(({ port, endPort }) => endPort === undefined || endPort >= port),
        ),
      problem: 'has an endPort below its port',
      fix: 'raise endPort or lower port',
      cel: { at: `${path}[].ports[]`, rule: '!has(self.endPort) || self.endPort >= self.port' },
    },
  ]
}

function isAddressRange(text: string): boolean {
  const [address = '', length = ''] = text.split('/')
  const version = isIP(address)
  const isCanonical = String(Number(length)) === length
  return version !== 0 && isCanonical && Number(length) <= (version === 4 ? 32 : 128)
}

function limitRules(): Rule[] {
  return (['cpu', 'memory'] as const).map(field => ({
    path: `spec.limits.default.${field}`,
    holds: ({ limits }) => atMost(limits?.default?.[field], limits?.max?.[field]),
    problem: `is above spec.limits.max.${field}`,
    fix: 'lower the default or raise the maximum',
    cel: {
      at: 'spec.limits',
      rule:
        `!has(self.default) || !has(self.default.${field}) || !has(self.max) || ` +
        `!has(self.max.${field}) || quantity(string(self.default.${field}))` +
        `.compareTo(quantity(string(self.max.${field}))) <= 0`,
    },
  }))
}
