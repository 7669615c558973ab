/**
 * The rules between the fields of a StreamJob. A new rule is a new entry here, and a manifest that
 * breaks it in its test: that shows it in a local run and on a real API server.
 */
import { parseDuration } from '../common/duration.ts'
import { celMilliseconds, celOneOf } from './cel-text.ts'
import { has, type ManifestRule } from './manifest-rule.ts'
import type { StreamJobSpec } from './stream-job.ts'

type Rule = ManifestRule<StreamJobSpec>

const milliseconds = (text: string): number => parseDuration(text) ?? Number.NaN

const argumentName = /^[A-Za-z_][A-Za-z0-9_.-]*$/

export const streamJobRules: readonly Rule[] = [
  {
    path: 'spec.job',
    holds: ({ job }) =>
      [job.inline, job.configMap, job.bundle, job.module].filter(has).length === 1,
    problem: 'expected exactly one of inline, configMap, bundle and module',
    fix: 'keep one of them, such as module: jobs/word-count.ts',
    cel: { at: 'spec.job', rule: celOneOf('inline', 'configMap', 'bundle', 'module') },
  },
  {
    path: 'spec.job.args',
    holds: ({ job }) => Object.keys(job.args).every(name => argumentName.test(name)),
    problem: 'has a name that is none for an argument',
    fix: 'write letters, digits, _, . and -, with a letter or _ first',
    cel: { at: 'spec.job.args', rule: `self.all(name, name.matches(r'${argumentName.source}'))` },
  },
  {
    path: 'spec.parallelism',
    holds: spec => spec.parallelism <= spec.maxParallelism,
    problem: 'is above spec.maxParallelism',
    fix: 'lower parallelism, or raise maxParallelism (fixed once the job has state)',
    cel: { at: 'spec', rule: 'self.parallelism <= self.maxParallelism' },
  },
  {
    path: 'spec.restoreNonce',
    holds: spec => !has(spec.restoreNonce) || has(spec.restore),
    problem: 'needs spec.restore',
    fix: 'add restore: { savepoint: NAME }',
    cel: { at: 'spec', rule: '!has(self.restoreNonce) || has(self.restore)' },
  },
  {
    path: 'spec.restore',
    holds: ({ restore }) => restore === undefined || has(restore.savepoint) !== has(restore.path),
    problem: 'expected exactly one of savepoint and path',
    fix: 'keep one of them',
    cel: { at: 'spec.restore', rule: 'has(self.savepoint) != has(self.path)' },
  },
  {
    path: 'spec.savepoints',
    holds: ({ savepoints }) =>
      savepoints === undefined || has(savepoints.interval) !== has(savepoints.schedule),
    problem: 'expected exactly one of interval and schedule',
    fix: 'keep one of them, such as interval: 6h',
    cel: { at: 'spec.savepoints', rule: 'has(self.interval) != has(self.schedule)' },
  },
  ...autoscalerRules(),
  ...checkpointRules(),
  ...upgradeRules(),
  ...backendRules(),
  ...restartRules(),
  ...rulesOfWhatIsNotThereYet(),
]

/**
 * What a later version does: it is refused, for nothing would be done. Each goes with its feature.
 */
function rulesOfWhatIsNotThereYet(): Rule[] {
  return [
    {
      path: 'spec.upgrade.strategy',
      holds: ({ upgrade }) => upgrade.strategy === 'replace',
      problem: 'blue-green is not there yet',
      fix: 'write strategy: replace',
      cel: { at: 'spec.upgrade', rule: "self.strategy == 'replace'" },
    },
    {
      path: 'spec.restore.claim',
      holds: ({ restore }) => restore === undefined || restore.claim === 'no-claim',
      problem: 'only no-claim is there yet',
      fix: 'write claim: no-claim; the files stay what they were',
      cel: { at: 'spec.restore', rule: "self.claim == 'no-claim'" },
    },
    {
      // Else it is found by the first task that starts, after what ran before was stopped.
      path: 'spec.stateBackend.type',
      holds: ({ stateBackend }) => stateBackend.type === 'heap',
      problem: 'rocksdb is not there yet',
      fix: 'write type: heap',
      cel: { at: 'spec.stateBackend', rule: "self.type == 'heap'" },
    },
    {
      path: 'spec.skew',
      holds: ({ skew }) => skew === 'off',
      problem: 'auto is not there yet',
      fix: 'write skew: "off"',
      cel: { at: 'spec', rule: "self.skew == 'off'" },
    },
    {
      path: 'spec.autoscaler.mode',
      holds: ({ autoscaler }) => autoscaler.mode === 'off',
      problem: 'nothing scales by itself yet',
      fix: 'write mode: "off", and change parallelism, or use kubectl scale',
      cel: { at: 'spec.autoscaler', rule: "self.mode == 'off'" },
    },
  ]
}

