/** Upgrades as they are observed, said in short. */
import type { WriteRefusal } from '../../../../src/controller/kube/write-refusal.ts'
import { revisionOf } from '../../../../src/controller/streamjob/job-revisions.ts'
import { observeJob } from '../../../../src/controller/streamjob/observe-job.ts'
import type { ObservedJob, Upgrade } from '../../../../src/controller/streamjob/observed-job.ts'
import {
  type PlanFacts,
  type PodObject,
  planFacts,
  podFacts,
} from '../../../../src/controller/streamjob/pod-facts.ts'
import type { Admission } from '../../../../src/controller/tenancy/admission.ts'
import type { JobFacts, StopFacts } from '../../../../src/protocol/job-facts.ts'
import { podOf, right, well } from '../job-cases.ts'

export const NOW_MS = 1_700_000_000_000
export const ago = (seconds: number): string =>
  new Date(NOW_MS - seconds * 1_000).toISOString().replace(/\.\d+Z$/, 'Z')

export interface Case {
  /** Of the spec that is asked for, beside its code. */
  readonly spec?: Record<string, unknown>
  /** The module that is asked for; `b.ts` is what the upgrade leads to. */
  readonly module?: string
  readonly upgrade: Partial<Upgrade> & Pick<Upgrade, 'phase'>
  /** How long the phase has lasted. */
  readonly seconds?: number
  readonly epoch?: number
  /** What runs is what the upgrade leads to. */
  readonly isNew?: boolean
  readonly pods?: readonly string[]
  readonly facts?: Partial<JobFacts> | undefined
  readonly plan?: 'pending' | 'succeeded' | 'rejected' | 'lost' | 'imageless'
  /** What it was stopped with is known as a Savepoint. */
  readonly isStopKept?: boolean
  readonly stable?: 'from' | 'to' | 'none'
  /** It leads to what was there before. */
  readonly isSame?: boolean
  /** What the API server has against its pods. */
  readonly refusedPods?: WriteRefusal
  /** What the one that is made ready says. */
  readonly warm?: JobFacts['status']
  /** Whether there is room for both. */
  readonly surge?: Admission
  /** It has completed nothing yet. */
  readonly isFirst?: boolean
}

export const runs = ['jm-1-1 running', 'tm-1-0-1 running']
export const order: Partial<Upgrade> = { request: 'u-1-1' }
export const stop = (more: Partial<StopFacts>): Partial<JobFacts> => ({
  stop: { id: 'u-1-1', status: 'pending', snapshot: null, error: null, ...more },
})
export const savepoint = {
  ...well.latest,
  id: 9,
  kind: 'savepoint',
  path: 's3://b/sp-9',
} as NonNullable<JobFacts['latest']>

export const notMade = (more: Partial<WriteRefusal> = {}): WriteRefusal => ({
  reason: 'PodSecurityViolated',
  mayPass: false,
  said: 'it violates PodSecurity',
  message: 'it violates PodSecurity; take it out',
  ...more,
})

export function observed(one: Case): ObservedJob {
  const { module = 'b.ts', epoch = one.isNew === true ? 2 : 1, seconds = 0 } = one
  const made = {
    apiVersion: 'weir.dev/v1alpha1',
    kind: 'StreamJob',
    metadata: { namespace: 'a', name: 'j', uid: 'u', generation: 1 },
  }
  const facts = one.facts === undefined && 'facts' in one ? undefined : { ...well, ...one.facts }
  const parts = {
    pods: (one.pods ?? []).flatMap(text => podFacts(podOf(text)) ?? []),
    plans: [],
    heard: { facts, silence: undefined },
    warm: one.warm && { ...well, status: one.warm },
    admission: { kind: 'free' },
    surge: one.surge ?? { kind: 'free' },
    source: undefined,
    isStopKept: one.isStopKept === true,
    engineImage: 'weir:1',
    nowMs: NOW_MS,
  } as const
  const wanted = (code: string) => {
    const spec = { ...right, ...one.spec, job: { module: code } }
    const { wanted: found } = observeJob({ ...parts, object: { ...made, spec }, revisions: [] })
    if (found === undefined) throw new Error('the spec is wrong')
    return found
  }
  const [from, to] = [wanted('a.ts'), wanted('b.ts')]
  const current = one.isNew === true ? to.name : from.name
  const stable = { from: from.name, to: to.name, none: undefined }[one.stable ?? 'from']
  const state = {
    epoch: 1,
    checkpointId: 7,
    kind: 'checkpoint',
    path: 's3://b/chk-7',
    completedAt: ago(5),
    sizeBytes: 1,
  } as const
  const status = {
    phase: 'Upgrading',
    epoch,
    revision: { current, target: to.name, ...(stable && { stable }) },
    ...(one.isFirst !== true && { state }),
    upgrade: {
      goal: 'upgrade',
      from: one.isSame === true ? to.name : from.name,
      to: to.name,
      cause: 'SpecChanged',
      mode: 'savepoint',
      attempt: 1,
      startedAt: ago(seconds),
      since: ago(seconds),
      ...(one.isNew === true && { startingAt: ago(seconds), stoppedAt: ago(seconds + 1) }),
      ...one.upgrade,
    },
  } as const
  const object = { ...made, spec: { ...right, ...one.spec, job: { module } }, status }
  const revisions = [from, to, wanted('c.ts')].map((r, i) => revisionOf(object, r, i))
  const plans = one.plan === undefined ? [] : [planOf(one.plan, to.name)]
  const { refusedPods } = one
  return { ...observeJob({ ...parts, object, revisions, plans }), refusedPods }
}

function planOf(state: NonNullable<Case['plan']>, revision: string): PlanFacts {
  const code = { rejected: 3, lost: 137 }[state as string]
  const waiting = { waiting: { reason: 'ErrImageNeverPull', message: 'no such image' } }
  const ended = { terminated: { exitCode: code ?? 0, message: 'state totals is incompatible' } }
  const phase = code !== undefined ? 'Failed' : state === 'succeeded' ? 'Succeeded' : 'Pending'
  const pod: PodObject = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'j-plan-1',
      labels: {
        'weir.dev/role': 'plan',
        'weir.dev/attempt': '1',
        'weir.dev/revision': revision,
      },
    },
    status: {
      phase,
      containerStatuses: [
        {
          name: 'jobmanager',
          state: state === 'imageless' ? waiting : code === undefined ? {} : ended,
        },
      ],
    },
  }
  const facts = planFacts(pod)
  if (facts === undefined) throw new Error('it is a plan')
  return facts
}
