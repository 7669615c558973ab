/**
 * Whether values stored under one schema can be read under another, and how.
 *
 * Fields are matched by name, variants by their tags. Fields may come (optional, nullable or with a
 * default), go, and change their order; numbers may widen, enums and unions may grow, a type may
 * become optional or nullable. All else is refused: a value is never guessed.
 */
import { assert } from '../common/assert.ts'
import { schemaErrors } from './schema-errors.ts'
import { schemaName } from './schema-name.ts'
import type { FieldNode, SchemaNode, Type } from './type.ts'
import type { TypeNode } from './type-node.ts'
import { unionTags } from './value-layout.ts'
import { makeValueReader } from './value-reader.ts'
import { joinPath } from './value-test.ts'
import { isZodType } from './zod-type.ts'

export type SchemaComparison =
  /** The bytes mean the same. */
  | { readonly kind: 'as-is' }
  /** Each value must be read by {@link migratingType}. */
  | { readonly kind: 'migrate' }
  | { readonly kind: 'incompatible'; readonly path: string; readonly reason: string }

export interface CompareOptions {
  /** Keys decide who owns a value: their bytes must stay as they are. */
  readonly isKey?: boolean
}

export function compareSchemas(
  old: SchemaNode,
  next: SchemaNode,
  options: CompareOptions = {},
): SchemaComparison {
  const step = migrate(old, next, { path: '', node: undefined })
  if (step.kind === 'migrate' && options.isKey === true) {
    return incompatible('', `a key cannot change from ${schemaName(old)} to ${schemaName(next)}`)
  }
  return step.kind === 'migrate' ? { kind: 'migrate' } : step
}

/**
 * A type that reads the bytes of `old` and gives values of `type`; it writes as `type` does.
 * Throws WEIR_SCHEMA_INCOMPATIBLE.
 */
export function migratingType<T>(old: SchemaNode, type: Type<T>): Type<T> {
  const node = isZodType(type) ? type.node : undefined
  const step = migrate(old, type.schema, { path: '', node })
  if (step.kind === 'as-is') return type
  if (step.kind === 'incompatible') throw schemaErrors.WEIR_SCHEMA_INCOMPATIBLE(step)
  const read = makeValueReader<unknown>(old)
  const { convert } = step
  return {
    name: type.name,
    schema: type.schema,
    storage: type.storage,
    write: (out, value) => type.write(out, value),
    read: input => convert(read(input)) as T,
  }
}

type Convert = (value: unknown) => unknown

type Step =
  | { readonly kind: 'as-is' }
  | { readonly kind: 'migrate'; readonly convert: Convert }
  | { readonly kind: 'incompatible'; readonly path: string; readonly reason: string }

interface Place {
  readonly path: string
  /** Of the new type, where it is known: makes defaults that JSON cannot hold. */
  readonly node: TypeNode | undefined
}

const AS_IS = { kind: 'as-is' } as const

/** The bytes differ, the values do not. */
const REWRITTEN = { kind: 'migrate', convert: (value: unknown) => value } as const

function incompatible(path: string, reason: string): Step & { readonly kind: 'incompatible' } {
  return { kind: 'incompatible', path: path === '' ? 'the value' : path, reason }
}

function migrate(old: SchemaNode, next: SchemaNode, place: Place): Step {
  if (old.kind === next.kind) return sameKind(old, next, place)
  if (next.kind === 'general') return REWRITTEN
  if (next.kind === 'optional' || next.kind === 'nullable') {
    const inner = migrate(old, next.of, inside(place))
    return inner.kind === 'as-is' ? REWRITTEN : inner
  }
  if (WIDER[old.kind]?.includes(next.kind) === true) return REWRITTEN
  if (next.kind === 'string' && textOnly(old)) return REWRITTEN
  if (next.kind === 'enum' && old.kind === 'literal' && includes(next.values, old.value)) {
    return REWRITTEN
  }
  if (next.kind === 'literal' && old.kind === 'enum') {
    return incompatible(place.path, 'an enum cannot lose values')
  }
  return incompatible(place.path, `${schemaName(old)} cannot become ${schemaName(next)}`)
}

/** Numbers that hold all values of another kind. */
const WIDER: { readonly [kind: string]: readonly string[] } = {
  int32: ['int', 'float64', 'timestamp'],
  int: ['float64', 'timestamp'],
  timestamp: ['int', 'float64'],
}

