/**
 * How the records of an input look: the order of keys and the white space. A generated reader is
 * made for one layout; when records differ from it, the layout is learned from one of them.
 */
import type { ObjectNode, TypeNode } from './type-node.ts'
import { unionTags } from './value-layout.ts'

export interface JsonLayout {
  readonly colon: ':' | ': '
  readonly comma: ',' | ', '
  /** The keys in the order of the text, keys that the schema does not name included. */
  readonly keys: ReadonlyMap<ObjectNode, readonly string[]>
}

/** No white space, the keys in the schema's order: what `JSON.stringify` writes. */
export const CANONICAL: JsonLayout = { colon: ':', comma: ',', keys: new Map() }

/** The keys of an object in a layout; fields that the sample lacked keep their place in between. */
export function keysOf(layout: JsonLayout, node: ObjectNode): readonly string[] {
  return layout.keys.get(node) ?? node.fields.map(field => field.name)
}

/** The layout of one record, for which `JSON.parse(text)` gave `parsed`. */
export function learnLayout(node: TypeNode, text: string, known: JsonLayout): JsonLayout {
  const keys = new Map(known.keys)
  learnKeys(node, JSON.parse(text), keys)
  return {
    colon: /^[^:]*":\s/.test(text) ? ': ' : ':',
    comma: /[\]}"0-9a-z],\s/.test(text) ? ', ' : ',',
    keys,
  }
}

type Keys = Map<ObjectNode, readonly string[]>

function learnKeys(node: TypeNode, value: unknown, keys: Keys): void {
  if (typeof value !== 'object' || value === null || node.json !== 'plain') return
  if (node.kind === 'optional' || node.kind === 'nullable') learnKeys(node.of, value, keys)
  if (node.kind === 'array' && Array.isArray(value)) learnKeys(node.of, value[0], keys)
  if (node.kind === 'object') learnObject(node, value as Record<string, unknown>, keys)
  if (node.kind === 'union') {
    const object = value as Record<string, unknown>
    const tag = object[node.discriminator] as string
    const variant = node.variants.find(one =>
      unionTags(one.schema, node.discriminator).includes(tag),
    )
    if (variant !== undefined) learnObject(variant, object, keys)
  }
}

function learnObject(node: ObjectNode, value: Record<string, unknown>, keys: Keys): void {
  const order = Object.keys(value)
  for (const [i, field] of node.fields.entries()) {
    if (Object.hasOwn(value, field.name)) learnKeys(field.node, value[field.name], keys)
    else order.splice(after(order, node.fields[i - 1]?.name), 0, field.name)
  }
  keys.set(node, order)
}

function after(order: readonly string[], name: string | undefined): number {
  return name === undefined ? 0 : order.indexOf(name) + 1
}
