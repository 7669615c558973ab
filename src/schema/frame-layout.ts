/**
 * Where the parts of a record lie in a frame.
 *
 * A frame is a header, then rows of one size, the tail, and the heap. A row holds the timestamp,
 * all parts of fixed size at fixed offsets, and for each string where it ends in the heap: it
 * begins where the one before it ends. The heap is the text of all strings of the frame, written
 * and read by one native call. What has no fixed size and is no string (lists, maps, bytes) lies in
 * the tail, in the layout of single values.
 */
import type { FieldNode, SchemaNode } from './type.ts'
import { enumWidth } from './value-layout.ts'

/**
 * Bytes: version, form of the heap, size of a row (2), then four numbers of 4 bytes: count of rows,
 * bytes of the tail, bytes of the heap, UTF-16 units of the heap.
 */
export const FRAME_HEADER_BYTES = 20
export const FRAME_VERSION = 1

/** How the heap is written: as one byte a character, as UTF-8, or as UTF-16 for lone surrogates. */
export const HEAP_ASCII = 0
export const HEAP_UTF8 = 1
export const HEAP_UTF16 = 2

/** Of each row: the timestamp (8), and where its first string begins in the heap (4). */
export const ROW_TIMESTAMP = 0
export const ROW_HEAP_START = 8
const ROW_FIELDS = 12

export type Placed =
  | { readonly kind: 'fixed'; readonly schema: SchemaNode; readonly offset: number }
  | { readonly kind: 'constant'; readonly schema: SchemaNode; readonly text: string }
  | { readonly kind: 'string'; readonly offset: number; readonly before: number }
  | { readonly kind: 'tail'; readonly schema: SchemaNode; readonly offset: number }
  | { readonly kind: 'maybe'; readonly absent: string; readonly flag: number; readonly of: Placed }
  | PlacedObject
  | PlacedUnion

export interface PlacedObject {
  readonly kind: 'object'
  readonly schema: SchemaNode
  readonly fields: readonly { readonly name: string; readonly placed: Placed }[]
}

export interface PlacedUnion {
  readonly kind: 'union'
  readonly schema: SchemaNode
  readonly tag: number
  readonly discriminator: string
  readonly variants: readonly PlacedObject[]
}

export interface FrameLayout {
  readonly root: Placed
  readonly rowBytes: number
}

export function frameLayout(schema: SchemaNode): FrameLayout {
  const place = new Placement()
  const root = schema.kind === 'union' ? place.union(schema) : place.any(schema)
  return { root, rowBytes: place.size }
}

class Placement {
  /** Bytes of the row so far. */
  size = ROW_FIELDS
  /** The slot that tells where the last string ended. */
  #lastString = ROW_HEAP_START

  #take(bytes: number): number {
    const offset = this.size
    this.size += bytes
    return offset
  }

  any(schema: SchemaNode): Placed {
    switch (schema.kind) {
      case 'string': {
        const before = this.#lastString
        this.#lastString = this.#take(4)
        return { kind: 'string', offset: this.#lastString, before }
      }
      case 'null':
        return { kind: 'constant', schema, text: 'null' }
      case 'literal':
        return { kind: 'constant', schema, text: JSON.stringify(schema.value) }
      case 'optional':
        return this.#maybe(schema.of, 'undefined')
      case 'nullable':
        return this.#maybe(schema.of, 'null')
      case 'object':
        return this.#object(schema, schema.fields)
      default: {
        const bytes = fixedBytes(schema)
        if (bytes === undefined) return { kind: 'tail', schema, offset: this.#take(4) }
        return { kind: 'fixed', schema, offset: this.#take(bytes) }
      }
    }
  }

  #maybe(of: SchemaNode, absent: string): Placed {
    return { kind: 'maybe', absent, flag: this.#take(1), of: this.any(of) }
  }

  #object(schema: SchemaNode, fields: readonly FieldNode[]): PlacedObject {
    const placed = fields.map(field => ({ name: field.name, placed: this.any(field.type) }))
    return { kind: 'object', schema, fields: placed }
  }

  /** The rows of all variants are as wide as the widest: row n is found without a search. */
  union(schema: SchemaNode & { readonly kind: 'union' }): PlacedUnion {
    const tag = this.#take(1)
    const [start, first] = [this.size, this.#lastString]
    let widest = start
    const variants = schema.variants.map(variant => {
      this.size = start
      this.#lastString = first
      const placed = this.any(variant) as PlacedObject
      widest = Math.max(widest, this.size)
      return placed
    })
    this.size = widest
    return { kind: 'union', schema, tag, discriminator: schema.discriminator, variants }
  }
}

function fixedBytes(schema: SchemaNode): number | undefined {
  switch (schema.kind) {
    case 'int32':
      return 4
    case 'int':
    case 'int64':
    case 'float64':
    case 'timestamp':
      return 8
    case 'boolean':
      return 1
    case 'enum':
      return enumWidth(schema.values)
    default:
      return undefined
  }
}
