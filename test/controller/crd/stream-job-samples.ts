import type { Json, KindSamples } from './rule-samples.ts'

const minimal: Json = { job: { module: 'jobs/a.ts' } }
const digest = `sha256:${'0123456789abcdef'.repeat(4)}`

const of = (more: Json): Json => ({ ...minimal, ...more })
const window = { schedule: '0 3 * * *', duration: '1h' }

const everything: Json = {
  job: { bundle: { url: 's3://b/job.js', digest }, args: { 'a.b_c-d': 'x' } },
  image: 'registry.example/weir-jobs:1.4.0',
  imagePullSecrets: [{ name: 'pull' }],
  parallelism: 4,
  maxParallelism: 256,
  state: 'suspended',
  stop: { drain: true, timeout: '1h' },
  upgrade: { mode: 'last-state', lastStateMaxAge: '1h', dropState: ['dedup'] },
  rollback: { deadline: '10m', stableCheckpoints: 3, maxRestarts: 0 },
  restore: { path: 's3://b/savepoints/7', fromJob: 'other.job', claim: 'no-claim' },
  restoreNonce: 1,
  restartNonce: 2,
  savepointNonce: 3,
  checkpoint: {
    storage: 's3://bucket/prefix',
    interval: '1m30s',
    alignment: 'timeout',
    alignmentTimeout: '10s',
    timeout: '1d',
    minPause: '500ms',
  },
  savepoints: { schedule: '0 3 * * *', timeZone: 'Europe/Berlin', keep: 5, maxAge: '30d' },
  skew: 'off',
  stateBackend: { type: 'heap' },
  resources: {
    taskManager: { cpu: '1.5', memory: '2Gi' },
    jobManager: { cpu: 1, memory: 1_073_741_824 },
    stateVolume: '20Gi',
  },
  podTemplate: { taskManager: { spec: { nodeSelector: { disk: 'ssd' } } } },
  secrets: [{ name: 'kafka' }, { name: 's3' }],
  restart: { strategy: 'failure-rate', attempts: 3, initialDelay: '1s', maxDelay: '1.5h' },
  autoscaler: {
    mode: 'off',
    min: 2,
    max: 64,
    idleAfter: '1h',
    windows: [
      { ...window, freeze: true },
      { schedule: '0 8 * * 1-5', duration: '10h', min: 4, max: 32 },
    ],
  },
  deletionPolicy: 'savepoint',
  priority: -5,
  preemptible: false,
  serviceAccountName: 'jobs',
}

const state = {
  epoch: 2,
  checkpointId: 40,
  kind: 'checkpoint',
  path: 's3://b/40',
  completedAt: '2026-01-01T00:00:00Z',
  sizeBytes: 1,
}

const nonce = (field: string) => ({
  says: `spec.${field} only grows`,
  part: 'spec' as const,
  old: of({ restore: { savepoint: 'a' }, [field]: 4 }),
  passes: of({ restore: { savepoint: 'a' }, [field]: 5 }),
  fails: of({ restore: { savepoint: 'a' } }),
})

