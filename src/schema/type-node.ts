/**
 * A zod schema as the generators see it: a small tree of what matters for bytes and for JSON, with
 * the zod node beside each for everything that only zod can decide.
 */
import type { SchemaNode } from './type.ts'

/** What is used of zod, by shape: the schema may come from another copy of the package. */
export interface ZodNode {
  readonly _zod: {
    readonly def: ZodDefinition
    readonly traits: ReadonlySet<string>
    readonly optin?: 'optional' | 'defaulted' | undefined
    run(payload: ZodPayload, context: object): ZodPayload | Promise<ZodPayload>
  }
}

export interface ZodDefinition {
  readonly type: string
  readonly checks?: readonly ZodCheck[]
  readonly [property: string]: unknown
}

export interface ZodPayload {
  value: unknown
  issues: unknown[]
}

export interface ZodCheck {
  readonly _zod: {
    readonly def: {
      readonly check: string
      readonly when?: ((payload: ZodPayload) => boolean) | undefined
      readonly [property: string]: unknown
    }
    check(payload: ZodPayload): unknown
  }
}

/**
 * How JSON carries a value. `plain`: as JSON's own form of the kind. `iso`, `base64`, `digits` and
 * `entries`: Weir's codecs for timestamps, bytes, int64 and maps. `opaque`: only zod knows (a codec
 * of the user, `catch`, `prefault`, coercion). `none`: JSON cannot hold it.
 */
export type JsonForm = 'plain' | 'iso' | 'base64' | 'digits' | 'entries' | 'opaque' | 'none'

interface NodeBase {
  readonly zod: ZodNode
  readonly schema: SchemaNode
  readonly json: JsonForm
  /** What zod checks after the type itself, in order; a check may also change the value. */
  readonly checks: readonly ZodCheck[]
}

export type LeafKind = 'string' | 'int32' | 'int' | 'int64' | 'float64' | 'boolean' | 'timestamp'

export interface LeafNode extends NodeBase {
  readonly kind: LeafKind | 'bytes' | 'null' | 'general'
}

export interface ChoiceNode extends NodeBase {
  readonly kind: 'choice'
  readonly values: readonly (string | number | boolean | null)[]
}

export interface WrapperNode extends NodeBase {
  readonly kind: 'optional' | 'nullable' | 'array' | 'dictionary'
  readonly of: TypeNode
}

export interface TupleNode extends NodeBase {
  readonly kind: 'tuple'
  readonly items: readonly TypeNode[]
}

export interface MapNode extends NodeBase {
  readonly kind: 'map'
  readonly key: TypeNode
  readonly value: TypeNode
}

export interface ObjectField {
  readonly name: string
  readonly node: TypeNode
  /** What zod does when the key is not there: error, no value, or a value in its place. */
  readonly absent: 'required' | 'optional' | 'defaulted'
}

export interface ObjectNode extends NodeBase {
  readonly kind: 'object'
  readonly fields: readonly ObjectField[]
}

export interface UnionNode extends NodeBase {
  readonly kind: 'union'
  readonly discriminator: string
  readonly variants: readonly ObjectNode[]
}

export type TypeNode =
  | LeafNode
  | ChoiceNode
  | WrapperNode
  | TupleNode
  | MapNode
  | ObjectNode
  | UnionNode
