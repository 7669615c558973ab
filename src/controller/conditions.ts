/** The conditions of a status; pure. Times change with their values only. */
import { redactText } from '../common/redact.ts'
import type { Condition } from '../protocol/status-fields.ts'

/** What was found of an object, as its condition of this type says it. */
export interface FindingOf<T extends string> {
  readonly type: T
  readonly holds: boolean
  readonly reason: string
  readonly message: string
}

export interface FoundConditions {
  readonly before: readonly Condition[] | undefined
  readonly findings: readonly FindingOf<string>[]
  readonly generation: number
  readonly nowMs: number
}

const MESSAGE_CHARS_MAX = 1_024
/** True or absent, as kstatus has it. */
const absentWhenFalse = new Set([
  'Reconciling',
  'Stalled',
  'NamespaceConflict',
  'UpgradeInProgress',
  'RolledBack',
])

export function conditionsOf({
  before,
  findings,
  generation,
  nowMs,
}: FoundConditions): Condition[] {
  const known = new Map(before?.map(one => [one.type, one]))
  const now = timeText(nowMs)
  return findings
    .filter(one => one.holds || !absentWhenFalse.has(one.type))
    .toSorted((a, b) => (a.type < b.type ? -1 : 1))
    .map(({ type, holds, reason, message }) => {
      const status = holds ? 'True' : 'False'
      const old = known.get(type)
      const isSame = old?.status === status
      return {
        type,
        status,
        reason,
        message: redactText(message).slice(0, MESSAGE_CHARS_MAX),
        lastTransitionTime: isSame ? old.lastTransitionTime : now,
        observedGeneration: generation,
      }
    })
}

/** As the API server writes times. */
export function timeText(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z')
}
