/** What is known of a job when it is decided what to do. Plain data. */
import type { JobFacts } from '../../protocol/job-facts.ts'
import type { IssueText } from '../../protocol/manifest-issues.ts'
import type { StreamJob } from '../../protocol/stream-job.ts'
import type { StreamJobStatus } from '../../protocol/stream-job-status.ts'
import type { WriteRefusal } from '../kube/write-refusal.ts'
import type { HeardJob } from '../link/facts-poller.ts'
import type { Admission } from '../tenancy/admission.ts'
import type { PlanFacts, PodFacts } from './pod-facts.ts'
import type { StreamJobObject } from './stream-job-object.ts'

/** A deployment as it was made: a later spec does not change it. */
export interface Deployed {
  readonly manifest: StreamJob
  readonly image: string
  /** Of the spec that it was made of. */
  readonly specDigest: string
}

export interface Revision {
  readonly name: string
  readonly deployed: Deployed
}

export interface SpecProblem {
  /** A constant. */
  readonly reason: string
  readonly message: string
  /** It passes by itself: nobody has to do anything. */
  readonly isAwaited?: boolean
}

export interface ObservedJob {
  readonly object: StreamJobObject
  readonly checked: { readonly manifest: StreamJob } | { readonly problems: readonly IssueText[] }
  readonly status: StreamJobStatus
  /** What of the status only a newer controller knows. */
  readonly newer: string | undefined
  /** What is wrong with the spec that is asked for. */
  readonly problem: SpecProblem | undefined
  /** Of the spec that is asked for, as it would be made now; `undefined`: it is wrong. */
  readonly wanted: Revision | undefined
  /** Those that are stored, by name. */
  readonly revisions: ReadonlyMap<string, Deployed>
  /** The deployment of the epoch in the status; `undefined`: not made yet. */
  readonly deployed: Deployed | undefined
  /** When its revision was made, by the clock of the API server. */
  readonly deployedMs: number | undefined
  readonly pods: readonly PodFacts[]
  /** Pods that plan an upgrade. */
  readonly plans: readonly PlanFacts[]
  /** Of the newest jobmanager of the epoch, by asking. */
  readonly heard: HeardJob
  /** What it said last, or left as its last word; `undefined`: nothing yet. */
  readonly facts: JobFacts | undefined
  /** Of the jobmanager that waits to begin, while one is made ready. */
  readonly warm: JobFacts | undefined
  /** Whether its tenant has room for what the spec asks for. */
  readonly admission: Admission
  /** Whether there is room for that beside what it has; of use in `Planning` only. */
  readonly surge: Admission
  /** The savepoint that its epoch was stopped with is known as a Savepoint. */
  readonly isStopKept: boolean
  /** What the API server has against the pods of the upgrade that is planned. */
  readonly refusedPods: WriteRefusal | undefined
  readonly nowMs: number
}

export type Upgrade = NonNullable<StreamJobStatus['upgrade']>
