/** The pods of the next epoch start while the job runs, and are given up where that does not help. */
import { expect, test } from '@jest/globals'
import type { JobDecision } from '../../../../src/controller/streamjob/job-decision.ts'
import { decideJob } from '../../../../src/controller/streamjob/job-policies.ts'
import { nextStatus } from '../../../../src/controller/streamjob/next-status.ts'
import type { ObservedJob, Upgrade } from '../../../../src/controller/streamjob/observed-job.ts'
import { type Case, observed, order, runs, savepoint, stop } from './upgrade-cases.ts'

const warm = ['jm-2-1 running', 'tm-2-0-1 running']
const reserving = { phase: 'Reserving', warm: 2 } as const

const decide = (one: Omit<Case, 'upgrade'> & { readonly upgrade?: Partial<Upgrade> }) =>
  decideJob(observed({ pods: runs, ...one, upgrade: { ...reserving, ...one.upgrade } }))

const names = ({ stop: leaving }: JobDecision) => leaving.map(one => one.pod.metadata.uid)

const planned = (more: Partial<Case> = {}): ObservedJob => {
  return observed({ upgrade: { phase: 'Planning' }, pods: runs, plan: 'succeeded', ...more })
}

test('J1: the number of the epoch is stored before any pod has it, and is not that of the job', () => {
  const seen = planned()
  const made = decideJob(seen)
  expect(made).toMatchObject({ isMove: true, epoch: 1, warm: undefined })
  expect(made.store).toMatchObject({ epochs: 2, upgrade: { phase: 'Reserving', warm: 2 } })
})

test('J1: a number that was given away is not given again', () => {
  const seen = planned()
  const again = { ...seen, status: { ...seen.status, epochs: 4 } }
  expect(decideJob(again).store).toMatchObject({ epochs: 5, upgrade: { warm: 5 } })
})

test('both deployments count against the quota of the tenant', () => {
  const seen = planned()
  const reserved = { slots: 3, cpu: '3', memory: '3Gi' }
  const held = { ...seen.object, status: { ...seen.status, reserved } }
  const status = nextStatus({ ...seen, object: held }, decideJob(seen))
  expect(status.reserved).toEqual({ slots: 4, cpu: '4500m', memory: '4608Mi' })
})

const room = { kind: 'waits', tenant: 't', position: 1, reason: 'QuotaPending', shortfall: 'x' }
const without: Readonly<Record<string, Partial<Case>>> = {
  'no room in the quota': { surge: room as NonNullable<Case['surge']> },
  'nothing that the next could go on from': { isFirst: true },
  'a job that is not at work': { pods: ['jm-1-2 pending', 'tm-1-0-1 running'] },
  'who wants none': { spec: { upgrade: { surge: 'never' } } },
}

test.each(Object.entries(without))('%s: the next deployment starts afterwards', (_why, more) => {
  const { upgrade } = decideJob(planned(more)).store
  expect(upgrade).toMatchObject({ phase: 'Savepointing' })
  expect(upgrade?.warm).toBeUndefined()
})

test('its pods begin with what is known before, and only when they are told to', () => {
  const { warm: made, begin, start, deploy } = decide({})
  expect({ begin, start, deploy }).toEqual({ begin: false, start: [], deploy: true })
  expect(made?.from).toEqual({ from: 'latest' })
  expect(made?.start.map(({ epoch, role }) => [epoch, role])).toEqual([
    [2, 'jobmanager'],
    [2, 'taskmanager'],
  ])
})

test('the job is stopped when all slots have loaded the code, not when their pods run', () => {
  const pods = [...runs, ...warm]
  expect(decide({ pods }).isMove).toBe(false)
  expect(decide({ pods, warm: 'starting' }).isMove).toBe(false)
  expect(decide({ pods, warm: 'warm' }).store.upgrade?.phase).toBe('Savepointing')
  expect(decide({ pods: [...runs, 'jm-2-1 running'], warm: 'warm' }).isMove).toBe(false)
})

test.each(['Reserving', 'Savepointing', 'Stopping'] as const)('%s: warm pods stay', phase => {
  const mode = phase === 'Stopping' ? 'last-state' : 'savepoint'
  const made = decide({ pods: [...runs, ...warm], upgrade: { phase, mode, ...order } })
  expect(made.isMove).toBe(false)
  expect(names(made)).toEqual(phase === 'Stopping' ? ['jm-1-1', 'tm-1-0-1'] : [])
})

test('a pod that nobody has room for is waited for a moment, then the job makes room', () => {
  const pods = [...runs, 'jm-2-1 running', 'tm-2-0-1 unscheduled']
  expect(decide({ pods, seconds: 9 }).isMove).toBe(false)
  const { store, events } = decide({ pods, seconds: 10 })
  expect(store.upgrade).toMatchObject({ phase: 'Savepointing', warm: undefined })
  expect(events).toEqual([expect.objectContaining({ type: 'Warning', reason: 'SurgeSkipped' })])
  expect(events[0]?.note).toMatch(/: pod j-tm-2-0-1: Unschedulable: no room$/)
})

