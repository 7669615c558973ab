import { expect, test } from '@jest/globals'
import type { WriteRefusal } from '../../../src/controller/kube/write-refusal.ts'
import { decided } from '../../../src/controller/streamjob/job-decision.ts'
import { refusedAct } from '../../../src/controller/streamjob/refused-act.ts'
import { NOW_MS, observed, right } from './job-cases.ts'

const since = (ageMs: number) => new Date(NOW_MS - ageMs).toISOString()
const refused: WriteRefusal = {
  reason: 'QuotaExceeded',
  said: 'no room',
  message: 'no room',
  mayPass: true,
}
const ready = { type: 'Ready', holds: true, reason: 'Running', message: 'it runs' } as const

const conditions = (ageMs: number) => [
  {
    type: 'Ready',
    status: 'True' as const,
    reason: 'Running',
    message: 'it runs',
    lastTransitionTime: since(0),
  },
  {
    type: 'Scheduled',
    status: 'False' as const,
    reason: 'QuotaExceeded',
    message: 'no room',
    lastTransitionTime: since(ageMs),
  },
]

const typesOf = ({ findings }: ReturnType<typeof refusedAct>) =>
  Object.fromEntries(findings.map(one => [one.type, one.reason]))

test('what waits for room waits longer each time, and says what for', () => {
  const seen = observed({
    deployed: right,
    status: { phase: 'Deploying', conditions: conditions(30_000) },
  })
  const done = refusedAct(seen, decided(seen, { findings: [{ ...ready, holds: false }] }), refused)
  expect(done.againMs).toBe(15_000)
  expect(typesOf(done)).toEqual({
    Scheduled: 'QuotaExceeded',
    Reconciling: 'QuotaExceeded',
    Ready: 'QuotaExceeded',
  })
})

test('what a person has to mend stalls; a job that is ready stays so', () => {
  const seen = observed({ deployed: right })
  const decision = decided(seen, { findings: [ready], againMs: 10 })
  const done = refusedAct(seen, decision, { ...refused, reason: 'AdmissionDenied', mayPass: false })
  expect(done.againMs).toBe(10)
  expect(typesOf(done)).toEqual({
    Scheduled: 'AdmissionDenied',
    Stalled: 'AdmissionDenied',
    Ready: 'Running',
  })
})

test('a move whose revision cannot be made is not stored', () => {
  const status = { phase: 'Running' as const, epoch: 3, conditions: conditions(0) }
  const seen = observed({ deployed: right, status })
  const move = decided(seen, { phase: 'Upgrading', epoch: 4, isMove: true, store: { orders: 9 } })
  const done = refusedAct(seen, move, refused)
  expect(done).toMatchObject({ phase: 'Running', epoch: 3, store: {} })
  expect(typesOf(done)).toMatchObject({ Ready: 'Running', Scheduled: 'QuotaExceeded' })
})
