/** What is to be done for a job, as data. `reconcile-job.ts` performs it. */
import type { JobPhase, JobStart, StreamJobStatus } from '../../protocol/stream-job-status.ts'
import type { EventWords } from '../kube/event-series.ts'
import type { Finding } from './finding.ts'
import type { PodIdentity } from './job-names.ts'
import type { ObservedJob, Revision } from './observed-job.ts'
import type { PlanFacts, PodFacts } from './pod-facts.ts'

/** Stops the job in the order's own time; asking again changes nothing. */
export interface StopOrder {
  readonly requestId: string
  readonly drain: boolean
}

export interface PlanOrder {
  readonly revision: Revision
  readonly attempt: number
  /** What it is held against; `undefined`: it begins empty. */
  readonly state: PlannedState | undefined
}

export interface WarmPods {
  readonly revision: Revision
  readonly start: readonly PodIdentity[]
  readonly from: JobStart
}

export interface PlannedState {
  /** `latest`, or a folder. */
  readonly from: string
  readonly fromJob?: string | undefined
}

/** For the metrics, once the decision is stored. */
export type UpgradeFigure =
  | { readonly kind: 'ended'; readonly mode: string; readonly result: string }
  | { readonly kind: 'gap'; readonly mode: string; readonly seconds: number }
  | { readonly kind: 'rollback'; readonly cause: string }

export interface JobDecision {
  readonly phase: JobPhase
  readonly epoch: number
  /**
   * Only the status changes: what it leads to is done by the next pass, which finds it stored. So
   * nothing is done that a successor would not know of.
   */
  readonly isMove: boolean
  /** Further fields of the status. */
  readonly store: Partial<StreamJobStatus>
  /** To be there before the status names it. */
  readonly keepRevision: Revision | undefined
  /** The objects of the epoch are to be there. */
  readonly deploy: boolean
  readonly start: readonly PodIdentity[]
  /** Pods of the next deployment, which wait for the order to begin. */
  readonly warm: WarmPods | undefined
  /** The jobmanager of the epoch is told to begin. */
  readonly begin: boolean
  readonly stop: readonly PodFacts[]
  /** Not waited for any longer. */
  readonly kill: readonly PodFacts[]
  readonly plan: PlanOrder | undefined
  /** Its pods are tried before anything else is done: refused, it is decided anew with that. */
  readonly tryPods: Revision | undefined
  readonly endedPlans: readonly PlanFacts[]
  readonly order: StopOrder | undefined
  /** The folder of a savepoint that is to be known as a Savepoint. */
  readonly keepSavepoint: string | undefined
  /** Its tenant's quota is to hold what the spec asks for: beside what it holds, or instead. */
  readonly takesRoom: 'none' | 'instead' | 'beside'
  readonly findings: readonly Finding[]
  /** Its place among those that wait for room. */
  readonly queue: Omit<NonNullable<StreamJobStatus['queue']>, 'since'> | undefined
  readonly events: readonly EventWords[]
  readonly figures: readonly UpgradeFigure[]
  /** A deadline that nothing else would wake it up for. */
  readonly againMs: number | undefined
}

/** As it is, but for `more`. */
export function decided({ status }: ObservedJob, more: Partial<JobDecision>): JobDecision {
  return {
    phase: status.phase ?? 'Deploying',
    epoch: status.epoch ?? 0,
    isMove: false,
    store: {},
    keepRevision: undefined,
    deploy: false,
    start: [],
    warm: undefined,
    begin: false,
    stop: [],
    kill: [],
    plan: undefined,
    tryPods: undefined,
    endedPlans: [],
    order: undefined,
    keepSavepoint: undefined,
    takesRoom: 'none',
    queue: undefined,
    findings: [],
    events: [],
    figures: [],
    againMs: undefined,
    ...more,
  }
}
