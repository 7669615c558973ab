/**
 * Generates the function that gives a parsed value Weir's own form: objects with all fields in the
 * schema's order, so that values from zod have the hidden class of those from generated readers.
 */
import { objectLiteral, property, SourceBuilder } from './source-builder.ts'
import type { ObjectNode, TypeNode } from './type-node.ts'
import { unionTags } from './value-layout.ts'

export type ShapeValue = (value: unknown) => unknown

export function makeShaper(node: TypeNode): ShapeValue {
  const b = new SourceBuilder()
  const body = shaped(b, node, 'value')
  b.line(`return function shape(value) { return ${body} }`)
  return b.compile()
}

/** An expression of the value in its form; `value` is a name, evaluated more than once. */
function shaped(b: SourceBuilder, node: TypeNode, value: string): string {
  if (!holdsObjects(node)) return value
  switch (node.kind) {
    case 'optional':
    case 'nullable':
      return `(${value} == null ? ${value} : ${shaped(b, node.of, value)})`
    case 'array':
      return `${value}.map(${arrow(b, node.of)})`
    case 'tuple': {
      const items = node.items.map((item, i) => `(${arrow(b, item)})(${value}[${i}])`)
      return `[${items.join(', ')}].slice(0, ${value}.length)`
    }
    case 'map':
      return (
        `new Map([...${value}].map(([k, v]) => ` +
        `[(${arrow(b, node.key)})(k), (${arrow(b, node.value)})(v)]))`
      )
    case 'dictionary':
      return (
        `Object.fromEntries(Object.entries(${value}).map(([k, v]) => ` +
        `[k, (${arrow(b, node.of)})(v)]))`
      )
    case 'object':
      return `${objectFunction(b, node)}(${value})`
    case 'union': {
      const variants = node.variants.map(variant => {
        const tag = property(value, node.discriminator)
        const tags = unionTags(variant.schema, node.discriminator)
        const test = tags.map(one => `${tag} === ${JSON.stringify(one)}`).join(' || ')
        return `(${test}) ? ${objectFunction(b, variant)}(${value})`
      })
      return `(${variants.join(' : ')} : ${value})`
    }
    default:
      return value
  }
}

function arrow(b: SourceBuilder, node: TypeNode): string {
  const name = b.name('item')
  return `${name} => ${shaped(b, node, name)}`
}

function objectFunction(b: SourceBuilder, node: ObjectNode): string {
  const name = b.name('shape')
  const entries = node.fields.map(field => {
    const held = b.name('held')
    const body = shaped(b, field.node, held)
    return [
      field.name,
      body === held
        ? property('object', field.name)
        : `(${held} => ${body})(${property('object', field.name)})`,
    ] as const
  })
  b.line(`function ${name}(object) { return (${objectLiteral(entries)}) }`)
  return name
}

function holdsObjects(node: TypeNode): boolean {
  switch (node.kind) {
    case 'object':
    case 'union':
      return true
    case 'optional':
    case 'nullable':
    case 'array':
    case 'dictionary':
      return holdsObjects(node.of)
    case 'tuple':
      return node.items.some(holdsObjects)
    case 'map':
      return holdsObjects(node.key) || holdsObjects(node.value)
    default:
      return false
  }
}
