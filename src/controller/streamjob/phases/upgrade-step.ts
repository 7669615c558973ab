/** What a phase sees and what it may say. */
import { parseDuration } from '../../../common/duration.ts'
import { redactText } from '../../../common/redact.ts'
import type { StreamJobSpec } from '../../../protocol/stream-job.ts'
import type {
  JobPhase,
  StreamJobStatus,
  UpgradePhase,
} from '../../../protocol/stream-job-status.ts'
import type { EventWords } from '../../kube/event-series.ts'
import type { JobDecision, UpgradeFigure } from '../job-decision.ts'
import type { ObservedJob, Revision, Upgrade } from '../observed-job.ts'

export interface PhaseView {
  readonly seen: ObservedJob
  readonly upgrade: Upgrade
  /** What it leads to, as it was stored; `undefined`: somebody has removed it. */
  readonly to: Revision | undefined
  readonly from: Revision | undefined
  /** Fields that are read when they are needed: of the spec that is asked for, if it is right. */
  readonly spec: StreamJobSpec
  /** How long the phase has lasted. */
  readonly ageMs: number
}

/** What is done in a phase, again and again until it is over. */
export type PhaseActs = Pick<
  JobDecision,
  | 'deploy'
  | 'start'
  | 'warm'
  | 'begin'
  | 'stop'
  | 'kill'
  | 'plan'
  | 'order'
  | 'keepSavepoint'
  | 'findings'
>

export type Step =
  | {
      readonly kind: 'stay'
      readonly acts: Partial<PhaseActs>
      /** What is waited for. */
      readonly message: string
      /** U8: a look at the latest then, whatever happens. */
      readonly againMs: number
    }
  | {
      readonly kind: 'move'
      readonly phase: UpgradePhase
      readonly change?: Partial<Upgrade>
      /** Whose pods are to be tried first. */
      readonly tryPods?: Revision
      /** To be there before it is named. */
      readonly keepRevision?: Revision
      /** Both deployments are to have room at once. */
      readonly surges?: boolean
      readonly store?: Partial<StreamJobStatus>
      readonly events?: readonly EventWords[]
      readonly figures?: readonly UpgradeFigure[]
    }
  | {
      readonly kind: 'end'
      readonly phase: JobPhase
      readonly result: string
      readonly store?: Partial<StreamJobStatus>
      readonly events?: readonly EventWords[]
    }

export type Phase = (view: PhaseView) => Step

/** How often a jobmanager is asked while something depends on it. */
export const LOOK_MS = 1_000

export function millisecondsOf(duration: string): number {
  return parseDuration(duration) ?? 0
}

export function timeOf(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z')
}

export function said(reason: string, note: string): EventWords {
  return { type: 'Normal', reason, action: 'Upgrade', note }
}

export function warned(reason: string, note: string): EventWords {
  return { type: 'Warning', reason, action: 'Upgrade', note }
}

/** Not tried again: see `begin-upgrade.ts`. */
export function refusal(
  { seen }: Pick<PhaseView, 'seen'>,
  revision: string,
  why: { readonly reason: string; readonly message: string },
): Pick<StreamJobStatus, 'refused'> {
  const message = redactText(why.message).slice(0, 1_024)
  const generation = seen.object.metadata.generation ?? 0
  return { refused: { revision, reason: why.reason, message, generation } }
}
