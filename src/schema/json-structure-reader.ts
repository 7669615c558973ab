/** Source of the code that reads JSON objects, arrays and unions, in the order of one layout. */
import { type JsonLayout, keysOf } from './json-layout.ts'
import { readChecks } from './json-read-checks.ts'
import { readChoice, readLeaf, readOpaque, runZod, skipOver } from './json-read-leaf.ts'
import type { ReadSource } from './json-read-source.ts'
import { objectLiteral } from './source-builder.ts'
import type { ObjectField, ObjectNode, TypeNode, UnionNode, WrapperNode } from './type-node.ts'
import { unionTags } from './value-layout.ts'

export class StructureReader {
  readonly #s: ReadSource
  readonly #layout: JsonLayout
  /** Of the record itself: the fields that are wanted, all when undefined. */
  readonly #wanted: ReadonlySet<string> | undefined

  constructor(s: ReadSource, layout: JsonLayout, wanted?: ReadonlySet<string>) {
    this.#s = s
    this.#layout = layout
    this.#wanted = wanted
  }

  /** Emits the reading of the whole record; gives the expression of its value. */
  root(node: TypeNode): string {
    if (node.json === 'plain' && node.kind === 'object') {
      return this.#checked(node, this.#object(node, this.#wanted))
    }
    if (node.json === 'plain' && node.kind === 'union') {
      return this.#checked(node, this.#union(node, this.#wanted))
    }
    return this.value(node)
  }

  value(node: TypeNode): string {
    if (node.json === 'opaque') return this.#s.hold(readOpaque(this.#s, node))
    return this.#checked(node, this.#unchecked(node))
  }

  #checked(node: TypeNode, value: string): string {
    return readChecks(this.#s, node, value)
  }

  #unchecked(node: TypeNode): string {
    switch (node.kind) {
      case 'choice':
        return readChoice(this.#s, node)
      case 'optional':
        return this.value(node.of)
      case 'nullable':
        return this.#nullable(node)
      case 'array':
        return this.#array(node)
      case 'tuple':
        return this.#tuple(node.items)
      case 'map':
        return this.#map(node.key, node.value)
      case 'dictionary':
        return this.#dictionary(node)
      case 'object':
        return this.#object(node)
      case 'union':
        return this.#union(node)
      default:
        return readLeaf(this.#s, node)
    }
  }

  #nullable(node: WrapperNode): string {
    const s = this.#s
    s.flush()
    const v = s.name('v')
    s.line(`let ${v} = null`, `if (!(${s.matches('null')})) {`)
    const held = this.value(node.of)
    s.flush()
    s.line(`${v} = ${held}`, '}')
    return v
  }

  /** A list between brackets; `item` emits the reading of one element. */
  #list(brackets: readonly [string, string], item: () => void): void {
    const s = this.#s
    s.expect(brackets[0])
    s.flush()
    const close = brackets[1].charCodeAt(0)
    s.line(`if (bytes[p] === ${close}) p++`, 'else for (;;) {', `if (p >= end) ${s.miss}`)
    item()
    s.flush()
    s.line(`if (bytes[p] === ${close}) { p++; break }`)
    s.expect(this.#layout.comma)
    s.flush()
    s.line('}')
  }

