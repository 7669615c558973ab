/** What the status says of a job, by its pods and its jobmanager. */
import { describe, expect, test } from '@jest/globals'
import type { HeardJob } from '../../../src/controller/link/facts-poller.ts'
import { decideJob } from '../../../src/controller/streamjob/job-policies.ts'
import { jobTarget } from '../../../src/controller/streamjob/job-target.ts'
import { nextStatus } from '../../../src/controller/streamjob/next-status.ts'
import { podFacts } from '../../../src/controller/streamjob/pod-facts.ts'
import { type JobFacts, jobFactsSchema } from '../../../src/protocol/job-facts.ts'
import { begins, type Case, hearing, observed, podOf, right, runs, well } from './job-cases.ts'

describe('the status', () => {
  test('says why a pod waits, and keeps the time of what did not change', () => {
    const given: Case = {
      deployed: right,
      pods: ['jm-1-1 running', 'tm-1-0-1 unscheduled'],
      heard: undefined,
      status: {
        ...begins,
        conditions: [
          {
            type: 'Ready',
            status: 'False',
            reason: 'Deploying',
            message: 'x',
            lastTransitionTime: '1970-01-01T00:16:30Z',
          },
          {
            type: 'Stalled',
            status: 'True',
            reason: 'Old',
            message: 'x',
            lastTransitionTime: '1970-01-01T00:16:30Z',
          },
        ],
      },
    }
    const job = observed(given)
    const status = nextStatus(job, decideJob(job))
    expect(status).toMatchObject({ epoch: 1, slots: { desired: 1, ready: 0 } })
    expect(status.conditions).toEqual([
      expect.objectContaining({
        type: 'Ready',
        lastTransitionTime: '1970-01-01T00:16:30Z',
        reason: 'PodsMissing',
      }),
      expect.objectContaining({ type: 'Reconciling', lastTransitionTime: '1970-01-01T00:16:40Z' }),
      expect.objectContaining({ type: 'Running', status: 'False' }),
      expect.objectContaining({
        type: 'Scheduled',
        status: 'False',
        message: 'pod j-tm-1-0-1: Unschedulable: no room',
      }),
    ])
  })
})

const wholeJob: Case = {
  status: runs,
  deployed: right,
  pods: ['jm-1-1 running', 'tm-1-0-1 running'],
}
const condition = (one: Case, type: string) =>
  decideJob(observed(one)).findings.find(found => found.type === type)

describe('what the jobmanager says', () => {
  const failing = (more: Partial<JobFacts['checkpoints']>): HeardJob =>
    hearing({ checkpoints: { ...well.checkpoints, ...more } })

  const readiness: Record<string, { heard: HeardJob; is: [boolean, string] }> = {
    'all is well': { heard: hearing({}), is: [true, 'Running'] },
    'some vertex does not run yet': {
      heard: hearing({ status: 'starting' }),
      is: [false, 'Starting'],
    },
    'it restarts': { heard: hearing({ status: 'restarting' }), is: [false, 'Restarting'] },
    'no checkpoint completed yet': {
      heard: failing({ ageMs: null }),
      is: [false, 'NoCheckpointYet'],
    },
    'the last is three intervals old': { heard: failing({ ageMs: 30_000 }), is: [true, 'Running'] },
    'it is older': { heard: failing({ ageMs: 30_001 }), is: [false, 'CheckpointOverdue'] },
    'it has just fallen silent': {
      heard: { facts: well, silence: { ms: 14_999, why: 'no answer' } },
      is: [true, 'Running'],
    },
    'it is silent': {
      heard: { facts: well, silence: { ms: 15_000, why: 'no answer' } },
      is: [false, 'JobManagerSilent'],
    },
    'it never spoke': {
      heard: { facts: undefined, silence: { ms: 15_000, why: 'no answer' } },
      is: [false, 'JobManagerSilent'],
    },
  }

  test.each(Object.entries(readiness))('%s', (_what, { heard, is }) => {
    const ready = condition({ ...wholeJob, heard }, 'Ready')
    expect([ready?.holds, ready?.reason]).toEqual(is)
    expect(condition({ ...wholeJob, heard }, 'Reconciling')?.holds).toBe(is[0] ? undefined : true)
  })

  test('what was not heard yet is as it was', () => {
    const at = { lastTransitionTime: '1970-01-01T00:16:30Z', message: 'as it was' }
    const conditions = [
      { type: 'Ready', status: 'True' as const, reason: 'Running', ...at },
      { type: 'CheckpointHealthy', status: 'False' as const, reason: 'Failing', ...at },
      { type: 'Stalled', status: 'True' as const, reason: 'Old', ...at },
    ]
    const status = { ...runs, conditions }
    const { findings } = decideJob(observed({ ...wholeJob, status, heard: undefined }))
    expect(findings).toEqual([
      expect.objectContaining({ type: 'Scheduled' }),
      { type: 'Ready', holds: true, reason: 'Running', message: 'as it was' },
      { type: 'CheckpointHealthy', holds: false, reason: 'Failing', message: 'as it was' },
    ])
  })

  test('as many checkpoints may fail as the manifest tolerates', () => {
    const spec = { ...right, checkpoint: { storage: 's3://b/c', tolerableFailures: 2 } }
    const tolerant = (failuresInRow: number) =>
      condition(
        { ...wholeJob, spec, deployed: spec, heard: failing({ failuresInRow }) },
        'CheckpointHealthy',
      )
    expect(tolerant(2)).toMatchObject({ holds: true })
    expect(tolerant(3)).toMatchObject({ holds: false, reason: 'Failing' })
  })

  test('its last word counts when it has ended', () => {
    const last = { ...well, status: 'finished', latest: { ...well.latest, id: 9 } }
    const one = observed({ ...wholeJob, pods: ['jm-1-1 succeeded 0'] })
    const [pod] = one.pods
    if (pod === undefined) throw new Error('there is a pod')
    const parsed = jobFactsSchema.parse(last)
    const job = { ...one, facts: parsed, pods: [{ ...pod, lastWord: parsed }] }
    expect(nextStatus(job, decideJob(job)).state).toMatchObject({ epoch: 1, checkpointId: 9 })
  })
})

test('the target is the newest jobmanager of the epoch that would answer', () => {
  const asked = (...pods: string[]) => {
    const parts = pods.flatMap(text => podFacts(podOf(text)) ?? [])
    const named = parts.map(one => ({ ...one, ip: `10.0.${one.epoch}.${one.attempt}` }))
    return jobTarget(observed({ status: runs }).object, named)?.podIp
  }
  expect(asked()).toBeUndefined()
  expect(asked('jm-1-1 failed', 'jm-1-2 running', 'tm-1-0-3 running')).toBe('10.0.1.2')
  expect(asked('jm-1-1 running', 'jm-2-1 running')).toBe('10.0.1.1')
  expect(asked('jm-1-1 running', 'jm-1-2 leaving')).toBeUndefined()
  expect(asked('jm-1-1 succeeded 0')).toBeUndefined()
})