test('pods that the API server refuses are tried for a moment', () => {
  const refused = {
    type: 'Scheduled',
    status: 'False',
    reason: 'QuotaExceeded',
    message: 'exceeded quota: pods=4',
    lastTransitionTime: '2023-11-14T22:13:10Z',
  } as const
  const at = (seconds: number): JobDecision => {
    const seen = observed({ upgrade: reserving, pods: runs, seconds })
    return decideJob({ ...seen, status: { ...seen.status, conditions: [refused] } })
  }
  expect(at(9).isMove).toBe(false)
  expect(at(10).events[0]?.note).toContain('QuotaExceeded: exceeded quota: pods=4')
})

test('what does not come up until the deadline is given up', () => {
  const { store } = decide({ pods: [...runs, ...warm], warm: 'starting', seconds: 301 })
  expect(store.upgrade).toMatchObject({ phase: 'Savepointing', warm: undefined })
})

test('what falls over is refused, and was never in the way', () => {
  const pods = [...runs, 'jm-2-5 failed 1']
  const { phase, store, events } = decide({ pods })
  expect(phase).toBe('Running')
  expect(store.upgrade).toBeUndefined()
  expect(store.refused).toMatchObject({ reason: 'RolledBack' })
  expect(events[0]?.note).toMatch(/never ran, .* was not stopped: CrashLoop/)
  const rollback = { enabled: false }
  expect(decide({ pods, spec: { rollback } }).store.upgrade?.phase).toBe('Savepointing')
})

test('an image of a version that knows no warm start is no failure', () => {
  const seen = observed({ upgrade: reserving, pods: [...runs, 'jm-2-1 failed 2'] })
  const pods = seen.pods.map(one => {
    return one.epoch === 2 ? { ...one, why: "Error: unknown option '--warm'" } : one
  })
  expect(decideJob({ ...seen, pods }).store.upgrade?.phase).toBe('Savepointing')
  expect(decideJob(seen).store.refused).toMatchObject({ reason: 'RolledBack' })
})

test('U5: pods that are warm are of no use to another goal', () => {
  const pods = [...runs, ...warm]
  const suspended = decide({ pods, spec: { state: 'suspended' } })
  expect(suspended.store.upgrade).toMatchObject({ goal: 'suspend', warm: undefined })
  const other = decide({ pods, module: 'c.ts', upgrade: { phase: 'Savepointing' } })
  expect(other.store.upgrade).toMatchObject({ phase: 'Planning', warm: undefined })
  const unwanted = decide({ pods, upgrade: { phase: 'Savepointing', warm: undefined, ...order } })
  expect(names(unwanted)).toEqual(['jm-2-1', 'tm-2-0-1'])
})

test('U5: a job that is to rest by now does not begin as another one', () => {
  const resting = { spec: { state: 'suspended' }, upgrade: { phase: 'Stopping' } } as const
  expect(names(decide({ ...resting, pods: warm }))).toEqual(['jm-2-1', 'tm-2-0-1'])
  expect(decide({ ...resting, pods: [] })).toMatchObject({ phase: 'Suspended', epoch: 1 })
})

test('U9: the next epoch begins beside processes only whose job has said that it is over', () => {
  const pods = [...runs, ...warm]
  const said = decide({
    pods,
    upgrade: { phase: 'Savepointing', ...order },
    facts: stop({ status: 'completed', snapshot: savepoint }),
  }).store.upgrade
  expect(said).toMatchObject({ phase: 'Stopping', hasEnded: true, warm: 2 })
  const failed = decide({
    pods,
    upgrade: { phase: 'Savepointing', ...order },
    facts: stop({ status: 'failed', snapshot: savepoint }),
  }).store.upgrade
  expect(failed?.hasEnded).toBeUndefined()
  const stopping = (more: Partial<Upgrade>): JobDecision =>
    decide({ pods, upgrade: { phase: 'Stopping', ...more } })
  expect(stopping({}).isMove).toBe(false)
  expect(stopping({ hasEnded: true, warm: undefined }).isMove).toBe(false)
  const next = stopping({ hasEnded: true })
  expect(next).toMatchObject({ epoch: 2, store: { start: { from: 'latest' } } })
  expect(next.store.upgrade).toMatchObject({ phase: 'Starting', warm: 2, hasEnded: undefined })
})

test('one that was warm once is told to begin until it is known to do so', () => {
  const begins = (more: Partial<Case>): boolean =>
    decide({ isNew: true, pods: warm, ...more, upgrade: { phase: 'Starting' } }).begin
  expect(begins({ facts: undefined })).toBe(true)
  expect(begins({ facts: { status: 'warm' } })).toBe(true)
  expect(begins({ facts: { status: 'starting' } })).toBe(true)
  expect(begins({ facts: { status: 'restarting' } })).toBe(false)
  const cold = { upgrade: { phase: 'Starting' } as const, isNew: true, pods: warm }
  expect(decideJob(observed({ ...cold, facts: undefined })).begin).toBe(false)
})
