import type { BrokenSpec, Json, KindSamples } from './rule-samples.ts'

const minimal: Json = { namespaces: { names: ['payments'] } }
const of = (more: Json): Json => ({ ...minimal, ...more })

const everything: Json = {
  namespaces: { selector: { matchLabels: { team: 'payments' } } },
  quota: { jobs: 10, slots: 40, cpu: 64, memory: '256Gi', stateBytes: '1Ti' },
  cohort: 'backend',
  borrow: { slots: 10, jobs: 2, cpu: '16', memory: '64Gi' },
  lend: { slots: 40, jobs: 10, cpu: '64', memory: '128Gi' },
  weight: 3,
  queue: { strategy: 'strict-fifo', maxQueued: 10 },
  admission: 'hold',
  preemption: { reclaim: 'never', within: 'never', grace: '1m', minRun: '0s' },
  access: {
    admins: [{ kind: 'Group', name: 'payments-admins' }],
    editors: [{ kind: 'ServiceAccount', name: 'ci', namespace: 'payments' }],
    viewers: [{ kind: 'User', name: 'a@example.com' }],
  },
  policy: {
    images: ['registry.example/payments/'],
    serviceAccounts: ['jobs'],
    priorityClasses: ['low'],
    storage: ['s3://payments/'],
    podSecurity: 'baseline',
  },
  network: {
    egress: [
      { cidr: '10.0.0.0/8', ports: [{ port: 9000, endPort: 9100 }] },
      { namespace: 'kafka' },
    ],
    ingress: [{ cidr: 'fd00::/8' }],
    allowDns: false,
  },
  limits: { default: { cpu: 1, memory: '1Gi' }, max: { cpu: '8', memory: '16Gi' } },
  defaults: {
    checkpointStorage: 's3://payments/checkpoints',
    stateBackend: 'rocksdb',
    upgradeMode: 'last-state',
  },
}

const subjects = (['admins', 'editors', 'viewers'] as const).map(
  (role): BrokenSpec => ({
    path: `spec.access.${role}`,
    says: 'a namespace with each ServiceAccount',
    spec: of({ access: { [role]: [{ kind: 'ServiceAccount', name: 'ci' }] } }),
  }),
)

const peers = (['egress', 'ingress'] as const).flatMap((direction): BrokenSpec[] => [
  {
    path: `spec.network.${direction}`,
    says: 'exactly one of cidr and namespace',
    spec: of({ network: { [direction]: [{ cidr: '10.0.0.0/8', namespace: 'kafka' }] } }),
  },
  {
    path: `spec.network.${direction}`,
    says: 'a cidr that is no address range',
    spec: of({ network: { [direction]: [{ cidr: '10.0.0.0/33' }] } }),
  },
  {
    path: `spec.network.${direction}`,
    says: 'an endPort below its port',
    spec: of({
      network: { [direction]: [{ namespace: 'kafka', ports: [{ port: 9, endPort: 8 }] }] },
    }),
  },
])

export const streamTenantSamples: KindSamples = {
  kind: 'StreamTenant',
  minimal,
  right: [minimal, everything],
  around: {
    'spec.borrow': of({ cohort: 'a', quota: {}, borrow: {} }),
    'spec.lend': of({ cohort: 'a', lend: {} }),
    'spec.network.egress[].cidr': of({ network: { egress: [{}] } }),
    'spec.network.ingress[].cidr': of({ network: { ingress: [{}] } }),
    'spec.network.egress[].namespace': of({ network: { egress: [{}] } }),
    'spec.network.ingress[].namespace': of({ network: { ingress: [{}] } }),
    'spec.access.admins': of({ access: { admins: [{ kind: 'ServiceAccount', name: 'ci' }] } }),
    'spec.access.editors': of({ access: { editors: [{ kind: 'ServiceAccount', name: 'ci' }] } }),
    'spec.access.viewers': of({ access: { viewers: [{ kind: 'ServiceAccount', name: 'ci' }] } }),
  },
  broken: [
    {
      path: 'spec.namespaces',
      says: 'exactly one of names and selector',
      spec: { namespaces: {} },
    },
    {
      path: 'spec.namespaces.selector',
      says: 'would take every namespace',
      spec: { namespaces: { selector: { matchLabels: {} } } },
    },
    { path: 'spec.namespaces.names', says: 'is empty', spec: { namespaces: { names: [] } } },
    {
      path: 'spec.namespaces.names',
      says: 'a namespace of the cluster itself',
      spec: { namespaces: { names: ['kube-system'] } },
    },
    {
      path: 'spec.borrow',
      says: 'needs spec.cohort',
      spec: of({ quota: { slots: 1 }, borrow: { slots: 1 } }),
    },
    { path: 'spec.lend', says: 'needs spec.cohort', spec: of({ lend: { slots: 1 } }) },
    {
      path: 'spec.borrow',
      says: 'needs spec.quota',
      spec: of({ cohort: 'a', borrow: { slots: 1 } }),
    },
    {
      path: 'spec.lend.jobs',
      says: 'is above spec.quota.jobs',
      spec: of({ cohort: 'a', quota: { jobs: 1 }, lend: { jobs: 2 } }),
    },
    {
      path: 'spec.lend.slots',
      says: 'is above spec.quota.slots',
      spec: of({ cohort: 'a', quota: { slots: 1 }, lend: { slots: 2 } }),
    },
    ...subjects,
    ...peers,
    {
      path: 'spec.limits.default.cpu',
      says: 'is above spec.limits.max.cpu',
      spec: of({ limits: { default: { cpu: 2 }, max: { cpu: '1500m' } } }),
    },
    {
      path: 'spec.limits.default.memory',
      says: 'is above spec.limits.max.memory',
      spec: of({ limits: { default: { memory: '2Gi' }, max: { memory: '1Gi' } } }),
    },
    {
      path: 'spec.defaults.checkpointStorage',
      says: 'is outside of spec.policy.storage',
      spec: of({
        policy: { storage: ['s3://payments/'] },
        defaults: { checkpointStorage: 's3://others/' },
      }),
    },
  ],
  transitions: [
    {
      says: 'status.observedGeneration only grows',
      part: 'status',
      old: { status: { observedGeneration: 3 } },
      passes: { status: { observedGeneration: 4 } },
      fails: { status: { observedGeneration: 2 } },
    },
  ],
}
