/** Generates the function that writes one value of a schema into a {@link ByteWriter}. */
import type { ByteWriter } from '../common/bytes.ts'
import { generalType } from './general-type.ts'
import { property, quote, SourceBuilder } from './source-builder.ts'
import type { FieldNode, SchemaNode } from './type.ts'
import { enumWidth, fixedSize, isFixed, unionTags } from './value-layout.ts'
import { isOfType, joinPath, refuseValue } from './value-test.ts'
import { writeText } from './value-text.ts'

export type WriteValue<T> = (out: ByteWriter, value: T) => void

/**
 * The layout, field by field without padding: numbers little-endian; text and bytes behind their
 * length; optional, nullable and enum behind one byte; lists behind their count; a union behind the
 * index of its variant. Version 1; a change of it needs a new number in the state's metadata.
 *
 * `path` is where errors say that the value lies.
 */
export function makeValueWriter<T>(schema: SchemaNode, path = ''): WriteValue<T> {
  const b = new SourceBuilder()
  b.constant(writeText)
  const refuseName = b.constant(refuse, 'refuse')
  b.line('return function write(out, value) {')
  b.line('const start = out.length')
  b.line('let buffer = out.buffer, data = out.data, p = start')
  const writer = new ValueWriter(b, refuseName)
  writer.room(schema)
  writer.value({ schema, value: 'value', path })
  b.line('out.length = p', '}')
  return b.compile()
}

/** Nothing of the value stays behind: the writer is as it was before. */
function refuse(out: ByteWriter, start: number, refused: Refused): never {
  out.length = start
  refuseValue(refused.schema, refused.path, refused.value)
}

interface Refused {
  readonly path: string
  readonly schema: SchemaNode
  readonly value: unknown
}

interface Spot {
  readonly schema: SchemaNode
  /** The JavaScript expression of the value; evaluated more than once. */
  readonly value: string
  readonly path: string
}

/** Emits statements that write values at `p` and move it on. */
class ValueWriter {
  readonly #b: SourceBuilder
  readonly #refuse: string

  constructor(b: SourceBuilder, refuse: string) {
    this.#b = b
    this.#refuse = refuse
  }

  /** Makes room once for all that is of fixed size in `schema`; the rest makes its own. */
  room(schema: SchemaNode): void {
    this.#room(`${fixedSize(schema)}`)
  }