function textOnly(schema: SchemaNode): boolean {
  if (schema.kind === 'literal') return typeof schema.value === 'string'
  return schema.kind === 'enum' && schema.values.every(value => typeof value === 'string')
}

function includes(values: readonly unknown[], value: unknown): boolean {
  return values.includes(value)
}

function sameKind(old: SchemaNode, next: SchemaNode, place: Place): Step {
  if (old.kind === 'enum' && next.kind === 'enum') return enums(old.values, next.values, place)
  if (old.kind === 'literal' && next.kind === 'literal') {
    if (old.value === next.value) return AS_IS
    return incompatible(place.path, `${schemaName(old)} cannot become ${schemaName(next)}`)
  }
  if (old.kind === 'object' && next.kind === 'object')
    return objects(old.fields, next.fields, place)
  if (old.kind === 'union' && next.kind === 'union') return unions(old, next, place)
  if (old.kind === 'map' && next.kind === 'map') return maps(old, next, place)
  if (old.kind === 'tuple' && next.kind === 'tuple') return tuples(old.items, next.items, place)
  if (old.kind === 'dictionary' && next.kind === 'dictionary') {
    return each(migrate(old.value, next.value, inside(place)), convert => value => {
      const entries = Object.entries(value as object)
      return Object.fromEntries(entries.map(([key, item]) => [key, convert(item)]))
    })
  }
  if (old.kind === 'array' && next.kind === 'array') {
    const step = migrate(old.of, next.of, inside(place))
    return each(step, convert => value => (value as unknown[]).map(convert))
  }
  if ('of' in old && 'of' in next) {
    const step = migrate(old.of, next.of, inside(place))
    return each(step, convert => value => (value == null ? value : convert(value)))
  }
  return AS_IS
}

function each(step: Step, lift: (convert: Convert) => Convert): Step {
  return step.kind === 'migrate' ? { kind: 'migrate', convert: lift(step.convert) } : step
}

function enums(
  old: readonly (string | number)[],
  next: readonly (string | number)[],
  place: Place,
): Step {
  const lost = old.find(value => !next.includes(value))
  if (lost !== undefined) {
    return incompatible(place.path, `the enum lost the value ${JSON.stringify(lost)}`)
  }
  // Indexes are stored: new values at the end of an enum of one byte change nothing.
  const kept = old.every((value, i) => next[i] === value)
  return kept && old.length <= 0x100 === next.length <= 0x100 ? AS_IS : REWRITTEN
}

function maps(
  old: SchemaNode & { readonly kind: 'map' },
  next: SchemaNode & { readonly kind: 'map' },
  place: Place,
): Step {
  const node = place.node?.kind === 'map' ? place.node : undefined
  const key = migrate(old.key, next.key, { path: `${place.path}{key}`, node: node?.key })
  if (key.kind === 'migrate') return incompatible(`${place.path}{key}`, 'the keys of a map changed')
  if (key.kind === 'incompatible') return key
  const value = migrate(old.value, next.value, { path: `${place.path}{}`, node: node?.value })
  return each(value, convert => map => {
    const entries = [...(map as Map<unknown, unknown>)]
    return new Map(entries.map(([k, v]) => [k, convert(v)]))
  })
}

function tuples(old: readonly SchemaNode[], next: readonly SchemaNode[], place: Place): Step {
  if (old.length !== next.length) {
    return incompatible(place.path, `a tuple of ${old.length} cannot have ${next.length} items`)
  }
  const node = place.node?.kind === 'tuple' ? place.node : undefined
  const steps = old.map((item, i) =>
    migrate(item, next[i] as SchemaNode, { path: `${place.path}[${i}]`, node: node?.items[i] }),
  )
  return combine(
    steps,
    converts => value => converts.map((convert, i) => convert((value as unknown[])[i])),
  )
}

/** Of several parts: as they are, if all are; incompatible, if one is. */
function combine(steps: readonly Step[], lift: (converts: readonly Convert[]) => Convert): Step {
  const bad = steps.find(step => step.kind === 'incompatible')
  if (bad !== undefined) return bad
  if (steps.every(step => step.kind === 'as-is')) return AS_IS
  const converts = steps.map(step => (step.kind === 'migrate' ? step.convert : REWRITTEN.convert))
  return { kind: 'migrate', convert: lift(converts) }
}

