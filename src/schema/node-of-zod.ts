/**
 * Reads a zod schema into a {@link TypeNode}. What has no fixed form of bytes is refused here, with
 * the path to it, before any record flows.
 */
import { schemaErrors } from './schema-errors.ts'
import { type SchemaMark, schemaMark } from './schema-mark.ts'
import type { SchemaNode } from './type.ts'
import type {
  ChoiceNode,
  JsonForm,
  LeafNode,
  ObjectField,
  ObjectNode,
  TypeNode,
  UnionNode,
  ZodCheck,
  ZodNode,
} from './type-node.ts'

interface Place {
  readonly path: string
  /** The schemas around this one: a schema among its own ancestors is recursive. */
  readonly above: readonly ZodNode[]
}

/** True for any zod 4 schema, of whichever copy of the package. */
export function isZod(value: unknown): value is ZodNode {
  const internals = (value as { readonly _zod?: { readonly def?: unknown } } | null)?._zod
  return typeof internals === 'object' && typeof internals.def === 'object'
}

const ROOT = 'the value'

/** Throws WEIR_SCHEMA_UNSUPPORTED, naming the path. */
export function nodeOfZod(zod: ZodNode, path = ROOT): TypeNode {
  return read(zod, { path, above: [] })
}

function read(zod: ZodNode, place: Place): TypeNode {
  if (place.above.includes(zod)) {
    throw unsupported(place, 'it refers to itself', 'put the recursive part into z.unknown()')
  }
  const definition = zod._zod.def
  const inside = { path: place.path, above: [...place.above, zod] }
  const mark = schemaMark(definition)
  if (mark !== undefined) return marked(zod, mark, inside)
  const reader = readers[definition.type]
  if (reader !== undefined) return reader(zod, inside)
  throw unsupported(place, `z.${definition.type}() has no form in bytes`, HINTS[definition.type])
}

type Reader = (zod: ZodNode, place: Place) => TypeNode

const readers: { readonly [type: string]: Reader } = {
  string: zod => leaf(zod, 'string', coercion(zod)),
  number: zod => leaf(zod, numberKind(zod), coercion(zod)),
  int: zod => leaf(zod, 'int', 'plain'),
  nan: zod => leaf(zod, 'float64', 'none'),
  bigint: zod => leaf(zod, 'int64', coercion(zod) === 'opaque' ? 'opaque' : 'none'),
  boolean: zod => leaf(zod, 'boolean', coercion(zod)),
  null: zod => leaf(zod, 'null', 'plain'),
  any: zod => leaf(zod, 'general', 'opaque'),
  unknown: zod => leaf(zod, 'general', 'opaque'),
  literal: readLiteral,
  enum: readEnum,
  object: readObject,
  union: readUnion,
  array: readArray,
  tuple: readTuple,
  record: readDictionary,
  map: readMap,
  optional: (zod, place) => readWrapper(zod, 'optional', place),
  nullable: (zod, place) => readWrapper(zod, 'nullable', place),
  default: (zod, place) => pass(zod, place, 'plain'),
  nonoptional: (zod, place) => pass(zod, place, 'opaque'),
  prefault: (zod, place) => pass(zod, place, 'opaque'),
  catch: (zod, place) => pass(zod, place, 'opaque'),
  readonly: (zod, place) => pass(zod, place, 'opaque'),
  lazy: (zod, place) => {
    const getter = zod._zod.def.getter as () => ZodNode
    return read(getter(), place)
  },
  pipe: (zod, place) => ({
    ...read(child(zod, 'out'), place),
    zod,
    json: 'opaque',
    checks: [],
  }),
}

const HINTS: { readonly [type: string]: string } = {
  date: 'use z.timestamp(), a number of milliseconds since the epoch',
  set: 'use z.array(), or z.record() with the members as keys',
  transform: 'end it in a type: z.codec(input, output, …) or .pipe(output)',
  custom: 'use z.bytes() for bytes, z.unknown() for values of the general codec',
  intersection: 'use .extend() to make one object',
  undefined: 'use .optional()',
}

function marked(zod: ZodNode, mark: SchemaMark, place: Place): TypeNode {
  switch (mark) {
    case 'timestamp':
      return leaf(zod, 'timestamp', 'plain')
    case 'iso-timestamp':
      return leaf(zod, 'timestamp', 'iso')
    case 'bytes':
      return leaf(zod, 'bytes', 'base64')
    case 'int64':
      return leaf(zod, 'int64', 'digits')
    case 'map': {
      const pair = child(child(zod, 'in'), 'element')
      const [key, value] = pair._zod.def.items as readonly [ZodNode, ZodNode]
      return mapNode(zod, { key, value, json: 'entries' }, place)
    }
  }
}

function leaf(zod: ZodNode, kind: LeafNode['kind'], json: JsonForm): LeafNode {
  return { kind, zod, json, checks: checksOf(zod), schema: { kind } }
}

