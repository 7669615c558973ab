/**
 * The StreamTenant resource, v1alpha1: namespaces that share a quota, and what their jobs may use.
 * `stream-tenant-rules.ts` has the rules between the fields.
 */
import { z } from 'zod'
import {
  durationField,
  integerField,
  nameField,
  patternField,
  quantityField,
  textField,
  withDefaults,
} from './manifest-fields.ts'
import { keyedList, stringMap, textSet, urlField } from './manifest-lists.ts'
import { manifestOf } from './manifest-shape.ts'
import { conditionsField, statusText } from './status-fields.ts'

const DAY_MS = 86_400_000
const MEBIBYTE = 2 ** 20

const jobs = () => integerField(0, 1_000_000).optional()
const cpu = () => quantityField(0.01, '10m', '64').optional()
const memory = () => quantityField(128 * MEBIBYTE, '128Mi', '256Gi').optional()

/** `stateBytes` is never shared, so it stands in the quota alone. */
const shared = () => z.strictObject({ jobs: jobs(), slots: jobs(), cpu: cpu(), memory: memory() })

const subject = z.strictObject({
  kind: z.enum(['User', 'Group', 'ServiceAccount']),
  name: textField(253),
  /** Of a ServiceAccount. Empty for the others. */
  namespace: patternField(/^([a-z0-9]([a-z0-9-]*[a-z0-9])?)?$/, 63, {
    expected: 'a namespace',
    example: 'payments',
  }).default(''),
})

const subjects = () => keyedList(subject, 64, ['kind', 'name', 'namespace']).optional()

const port = z.strictObject({
  protocol: z.enum(['TCP', 'UDP', 'SCTP']).default('TCP'),
  port: integerField(1, 65_535),
  endPort: integerField(1, 65_535).optional(),
})

/** An address range, by a form that both checks know; `isCIDR` of the API server is the judge. */
const cidr = patternField(/^[0-9a-fA-F.:]+\/[0-9]{1,3}$/, 64, {
  expected: 'an address range',
  example: '10.0.0.0/8',
})

const peer = z.strictObject({
  cidr: cidr.optional(),
  namespace: nameField(63).optional(),
  ports: z.array(port).max(16).optional(),
})

const amounts = z.strictObject({ cpu: cpu(), memory: memory() })

const imagePrefix = patternField(/^[a-z0-9][a-z0-9.:-]*\/[a-z0-9._/-]+$/, 255, {
  expected: 'an image prefix with a registry and a repository',
  example: 'registry.example/team/',
})

const namespacesField = z.strictObject({
  names: textSet(nameField(63), 64).optional(),
  selector: z.strictObject({ matchLabels: stringMap(16) }).optional(),
})

const policyField = withDefaults({
  images: textSet(imagePrefix, 32).optional(),
  serviceAccounts: textSet(textField(253), 32).optional(),
  priorityClasses: textSet(textField(253), 32).optional(),
  storage: textSet(urlField(), 16).optional(),
  podSecurity: z.enum(['restricted', 'baseline', 'privileged']).default('restricted'),
})

export const streamTenantSpecSchema = z.strictObject({
  namespaces: namespacesField,
  quota: z
    .strictObject({
      ...shared().shape,
      stateBytes: quantityField(MEBIBYTE, '1Mi', '1Ti').optional(),
    })
    .optional(),
  cohort: nameField(63).optional(),
  borrow: shared().optional(),
  lend: shared().optional(),
  weight: integerField(1, 1_000_000).default(1),
  queue: withDefaults({
    strategy: z.enum(['best-effort-fifo', 'strict-fifo']).default('best-effort-fifo'),
    maxQueued: integerField(0, 100_000).default(1_000),
  }),
  admission: z.enum(['open', 'hold', 'drain']).default('open'),
  preemption: withDefaults({
    reclaim: z.enum(['any', 'lower-priority', 'never']).default('any'),
    within: z.enum(['lower-priority', 'never']).default('lower-priority'),
    grace: durationField(1_000, DAY_MS, '5m').default('5m'),
    minRun: durationField(0, DAY_MS, '10m').default('10m'),
  }),
  access: z
    .strictObject({ admins: subjects(), editors: subjects(), viewers: subjects() })
    .optional(),
  policy: policyField,
  network: withDefaults({
    egress: z.array(peer).max(32).optional(),
    ingress: z.array(peer).max(32).optional(),
    allowDns: z.boolean().default(true),
  }),
  limits: z.strictObject({ default: amounts.optional(), max: amounts.optional() }).optional(),
  defaults: z
    .strictObject({
      checkpointStorage: urlField().optional(),
      stateBackend: z.enum(['heap', 'rocksdb']).optional(),
      upgradeMode: z.enum(['savepoint', 'last-state', 'stateless']).optional(),
    })
    .optional(),
})

export type StreamTenantSpec = z.output<typeof streamTenantSpecSchema>

export const streamTenantSchema = manifestOf({
  kind: 'StreamTenant',
  nameChars: 45,
  spec: streamTenantSpecSchema,
})

/** A manifest with every default filled in. */
export type StreamTenant = z.output<typeof streamTenantSchema>

const usage = z.strictObject({
  jobs: integerField(0).optional(),
  slots: integerField(0).optional(),
  cpu: statusText(32).optional(),
  memory: statusText(32).optional(),
  stateBytes: integerField(0).optional(),
})

export const streamTenantStatusSchema = z.strictObject({
  observedGeneration: integerField(0).optional(),
  usage: usage.optional(),
  borrowed: usage.optional(),
  jobs: z
    .strictObject({ admitted: integerField(0), queued: integerField(0), parked: integerField(0) })
    .optional(),
  /** In per mille, over its weight. */
  dominantShare: integerField(0).optional(),
  namespaces: z.array(statusText(63)).max(256).optional(),
  conditions: conditionsField(),
})

export type StreamTenantStatus = z.output<typeof streamTenantStatusSchema>
