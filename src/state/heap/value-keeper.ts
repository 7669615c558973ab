/**
 * Makes a value fit to be kept: refuses at once what the column could not hold (a typed array would
 * change it silently), and cuts strings loose from the batch of text they are a piece of.
 *
 * Strings inside objects are replaced in place, in the fields that the schema names; values without
 * a schema keep theirs, except for a value that is a string itself.
 */
import { assert } from '../../common/assert.ts'
import { ByteWriter } from '../../common/bytes.ts'
import { flatten } from '../../schema/flatten.ts'
import type { SchemaNode, Type } from '../../schema/type.ts'

/** The value to keep: mostly the given one. */
export type Keeper = (value: unknown) => unknown

const scratch = new ByteWriter(64)

export function makeKeeper(type: Type<unknown>): Keeper {
  switch (type.storage) {
    case 'int32':
      return value => (((value as number) | 0) === value ? value : refuseValue(type, value))
    case 'float64':
      if (type.schema.kind !== 'float64') {
        return value => (Number.isSafeInteger(value) ? value : judge(type, value))
      }
      return value => (typeof value === 'number' ? value : refuseValue(type, value))
    default:
      return looseStrings(type.schema) ?? (value => value)
  }
}

/** Throws what the type's codec says about a value that does not fit its cells. */
export function refuseValue(type: Type<unknown>, value: unknown): never {
  judge(type, value)
  assert(false, `a value of type ${type.name} fits its cells: ${typeof value}`)
}

function judge(type: Type<unknown>, value: unknown): unknown {
  scratch.clear()
  type.write(scratch, value)
  return value
}

/** Replaces the strings of a value of this schema; `undefined` when it has none. */
function looseStrings(schema: SchemaNode): Keeper | undefined {
  switch (schema.kind) {
    case 'string':
    case 'general':
      return keepString
    case 'optional':
    case 'nullable':
      return looseStrings(schema.of)
    case 'object':
      return looseFields(schema.fields.map(({ name, type }) => [name, looseStrings(type)]))
    case 'tuple':
      return looseFields(schema.items.map((item, i) => [i, looseStrings(item)]))
    case 'array':
      return looseItems(looseStrings(schema.of))
    case 'map':
      return looseMap(looseStrings(schema.key), looseStrings(schema.value))
    case 'dictionary':
      return looseDictionary(looseStrings(schema.value))
    case 'union':
      return looseUnion(schema.variants)
    default:
      return undefined
  }
}

type Field = readonly [name: string | number, keeper: Keeper | undefined]

function looseFields(fields: readonly Field[]): Keeper | undefined {
  const loose = fields.filter(([, keeper]) => keeper !== undefined) as [string, Keeper][]
  if (loose.length === 0) return undefined
  return value => {
    if (!isObject(value)) return value
    const kept = writable(value) as Record<string, unknown>
    for (const [name, keep] of loose) {
      const before = kept[name]
      // Always replaced: a piece and its copy compare equal.
      if (before !== undefined) kept[name] = keep(before)
    }
    return kept
  }
}

function looseItems(keep: Keeper | undefined): Keeper | undefined {
  if (keep === undefined) return undefined
  return value => {
    if (!Array.isArray(value)) return value
    const kept = writable(value) as unknown[]
    for (let i = 0; i < kept.length; i++) kept[i] = keep(kept[i])
    return kept
  }
}

function looseMap(key: Keeper | undefined, item: Keeper | undefined): Keeper | undefined {
  if (key === undefined && item === undefined) return undefined
  return value => {
    if (!(value instanceof Map)) return value
    const kept = new Map<unknown, unknown>()
    for (const [k, v] of value) kept.set(key?.(k) ?? k, item?.(v) ?? v)
    return kept
  }
}

function looseDictionary(keep: Keeper | undefined): Keeper {
  return value => {
    if (!isObject(value)) return value
    const kept: Record<string, unknown> = {}
    for (const [name, item] of Object.entries(value)) {
      kept[flatten(name)] = keep === undefined ? item : keep(item)
    }
    return kept
  }
}

/** Variants may give one field several types: only fields that are strings are replaced. */
function looseUnion(variants: readonly SchemaNode[]): Keeper | undefined {
  const names = new Set<string>()
  for (const variant of variants) {
    if (variant.kind !== 'object') continue
    for (const { name, type } of variant.fields) {
      if (looseStrings(type) !== undefined) names.add(name)
    }
  }
  return looseFields([...names].map(name => [name, keepString]))
}

function keepString(value: unknown): unknown {
  return typeof value === 'string' ? flatten(value) : value
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

/** The value, or a copy when it is frozen. */
function writable(value: unknown): unknown {
  if (!Object.isFrozen(value)) return value
  return Array.isArray(value) ? [...value] : { ...(value as object) }
}
