/** What is done before a StreamJob goes, as a table of what was observed. */
import { expect, test } from '@jest/globals'
import {
  decideDeletion,
  type ObservedDeletion,
  stopRequestId,
} from '../../../src/controller/streamjob/deletion-policies.ts'
import type { PodFacts, PodState } from '../../../src/controller/streamjob/pod-facts.ts'
import type { VerbPod } from '../../../src/controller/streamjob/verb-pod.ts'
import type { JobFacts } from '../../../src/protocol/job-facts.ts'
import { runningFacts, snapshot } from '../fake-link.ts'

const NOW_MS = 10_000_000
const MINUTE_MS = 60_000

const pod = (role: PodFacts['role'], state: PodState, lastWord?: JobFacts): PodFacts => ({
  role,
  state,
  lastWord,
  epoch: 2,
  slot: 0,
  attempt: 1,
  hasEnded: state === 'succeeded' || state === 'failed',
  exitCode: undefined,
  isRefused: false,
  isBound: true,
  isUnmade: false,
  bornMs: 0,
  why: undefined,
  endedMs: 0,
  ip: '10.0.0.1',
  pod: { apiVersion: 'v1', kind: 'Pod', metadata: { name: `${role}-${state}` } },
})
const jobManager = (state: PodState, lastWord?: JobFacts) => pod('jobmanager', state, lastWord)
const verb = (number: number, state: VerbPod['state'], agoMs = 0): VerbPod => ({
  number,
  state,
  endedMs: NOW_MS - agoMs,
  why: 'access denied',
  word: undefined,
  pod: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'purge' } },
})

function decision(more: Partial<ObservedDeletion>) {
  const seen: ObservedDeletion = {
    policy: 'savepoint',
    isForced: false,
    isBegun: true,
    epoch: 2,
    sinceMs: NOW_MS - 1_000,
    stopTimeoutMs: 10 * MINUTE_MS,
    pods: [],
    stop: undefined,
    silence: undefined,
    isRecorded: true,
    purges: [],
    nowMs: NOW_MS,
    ...more,
  }
  const { release, adopt, stop, purge, findings, event, againMs } = decideDeletion(seen)
  return {
    ...(release && { release }),
    ...(adopt !== undefined && { adopt: adopt.id }),
    ...(stop.length > 0 && { stop: stop.map(one => one.pod.metadata.name) }),
    ...(purge !== undefined && { purge }),
    ...(event !== undefined && { event: event.reason }),
    ...(againMs !== undefined && { againMs }),
    ...(findings.length > 0 && { says: findings[0]?.message }),
  }
}

const failedStop = {
  id: 'x',
  status: 'failed',
  snapshot: null,
  error: { code: 'WEIR_STOP_FAILED', message: 'no store', next: '' },
} as const
const ended = (kind: 'checkpoint' | 'savepoint'): JobFacts => ({
  ...runningFacts,
  status: 'stopped',
  latest: snapshot(9, kind),
})
const taskManager = pod('taskmanager', 'running')

const table: Record<string, { given: Partial<ObservedDeletion>; decides: object }> = {
  'keep holds nothing': { given: { policy: 'keep' }, decides: { release: true } },
  'X1: first it stands in the status': {
    given: { isBegun: false, pods: [jobManager('running')] },
    decides: { says: 'the deletion begins', againMs: 0 },
  },
  'a job that runs is stopped with a savepoint': {
    given: { pods: [jobManager('running'), taskManager] },
    decides: { says: 'the job is stopped with a savepoint', againMs: 1_000 },
  },
  'that nobody answers is told': {
    given: { pods: [jobManager('running')], silence: 'no answer in 5000 ms' },
    decides: {
      says: 'the job is stopped with a savepoint: no answer in 5000 ms',
      againMs: 1_000,
    },
  },
  'that it fails is told': {
    given: { pods: [jobManager('running')], stop: failedStop },
    decides: { says: 'the job is stopped with a savepoint: no store', againMs: 1_000 },
  },
  'what it ended with is kept, and the job goes': {
    given: { policy: 'drain', pods: [jobManager('succeeded', ended('savepoint'))] },
    decides: { release: true, adopt: 9, event: 'Stopped' },
  },
  'a bounded job that ended by itself leaves its checkpoint': {
    given: { pods: [jobManager('succeeded', ended('checkpoint'))] },
    decides: { release: true, event: 'Stopped' },
  },
  'a dead jobmanager is asked for nothing': {
    given: { pods: [jobManager('failed'), taskManager] },
    decides: { release: true, event: 'DeletionBlocked' },
  },
  'nor is one that was never there': {
    given: { epoch: undefined },
    decides: { release: true, event: 'DeletionBlocked' },
  },
  'X2: after its deadline the job goes all the same': {
    given: { sinceMs: NOW_MS - 10 * MINUTE_MS, pods: [jobManager('running')], stop: failedStop },
    decides: { release: true, event: 'DeletionBlocked' },
  },
  'X3: purge takes the pods down first': {
    given: { policy: 'purge', pods: [jobManager('running'), pod('taskmanager', 'leaving')] },
    decides: {
      stop: ['jobmanager-running'],
      says: '2 pods leave before the checkpoints are removed',
      againMs: 89_000,
    },
  },
  'then the checkpoints go': {
    given: { policy: 'purge' },
    decides: { purge: 1, says: 'the checkpoints are removed', againMs: 599_001 },
  },
  'X2: pods that do not leave are not waited for without end': {
    given: { policy: 'purge', sinceMs: NOW_MS - 90_000, pods: [pod('taskmanager', 'leaving')] },
    decides: { purge: 1, says: 'the checkpoints are removed', againMs: 510_001 },
  },
  'by one pod at a time': {
    given: { policy: 'purge', purges: [verb(1, 'running')] },
    decides: { says: 'the checkpoints are removed: access denied', againMs: 599_001 },
  },
  'one that failed is followed by another, after a while': {
    given: { policy: 'purge', purges: [verb(2, 'failed', 5_000)] },
    decides: { says: 'the checkpoints are removed: access denied', againMs: 15_000 },
  },
  'and then at once': {
    given: { policy: 'purge', purges: [verb(2, 'failed', 20_000)] },
    decides: { purge: 3, says: 'the checkpoints are removed: access denied', againMs: 599_001 },
  },
  'when they are gone the job goes': {
    given: { policy: 'purge', purges: [verb(1, 'succeeded')] },
    decides: { release: true, event: 'Purged' },
  },
  'X2: what cannot be removed is left, and told': {
    given: { policy: 'purge', sinceMs: NOW_MS - 600_001, purges: [verb(9, 'failed')] },
    decides: { release: true, event: 'StateOrphaned' },
  },
  'as what nobody has the rights for': {
    given: { policy: 'purge', isRecorded: false },
    decides: { release: true, event: 'StateOrphaned' },
  },
  'force-delete skips all of it': {
    given: { isForced: true, pods: [jobManager('running')] },
    decides: { release: true, event: 'StateOrphaned' },
  },
}

test.each(Object.entries(table))('%s', (_what, { given, decides }) => {
  expect(decision(given)).toEqual(decides)
})

test('an order to stop is the same one within its minute, and another one after that', () => {
  const job = { uid: 'u', epoch: 2 }
  const id = (afterMs: number) => stopRequestId(job, { sinceMs: 0, nowMs: afterMs })
  expect([id(-5), id(0), id(59_999), id(60_000)]).toEqual([
    'u-2-delete-0',
    'u-2-delete-0',
    'u-2-delete-0',
    'u-2-delete-1',
  ])
})
