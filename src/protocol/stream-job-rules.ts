/**
 * The rules between the fields of a StreamJob. A new rule is a new line here and two rows in its
 * test: one manifest that passes and one that does not.
 */
import { parseDuration } from '../common/duration.ts'
import type { StreamJobSpec } from './stream-job.ts'

export interface StreamJobRule {
  /** Where the refusal is shown, as in `spec.checkpoint.alignmentTimeout`. */
  readonly path: string
  readonly holds: (spec: StreamJobSpec) => boolean
  readonly problem: string
  readonly fix: string
}

const has = (value: unknown): boolean => value !== undefined

const milliseconds = (text: string): number => parseDuration(text) ?? Number.NaN

export const streamJobRules: readonly StreamJobRule[] = [
  {
    path: 'spec.job',
    holds: ({ job }) =>
      [job.inline, job.configMap, job.bundle, job.module].filter(has).length === 1,
    problem: 'expected exactly one of inline, configMap, bundle and module',
    fix: 'keep one of them, such as module: jobs/word-count.ts',
  },
  {
    path: 'spec.parallelism',
    holds: spec => spec.parallelism <= spec.maxParallelism,
    problem: 'is above spec.maxParallelism',
    fix: 'lower parallelism, or raise maxParallelism (fixed once the job has state)',
  },
  {
    path: 'spec.autoscaler.max',
    holds: spec => (spec.autoscaler.max ?? 1) <= spec.maxParallelism,
    problem: 'is above spec.maxParallelism',
    fix: 'lower autoscaler.max, or raise maxParallelism (fixed once the job has state)',
  },
  {
    path: 'spec.autoscaler.mode',
    holds: ({ autoscaler }) => autoscaler.mode === 'off' || has(autoscaler.max),
    problem: 'needs spec.autoscaler.max',
    fix: 'add max: 8',
  },
  {
    path: 'spec.autoscaler.min',
    holds: ({ autoscaler }) => autoscaler.min <= (autoscaler.max ?? autoscaler.min),
    problem: 'is above spec.autoscaler.max',
    fix: 'lower min or raise max',
  },
  {
    path: 'spec.autoscaler.windows',
    holds: ({ autoscaler }) =>
      (autoscaler.windows ?? []).every(
        window => (window.freeze === true) !== (has(window.min) || has(window.max)),
      ),
    problem: 'expected each window either to freeze or to set min or max',
    fix: 'write freeze: true, or min and max',
  },
  {
    path: 'spec.autoscaler.windows',
    holds: ({ autoscaler }) =>
      (autoscaler.windows ?? []).every(({ min, max }) => min === undefined || min <= (max ?? min)),
    problem: 'has a window whose min is above its max',
    fix: 'lower min or raise max',
  },
  {
    path: 'spec.restoreNonce',
    holds: spec => !has(spec.restoreNonce) || has(spec.restore),
    problem: 'needs spec.restore',
    fix: 'add restore: { savepoint: NAME }',
  },
  {
    path: 'spec.restore',
    holds: ({ restore }) => restore === undefined || has(restore.savepoint) !== has(restore.path),
    problem: 'expected exactly one of savepoint and path',
    fix: 'keep one of them',
  },
  {
    path: 'spec.savepoints',
    holds: ({ savepoints }) =>
      savepoints === undefined || has(savepoints.interval) !== has(savepoints.schedule),
    problem: 'expected exactly one of interval and schedule',
    fix: 'keep one of them, such as interval: 6h',
  },
  ...checkpointRules(),
  ...upgradeRules(),
  ...backendRules(),
  ...restartRules(),
]

function checkpointRules(): StreamJobRule[] {
  return [
    {
      path: 'spec.checkpoint.alignmentTimeout',
      holds: ({ checkpoint }) =>
        (checkpoint.alignment === 'timeout') === has(checkpoint.alignmentTimeout),
      problem: 'belongs to alignment: timeout, and alignment: timeout needs it',
      fix: 'write alignment: timeout and alignmentTimeout: 10s, or neither',
    },
    {
      path: 'spec.checkpoint.alignment',
      holds: ({ checkpoint }) =>
        checkpoint.alignment === 'aligned' || checkpoint.mode === 'exactly-once',
      problem: 'unaligned and timeout need mode: exactly-once',
      fix: 'write mode: exactly-once, or alignment: aligned',
    },
    {
      path: 'spec.checkpoint.alignmentTimeout',
      holds: ({ checkpoint }) =>
        checkpoint.alignmentTimeout === undefined ||
        milliseconds(checkpoint.alignmentTimeout) < milliseconds(checkpoint.timeout),
      problem: 'is not below spec.checkpoint.timeout',
      fix: 'lower alignmentTimeout or raise timeout',
    },
  ]
}

function upgradeRules(): StreamJobRule[] {
  const excluded = (field: 'lastStateMaxAge' | 'dropState'): StreamJobRule => ({
    path: `spec.upgrade.${field}`,
    holds: ({ upgrade }) => upgrade.mode !== 'stateless' || !has(upgrade[field]),
    problem: 'has no meaning with mode: stateless',
    fix: `remove ${field}, or choose mode: savepoint`,
  })
  return [
    excluded('lastStateMaxAge'),
    excluded('dropState'),
    {
      path: 'spec.upgrade.strategy',
      holds: ({ upgrade }) => upgrade.mode !== 'stateless' || upgrade.strategy !== 'blue-green',
      problem: 'blue-green needs state to hand over, which mode: stateless drops',
      fix: 'write strategy: replace, or mode: savepoint',
    },
  ]
}

function backendRules(): StreamJobRule[] {
  return (['profile', 'incremental', 'options'] as const).map(field => ({
    path: `spec.stateBackend.${field}`,
    holds: ({ stateBackend }) => stateBackend.type === 'rocksdb' || !has(stateBackend[field]),
    problem: 'needs type: rocksdb',
    fix: `write type: rocksdb, or remove ${field}`,
  }))
}

function restartRules(): StreamJobRule[] {
  return [
    {
      path: 'spec.restart.initialDelay',
      holds: ({ restart }) => milliseconds(restart.initialDelay) <= milliseconds(restart.maxDelay),
      problem: 'is above spec.restart.maxDelay',
      fix: 'lower initialDelay or raise maxDelay',
    },
    {
      path: 'spec.restart.attempts',
      holds: ({ restart }) => restart.strategy !== 'none' || !has(restart.attempts),
      problem: 'has no meaning with strategy: none',
      fix: 'remove attempts, or choose another strategy',
    },
    {
      path: 'spec.restart.attempts',
      holds: ({ restart }) => restart.strategy !== 'failure-rate' || has(restart.attempts),
      problem: 'is needed by strategy: failure-rate',
      fix: 'add attempts: 3',
    },
  ]
}
