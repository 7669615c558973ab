/** What a person may set of the chart `weir`; `values.schema.json` is made of it. */
import { z } from 'zod'

const words = z.record(z.string(), z.string())
const anything = z.looseObject({})
const anyList = z.array(anything)
const port = z.int().min(1).max(65_535)

const switchable = z.strictObject({ enabled: z.boolean(), labels: words })

export const chartValuesSchema = z.strictObject({
  // Helm hands it on to every part of a chart of charts.
  global: anything.optional(),
  image: z.strictObject({
    repository: z.string().min(1),
    tag: z.string(),
    digest: z.string().regex(/^(sha256:[0-9a-f]{64})?$/),
    pullPolicy: z.enum(['Always', 'IfNotPresent', 'Never']),
  }),
  imagePullSecrets: z.array(z.strictObject({ name: z.string().min(1) })),
  engineImage: z.string(),
  replicas: z.int().min(0).max(5),
  watchNamespaces: z.array(z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/)).max(50),
  masterKey: z.strictObject({ existingSecret: z.string() }),
  logLevel: z.enum(['debug', 'info', 'warn', 'error', 'silent']),
  serviceAccount: z.strictObject({ annotations: words }),
  userRoles: z.boolean(),
  podAnnotations: words,
  podLabels: words,
  nodeSelector: words,
  tolerations: anyList,
  affinity: anything,
  topologySpreadConstraints: anyList,
  priorityClassName: z.string(),
  resources: z.strictObject({ requests: anything.optional(), limits: anything.optional() }),
  podDisruptionBudget: z.strictObject({ enabled: z.boolean() }),
  networkPolicy: z.strictObject({
    enabled: z.boolean(),
    metricsFrom: anyList,
    apiServerPorts: z.array(port).min(1),
  }),
  metrics: z.strictObject({
    podMonitor: switchable.extend({ interval: z.string().regex(/^\d+(ms|s|m)$/) }),
    alerts: switchable,
    dashboards: switchable,
  }),
  test: z.strictObject({
    storage: z.string().regex(/^(s3:\/\/.+)?$/),
    podTemplate: anything,
  }),
})

export const crdValuesSchema = z.strictObject({
  global: anything.optional(),
  keep: z.boolean(),
})