/** As zod runs them: a schema that is a check itself (`z.email()`, `z.int32()`) comes first. */
function checksOf(zod: ZodNode): readonly ZodCheck[] {
  const checks = zod._zod.def.checks ?? []
  return zod._zod.traits.has('$ZodCheck') ? [zod as unknown as ZodCheck, ...checks] : checks
}

/** The narrowest integer kind that a format promises; ranges alone do not change the kind. */
function numberKind(zod: ZodNode): 'int32' | 'int' | 'float64' {
  const formats = checksOf(zod).map(check => check._zod.def.format)
  if (formats.includes('int32')) return 'int32'
  return formats.includes('safeint') || formats.includes('uint32') ? 'int' : 'float64'
}

function coercion(zod: ZodNode): JsonForm {
  return zod._zod.def.coerce === true ? 'opaque' : 'plain'
}

function readLiteral(zod: ZodNode, place: Place): TypeNode {
  return choice(zod, zod._zod.def.values as readonly unknown[], place)
}

function readEnum(zod: ZodNode, place: Place): TypeNode {
  const entries = zod._zod.def.entries as { readonly [name: string]: string | number }
  // A TypeScript enum of numbers also maps each number back to its name: those are no values.
  const numbers = Object.values(entries).filter(value => typeof value === 'number')
  const names = Object.keys(entries).filter(name => !numbers.includes(Number(name)))
  return choice(
    zod,
    names.map(name => entries[name]),
    place,
  )
}

function choice(zod: ZodNode, values: readonly unknown[], place: Place): ChoiceNode {
  const plain = values.filter(
    value =>
      typeof value === 'string' ||
      (typeof value === 'number' && Number.isFinite(value)) ||
      typeof value === 'boolean' ||
      value === null,
  ) as (string | number | boolean | null)[]
  if (plain.length !== values.length) {
    throw unsupported(place, 'a literal must be a string, a finite number, a boolean or null')
  }
  const only = plain[0]
  const schema: SchemaNode =
    plain.length === 1 && only !== undefined
      ? { kind: 'literal', value: only }
      : { kind: 'enum', values: enumValues(plain, place) }
  return { kind: 'choice', values: plain, zod, json: 'plain', checks: checksOf(zod), schema }
}

function enumValues(
  values: readonly (string | number | boolean | null)[],
  place: Place,
): (string | number)[] {
  const fit = values.filter(value => typeof value === 'string' || typeof value === 'number')
  if (fit.length === values.length) return fit
  throw unsupported(place, 'a literal of several values takes strings and numbers only')
}

function readObject(zod: ZodNode, place: Place): ObjectNode {
  const definition = zod._zod.def
  const catchall = definition.catchall as ZodNode | undefined
  if (catchall !== undefined && catchall._zod.def.type !== 'never') {
    throw unsupported(place, 'an object that keeps unknown keys has no fixed fields', CATCHALL_HINT)
  }
  const shape = definition.shape as { readonly [name: string]: ZodNode }
  const fields: ObjectField[] = []
  for (const [name, type] of Object.entries(shape)) {
    const inner = { path: fieldPath(place.path, name), above: place.above }
    if (name === '__proto__') throw unsupported(inner, 'a field cannot have this name')
    fields.push({ name, node: read(type, inner), absent: type._zod.optin ?? 'required' })
  }
  const described = fields.map(field => ({
    name: field.name,
    type: field.node.schema,
    ...storedDefault(field),
  }))
  return {
    kind: 'object',
    fields,
    zod,
    json: 'plain',
    checks: checksOf(zod),
    schema: { kind: 'object', fields: described },
  }
}

const CATCHALL_HINT = 'list the fields, or put the open part into z.record(z.string(), …)'

function fieldPath(path: string, name: string): string {
  return path === ROOT ? name : `${path}.${name}`
}

/** The default as JSON, for an older snapshot without the field. */
function storedDefault(field: ObjectField): { default?: unknown } {
  if (field.absent !== 'defaulted') return {}
  const { zod } = field.node
  const given = zod._zod.run({ value: undefined, issues: [] }, { async: false })
  if (given instanceof Promise || given.issues.length > 0) return {}
  const back = zod._zod.run({ value: given.value, issues: [] }, BACKWARD)
  if (back instanceof Promise || back.issues.length > 0 || back.value === undefined) return {}
  return { default: JSON.parse(JSON.stringify(back.value)) as unknown }
}

/** The context by which zod encodes: from the value to what JSON carries. */
export const BACKWARD = { async: false, direction: 'backward' } as const