function objects(old: readonly FieldNode[], next: readonly FieldNode[], place: Place): Step {
  const steps = next.map(field => fieldStep(old, field, place))
  const names = next.map(field => field.name)
  const moved = old.length !== next.length || old.some((field, i) => field.name !== names[i])
  const build = (converts: readonly Convert[]) => (value: unknown) => {
    const object = value as Record<string, unknown>
    return Object.fromEntries(names.map((name, i) => [name, converts[i]?.(object[name])] as const))
  }
  const step = combine(steps, build)
  if (step.kind !== 'as-is' || !moved) return step
  return { kind: 'migrate', convert: build(names.map(() => REWRITTEN.convert)) }
}

function fieldStep(old: readonly FieldNode[], next: FieldNode, place: Place): Step {
  const path = joinPath(place.path, next.name)
  const node = fieldNode(place.node, next.name)
  const before = old.find(field => field.name === next.name)
  if (before === undefined) return added(next, { path, node })
  const becomesRequired = before.type.kind === 'optional' && next.type.kind !== 'optional'
  if (!becomesRequired || !('default' in next) || before.type.kind !== 'optional') {
    return migrate(before.type, next.type, { path, node })
  }
  const inner = migrate(before.type.of, next.type, { path, node })
  if (inner.kind === 'incompatible') return inner
  const convert = inner.kind === 'migrate' ? inner.convert : REWRITTEN.convert
  const absent = makeDefault(next, node)
  return { kind: 'migrate', convert: value => (value === undefined ? absent() : convert(value)) }
}

function added(field: FieldNode, place: Place): Step {
  if ('default' in field) return { kind: 'migrate', convert: makeDefault(field, place.node) }
  if (field.type.kind === 'optional') return { kind: 'migrate', convert: () => undefined }
  if (field.type.kind === 'nullable') return { kind: 'migrate', convert: () => null }
  return incompatible(
    place.path,
    'the new field is neither optional nor nullable, nor has a default',
  )
}

/** A default as zod makes it; from JSON alone where only the schema's description is known. */
function makeDefault(field: FieldNode, node: TypeNode | undefined): () => unknown {
  return () => {
    if (node === undefined) return structuredClone(field.default)
    const made = node.zod._zod.run({ value: undefined, issues: [] }, { async: false })
    assert(!(made instanceof Promise) && made.issues.length === 0, 'a default is made at once')
    return made.value
  }
}

function unions(
  old: SchemaNode & { readonly kind: 'union' },
  next: SchemaNode & { readonly kind: 'union' },
  place: Place,
): Step {
  if (old.discriminator !== next.discriminator) {
    return incompatible(place.path, `the discriminator ${old.discriminator} is gone`)
  }
  const tagsOf = (variant: SchemaNode) => unionTags(variant, old.discriminator)
  const nodes = place.node?.kind === 'union' ? place.node.variants : undefined
  const byTag = new Map<unknown, number>()
  const targets = old.variants.map((variant, i) => {
    for (const tag of tagsOf(variant)) byTag.set(tag, i)
    return next.variants.findIndex(one => tagsOf(variant).every(tag => tagsOf(one).includes(tag)))
  })
  const steps = old.variants.map((variant, i) => {
    const target = targets[i] as number
    const to = next.variants[target]
    if (to === undefined) {
      return incompatible(place.path, `the variant ${tagsOf(variant).join(', ')} is gone`)
    }
    return migrate(variant, to, { path: place.path, node: nodes?.[target] })
  })
  const step = combine(steps, converts => value => {
    const tag = (value as Record<string, unknown>)[old.discriminator]
    return converts[byTag.get(tag) as number]?.(value)
  })
  // The index of the variant is stored.
  return step.kind === 'as-is' && targets.some((target, i) => target !== i) ? REWRITTEN : step
}

function fieldNode(node: TypeNode | undefined, name: string): TypeNode | undefined {
  if (node?.kind !== 'object') return undefined
  return node.fields.find(field => field.name === name)?.node
}

function inside(place: Place): Place {
  const { node } = place
  return { path: place.path, node: node !== undefined && 'of' in node ? node.of : undefined }
}