function autoscalerRules(): Rule[] {
  return [
    {
      path: 'spec.autoscaler.max',
      holds: spec => (spec.autoscaler.max ?? 1) <= spec.maxParallelism,
      problem: 'is above spec.maxParallelism',
      fix: 'lower autoscaler.max, or raise maxParallelism (fixed once the job has state)',
      cel: {
        at: 'spec',
        rule: '!has(self.autoscaler.max) || self.autoscaler.max <= self.maxParallelism',
      },
    },
    {
      path: 'spec.autoscaler.min',
      holds: ({ autoscaler }) => autoscaler.min <= (autoscaler.max ?? autoscaler.min),
      problem: 'is above spec.autoscaler.max',
      fix: 'lower min or raise max',
      cel: { at: 'spec.autoscaler', rule: '!has(self.max) || self.min <= self.max' },
    },
    {
      path: 'spec.autoscaler.windows',
      holds: ({ autoscaler }) =>
        (autoscaler.windows ?? []).every(
          window => (window.freeze === true) !== (has(window.min) || has(window.max)),
        ),
      problem: 'expected each window either to freeze or to set min or max',
      fix: 'write freeze: true, or min and max',
      cel: {
        at: 'spec.autoscaler.windows[]',
        rule: '(has(self.freeze) && self.freeze) != (has(self.min) || has(self.max))',
      },
    },
    {
      path: 'spec.autoscaler.windows',
      holds: ({ autoscaler }) =>
        (autoscaler.windows ?? []).every(
          ({ min, max }) => min === undefined || min <= (max ?? min),
        ),
      problem: 'has a window whose min is above its max',
      fix: 'lower min or raise max',
      cel: {
        at: 'spec.autoscaler.windows[]',
        rule: '!has(self.min) || !has(self.max) || self.min <= self.max',
      },
    },
  ]
}

function checkpointRules(): Rule[] {
  return [
    {
      path: 'spec.checkpoint.alignmentTimeout',
      holds: ({ checkpoint }) =>
        (checkpoint.alignment === 'timeout') === has(checkpoint.alignmentTimeout),
      problem: 'belongs to alignment: timeout, and alignment: timeout needs it',
      fix: 'write alignment: timeout and alignmentTimeout: 10s, or neither',
      cel: {
        at: 'spec.checkpoint',
        rule: "(self.alignment == 'timeout') == has(self.alignmentTimeout)",
      },
    },
    {
      path: 'spec.checkpoint.alignment',
      holds: ({ checkpoint }) =>
        checkpoint.alignment === 'aligned' || checkpoint.mode === 'exactly-once',
      problem: 'unaligned and timeout need mode: exactly-once',
      fix: 'write mode: exactly-once, or alignment: aligned',
      cel: {
        at: 'spec.checkpoint',
        rule: "self.alignment == 'aligned' || self.mode == 'exactly-once'",
      },
    },
    {
      path: 'spec.checkpoint.alignmentTimeout',
      holds: ({ checkpoint }) =>
        checkpoint.alignmentTimeout === undefined ||
        milliseconds(checkpoint.alignmentTimeout) < milliseconds(checkpoint.timeout),
      problem: 'is not below spec.checkpoint.timeout',
      fix: 'lower alignmentTimeout or raise timeout',
      cel: {
        at: 'spec.checkpoint',
        rule:
          '!has(self.alignmentTimeout) || ' +
          `${celMilliseconds('self.alignmentTimeout')} < ${celMilliseconds('self.timeout')}`,
      },
    },
  ]
}

function upgradeRules(): Rule[] {
  const excluded = (field: 'lastStateMaxAge' | 'dropState'): Rule => ({
    path: `spec.upgrade.${field}`,
    holds: ({ upgrade }) => upgrade.mode !== 'stateless' || !has(upgrade[field]),
    problem: 'has no meaning with mode: stateless',
    fix: `remove ${field}, or choose mode: savepoint`,
    cel: { at: 'spec.upgrade', rule: `self.mode != 'stateless' || !has(self.${field})` },
  })
  return [excluded('lastStateMaxAge'), excluded('dropState')]
}

function backendRules(): Rule[] {
  return (['profile', 'incremental', 'options'] as const).map(field => ({
    path: `spec.stateBackend.${field}`,
    holds: ({ stateBackend }) => stateBackend.type === 'rocksdb' || !has(stateBackend[field]),
    problem: 'needs type: rocksdb',
    fix: `remove ${field}`,
    cel: { at: 'spec.stateBackend', rule: `self.type == 'rocksdb' || !has(self.${field})` },
  }))
}

function restartRules(): Rule[] {
  return [
    {
      path: 'spec.restart.initialDelay',
      holds: ({ restart }) => milliseconds(restart.initialDelay) <= milliseconds(restart.maxDelay),
      problem: 'is above spec.restart.maxDelay',
      fix: 'lower initialDelay or raise maxDelay',
      cel: {
        at: 'spec.restart',
        rule: `${celMilliseconds('self.initialDelay')} <= ${celMilliseconds('self.maxDelay')}`,
      },
    },
    {
      path: 'spec.restart.attempts',
      holds: ({ restart }) => restart.strategy !== 'none' || !has(restart.attempts),
      problem: 'has no meaning with strategy: none',
      fix: 'remove attempts, or choose another strategy',
      cel: { at: 'spec.restart', rule: "self.strategy != 'none' || !has(self.attempts)" },
    },
    {
      path: 'spec.restart.attempts',
      holds: ({ restart }) => restart.strategy !== 'failure-rate' || has(restart.attempts),
      problem: 'is needed by strategy: failure-rate',
      fix: 'add attempts: 3',
      cel: { at: 'spec.restart', rule: "self.strategy != 'failure-rate' || has(self.attempts)" },
    },
  ]
}
