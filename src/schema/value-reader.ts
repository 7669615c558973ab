/**
 * Generates the function that reads what a value writer wrote; see `value-writer.ts` for the
 * layout.
 */
import { type ByteReader, bytesErrors } from '../common/bytes.ts'
import { generalType } from './general-type.ts'
import { objectLiteral, SourceBuilder } from './source-builder.ts'
import { emitTextRun, findTextRun, type TextRun, type WholeText } from './text-run.ts'
import type { FieldNode, SchemaNode } from './type.ts'
import { enumWidth, fixedSize, isFixed, leastSize } from './value-layout.ts'
import { readText } from './value-text.ts'

/** A list of elements that take no bytes could claim any length. */
const EMPTY_ELEMENTS_MAX = 0xff_ff

export type ReadValue<T> = (input: ByteReader) => T

export function makeValueReader<T>(schema: SchemaNode): ReadValue<T> {
  const b = new SourceBuilder()
  b.line('return function read(input) {')
  b.line('const buffer = input.buffer, data = input.data, limit = input.limit')
  b.line('let p = input.offset')
  const reader = new ValueReader(b, b.constant(malformed, 'malformed'))
  reader.need(schema)
  const value = reader.value(schema)
  b.line('input.offset = p', `return ${value}`, '}')
  return b.compile()
}

function malformed(offset: number, what: string): never {
  throw bytesErrors.WEIR_BYTES_MALFORMED({ what, offset })
}

/** Emits statements that read at `p`; each method gives the expression that holds the value. */
class ValueReader {
  readonly #b: SourceBuilder
  readonly #malformed: string

  constructor(b: SourceBuilder, malformedName: string) {
    this.#b = b
    this.#malformed = malformedName
  }

  /** Checks once that the parts of fixed size are there. */
  need(schema: SchemaNode): void {
    const size = fixedSize(schema)
    if (size === 0) return
    this.#b.line(`if (p + ${size} > limit) ${this.#malformed}(p, 'the value ends early')`)
  }