  #array(node: WrapperNode): string {
    const list = this.#s.hold('[]')
    this.#list(['[', ']'], () => {
      const item = this.value(node.of)
      this.#s.line(`${list}.push(${item})`)
    })
    return list
  }

  #tuple(items: readonly TypeNode[]): string {
    const s = this.#s
    s.expect('[')
    const held = items.map((item, i) => {
      if (i > 0) s.expect(this.#layout.comma)
      return this.value(item)
    })
    s.expect(']')
    return `[${held.join(', ')}]`
  }

  #map(key: TypeNode, value: TypeNode): string {
    const map = this.#s.hold('new Map()')
    this.#list(['[', ']'], () => {
      const s = this.#s
      s.expect('[')
      const held = s.hold(this.value(key))
      s.expect(this.#layout.comma)
      const item = s.hold(this.value(value))
      s.expect(']')
      s.line(`${map}.set(${held}, ${item})`)
    })
    return map
  }

  #dictionary(node: WrapperNode): string {
    const s = this.#s
    const entries = s.hold('{}')
    this.#list(['{', '}'], () => {
      const key = readLeaf(s, STRING)
      // Zod drops or refuses these names.
      s.line(`if (${key} === '__proto__' || ${key} === 'constructor') ${s.miss}`)
      s.expect(this.#layout.colon)
      const item = this.value(node.of)
      s.line(`${entries}[${key}] = ${item}`)
    })
    return entries
  }

  #object(node: ObjectNode, wanted?: ReadonlySet<string>): string {
    const values = new Map<string, string>()
    const members = new Members(this.#s, this.#layout)
    this.#s.expect('{')
    this.#members(node, { keys: keysOf(this.#layout, node), members, values, wanted })
    if (!this.#complete(values, wanted)) this.#s.expect('}')
    return this.#build(node, values, wanted)
  }

  /** With only some fields wanted, the text behind the last of them is left alone. */
  #complete(values: ReadonlyMap<string, string>, wanted?: ReadonlySet<string>): boolean {
    return wanted !== undefined && [...wanted].every(name => values.has(name))
  }

  #members(node: ObjectNode, reading: Reading): void {
    const { keys, members, values, wanted } = reading
    for (const key of keys) {
      if (this.#complete(values, wanted)) return
      const field = node.fields.find(one => one.name === key)
      if (field === undefined) this.#skip(key, members)
      else if (wanted !== undefined && !wanted.has(key)) this.#skip(key, members, field)
      else values.set(key, this.#field(field, members))
    }
  }

  #build(
    node: ObjectNode,
    values: ReadonlyMap<string, string>,
    wanted?: ReadonlySet<string>,
  ): string {
    const entries = node.fields
      .filter(field => wanted === undefined || wanted.has(field.name))
      .map(field => [field.name, values.get(field.name) ?? 'undefined'] as const)
    return this.#s.hold(objectLiteral(entries))
  }

  #field(field: ObjectField, members: Members): string {
    const s = this.#s
    if (field.absent === 'required') {
      members.require(field.name)
      return this.value(field.node)
    }
    const v = s.name('v')
    const present = members.whenPresent(field.name)
    s.line(`let ${v}`, `if (${present}) {`)
    members.entered()
    const held = this.value(field.node)
    s.flush()
    s.line(`${v} = ${held}`, '}')
    this.#absent(field, v)
    return v
  }

  /** What zod puts in the place of an absent field; a default may be made anew each time. */
  #absent(field: ObjectField, v: string): void {
    const { node } = field
    if (node.kind === 'optional' && node.json === 'plain' && node.checks.length === 0) return
    const s = this.#s
    const payload = s.name('absent')
    s.line('else {', `const ${payload} = ${s.constant(runZod, 'zod')}(${s.constant(node.zod)})`)
    s.line(`if (${payload} === undefined) ${s.miss}`, `${v} = ${payload}.value`, '}')
  }

  /** A key that is not wanted, or that the schema does not know. */
  #skip(key: string, members: Members, field?: ObjectField): void {
    const s = this.#s
    const optional = field === undefined || field.absent !== 'required'
    if (optional) {
      s.line(`if (${members.whenPresent(key)}) {`)
      members.entered()
    } else members.require(key)
    skipOver(s, field?.node)
    if (optional) {
      s.flush()
      s.line('}')
    }
  }

  #union(node: UnionNode, wanted?: ReadonlySet<string>): string {
    const s = this.#s
    const v = s.name('v')
    const shared = this.#sharedKeys(node)
    const [first] = node.variants
    s.line(`let ${v}`)
    const values = new Map<string, string>()
    const members = new Members(s, this.#layout)
    s.expect('{')
    if (shared !== undefined && first !== undefined) {
      for (const key of shared) {
        const field = first.fields.find(one => one.name === key) as ObjectField
        values.set(key, this.#field(field, members))
      }
      members.require(node.discriminator)
    }
    s.flush()
    const done = s.name('union')
    s.line(`${done}: {`)
    for (const variant of node.variants) {
      if (shared === undefined) this.#attempt(variant, { target: v, done, wanted })
      else {
        const keys = keysOf(this.#layout, variant).slice(shared.length + 1)
        const reading = { keys, members: members.fork(), values: new Map(values), wanted }
        this.#branch(node, variant, { ...reading, target: v, done })
      }
    }
    s.line(s.miss, '}')
    return v
  }

  /** The keys before the discriminator, when all variants begin with the same ones. */
  #sharedKeys(node: UnionNode): readonly string[] | undefined {
    const orders = node.variants.map(variant => {
      const keys = keysOf(this.#layout, variant)
      return keys.slice(0, keys.indexOf(node.discriminator))
    })
    const [first, ...others] = orders
    if (first === undefined || others.some(order => order.join() !== first.join())) return undefined
    const same = first.every(key => {
      const nodes = node.variants.map(one => one.fields.find(field => field.name === key)?.node)
      return nodes.every(one => one !== undefined && isAlike(one, nodes[0] as TypeNode))
    })
    return same ? first : undefined
  }

  /** One variant, when its tag is what comes next. */
  #branch(node: UnionNode, variant: ObjectNode, reading: Branch): void {
    const s = this.#s
    const tag = variant.fields.find(field => field.name === node.discriminator)
    const tags = unionTags(variant.schema, node.discriminator).map(one => JSON.stringify(one))
    const held = s.name('tag')
    s.line(`let ${held}`)
    for (const [i, text] of tags.entries()) {
      s.line(`${i === 0 ? '' : 'else '}if (${s.matches(text)}) ${held} = ${text}`)
    }
    s.line(`if (${held} !== undefined) {`)
    const value = tags.length === 1 ? (tags[0] as string) : held
    if (tag !== undefined) reading.values.set(node.discriminator, value)
    this.#members(variant, reading)
    if (!this.#complete(reading.values, reading.wanted)) s.expect('}')
    s.flush()
    const built = this.#build(variant, reading.values, reading.wanted)
    s.line(`${reading.target} = ${this.#checked(variant, built)}`, `break ${reading.done}`, '}')
  }

  /** One variant from its first key on; another one is tried when it does not fit. */
  #attempt(
    variant: ObjectNode,
    reading: { readonly target: string; readonly done: string; readonly wanted: Wanted },
  ): void {
    const s = this.#s
    const [label, start, outer] = [s.name('attempt'), s.name('start'), s.miss]
    s.line(`const ${start} = p`, `${label}: {`)
    s.miss = `break ${label}`
    const values = new Map<string, string>()
    const members = new Members(s, this.#layout)
    const keys = keysOf(this.#layout, variant)
    this.#members(variant, { keys, members, values, wanted: reading.wanted })
    if (!this.#complete(values, reading.wanted)) s.expect('}')
    s.flush()
    const built = this.#checked(variant, this.#build(variant, values, reading.wanted))
    s.miss = outer
    s.line(`${reading.target} = ${built}`, `break ${reading.done}`, '}', `p = ${start}`)
  }
}

type Wanted = ReadonlySet<string> | undefined

interface Reading {
  readonly keys: readonly string[]
  readonly members: Members
  readonly values: Map<string, string>
  readonly wanted: Wanted
}

interface Branch extends Reading {
  readonly target: string
  readonly done: string
}

/** Tracks whether a member has come already, that is whether a comma must. */
class Members {
  readonly #s: ReadSource
  readonly #layout: JsonLayout
  #some: 'none' | 'maybe' | 'some'
  /** The generated variable that tells, while it is `maybe`. */
  #flag = ''

  constructor(s: ReadSource, layout: JsonLayout, some: 'none' | 'some' = 'none') {
    this.#s = s
    this.#layout = layout
    this.#some = some
  }

  /** For a branch of the generated code, behind a required member. */
  fork(): Members {
    return new Members(this.#s, this.#layout, 'some')
  }

  #key(name: string): string {
    return `${JSON.stringify(name)}${this.#layout.colon}`
  }

  require(name: string): void {
    const s = this.#s
    if (this.#some === 'some') s.expect(this.#layout.comma)
    if (this.#some === 'maybe') {
      s.flush()
      const { comma } = this.#layout
      s.line(`if (${this.#flag} && !(${s.matches(comma)})) ${s.miss}`)
    }
    s.expect(this.#key(name))
    this.#some = 'some'
  }

  /** The condition under which the key comes next; `p` is behind it when it holds. */
  whenPresent(name: string): string {
    const s = this.#s
    s.flush()
    const bare = this.#key(name)
    const full = this.#layout.comma + bare
    if (this.#some === 'some') return s.matches(full)
    if (this.#some === 'none') {
      this.#flag = s.name('some')
      s.line(`let ${this.#flag} = false`)
      this.#some = 'maybe'
    }
    return `${this.#flag} ? ${s.matches(full)} : ${s.matches(bare)}`
  }

  /** Inside of the branch that {@link whenPresent} opened. */
  entered(): void {
    if (this.#some === 'maybe') this.#s.line(`${this.#flag} = true`)
  }
}

const STRING = { kind: 'string', json: 'plain', checks: [], schema: { kind: 'string' } } as never

/** Whether the same generated code can read both. */
function isAlike(a: TypeNode, b: TypeNode): boolean {
  if (a === b || a.zod === b.zod) return true
  const described = (node: TypeNode) => JSON.stringify([node.kind, node.json, node.schema])
  const plain = (node: TypeNode) => node.checks.every(isFormat)
  return described(a) === described(b) && plain(a) && plain(b)
}

function isFormat(check: TypeNode['checks'][number]): boolean {
  return check._zod.def.check === 'number_format'
}
