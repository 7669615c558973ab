/**
 * The StreamJob manifest, v1alpha1: one shape for `weir run` and kubectl. This schema gives fields,
 * defaults and bounds; `stream-job-rules.ts` the rules between fields; `parse-stream-job.ts` reads
 * it from YAML. What concerns pods only is checked here too, and ignored by a local run.
 *
 * Durations stay texts (`60s`) and quantities stay as written: the object is the manifest.
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
import {
  cronField,
  keyedList,
  settingsField,
  stringMap,
  textSet,
  timeZoneField,
  urlField,
} from './manifest-lists.ts'
import { manifestOf } from './manifest-shape.ts'

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
const MEBIBYTE = 2 ** 20

/** The largest number of key groups, as in Flink. */
const MAX_PARALLELISM = 32_768

const jobField = z.strictObject({
  /** TypeScript of a whole job module. */
  inline: textField(262_144).optional(),
  configMap: z.strictObject({ name: nameField(253), key: textField(253) }).optional(),
  bundle: z
    .strictObject({
      url: urlField(),
      digest: patternField(/^sha256:[0-9a-f]{64}$/, 71, {
        expected: 'sha256: and 64 hexadecimal digits',
        example: `sha256:${'0'.repeat(8)}…`,
      }),
    })
    .optional(),
  /** A path in the image, or here; see `resolveModule` for the folders that are searched. */
  module: patternField(/^.+$/, 1024, {
    never: /^\/|(^|\/)[.][.](\/|$)/,
    expected: 'a relative path without ..',
    example: 'jobs/word-count.ts',
  }).optional(),
  args: stringMap(64).default({}),
})

const checkpointField = withDefaults({
  storage: urlField().optional(),
  interval: durationField(10, DAY_MS, '10s').default('10s'),
  mode: z.enum(['exactly-once', 'at-least-once']).default('exactly-once'),
  alignment: z.enum(['aligned', 'unaligned', 'timeout']).default('aligned'),
  alignmentTimeout: durationField(0, DAY_MS, '10s').optional(),
  timeout: durationField(100, DAY_MS, '10m').default('10m'),
  minPause: durationField(0, DAY_MS, '0s').default('0s'),
  tolerableFailures: integerField(0, 1_000_000).default(0),
  retained: integerField(1, 1_000).default(3),
})

/** Between slots in different processes; within a process nothing is buffered. */
const networkField = withDefaults({
  bufferTimeout: durationField(0, 10_000, '5ms').default('5ms'),
  buffersPerChannel: integerField(1, 1_000).default(2),
  floatingBuffersPerGate: integerField(0, 10_000).default(8),
  bufferDebloat: withDefaults({
    enabled: z.boolean().default(false),
    target: durationField(1, MINUTE_MS, '1s').default('1s'),
  }),
})

const upgradeField = withDefaults({
  mode: z.enum(['savepoint', 'last-state', 'stateless']).default('savepoint'),
  strategy: z.enum(['replace', 'blue-green']).default('replace'),
  savepointTimeout: durationField(1_000, DAY_MS, '10m').default('10m'),
  lastStateMaxAge: durationField(1_000, 30 * DAY_MS, '1h').optional(),
  fallbackToLastState: z.boolean().default(true),
  surge: z.enum(['auto', 'never']).default('auto'),
  dropState: textSet(textField(253), 64).optional(),
})

const stateBackendField = withDefaults({
  type: z.enum(['heap', 'rocksdb']).default('heap'),
  profile: z.enum(['balanced', 'read-heavy', 'write-heavy', 'large-state']).optional(),
  incremental: z.boolean().optional(),
  options: settingsField(64).optional(),
})

const restartField = withDefaults({
  strategy: z
    .enum(['exponential-delay', 'fixed-delay', 'failure-rate', 'none'])
    .default('exponential-delay'),
  initialDelay: durationField(0, DAY_MS, '1s').default('1s'),
  maxDelay: durationField(0, DAY_MS, '1m').default('1m'),
  attempts: integerField(0, 1_000_000).optional(),
  resetAfter: durationField(1_000, 30 * DAY_MS, '1h').default('1h'),
})

const podResources = (cpu: string | number, memory: string) =>
  withDefaults({
    cpu: quantityField(0.01, '10m', '1').default(cpu),
    memory: quantityField(128 * MEBIBYTE, '128Mi', '1Gi').default(memory),
  })

