/** Each phase of an upgrade, as a table of what was observed. */
import { expect, test } from '@jest/globals'
import { decideJob } from '../../../../src/controller/streamjob/job-policies.ts'
import { legalMoves } from '../../../../src/controller/streamjob/phases/upgrade-machine.ts'
import { well } from '../job-cases.ts'
import { ago, type Case, NOW_MS, observed, order, runs, savepoint, stop } from './upgrade-cases.ts'

const runsNew = ['jm-2-1 running', 'tm-2-0-1 running']

/** `Stopping last-state`, `stay: plan`, `end Running: PlanRejected`. */
function decision(one: Case): string {
  const seen = observed(one)
  const made = decideJob(seen)
  const { isMove, store, phase, events, start, plan, order: ordered, kill } = made
  if (!isMove) {
    expect(made.againMs).toBeGreaterThan(0)
    const acts = [
      plan && 'plan',
      ordered && 'order',
      made.stop.length > 0 && 'stop',
      kill.length > 0 && 'kill',
      made.keepSavepoint && 'keepSavepoint',
      start.length > 0 && 'start',
      (made.warm?.start.length ?? 0) > 0 && 'warm',
      made.begin && 'begin',
    ]
    return `stay: ${acts.filter(Boolean).join(' ')}`.trimEnd()
  }
  const { upgrade } = store
  if (upgrade === undefined) {
    return `end ${phase}: ${store.refused?.reason ?? events[0]?.reason ?? 'done'}`
  }
  const names = new Map([
    [seen.status.upgrade?.from, 'from'],
    [seen.status.upgrade?.to, 'to'],
  ])
  const to = upgrade.to === seen.status.upgrade?.to ? '' : ` to ${names.get(upgrade.to) ?? 'other'}`
  const started = store.start === undefined ? '' : ` ${store.start.from} ${store.start.path ?? ''}`
  return `${upgrade.phase} ${upgrade.mode}${to}${started}`.trimEnd()
}

