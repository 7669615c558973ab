/**
 * What the state of an operator hangs on besides its schemas: the type of its keys and the shape of
 * its windows. A checkpoint says it, and a restore is refused where the job now says otherwise: the
 * state would be there, but nothing would ever find it.
 */
import type { Key, KeySelector } from '../api/functions.ts'
import type { WindowSpec } from '../api/transformation.ts'
import type { SchemaNode } from '../schema/type.ts'
import type { ChainedOperator } from './job-graph.ts'
import { sampleValues } from './sample-values.ts'

export interface OperatorForm {
  /** `string`, `[number, string]`; absent where it cannot be told. */
  readonly keys?: string
  /** `tumbling(10s)`, `session, trigger count`; absent for operators without windows. */
  readonly windows?: string
}

/** Key selectors are asked about made-up records of their input's schema. */
export function operatorForm(
  operator: Pick<ChainedOperator, 'spec' | 'keySelectors' | 'inputTypes'>,
): OperatorForm {
  const { spec, keySelectors, inputTypes } = operator
  const [selector] = keySelectors
  const [type] = inputTypes
  const keys = selector && type ? keyType(selector, type.schema) : undefined
  const windows = 'window' in spec ? windowForm(spec.window) : undefined
  return { ...(keys === undefined ? {} : { keys }), ...(windows === undefined ? {} : { windows }) }
}

/** `undefined` where the type has no schema, or records of one type have keys of several. */
function keyType(selector: KeySelector<unknown, Key>, schema: SchemaNode): string | undefined {
  const kinds = new Set(sampleValues(schema).flatMap(value => kindOfKey(selector, value)))
  return kinds.size === 1 ? [...kinds][0] : undefined
}

/** A selector that wants more of a record than a made-up one has tells nothing. */
function kindOfKey(selector: KeySelector<unknown, Key>, value: unknown): readonly string[] {
  try {
    const key: unknown = selector(value)
    if (!Array.isArray(key)) return isPrimitive(key) ? [typeof key] : []
    return key.every(isPrimitive) ? [`[${key.map(item => typeof item).join(', ')}]`] : []
  } catch {
    return []
  }
}

function isPrimitive(value: unknown): boolean {
  return value !== undefined && value !== null && typeof value !== 'object'
}

/**
 * Windows of a fixed grid are found again by their start alone: the grid is part of what they are.
 * The timers of open windows belong to their trigger, whatever its numbers.
 */
function windowForm({ assigner, trigger }: WindowSpec): string {
  const parts = [...shapeForm(assigner)]
  if (assigner.timeDomain === 'processing') parts.push('processing time')
  if (trigger !== undefined) parts.push(`trigger ${withoutNumbers(trigger.name)}`)
  return parts.join(', ')
}

function shapeForm({ shape, name }: WindowSpec['assigner']): readonly string[] {
  if (shape.kind !== 'tumbling' && shape.kind !== 'sliding') return [withoutNumbers(name)]
  const sizes = shape.kind === 'tumbling' ? [shape.sizeMs] : [shape.sizeMs, shape.slideMs]
  const grid = `${shape.kind}(${sizes.map(exactDuration).join(', ')})`
  return shape.offsetMs === 0 ? [grid] : [grid, `offset ${exactDuration(shape.offsetMs)}`]
}

/** `purging(count(5))` -> `purging of count`. */
function withoutNumbers(name: string): string {
  return name.match(/[\w-]+(?=\()/g)?.join(' of ') ?? name
}

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
] as const

/** In the largest unit that divides it: no two durations look the same. */
function exactDuration(ms: number): string {
  const unit = ms === 0 ? undefined : UNITS.find(([, unitMs]) => ms % unitMs === 0)
  return unit === undefined ? `${ms}ms` : `${ms / unit[1]}${unit[0]}`
}
