/** What the API server has against the pods of a new revision, before anything is stopped for it. */
import { expect, test } from '@jest/globals'
import { decideJob } from '../../../../src/controller/streamjob/job-policies.ts'
import { type Case, notMade, observed, runs } from './upgrade-cases.ts'

const planned: Case = { upgrade: { phase: 'Planning' }, pods: runs, plan: 'succeeded' }
const awaited = notMade({ reason: 'ServiceAccountMissing', mayPass: true })

test('the pods of a plan that holds are tried before the job is told to stop', () => {
  const { isMove, store, tryPods } = decideJob(observed(planned))
  expect([isMove, store.upgrade?.phase]).toEqual([true, 'Reserving'])
  expect(tryPods?.name).toBe(store.upgrade?.to)
})

test('what only a person can change is a rejection, in the words of the API server', () => {
  const { phase, store } = decideJob(observed({ ...planned, refusedPods: notMade() }))
  expect(phase).toBe('Running')
  expect(store.upgrade).toBeUndefined()
  expect(store.refused).toMatchObject({
    reason: 'PlanRejected',
    message: 'its pods cannot be made: it violates PodSecurity; change what is named',
  })
})

test('what may pass is waited for, and lost pods of the job are replaced meanwhile', () => {
  const one: Case = { ...planned, pods: ['jm-1-1 running'], refusedPods: awaited }
  const { isMove, start, againMs } = decideJob(observed(one))
  expect([isMove, start.length, againMs]).toEqual([false, 1, 300_000])
})

test('that not for ever either', () => {
  const { store } = decideJob(observed({ ...planned, seconds: 301, refusedPods: awaited }))
  expect(store.refused).toMatchObject({ reason: 'PlanTimeout', message: awaited.message })
})

test('a job that rested as this waits until its pods can be made', () => {
  const one: Case = {
    upgrade: { phase: 'Planning', goal: 'resume' },
    isSame: true,
    seconds: 301,
    refusedPods: notMade(),
  }
  const { isMove, againMs = 0 } = decideJob(observed(one))
  expect(isMove).toBe(false)
  expect(againMs).toBeGreaterThan(0)
})