const table: Record<string, { given: Case; decides: string }> = {
  'Planning: a pod looks at the new revision, and the job runs on': {
    given: { upgrade: { phase: 'Planning' }, pods: runs },
    decides: 'stay: plan',
  },
  'Planning: lost pods of the job are replaced meanwhile': {
    given: { upgrade: { phase: 'Planning' }, pods: ['jm-1-1 running'], plan: 'pending' },
    decides: 'stay: plan start',
  },
  'Planning: a plan that holds leads on': {
    given: { upgrade: { phase: 'Planning' }, pods: runs, plan: 'succeeded' },
    decides: 'Reserving savepoint',
  },
  'Planning: without further room, where none is wanted': {
    given: {
      spec: { upgrade: { surge: 'never' } },
      upgrade: { phase: 'Planning' },
      pods: runs,
      plan: 'succeeded',
    },
    decides: 'Savepointing savepoint',
  },
  'Reserving: the next pods start, and the job runs on': {
    given: { upgrade: { phase: 'Reserving', warm: 2 }, pods: ['jm-1-1 running'] },
    decides: 'stay: start warm',
  },
  'Reserving: all of them wait for the order to begin': {
    given: {
      upgrade: { phase: 'Reserving', warm: 2 },
      pods: [...runs, ...runsNew],
      warm: 'warm',
    },
    decides: 'Savepointing savepoint',
  },
  'Reserving: an image that is not there has stopped nothing': {
    given: {
      upgrade: { phase: 'Reserving', warm: 2 },
      pods: [...runs, 'jm-2-1 running', 'tm-2-0-1 imageless'],
    },
    decides: 'end Running: RolledBack',
  },
  'U5: a spec that changes while pods are warm starts over': {
    given: { module: 'c.ts', upgrade: { phase: 'Reserving', warm: 2 }, pods: runs },
    decides: 'Planning savepoint to other',
  },
  'Planning: state that does not fit is refused': {
    given: { upgrade: { phase: 'Planning' }, pods: runs, plan: 'rejected' },
    decides: 'end Running: PlanRejected',
  },
  'Planning: an image that is not there too': {
    given: { upgrade: { phase: 'Planning' }, pods: runs, plan: 'imageless' },
    decides: 'end Running: PlanRejected',
  },
  'Planning: a pod that was lost is made again': {
    given: { upgrade: { phase: 'Planning' }, pods: runs, plan: 'lost' },
    decides: 'Planning savepoint',
  },
  'Planning: not for ever': {
    given: { upgrade: { phase: 'Planning', attempt: 1 }, seconds: 301, pods: runs },
    decides: 'end Running: PlanTimeout',
  },
  'Planning: a job that rests has nothing to be stopped': {
    given: { upgrade: { phase: 'Planning', goal: 'resume' }, plan: 'succeeded' },
    decides: 'Stopping savepoint',
  },
  'U5: a spec that changes again starts over': {
    given: { module: 'c.ts', upgrade: { phase: 'Planning' }, pods: runs },
    decides: 'Planning savepoint to other',
  },
  'U5: one that is taken back ends it': {
    given: { module: 'a.ts', upgrade: { phase: 'Planning' }, pods: runs },
    decides: 'end Running: UpgradeCancelled',
  },
  'U5: after the order the job goes on through the stop': {
    given: { module: 'a.ts', upgrade: { phase: 'Savepointing', ...order }, pods: runs },
    decides: 'Planning savepoint to from',
  },
  'U5: after the stop it waits': {
    given: { module: 'c.ts', upgrade: { phase: 'Stopping' }, pods: ['jm-1-1 leaving'] },
    decides: 'stay:',
  },
  'Savepointing: the order is stored before it is given': {
    given: { upgrade: { phase: 'Savepointing' }, pods: runs },
    decides: 'Savepointing savepoint',
  },
  'Savepointing: then it is given': {
    given: { upgrade: { phase: 'Savepointing', ...order }, pods: runs },
    decides: 'stay: order',
  },
  'Savepointing: and again, by whoever comes after': {
    given: { upgrade: { phase: 'Savepointing', ...order }, pods: runs, facts: stop({}) },
    decides: 'stay: order',
  },
  'Savepointing: what completed leads on': {
    given: {
      upgrade: { phase: 'Savepointing', ...order },
      pods: runs,
      facts: stop({ status: 'completed', snapshot: savepoint }),
    },
    decides: 'Stopping savepoint',
  },
  'U6: also when the stop failed': {
    given: {
      upgrade: { phase: 'Savepointing', ...order },
      pods: runs,
      facts: stop({ status: 'failed', snapshot: savepoint }),
    },
    decides: 'Stopping savepoint',
  },
  'U6: also when nobody saw it: the jobmanager has ended': {
    given: {
      upgrade: { phase: 'Savepointing', ...order },
      pods: ['jm-1-1 succeeded 0'],
      facts: undefined,
    },
    decides: 'Stopping savepoint',
  },
  'Savepointing: without one the last state is gone on from': {
    given: {
      upgrade: { phase: 'Savepointing', ...order },
      pods: runs,
      facts: stop({ status: 'failed' }),
    },
    decides: 'Stopping last-state',
  },
  'Savepointing: unless that is not wanted': {
    given: {
      spec: { upgrade: { fallbackToLastState: false } },
      upgrade: { phase: 'Savepointing', ...order },
      pods: runs,
      facts: stop({ status: 'failed' }),
    },
    decides: 'end Running: SavepointFailed',
  },
  'Savepointing: an order that may still be carried out cannot be taken back': {
    given: {
      spec: { upgrade: { fallbackToLastState: false } },
      upgrade: { phase: 'Savepointing', ...order },
      seconds: 601,
      pods: runs,
      facts: stop({}),
    },
    decides: 'Stopping last-state to from',
  },
  'Savepointing: nobody waits for what is dead': {
    given: { upgrade: { phase: 'Savepointing', ...order }, pods: ['jm-1-3 failed 1'] },
    decides: 'Stopping last-state',
  },
  'Savepointing: a job that does not come to run takes none': {
    given: {
      upgrade: { phase: 'Savepointing', ...order },
      seconds: 15,
      pods: runs,
      facts: { status: 'starting' },
    },
    decides: 'Stopping last-state',
  },
  'Savepointing: one that is soon up again does': {
    given: {
      upgrade: { phase: 'Savepointing', ...order },
      seconds: 14,
      pods: runs,
      facts: { status: 'restarting' },
    },
    decides: 'stay: order',
  },
  'Savepointing: nor is it left out where that is not wanted': {
    given: {
      spec: { upgrade: { fallbackToLastState: false } },
      upgrade: { phase: 'Savepointing', ...order },
      seconds: 15,
      pods: runs,
      facts: { status: 'restarting' },
    },
    decides: 'stay: order',
  },
  'Savepointing: a job that has never run has nothing to save': {
    given: {
      spec: { upgrade: { fallbackToLastState: false } },
      upgrade: { phase: 'Savepointing' },
      isFirst: true,
      pods: runs,
      facts: { status: 'starting', latest: null },
    },
    decides: 'Stopping last-state',
  },
  'Savepointing: last state needs none': {
    given: { upgrade: { phase: 'Savepointing', mode: 'last-state' }, pods: runs },
    decides: 'Stopping last-state',
  },
  'U4: last state that is too old does': {
    given: {
      spec: { upgrade: { mode: 'last-state', lastStateMaxAge: '1m' } },
      upgrade: { phase: 'Savepointing', mode: 'last-state' },
      pods: runs,
      facts: { latest: { ...savepoint, completedAtMs: NOW_MS - 61_000 } },
    },
    decides: 'Savepointing savepoint',
  },
  'Stopping: pods are told to leave': {
    given: { upgrade: { phase: 'Stopping' }, pods: runs },
    decides: 'stay: stop',
  },
  'Stopping: those whose processes are over are not waited for': {
    given: { upgrade: { phase: 'Stopping' }, pods: ['jm-1-1 succeeded 0', 'tm-1-0-1 failed 143'] },
    decides: 'Starting savepoint latest',
  },
  'Stopping: after their grace they are not waited for': {
    given: { upgrade: { phase: 'Stopping' }, seconds: 76, pods: ['jm-1-1 leaving'] },
    decides: 'stay: kill',
  },
  'U7: what the order has taken becomes a Savepoint': {
    given: { upgrade: { phase: 'Stopping', taken: savepoint.path }, pods: ['jm-1-1 leaving'] },
    decides: 'stay: keepSavepoint',
  },
  'U7: before the next epoch begins': {
    given: { upgrade: { phase: 'Stopping', taken: savepoint.path } },
    decides: 'stay: keepSavepoint',
  },
  'U7: then it goes on': {
    given: { upgrade: { phase: 'Stopping', taken: savepoint.path }, isStopKept: true },
    decides: 'Starting savepoint latest',
  },
  'U7: a job does not stand still where none can be made': {
    given: { upgrade: { phase: 'Stopping', taken: savepoint.path }, seconds: 76 },
    decides: 'Starting savepoint latest',
  },
  'U3: what the store has newest is gone on from': {
    given: { upgrade: { phase: 'Stopping' } },
    decides: 'Starting savepoint latest',
  },
  'U2: nothing, where that was asked for': {
    given: { upgrade: { phase: 'Stopping', mode: 'stateless' } },
    decides: 'Starting stateless empty',
  },
  'U1: what is named, where that was asked for': {
    given: {
      spec: { restore: { path: 's3://b/old' } },
      upgrade: { phase: 'Stopping', mode: 'restore' },
    },
    decides: 'Starting restore path s3://b/old',
  },
  'U7: the way back from an empty start is the snapshot from before': {
    given: {
      upgrade: {
        phase: 'Stopping',
        mode: 'stateless',
        rollback: 'CrashLoop',
        savepoint: 's3://b/chk-7',
      },
      epoch: 2,
    },
    decides: 'Starting stateless path s3://b/chk-7',
  },
  'Stopping: a job that is to rest has come to it': {
    given: { spec: { state: 'suspended' }, upgrade: { phase: 'Stopping', goal: 'suspend' } },
    decides: 'end Suspended: Suspended',
  },
  'Starting: pods are made': {
    given: { upgrade: { phase: 'Starting' }, isNew: true, facts: undefined },
    decides: 'stay: start',
  },
  'Starting: one that is warm is told to begin': {
    given: {
      upgrade: { phase: 'Starting', warm: 2 },
      isNew: true,
      pods: [...runs, ...runsNew],
      facts: { status: 'warm' },
    },
    decides: 'stay: stop begin',
  },
  'Starting: every vertex runs': {
    given: { upgrade: { phase: 'Starting' }, isNew: true, pods: runsNew },
    decides: 'Verifying savepoint',
  },
  'Starting: a jobmanager that refuses the job': {
    given: {
      upgrade: { phase: 'Starting' },
      isNew: true,
      pods: ['jm-2-1 failed 2'],
      facts: undefined,
    },
    decides: 'RollingBack savepoint',
  },
  'Starting: one that falls over again and again': {
    given: {
      upgrade: { phase: 'Starting' },
      isNew: true,
      pods: ['jm-2-5 failed 1', 'tm-2-0-1 running'],
      facts: undefined,
    },
    decides: 'RollingBack savepoint',
  },
  'Starting: a pod that no node has room for': {
    given: {
      upgrade: { phase: 'Starting' },
      isNew: true,
      seconds: 321,
      pods: ['jm-2-1 running', 'tm-2-0-1 unscheduled'],
      facts: { status: 'starting' },
    },
    decides: 'RollingBack savepoint',
  },
  'Starting: a job that is to rest does not come to run first': {
    given: {
      spec: { state: 'suspended' },
      upgrade: { phase: 'Starting' },
      isNew: true,
      pods: runsNew,
    },
    decides: 'Stopping last-state',
  },
  'Verifying: checkpoints are waited for': {
    given: {
      upgrade: { phase: 'Verifying' },
      isNew: true,
      pods: runsNew,
      facts: { checkpoints: { ...well.checkpoints, completed: 1 } },
    },
    decides: 'stay:',
  },
  'Verifying: two make it stable': {
    given: {
      upgrade: { phase: 'Verifying' },
      isNew: true,
      pods: runsNew,
      facts: { checkpoints: { ...well.checkpoints, completed: 2 } },
    },
    decides: 'end Running: UpgradeCompleted',
  },
  'Verifying: none until the deadline undoes it': {
    given: {
      upgrade: { phase: 'Verifying' },
      isNew: true,
      seconds: 321,
      pods: runsNew,
      facts: { checkpoints: { ...well.checkpoints, completed: 0 } },
    },
    decides: 'RollingBack savepoint',
  },
  'Verifying: so do restarts of the job': {
    given: {
      upgrade: { phase: 'Verifying' },
      isNew: true,
      pods: runsNew,
      facts: { restarts: 4, checkpoints: { ...well.checkpoints, completed: 1 } },
    },
    decides: 'RollingBack savepoint',
  },
  'Verifying: without a stable revision it goes on trying': {
    given: {
      upgrade: { phase: 'Verifying' },
      isNew: true,
      seconds: 321,
      pods: runsNew,
      facts: { checkpoints: { ...well.checkpoints, completed: 0 } },
      stable: 'none',
    },
    decides: 'end Deploying: RollbackBlocked',
  },
  'RollingBack: the stable revision takes its place': {
    given: { upgrade: { phase: 'RollingBack', rollback: 'CrashLoop' }, isNew: true, pods: runsNew },
    decides: 'Stopping savepoint to from',
  },
  'U9: what only lacks room on the way back takes it up later': {
    given: {
      upgrade: { phase: 'Starting', rollback: 'CrashLoop' },
      isNew: true,
      seconds: 321,
      pods: ['jm-2-1 running', 'tm-2-0-1 unscheduled'],
      facts: undefined,
      stable: 'to',
    },
    decides: 'end Deploying: RollbackBlocked',
  },
  'U9: what fails on the way back has failed': {
    given: {
      upgrade: { phase: 'Verifying', rollback: 'CrashLoop' },
      isNew: true,
      seconds: 321,
      pods: runsNew,
      facts: { checkpoints: { ...well.checkpoints, completed: 0 } },
    },
    decides: 'end Failed: RollbackFailed',
  },
  'state that the stable revision cannot read is for a person': {
    given: {
      upgrade: { phase: 'Starting', rollback: 'CrashLoop' },
      isNew: true,
      pods: ['jm-2-1 failed 2'],
      facts: undefined,
    },
    decides: 'end Failed: RollbackNeedsReplay',
  },
}

test.each(Object.entries(table))('%s', (_what, { given, decides }) => {
  expect(decision(given)).toBe(decides)
})

test('what is ready stays so in the moment in which its upgrade is over', () => {
  const { given } = table['Verifying: two make it stable'] as { given: Case }
  const seen = observed(given)
  const conditions = ['Ready', 'Reconciling', 'Running', 'UpgradeInProgress'].map(type => {
    const times = { lastTransitionTime: ago(1), observedGeneration: 1 }
    return { type, status: 'True' as const, reason: 'Running', message: 'it runs', ...times }
  })
  const { findings } = decideJob({ ...seen, status: { ...seen.status, conditions } })
  expect(findings.map(one => [one.type, one.holds])).toEqual([
    ['Ready', true],
    ['Running', true],
  ])
})

test('every phase is left by the table in some way, and only by ways that are legal', () => {
  for (const [phase, ways] of Object.entries(legalMoves)) {
    const rows = Object.values(table).filter(({ given }) => given.upgrade.phase === phase)
    const left = rows.map(one => one.decides.split(' ')[0]).filter(one => one !== 'stay:')
    expect(left.length).toBeGreaterThan(0)
    expect(ways).toEqual(expect.arrayContaining([...new Set(left)]))
  }
})
