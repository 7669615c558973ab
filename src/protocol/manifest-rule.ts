/**
 * A rule between the fields of a manifest, said twice in one place: for a local run and for the API
 * server. Both refuse with the same words.
 */
import type { CelRule } from './manifest-fields.ts'

export interface ManifestRule<S> {
  /** Where the refusal is shown, as in `spec.checkpoint.alignmentTimeout`. */
  readonly path: string
  readonly holds: (spec: S) => boolean
  readonly problem: string
  readonly fix: string
  readonly cel: {
    /** The part of the schema that holds the rule, as in `spec.autoscaler.windows[]`. */
    readonly at: string
    /** An expression over `self`, the value of that part. */
    readonly rule: string
  }
}

/** The rule for the API server, which shows it at the same path where that can be named. */
export function celOf<S>({ path, problem, fix, cel }: ManifestRule<S>): CelRule {
  const rule = { rule: cel.rule, message: `${problem}: ${fix}` }
  const isBelow = path.startsWith(`${cel.at}.`)
  return isBelow ? { ...rule, fieldPath: path.slice(cel.at.length) } : rule
}

export function has(value: unknown): boolean {
  return value !== undefined
}
