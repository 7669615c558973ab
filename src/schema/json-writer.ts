/** Writers of JSON records, generated for the fields of one type. */
import type { ByteWriter } from '../common/bytes.ts'
import type { Encoder } from './format.ts'
import { byteText, storesOf } from './json-match.ts'
import { LOOP_MAX, NUMBER_BYTES_MAX, putInt32, putLong, putNumber, putPlain } from './json-put.ts'
import { encodeOpaque, writeBase64, writeEscaped, writeIso, writeUtf8 } from './json-write-text.ts'
import { property, quote, SourceBuilder } from './source-builder.ts'
import type { SchemaNode } from './type.ts'
import type { ChoiceNode, ObjectField, ObjectNode, TypeNode, UnionNode } from './type-node.ts'
import { unionTags } from './value-layout.ts'
import { isOfType, joinPath, refuseValue } from './value-test.ts'
import type { ZodType } from './zod-type.ts'

/**
 * What it writes is `JSON.stringify` of the value as zod encodes it: absent optional fields are
 * left out, NaN and the infinities become `null`. A value that is not of the type is refused; the
 * checks of the schema (ranges, patterns) are not made again.
 */
export function makeJsonWriter<T>(type: ZodType<T>): Encoder<T> {
  const b = new SourceBuilder()
  b.line('return function write(out, value) {', 'const start = out.length')
  b.line('let buffer = out.buffer, view = out.data, p = start, q = 0')
  const writer = new ValueSource(b)
  writer.value(type.node, { value: 'value', path: '' })
  writer.flush()
  b.line('out.length = p', '}')
  return { write: b.compile<(out: ByteWriter, value: T) => void>() }
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
  /** The JavaScript expression of the value; evaluated more than once. */
  readonly value: string
  readonly path: string
}

/** Emits statements that write JSON at `p`; constant text is collected and written at once. */
class ValueSource {
  readonly #b: SourceBuilder
  readonly #refuse: string
  #pending = ''

  constructor(b: SourceBuilder) {
    this.#b = b
    this.#refuse = b.constant(refuse, 'refuse')
  }

  flush(room = 0): void {
    const text = byteText(this.#pending)
    this.#pending = ''
    const size = text.length + room
    if (size === 0) return
    this.#grow(`${size}`)
    if (text !== '') this.#b.line(...storesOf(text), `p += ${text.length}`)
  }

  #require(schema: SchemaNode, at: Spot, condition = isOfType(schema, at.value)): void {
    const what = `path: ${quote(at.path)}, schema: ${this.#b.constant(schema)}`
    const refused = `{ ${what}, value: ${at.value} }`
    this.#b.line(`if (!(${condition})) ${this.#refuse}(out, start, ${refused})`)
  }

