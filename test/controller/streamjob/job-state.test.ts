/** The state pointer and the figures of checkpoints, as a table of what was and what is heard. */
import { expect, test } from '@jest/globals'
import { jobEvents } from '../../../src/controller/streamjob/job-events.ts'
import { type JobState, jobState } from '../../../src/controller/streamjob/job-state.ts'
import type { JobFacts } from '../../../src/protocol/job-facts.ts'
import type { StreamJobStatus } from '../../../src/protocol/stream-job-status.ts'
import { runningFacts, snapshot } from '../fake-link.ts'

const before = (epoch: number, id: number, failuresInRow = 0): StreamJobStatus => {
  const quiet = { ...runningFacts, latest: snapshot(id) }
  const checkpoints = { ...quiet.checkpoints, failuresInRow }
  return jobState({ ...quiet, checkpoints }, { before: {}, epoch, isAwaited: false })
}

interface Case {
  readonly before: StreamJobStatus
  readonly heard: Partial<JobFacts>
  readonly epoch?: number
  readonly isAwaited?: boolean
  readonly id: number | undefined
}

const failed = (failuresInRow: number) => ({
  checkpoints: { ...runningFacts.checkpoints, failuresInRow },
})

const cases: Record<string, Case> = {
  'the first checkpoint is written': { before: {}, heard: { latest: snapshot(1) }, id: 1 },
  'none yet': { before: {}, heard: { latest: null }, id: undefined },
  'S1: none under this jobmanager changes nothing': {
    before: before(1, 5),
    heard: { latest: null },
    id: 5,
  },
  'S1: an older one of the same epoch changes nothing': {
    before: before(1, 30),
    heard: { latest: snapshot(5) },
    id: 30,
  },
  'S1: nor does one of an older epoch, however high its id': {
    before: before(3, 30),
    heard: { latest: snapshot(99) },
    epoch: 2,
    id: 30,
  },
  'what a newer epoch restored is where it goes on from': {
    before: before(1, 30),
    heard: { latest: snapshot(5) },
    epoch: 2,
    id: 5,
  },
  'S2: a little newer is not written': {
    before: before(1, 5),
    heard: { latest: snapshot(14) },
    id: 5,
  },
  'S2: ten seconds newer is': { before: before(1, 5), heard: { latest: snapshot(15) }, id: 15 },
  'S2: what is awaited is': {
    before: before(1, 5),
    heard: { latest: snapshot(6) },
    isAwaited: true,
    id: 6,
  },
  'S2: with a failure it is': {
    before: before(1, 5),
    heard: { latest: snapshot(6), ...failed(1) },
    id: 6,
  },
}

test.each(Object.entries(cases))('%s', (_sentence, one) => {
  const { epoch = 1, isAwaited = false } = one
  const facts = { ...runningFacts, ...one.heard }
  const after: JobState = jobState(facts, { before: one.before, epoch, isAwaited })
  expect(after.state?.checkpointId).toBe(one.id)
  expect(after.checkpoint?.id).toBe(one.id)
  // Heard again it changes nothing more.
  expect(jobState(facts, { before: after, epoch, isAwaited })).toEqual(after)
})

test('restarts are told with their reason, cut to what a status holds', () => {
  const lastFailure = { message: 'x'.repeat(600), atMs: 1 }
  const facts = { ...runningFacts, restarts: 3, lastFailure }
  const { restarts } = jobState(facts, { before: {}, epoch: 1, isAwaited: false })
  expect(restarts).toEqual({ count: 3, lastReason: lastFailure.message })
})

test('an event tells a change of the health of checkpoints, once', () => {
  const healthy = (status?: 'True' | 'False'): StreamJobStatus => ({
    phase: 'Running',
    conditions:
      status === undefined
        ? []
        : [
            {
              type: 'CheckpointHealthy',
              status,
              reason: 'x',
              message: 'in words',
              lastTransitionTime: 'then',
            },
          ],
  })
  const reasons = (one: StreamJobStatus, other: StreamJobStatus) =>
    jobEvents(one, other).map(({ reason }) => reason)
  expect(reasons(healthy(), healthy('False'))).toEqual(['CheckpointFailing'])
  expect(reasons(healthy('False'), healthy('False'))).toEqual([])
  expect(reasons(healthy('False'), healthy('True'))).toEqual(['CheckpointRecovered'])
  expect(reasons(healthy(), healthy('True'))).toEqual([])
  expect(reasons({}, healthy())).toEqual(['Running'])
})