  #hold(expression: string): string {
    const name = this.#b.name('v')
    this.#b.line(`const ${name} = ${expression}`)
    return name
  }

  /** A call that reads from `input` and moves its offset. */
  #call(expression: string): string {
    this.#b.line('input.offset = p')
    const held = this.#hold(expression)
    this.#b.line('p = input.offset')
    return held
  }

  /** A count of elements; each takes a byte or more, unless its type takes none at all. */
  #count(least: number): string {
    const count = this.#call('input.readVarint()')
    const most = least === 0 ? `${EMPTY_ELEMENTS_MAX}` : `(limit - p) / ${least}`
    this.#b.line(`if (${count} > ${most}) ${this.#malformed}(p, 'a count beyond the bytes')`)
    return count
  }

  value(schema: SchemaNode): string {
    switch (schema.kind) {
      case 'string':
        return this.#call(`${this.#b.constant(readText)}(input)`)
      case 'bytes':
        return this.#call('input.readBytes(input.readVarint())')
      case 'general':
        return this.#call(`${this.#b.constant(generalType)}.read(input)`)
      case 'null':
        return 'null'
      case 'literal':
        return JSON.stringify(schema.value)
      case 'enum':
        return this.#enum(schema.values)
      case 'optional':
        return this.#maybe(schema.of, 'undefined')
      case 'nullable':
        return this.#maybe(schema.of, 'null')
      case 'array':
        return this.#array(schema.of)
      case 'tuple':
        return this.#tuple(schema.items)
      case 'map':
        return this.#map(schema.key, schema.value)
      case 'dictionary':
        return this.#dictionary(schema.value)
      case 'object':
        return this.#object(schema.fields)
      case 'union':
        return this.#union(schema.variants)
      default:
        return this.#number(schema.kind)
    }
  }

  #number(kind: SchemaNode['kind']): string {
    if (kind === 'int32') {
      const v = this.#hold('data.getInt32(p, true)')
      this.#b.line('p += 4')
      return v
    }
    if (kind === 'boolean') {
      const v = this.#hold('buffer[p++]')
      this.#b.line(`if (${v} > 1) ${this.#malformed}(p, 'a boolean that is neither 0 nor 1')`)
      return `${v} === 1`
    }
    if (kind === 'int64') {
      const v = this.#hold('data.getBigInt64(p, true)')
      this.#b.line('p += 8')
      return v
    }
    const v = this.#hold('data.getFloat64(p, true)')
    this.#b.line('p += 8')
    return v
  }

  #enum(values: readonly (string | number)[]): string {
    const list = this.#b.constant(values)
    const wide = enumWidth(values) === 2
    const index = this.#hold(wide ? 'buffer[p] | buffer[p + 1] << 8' : 'buffer[p]')
    this.#b.line(`p += ${wide ? 2 : 1}`)
    this.#b.line(`if (${index} >= ${values.length}) ${this.#malformed}(p, 'an unknown enum value')`)
    return this.#hold(`${list}[${index}]`)
  }

  #maybe(of: SchemaNode, absent: 'undefined' | 'null'): string {
    const [flag, v] = [this.#hold('buffer[p++]'), this.#b.name('v')]
    this.#b.line(`let ${v} = ${absent}`, `if (${flag} === 1) {`)
    this.need(of)
    const held = this.value(of)
    this.#b.line(`${v} = ${held}`)
    this.#b.line(
      `} else if (${flag} !== 0) ${this.#malformed}(p, 'a flag that is neither 0 nor 1')`,
    )
    return v
  }

  #array(of: SchemaNode): string {
    const count = this.#count(leastSize(of))
    const [list, i] = [this.#hold('[]'), this.#b.name('i')]
    this.#b.line(`for (let ${i} = 0; ${i} < ${count}; ${i}++) {`)
    this.need(of)
    const item = this.value(of)
    this.#b.line(`${list}.push(${item})`, '}')
    return list
  }

  #tuple(items: readonly SchemaNode[]): string {
    return `[${this.#inOrder(items).join(', ')}]`
  }

  #map(key: SchemaNode, value: SchemaNode): string {
    const count = this.#count(leastSize(key) + leastSize(value))
    const [map, i] = [this.#hold('new Map()'), this.#b.name('i')]
    this.#b.line(`for (let ${i} = 0; ${i} < ${count}; ${i}++) {`)
    this.need(key)
    const k = this.#hold(this.value(key))
    this.need(value)
    this.#b.line(`${map}.set(${k}, ${this.value(value)})`, '}')
    return map
  }

  #dictionary(of: SchemaNode): string {
    const count = this.#count(1 + leastSize(of))
    const [entries, i] = [this.#hold('{}'), this.#b.name('i')]
    this.#b.line(`for (let ${i} = 0; ${i} < ${count}; ${i}++) {`)
    const k = this.#call(`${this.#b.constant(readText)}(input)`)
    this.need(of)
    const v = this.value(of)
    // Assigning would set the prototype.
    this.#b.line(`if (${k} === '__proto__') Object.defineProperty(${entries}, ${k}, { value: ${v}`)
    this.#b.line(', enumerable: true, configurable: true, writable: true })')
    this.#b.line(`else ${entries}[${k}] = ${v}`, '}')
    return entries
  }

  #object(fields: readonly FieldNode[]): string {
    const held = this.#inOrder(
      fields.map(field => field.type),
      findTextRun(fields),
    )
    return this.#hold(objectLiteral(fields.map((field, i) => [field.name, held[i] as string])))
  }

  #inOrder(schemas: readonly SchemaNode[], run?: TextRun): string[] {
    let whole: WholeText | undefined
    return schemas.map((schema, i) => {
      if (i === run?.from) whole = emitTextRun(this.#b, schemas.slice(i, run.to + 1))
      const isPiece = whole !== undefined && schema.kind === 'string' && i <= (run?.to ?? -1)
      const held = isPiece ? this.#piece(whole as WholeText) : this.#hold(this.value(schema))
      // Text and lists move on by themselves: ask again for the fixed parts behind them.
      if (!isFixed(schema)) this.need({ kind: 'tuple', items: schemas.slice(i + 1) })
      return held
    })
  }

  #piece({ text, base }: WholeText): string {
    const v = this.#b.name('v')
    this.#b.line(
      `let ${v}`,
      `if (${text} === undefined) { input.offset = p; ${v} = ${this.#b.constant(readText)}(input)`,
      'p = input.offset } else {',
      `const from = p + 1 - ${base}`,
      `p += 1 + (buffer[p] >> 1); ${v} = ${text}.substring(from, p - ${base}) }`,
    )
    return v
  }

  #union(variants: readonly SchemaNode[]): string {
    const [index, v] = [this.#hold('buffer[p++]'), this.#b.name('v')]
    this.#b.line(`let ${v}`, `switch (${index}) {`)
    for (const [i, variant] of variants.entries()) {
      this.#b.line(`case ${i}: {`)
      this.need(variant)
      const held = this.value(variant)
      this.#b.line(`${v} = ${held}`, 'break', '}')
    }
    this.#b.line(`default: ${this.#malformed}(p, 'an unknown variant')`, '}')
    return v
  }
}