export const streamJobSamples: KindSamples = {
  kind: 'StreamJob',
  minimal,
  right: [
    minimal,
    everything,
    { job: { inline: 'export default 1' } },
    { job: { configMap: { name: 'jobs', key: 'a.ts' } } },
    of({ restore: { savepoint: 'before-1-4' }, savepoints: { interval: '6h' } }),
    of({ restart: { strategy: 'none' }, checkpoint: { mode: 'at-least-once' } }),
  ],
  around: {
    'spec.job.module': { job: {} },
    'spec.job.configMap': { job: { configMap: { name: 'jobs', key: 'a.ts' } } },
    'spec.job.bundle': { job: { bundle: { url: 's3://b/job.js', digest } } },
    'spec.savepoints.maxAge': of({ savepoints: { interval: '6h' } }),
    'spec.checkpoint.alignmentTimeout': of({ checkpoint: { alignment: 'timeout' } }),
    'spec.checkpoint.timeout': of({ checkpoint: { timeout: '10m' } }),
    'spec.restart.initialDelay': of({ restart: { maxDelay: '1d' } }),
    'spec.autoscaler.windows': of({ autoscaler: { windows: [{ ...window, freeze: true }] } }),
  },
  broken: [
    {
      path: 'spec.job',
      says: 'exactly one of inline, configMap, bundle and module',
      spec: { job: { module: 'a.ts', inline: 'x' } },
    },
    {
      path: 'spec.job.args',
      says: 'none for an argument',
      spec: { job: { module: 'a.ts', args: { 'a b': 'c' } } },
    },
    {
      path: 'spec.parallelism',
      says: 'is above spec.maxParallelism',
      spec: of({ parallelism: 256 }),
    },
    { path: 'spec.restoreNonce', says: 'needs spec.restore', spec: of({ restoreNonce: 1 }) },
    {
      path: 'spec.restore',
      says: 'exactly one of savepoint and path',
      spec: of({ restore: { savepoint: 'a', path: 'b' } }),
    },
    {
      path: 'spec.savepoints',
      says: 'exactly one of interval and schedule',
      spec: of({ savepoints: { keep: 3 } }),
    },
    {
      path: 'spec.autoscaler.max',
      says: 'is above spec.maxParallelism',
      spec: of({ autoscaler: { max: 256 } }),
    },
    {
      path: 'spec.autoscaler.mode',
      says: 'nothing scales by itself yet',
      spec: of({ autoscaler: { mode: 'advise' } }),
    },
    {
      path: 'spec.autoscaler.min',
      says: 'is above spec.autoscaler.max',
      spec: of({ autoscaler: { min: 4, max: 2 } }),
    },
    {
      path: 'spec.autoscaler.windows',
      says: 'either to freeze or to set min or max',
      spec: of({ autoscaler: { windows: [window] } }),
    },
    {
      path: 'spec.autoscaler.windows',
      says: 'a window whose min is above its max',
      spec: of({ autoscaler: { windows: [{ ...window, min: 4, max: 2 }] } }),
    },
    {
      path: 'spec.checkpoint.alignmentTimeout',
      says: 'belongs to alignment: timeout',
      spec: of({ checkpoint: { alignment: 'timeout' } }),
    },
    {
      path: 'spec.checkpoint.alignment',
      says: 'need mode: exactly-once',
      spec: of({ checkpoint: { alignment: 'unaligned', mode: 'at-least-once' } }),
    },
    {
      path: 'spec.checkpoint.alignmentTimeout',
      says: 'is not below spec.checkpoint.timeout',
      spec: of({ checkpoint: { alignment: 'timeout', alignmentTimeout: '1d', timeout: '23h' } }),
    },
    {
      path: 'spec.upgrade.lastStateMaxAge',
      says: 'has no meaning with mode: stateless',
      spec: of({ upgrade: { mode: 'stateless', lastStateMaxAge: '1h' } }),
    },
    {
      path: 'spec.upgrade.dropState',
      says: 'has no meaning with mode: stateless',
      spec: of({ upgrade: { mode: 'stateless', dropState: ['a'] } }),
    },
    {
      path: 'spec.upgrade.strategy',
      says: 'blue-green is not there yet',
      spec: of({ upgrade: { strategy: 'blue-green' } }),
    },
    {
      path: 'spec.restore.claim',
      says: 'only no-claim is there yet',
      spec: of({ restore: { savepoint: 'a', claim: 'claim' } }),
    },
    {
      path: 'spec.stateBackend.type',
      says: 'rocksdb is not there yet',
      spec: of({ stateBackend: { type: 'rocksdb', options: { writeBufferSize: '128Mi' } } }),
    },
    { path: 'spec.skew', says: 'auto is not there yet', spec: of({ skew: 'auto' }) },
    {
      path: 'spec.stateBackend.profile',
      says: 'needs type: rocksdb',
      spec: of({ stateBackend: { profile: 'balanced' } }),
    },
    {
      path: 'spec.stateBackend.incremental',
      says: 'needs type: rocksdb',
      spec: of({ stateBackend: { incremental: true } }),
    },
    {
      path: 'spec.stateBackend.options',
      says: 'needs type: rocksdb',
      spec: of({ stateBackend: { options: { a: 1 } } }),
    },
    {
      path: 'spec.restart.initialDelay',
      says: 'is above spec.restart.maxDelay',
      spec: of({ restart: { initialDelay: '2m', maxDelay: '1m' } }),
    },
    {
      path: 'spec.restart.attempts',
      says: 'has no meaning with strategy: none',
      spec: of({ restart: { strategy: 'none', attempts: 1 } }),
    },
    {
      path: 'spec.restart.attempts',
      says: 'is needed by strategy: failure-rate',
      spec: of({ restart: { strategy: 'failure-rate' } }),
    },
  ],
  transitions: [
    {
      says: 'spec.maxParallelism cannot be changed',
      part: 'spec',
      old: minimal,
      passes: of({ parallelism: 2 }),
      fails: of({ maxParallelism: 256 }),
    },
    nonce('restoreNonce'),
    nonce('restartNonce'),
    nonce('savepointNonce'),
    {
      says: 'spec.checkpoint.storage cannot be removed',
      part: 'spec',
      old: of({ checkpoint: { storage: 's3://a/b' } }),
      passes: of({ checkpoint: { storage: 's3://a/c' } }),
      fails: minimal,
    },
    {
      says: 'status cannot be removed',
      part: 'status',
      old: { status: { epoch: 1 } },
      passes: { status: { epoch: 1, phase: 'Running' } },
      fails: {},
    },
    {
      says: 'status.epoch only grows',
      part: 'status',
      old: { status: { epoch: 3 } },
      passes: { status: { epoch: 4 } },
      fails: { status: { epoch: 2 } },
    },
    {
      says: 'status.attempt only grows within an epoch',
      part: 'status',
      old: { status: { epoch: 3, attempt: 5 } },
      passes: { status: { epoch: 4, attempt: 1 } },
      fails: { status: { epoch: 3, attempt: 4 } },
    },
    {
      says: 'status.state cannot be removed',
      part: 'status',
      old: { status: { state } },
      passes: { status: { state, epoch: 2 } },
      fails: { status: { epoch: 2 } },
    },
    {
      says: 'status.state only goes forward',
      part: 'status',
      old: { status: { state } },
      passes: { status: { state: { ...state, epoch: 3, checkpointId: 1 } } },
      fails: { status: { state: { ...state, checkpointId: 39 } } },
    },
    {
      says: 'status.phase stays Finished',
      part: 'status',
      old: { status: { phase: 'Finished', observedGeneration: 1 } },
      passes: { status: { phase: 'Upgrading', observedGeneration: 2 } },
      fails: { status: { phase: 'Running', observedGeneration: 1 } },
    },
    {
      says: 'status.upgrade needs status.revision',
      part: 'status',
      old: { status: {} },
      passes: { status: { upgrade: upgradeTo('b'), revision: { target: 'b' } } },
      fails: { status: { upgrade: upgradeTo('b') } },
    },
    {
      says: 'status.slots needs status.selector',
      part: 'status',
      old: { status: {} },
      passes: { status: { slots: { desired: 1, ready: 0 }, selector: 'a=b' } },
      fails: { status: { slots: { desired: 1, ready: 0 } } },
    },
  ],
}

function upgradeTo(to: string): Json {
  const startedAt = '2026-01-01T00:00:00Z'
  const what = { goal: 'upgrade', phase: 'Planning', mode: 'savepoint', cause: 'SpecChanged' }
  return { ...what, from: 'a', to, attempt: 0, startedAt, since: startedAt }
}
