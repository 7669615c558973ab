/** What an attempt is given, and how it ends. */
import type { FailureReport } from '../slot-messages.ts'
import type { RestartScope } from './job-history.ts'
import type { JobCounts, JobMasterOptions } from './job-master-options.ts'
import type { GenerationClaim } from './job-store.ts'
import type { RestartDecision } from './restart-strategy.ts'

export interface JobAttemptOptions extends JobMasterOptions {
  readonly number: number
  readonly claim: GenerationClaim
  readonly counts: JobCounts
  readonly onDeployed: () => void
  /** All subtasks run, for the first time or again. */
  readonly onRunning: () => void
  readonly onFinishing: () => void
  /** Some regions have failed, the others go on: decides whether they start again. */
  readonly onRegionsFailed: (failed: FailedRegions) => RestartDecision
  /** For regions that start again. */
  readonly nextNumber: () => number
}

export interface FailedRegions extends RestartScope {
  readonly failure: FailureReport
  readonly lastCheckpointId: number
}

export type AttemptEnd =
  | {
      readonly kind: 'finished'
      /** Where it was stopped with one. */
      readonly savepointPath: string | undefined
    }
  | { readonly kind: 'cancelled' }
  /** To be gone on from at this parallelism. */
  | { readonly kind: 'left'; readonly parallelism: number }
  | {
      readonly kind: 'failed'
      readonly failure: FailureReport
      /** The newest completed checkpoint; 0 for none. */
      readonly lastCheckpointId: number
      /** Where it was decided already. */
      readonly decision?: RestartDecision | undefined
      /** The savepoint that was to end the job, if that completed. */
      readonly savepointPath: string | undefined
    }