const autoscalerField = withDefaults({
  mode: z.enum(['off', 'advise', 'on']).default('off'),
  min: integerField(1, MAX_PARALLELISM).default(1),
  max: integerField(1, MAX_PARALLELISM).optional(),
  targetUtilization: integerField(10, 95).default(70),
  catchUp: durationField(MINUTE_MS, DAY_MS, '10m').default('10m'),
  stabilization: durationField(10_000, DAY_MS, '2m').default('2m'),
  scaleDownDelay: durationField(10_000, DAY_MS, '15m').default('15m'),
  idleAfter: durationField(MINUTE_MS, 30 * DAY_MS, '30m').optional(),
  windows: z
    .array(
      z.strictObject({
        schedule: cronField(),
        duration: durationField(MINUTE_MS, DAY_MS, '2h'),
        freeze: z.boolean().optional(),
        min: integerField(1, MAX_PARALLELISM).optional(),
        max: integerField(1, MAX_PARALLELISM).optional(),
      }),
    )
    .max(32)
    .optional(),
})

const restoreField = z.strictObject({
  savepoint: nameField(63).optional(),
  path: textField(1024).optional(),
  fromJob: textField(253).optional(),
  claim: z.enum(['claim', 'no-claim', 'restore-only']).default('no-claim'),
})

const savepointsField = z.strictObject({
  interval: durationField(MINUTE_MS, 30 * DAY_MS, '6h').optional(),
  schedule: cronField().optional(),
  timeZone: timeZoneField().default('Etc/UTC'),
  keep: integerField(1, 1_000).default(10),
  maxAge: durationField(MINUTE_MS, 365 * DAY_MS, '30d').optional(),
})

const nonce = integerField(0).optional()
/** A pod's fields belong to Kubernetes, which checks them when a pod is made. */
const podTemplate = z
  .record(z.string(), z.unknown())
  .meta({ served: { 'x-kubernetes-preserve-unknown-fields': true } })
  .optional()
const namedReference = z.strictObject({ name: nameField(253) })

export const streamJobSpecSchema = z.strictObject({
  job: jobField,
  image: patternField(/^\S+$/, 512, {
    never: /:latest$/,
    expected: 'an image with a tag other than latest, or a digest',
    example: 'registry.example/weir-jobs:1.4.0',
  }).optional(),
  imagePullPolicy: z.enum(['Always', 'IfNotPresent', 'Never']).default('IfNotPresent'),
  imagePullSecrets: keyedList(namedReference, 16, ['name']).optional(),
  parallelism: integerField(1, MAX_PARALLELISM).default(1),
  maxParallelism: integerField(1, MAX_PARALLELISM).default(128),
  state: z.enum(['running', 'suspended']).default('running'),
  stop: withDefaults({
    drain: z.boolean().default(false),
    timeout: durationField(1_000, DAY_MS, '10m').default('10m'),
  }),
  upgrade: upgradeField,
  rollback: withDefaults({
    enabled: z.boolean().default(true),
    deadline: durationField(10_000, DAY_MS, '5m').default('5m'),
    stableCheckpoints: integerField(1, 100).default(2),
    maxRestarts: integerField(0, 1_000).default(3),
  }),
  restore: restoreField.optional(),
  restoreNonce: nonce,
  restartNonce: nonce,
  savepointNonce: nonce,
  checkpoint: checkpointField,
  network: networkField,
  savepoints: savepointsField.optional(),
  skew: z.enum(['off', 'auto']).default('off'),
  stateBackend: stateBackendField,
  resources: withDefaults({
    taskManager: podResources(1, '1Gi'),
    jobManager: podResources('500m', '512Mi'),
    stateVolume: quantityField(256 * MEBIBYTE, '256Mi', '20Gi').optional(),
  }),
  podTemplate: z.strictObject({ taskManager: podTemplate, jobManager: podTemplate }).optional(),
  secrets: keyedList(namedReference, 32, ['name']).optional(),
  restart: restartField,
  autoscaler: autoscalerField,
  deletionPolicy: z.enum(['keep', 'savepoint', 'drain', 'purge']).default('keep'),
  priority: integerField(-1_000_000, 1_000_000).default(0),
  preemptible: z.boolean().default(true),
  serviceAccountName: nameField(253).optional(),
})

export const streamJobSchema = manifestOf({
  kind: 'StreamJob',
  nameChars: 45,
  spec: streamJobSpecSchema,
})

/** A manifest with every default filled in. */
export type StreamJob = z.output<typeof streamJobSchema>

export type StreamJobSpec = z.output<typeof streamJobSpecSchema>