  /** A function that appends to `out` itself. */
  #call(write: unknown, argument: string): void {
    this.#calling(`${this.#b.constant(write, 'write')}(out, ${argument})`)
  }

  #calling(statement: string): void {
    this.flush()
    this.#b.line(`out.length = p; ${statement}; p = out.length`)
    this.#b.line('buffer = out.buffer; view = out.data')
  }

  #grow(size: string): void {
    this.#b.line(`if (p + ${size} > buffer.length) { out.length = p; out.reserve(${size})`)
    this.#b.line('buffer = out.buffer; view = out.data }')
  }

  /** The quotes go with the constant text around, unless the string needs escapes. */
  #string(value: string): void {
    const b = this.#b
    this.#pending += '"'
    this.flush()
    this.#grow(`${value}.length * 3`)
    const [plain, long] = [b.constant(putPlain, 'plain'), b.constant(putLong, 'long')]
    b.line(`q = ${value}.length <= ${LOOP_MAX} ? ${plain}(buffer, p, ${value})`)
    b.line(`: ${long}(out, p, ${value})`, 'if (q >= 0) p = q', 'else {', 'p--')
    this.#calling(`${b.constant(writeEscaped)}(out, ${value})`)
    b.line('p--', '}')
    this.#pending += '"'
  }

  value(node: TypeNode, at: Spot): void {
    if (node.json === 'opaque') {
      const text = this.#opaque(node, at)
      this.#call(writeUtf8, `${text} ?? 'null'`)
      return
    }
    if (node.kind !== 'optional' && node.kind !== 'nullable' && node.kind !== 'choice') {
      this.#require(node.schema, at)
    }
    this.#tested(node, at)
  }

  #tested(node: TypeNode, at: Spot): void {
    switch (node.kind) {
      case 'string':
        this.#string(at.value)
        break
      case 'bytes':
        this.#call(writeBase64, at.value)
        break
      case 'int64':
        this.#call(writeUtf8, `'"' + ${at.value} + '"'`)
        break
      case 'null':
        this.#pending += 'null'
        break
      case 'boolean':
        this.#either(
          at.value,
          () => this.#text('true'),
          () => this.#text('false'),
        )
        break
      case 'choice':
        this.#choice(node, at)
        break
      case 'optional':
        // Of a list: JSON has no absent elements.
        this.#absent(`${at.value} === undefined`, node.of, at)
        break
      case 'nullable':
        this.#absent(`${at.value} === null`, node.of, at)
        break
      case 'array':
        this.#array(node.of, at)
        break
      case 'tuple':
        this.#tuple(node.items, at)
        break
      case 'map':
        this.#map(node, at)
        break
      case 'dictionary':
        this.#dictionary(node.of, at)
        break
      case 'object':
        this.#object(node, at)
        break
      case 'union':
        this.#union(node, at)
        break
      default:
        this.#number(node, at)
    }
  }

  #text(text: string): void {
    this.#pending += text
    this.flush()
  }

  #either(condition: string, yes: () => void, no: () => void): void {
    this.flush()
    this.#b.line(`if (${condition}) {`)
    yes()
    this.flush()
    this.#b.line('} else {')
    no()
    this.flush()
    this.#b.line('}')
  }

  #number(node: TypeNode, at: Spot): void {
    if (node.json === 'iso') {
      const done = this.#b.name('done')
      this.#b.line(`let ${done}`)
      this.#calling(`${done} = ${this.#b.constant(writeIso)}(out, ${at.value})`)
      this.#require(node.schema, at, done)
      return
    }
    this.flush(NUMBER_BYTES_MAX)
    const put = node.kind === 'int32' ? putInt32 : putNumber
    this.#b.line(`p = ${this.#b.constant(put, 'put')}(view, p, ${at.value})`)
  }

  #absent(condition: string, of: TypeNode, at: Spot): void {
    this.#either(
      condition,
      () => this.#text('null'),
      () => this.value(of, at),
    )
  }

  #choice(node: ChoiceNode, at: Spot): void {
    const [only] = node.values
    if (node.values.length === 1) {
      this.#require(node.schema, at, `${at.value} === ${JSON.stringify(only)}`)
      this.#pending += JSON.stringify(only)
      return
    }
    this.flush()
    for (const [i, value] of node.values.entries()) {
      const literal = JSON.stringify(value)
      this.#b.line(`${i === 0 ? '' : 'else '}if (${at.value} === ${literal}) {`)
      this.#text(literal)
      this.#b.line('}')
    }
    this.#b.line('else {')
    this.#require(node.schema, at, 'false')
    this.#b.line('}')
  }

  /** The name of the JSON text, which is undefined where JSON has none for the value. */
  #opaque(node: TypeNode, at: Spot): string {
    const b = this.#b
    const text = b.name('text')
    b.line(`const ${text} = ${b.constant(encodeOpaque)}(${b.constant(node.zod)}, ${at.value})`)
    this.#require(node.schema, at, `${text} !== null`)
    return text
  }

  #array(of: TypeNode, at: Spot): void {
    const [i, item] = [this.#b.name('i'), this.#b.name('item')]
    this.#text('[')
    this.#b.line(`for (let ${i} = 0; ${i} < ${at.value}.length; ${i}++) {`)
    this.#b.line(`const ${item} = ${at.value}[${i}]`)
    this.#comma(`${i} > 0`)
    this.value(of, { value: item, path: `${at.path}[]` })
    this.flush()
    this.#b.line('}')
    this.#pending += ']'
  }

  #comma(condition: string): void {
    this.#b.line(`if (${condition}) {`)
    this.#text(',')
    this.#b.line('}')
  }

  #tuple(items: readonly TypeNode[], at: Spot): void {
    this.#pending += '['
    for (const [i, node] of items.entries()) {
      if (i > 0) this.#pending += ','
      const item = this.#b.name('item')
      this.#b.line(`const ${item} = ${at.value}[${i}]`)
      this.value(node, { value: item, path: `${at.path}[${i}]` })
    }
    this.#pending += ']'
  }

  #map(node: TypeNode & { readonly kind: 'map' }, at: Spot): void {
    const b = this.#b
    const [some, k, v] = [b.name('some'), b.name('key'), b.name('item')]
    this.#text('[')
    b.line(`let ${some} = false`, `for (const [${k}, ${v}] of ${at.value}) {`)
    this.#comma(some)
    b.line(`${some} = true`)
    this.#pending += '['
    this.value(node.key, { value: k, path: `${at.path}{key}` })
    this.#pending += ','
    this.value(node.value, { value: v, path: `${at.path}{}` })
    this.#text(']')
    b.line('}')
    this.#pending += ']'
  }

  #dictionary(of: TypeNode, at: Spot): void {
    const b = this.#b
    const [some, k, v] = [b.name('some'), b.name('key'), b.name('item')]
    this.#text('{')
    b.line(`let ${some} = false`, `for (const ${k} of Object.keys(${at.value})) {`)
    b.line(`const ${v} = ${at.value}[${k}]`)
    // Zod keeps no entry of this name.
    b.line(
      `if (${k} === '__proto__'${of.kind === 'optional' ? ` || ${v} === undefined` : ''}) continue`,
    )
    this.#comma(some)
    b.line(`${some} = true`)
    this.#string(k)
    this.#pending += ':'
    this.value(of.kind === 'optional' && of.json === 'plain' ? of.of : of, {
      value: v,
      path: `${at.path}{}`,
    })
    this.flush()
    b.line('}')
    this.#pending += '}'
  }

  #object(node: ObjectNode, at: Spot): void {
    this.#pending += '{'
    this.#fields(node.fields, at)
    this.#pending += '}'
  }

  #fields(fields: readonly ObjectField[], at: Spot): void {
    const b = this.#b
    // Whether a comma is due: `none` or `some` while no field before was optional, then a variable.
    let some = 'none'
    for (const field of fields) {
      const held = b.name('field')
      b.line(`const ${held} = ${property(at.value, field.name)}`)
      const spot = { value: held, path: joinPath(at.path, field.name) }
      const key = `${JSON.stringify(field.name)}:`
      if (!mayBeAbsent(field.node)) {
        this.#separate(some)
        this.#pending += key
        this.value(field.node, spot)
        some = 'some'
        continue
      }
      if (some === 'none') {
        some = b.name('some')
        b.line(`let ${some} = false`)
      }
      this.flush()
      this.#optional(field.node, spot, { key, some })
    }
  }

  #separate(some: string): void {
    if (some === 'some') this.#pending += ','
    else if (some !== 'none') {
      this.flush()
      this.#comma(some)
    }
  }

  #optional(
    node: TypeNode,
    at: Spot,
    member: { readonly key: string; readonly some: string },
  ): void {
    const b = this.#b
    const text = node.json === 'opaque' ? this.#opaque(node, at) : undefined
    b.line(`if (${text ?? at.value} !== undefined) {`)
    this.#separate(member.some)
    if (member.some !== 'some') b.line(`${member.some} = true`)
    this.#pending += member.key
    if (text !== undefined) this.#call(writeUtf8, text)
    else this.value(node.kind === 'optional' ? node.of : node, at)
    this.flush()
    b.line('}')
  }

  #union(node: UnionNode, at: Spot): void {
    const tag = property(at.value, node.discriminator)
    this.flush()
    for (const [i, variant] of node.variants.entries()) {
      const tags = unionTags(variant.schema, node.discriminator)
      const condition = tags.map(one => `${tag} === ${JSON.stringify(one)}`).join(' || ')
      this.#b.line(`${i === 0 ? '' : 'else '}if (${condition}) {`)
      this.#object(variant, at)
      this.flush()
      this.#b.line('}')
    }
    this.#b.line('else {')
    const spot = { value: tag, path: joinPath(at.path, node.discriminator) }
    this.#require(node.schema, spot, 'false')
    this.#b.line('}')
  }
}

function mayBeAbsent(node: TypeNode): boolean {
  return node.json === 'opaque' || node.kind === 'optional'
}