  #room(size: string): void {
    if (size === '0') return
    this.#b.line(
      `if (p + ${size} > buffer.length) { out.length = p; out.reserve(${size})`,
      'buffer = out.buffer; data = out.data }',
    )
  }

  #require(spot: Spot, condition = isOfType(spot.schema, spot.value)): void {
    const schema = this.#b.constant(spot.schema)
    this.#b.line(
      `if (!(${condition})) ${this.#refuse}(out, start, ` +
        `{ path: ${quote(spot.path)}, schema: ${schema}, value: ${spot.value} })`,
    )
  }

  /** A method of the writer that moves `out.length` itself. */
  #call(statement: string): void {
    this.#b.line(
      `out.length = p; ${statement}; p = out.length; buffer = out.buffer; data = out.data`,
    )
  }

  value(spot: Spot): void {
    const { schema, value } = spot
    switch (schema.kind) {
      case 'string':
        this.#require(spot)
        this.#call(`${this.#b.constant(writeText)}(out, ${value})`)
        return
      case 'bytes':
        this.#require(spot)
        this.#call(`out.writeVarint(${value}.length); out.writeBytes(${value})`)
        return
      case 'general':
        this.#call(`${this.#b.constant(generalType)}.write(out, ${value})`)
        return
      case 'null':
        this.#require(spot)
        return
      case 'literal':
        this.#require(spot)
        return
      case 'enum':
        this.#enum(spot, schema.values)
        return
      case 'optional':
        this.#maybe(spot, schema.of, 'undefined')
        return
      case 'nullable':
        this.#maybe(spot, schema.of, 'null')
        return
      case 'array':
        this.#array(spot, schema.of)
        return
      case 'tuple':
        this.#tuple(spot, schema.items)
        return
      case 'map':
        this.#map(spot, schema.key, schema.value)
        return
      case 'dictionary':
        this.#dictionary(spot, schema.value)
        return
      case 'object':
        this.#object(spot, schema.fields)
        return
      case 'union':
        this.#union(spot)
        return
      default:
        this.#number(spot)
        return
    }
  }

  #number(spot: Spot): void {
    const { value } = spot
    switch (spot.schema.kind) {
      case 'int32': {
        this.#require(spot)
        this.#b.line(`data.setInt32(p, ${value}, true); p += 4`)
        return
      }
      case 'boolean':
        this.#require(spot)
        this.#b.line(`buffer[p++] = ${value} ? 1 : 0`)
        return
      case 'int64':
        this.#require(spot)
        this.#b.line(`data.setBigInt64(p, ${value}, true); p += 8`)
        return
      case 'int':
        this.#require(spot)
        break
      default:
        this.#require(spot)
    }
    this.#b.line(`data.setFloat64(p, ${value}, true); p += 8`)
  }

  #enum(spot: Spot, values: readonly (string | number)[]): void {
    const index = this.#b.name('index')
    const known = this.#b.constant(new Map(values.map((value, i) => [value, i])))
    this.#b.line(`const ${index} = ${known}.get(${spot.value})`)
    this.#require(spot, `${index} !== undefined`)
    this.#b.line(`buffer[p++] = ${index}`)
    if (enumWidth(values) === 2) this.#b.line(`buffer[p++] = ${index} >> 8`)
  }

  #maybe(spot: Spot, of: SchemaNode, absent: 'undefined' | 'null'): void {
    this.#b.line(`if (${spot.value} === ${absent}) buffer[p++] = 0`)
    this.#b.line('else {', 'buffer[p++] = 1')
    this.room(of)
    this.value({ ...spot, schema: of })
    this.#b.line('}')
  }

  #array(spot: Spot, of: SchemaNode): void {
    this.#require(spot)
    const [list, i, item] = [this.#b.name('list'), this.#b.name('i'), this.#b.name('item')]
    this.#b.line(`const ${list} = ${spot.value}`)
    this.#call(`out.writeVarint(${list}.length)`)
    this.#b.line(`for (let ${i} = 0; ${i} < ${list}.length; ${i}++) {`)
    this.#b.line(`const ${item} = ${list}[${i}]`)
    this.room(of)
    this.value({ schema: of, value: item, path: `${spot.path}[]` })
    this.#b.line('}')
  }

  #tuple(spot: Spot, items: readonly SchemaNode[]): void {
    const { value, path } = spot
    this.#require(spot)
    for (const [i, schema] of items.entries()) {
      const item = this.#b.name('item')
      this.#b.line(`const ${item} = ${value}[${i}]`)
      this.value({ schema, value: item, path: `${path}[${i}]` })
      if (!isFixed(schema)) this.room(spot.schema)
    }
  }

  #map(spot: Spot, key: SchemaNode, of: SchemaNode): void {
    this.#require(spot)
    const [k, v] = [this.#b.name('key'), this.#b.name('item')]
    this.#call(`out.writeVarint(${spot.value}.size)`)
    this.#b.line(`for (const [${k}, ${v}] of ${spot.value}) {`)
    this.room(key)
    this.value({ schema: key, value: k, path: `${spot.path}{key}` })
    this.room(of)
    this.value({ schema: of, value: v, path: `${spot.path}{}` })
    this.#b.line('}')
  }

  #dictionary(spot: Spot, of: SchemaNode): void {
    const { value } = spot
    this.#require(spot)
    const [keys, k, v] = [this.#b.name('keys'), this.#b.name('key'), this.#b.name('item')]
    this.#b.line(`const ${keys} = Object.keys(${value})`)
    this.#call(`out.writeVarint(${keys}.length)`)
    this.#b.line(`for (const ${k} of ${keys}) {`, `const ${v} = ${value}[${k}]`)
    this.#call(`${this.#b.constant(writeText)}(out, ${k})`)
    this.room(of)
    this.value({ schema: of, value: v, path: `${spot.path}{}` })
    this.#b.line('}')
  }

  #object(spot: Spot, fields: readonly FieldNode[]): void {
    this.#require(spot)
    for (const field of fields) {
      const path = joinPath(spot.path, field.name)
      const held = this.#b.name('held')
      this.#b.line(`const ${held} = ${property(spot.value, field.name)}`)
      if (!isFixed(field.type)) this.room(field.type)
      this.value({ schema: field.type, value: held, path })
      // What came before may have used up the room made for the fixed part.
      if (!isFixed(field.type)) this.room({ kind: 'object', fields })
    }
  }

  #union(spot: Spot): void {
    if (spot.schema.kind !== 'union') return
    const { variants, discriminator } = spot.schema
    this.#require(spot)
    const tag = property(spot.value, discriminator)
    for (const [i, variant] of variants.entries()) {
      const tags = unionTags(variant, discriminator).map(one => `${tag} === ${JSON.stringify(one)}`)
      this.#b.line(`${i === 0 ? '' : 'else '}if (${tags.join(' || ')}) {`, `buffer[p++] = ${i}`)
      this.room(variant)
      this.value({ schema: variant, value: spot.value, path: spot.path })
      this.#b.line('}')
    }
    this.#b.line('else {')
    this.#require({ ...spot, value: tag, path: joinPath(spot.path, discriminator) }, 'false')
    this.#b.line('}')
  }
}
