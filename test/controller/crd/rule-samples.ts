/** Objects that pass and objects that fail, for each rule of the CRDs. */

export type Json = Readonly<Record<string, unknown>>

/** One rule between fields: a spec that breaks this rule alone. */
export interface BrokenSpec {
  /** Where the refusal is shown. */
  readonly path: string
  /** Part of the refusal. */
  readonly says: string
  readonly spec: Json
}

/** One rule that looks at what was: both new objects are updates of the old one. */
export interface Transition {
  readonly says: string
  /** `status`: given to the status subresource. */
  readonly part: 'spec' | 'status'
  readonly old: Json
  readonly passes: Json
  readonly fails: Json
}

export interface KindSamples {
  readonly kind: string
  readonly minimal: Json
  /** Specs that are right, with every field in one of them. */
  readonly right: readonly Json[]
  /**
   * What a field needs around it, by the beginning of its path: the value of the field replaces the
   * one that stands here.
   */
  readonly around: Readonly<Record<string, Json>>
  readonly broken: readonly BrokenSpec[]
  readonly transitions: readonly Transition[]
}
