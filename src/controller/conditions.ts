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

/** As they were found last; what failing passes said of themselves is over when one goes well. */
export function findingsIn<T extends string>(
  conditions: readonly Condition[] | undefined,
  known: readonly T[],
): readonly FindingOf<T>[] {
  return known.flatMap(type => {
    const found = conditions?.find(one => one.type === type)
    if (found === undefined || found.reason === INTERNAL_ERROR) return []
    const { status, reason, message } = found
    return [{ type, holds: status === 'True', reason, message }]
  })
}

/** With those of `own` in the place of what was found of the same types. */
export function overlaid<T extends string>(
  findings: readonly FindingOf<T>[],
  own: readonly FindingOf<T>[],
): readonly FindingOf<T>[] {
  return [...findings.filter(one => !own.some(({ type }) => type === one.type)), ...own]
}

export interface FoundConditions {
  readonly before: readonly Condition[] | undefined
  /** The types that this version speaks of. Others are a newer one's, and stay as they are. */
  readonly known: readonly string[]
  readonly findings: readonly FindingOf<string>[]
  readonly generation: number
  readonly nowMs: number
}

/** Reason of what failing passes said of themselves: no pass that goes well goes by it. */
export const INTERNAL_ERROR = 'InternalError'

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
  known: types,
  findings,
  generation,
  nowMs,
}: FoundConditions): Condition[] {
  const known = new Map(before?.map(one => [one.type, one]))
  const now = timeText(nowMs)
  const own = findings
    .filter(one => one.holds || !absentWhenFalse.has(one.type))
    .map(({ type, holds, reason, message }): Condition => {
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
  const others = before?.filter(one => !types.includes(one.type)) ?? []
  return [...own, ...others].toSorted((a, b) => (a.type < b.type ? -1 : 1))
}

/** As the API server writes times. */
export function timeText(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z')
}