function readUnion(zod: ZodNode, place: Place): TypeNode {
  const definition = zod._zod.def
  const options = definition.options as readonly ZodNode[]
  const discriminator = definition.discriminator as string | undefined
  if (discriminator === undefined) {
    throw unsupported(place, 'a union needs a field that tells the variants apart', UNION_HINT)
  }
  if (definition.unionFallback === true) throw unsupported(place, 'unionFallback is set')
  const variants = options.flatMap(option => variantsOf(option, place))
  for (const variant of variants) requireTag(variant, discriminator, place)
  const node: UnionNode = {
    kind: 'union',
    discriminator,
    variants,
    zod,
    json: 'plain',
    checks: checksOf(zod),
    schema: { kind: 'union', discriminator, variants: variants.map(variant => variant.schema) },
  }
  return node
}

const UNION_HINT = "use z.discriminatedUnion('kind', […]), or .nullable() and .optional()"

function variantsOf(option: ZodNode, place: Place): ObjectNode[] {
  const node = read(option, place)
  if (node.kind === 'object' && node.json === 'plain') return [node]
  throw unsupported(place, 'each variant of a union must be a plain z.object()')
}

function requireTag(variant: ObjectNode, discriminator: string, place: Place): void {
  const tag = variant.fields.find(field => field.name === discriminator)
  if (tag?.node.kind !== 'choice' || tag.absent !== 'required') {
    throw unsupported(place, `each variant needs a z.literal() or z.enum() named ${discriminator}`)
  }
}

function readArray(zod: ZodNode, place: Place): TypeNode {
  const of = read(child(zod, 'element'), inside(place))
  const schema: SchemaNode = { kind: 'array', of: of.schema }
  return { kind: 'array', of, zod, json: 'plain', checks: checksOf(zod), schema }
}

function readTuple(zod: ZodNode, place: Place): TypeNode {
  const definition = zod._zod.def
  if (definition.rest) throw unsupported(place, 'a tuple with a rest has no fixed length')
  const kinds = definition.items as readonly ZodNode[]
  const items = kinds.map(item => read(item, inside(place)))
  // Zod drops absent trailing items of a tuple: its own rules apply then.
  const open = kinds.some(item => item._zod.optin !== undefined)
  const schema: SchemaNode = { kind: 'tuple', items: items.map(item => item.schema) }
  const json = open ? 'opaque' : 'plain'
  return { kind: 'tuple', items, zod, json, checks: checksOf(zod), schema }
}

function readDictionary(zod: ZodNode, place: Place): TypeNode {
  const key = child(zod, 'keyType')._zod.def
  if (key.type !== 'string' && key.type !== 'enum' && key.type !== 'literal') {
    throw unsupported(place, 'the keys of z.record() must be strings', 'use z.map() for other keys')
  }
  const of = read(child(zod, 'valueType'), inside(place))
  const plain = key.type === 'string' && (key.checks ?? []).length === 0 && !key.format
  const schema: SchemaNode = { kind: 'dictionary', value: of.schema }
  const json = plain && zod._zod.def.mode !== 'loose' ? 'plain' : 'opaque'
  return { kind: 'dictionary', of, zod, json, checks: checksOf(zod), schema }
}

function readMap(zod: ZodNode, place: Place): TypeNode {
  const parts = {
    key: child(zod, 'keyType'),
    value: child(zod, 'valueType'),
    json: 'none',
  } as const
  return mapNode(zod, parts, place)
}

function mapNode(
  zod: ZodNode,
  parts: { readonly key: ZodNode; readonly value: ZodNode; readonly json: JsonForm },
  place: Place,
): TypeNode {
  const key = read(parts.key, inside(place))
  const value = read(parts.value, inside(place))
  const schema: SchemaNode = { kind: 'map', key: key.schema, value: value.schema }
  return { kind: 'map', key, value, zod, json: parts.json, checks: checksOf(zod), schema }
}

function readWrapper(zod: ZodNode, kind: 'optional' | 'nullable', place: Place): TypeNode {
  const of = read(child(zod, 'innerType'), place)
  if (of.schema.kind === kind) return { ...of, zod }
  const schema: SchemaNode = { kind, of: of.schema }
  return { kind, of, zod, json: 'plain', checks: checksOf(zod), schema }
}

/** A wrapper that leaves the type of the value alone. */
function pass(zod: ZodNode, place: Place, json: JsonForm): TypeNode {
  const inner = read(child(zod, 'innerType'), place)
  if (json === 'opaque') return { ...inner, zod, json, checks: [] }
  return { ...inner, zod, checks: [...inner.checks, ...checksOf(zod)] }
}

function child(zod: ZodNode, property: string): ZodNode {
  return zod._zod.def[property] as ZodNode
}

function inside(place: Place): Place {
  return { path: `${place.path}[]`, above: place.above }
}

function unsupported(place: Place, what: string, hint = SUPPORTED): Error {
  return schemaErrors.WEIR_SCHEMA_UNSUPPORTED({ path: place.path, what, hint })
}

const SUPPORTED =
  'use strings, numbers, int32, int64, booleans, timestamps, bytes, enums, literals, arrays, ' +
  'tuples, maps, records, objects, discriminated unions; optional, nullable, with defaults'
