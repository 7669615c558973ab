/** Generates the code that puts records into a frame; see `frame-layout.ts` for the layout. */
import { ByteWriter } from '../common/bytes.ts'
import {
  FRAME_HEADER_BYTES,
  FRAME_VERSION,
  type FrameLayout,
  frameLayout,
  HEAP_ASCII,
  HEAP_UTF8,
  HEAP_UTF16,
  type Placed,
  type PlacedObject,
  type PlacedUnion,
  ROW_HEAP_START,
  ROW_TIMESTAMP,
} from './frame-layout.ts'
import { property, quote, SourceBuilder } from './source-builder.ts'
import type { SchemaNode, Type } from './type.ts'
import { enumWidth, unionTags } from './value-layout.ts'
import { isOfType, joinPath, refuseValue } from './value-test.ts'
import { makeValueWriter } from './value-writer.ts'

/** Collects records until they fill a frame. */
export interface FrameEncoder<T> {
  /** Records in the frame so far. */
  readonly count: number
  /**
   * Adds a record; false when it would not fit any more: take the frame, then add it again. A
   * record that is larger than a frame gets a frame of its own, beyond the limit.
   *
   * Throws WEIR_VALUE_UNSERIALIZABLE, naming the path; the frame is as before then.
   */
  add(value: T, timestamp: number): boolean
  /** The frame, and a new one begun. The bytes are valid until the next `finish`. */
  finish(): Buffer
}

export interface FrameEncoderOptions {
  /**
   * The size of a frame. Text beyond ASCII is counted at the width it had in the frame before: the
   * first frame of such text may be up to three times larger.
   */
  readonly limitBytes: number
}

/**
 * Compiles code of its own for each encoder: the shapes of one job's records do not slow another's.
 */
export function makeFrameEncoder<T>(type: Type<T>, options: FrameEncoderOptions): FrameEncoder<T> {
  const layout = frameLayout(type.schema)
  const store = new FrameStore(layout.rowBytes, options.limitBytes)
  const add = compileAdd<T>(layout, type.schema)(store)
  return {
    get count() {
      return store.count
    },
    add,
    finish: () => store.finish(),
  }
}

/** The frame in the making. Its fields are public to the generated code only. */
class FrameStore {
  /** Header and rows; grows at `finish` only, when tail and heap are put behind the rows. */
  buffer: Buffer
  view: DataView
  count = 0
  /** Where the next row begins. */
  row = FRAME_HEADER_BYTES
  heap = ''
  readonly tail = new ByteWriter(256)
  /** Bytes of the tail that belong to records that were added. */
  tailUsed = 0
  /** Bytes left, counting the heap at its usual width. */
  readonly limit: number
  bytesPerUnit = 1
  readonly #rowBytes: number

  constructor(rowBytes: number, limitBytes: number) {
    this.#rowBytes = rowBytes
    this.limit = limitBytes
    this.buffer = Buffer.allocUnsafeSlow(Math.max(limitBytes, FRAME_HEADER_BYTES + rowBytes))
    this.view = new DataView(this.buffer.buffer)
  }

  finish(): Buffer {
    const { heap } = this
    const needed = this.row + this.tailUsed + heap.length * 3
    if (needed > this.buffer.length) this.#grow(needed)
    const { buffer, view } = this
    this.tail.buffer.copy(buffer, this.row, 0, this.tailUsed)
    const heapStart = this.row + this.tailUsed
    let form = HEAP_ASCII
    let heapBytes = buffer.write(heap, heapStart, 'utf8')
    if (heapBytes !== heap.length) form = HEAP_UTF8
    if (form === HEAP_UTF8 && !heap.isWellFormed()) {
      form = HEAP_UTF16
      heapBytes = buffer.write(heap, heapStart, 'utf16le')
    }
    view.setUint8(0, FRAME_VERSION)
    view.setUint8(1, form)
    view.setUint16(2, this.#rowBytes, true)
    view.setUint32(4, this.count, true)
    view.setUint32(8, this.tailUsed, true)
    view.setUint32(12, heapBytes, true)
    view.setUint32(16, heap.length, true)
    this.bytesPerUnit = heap.length === 0 ? 1 : heapBytes / heap.length
    this.#begin()
    return buffer.subarray(0, heapStart + heapBytes)
  }

  #begin(): void {
    this.count = 0
    this.row = FRAME_HEADER_BYTES
    this.heap = ''
    this.tailUsed = 0
    this.tail.clear()
  }

  #grow(bytes: number): void {
    const grown = Buffer.allocUnsafeSlow(bytes)
    this.buffer.copy(grown, 0, 0, this.row)
    this.buffer = grown
    this.view = new DataView(grown.buffer)
  }
}

type Add<T> = (value: T, timestamp: number) => boolean

function compileAdd<T>(layout: FrameLayout, schema: SchemaNode): (store: FrameStore) => Add<T> {
  const b = new SourceBuilder()
  b.line('return store => function add(value, timestamp) {')
  b.line('const row = store.row, tail = store.tail')
  const writer = new RowWriter(b, layout.rowBytes)
  if (layout.root.kind === 'union') writer.union(layout.root)
  else writer.record(layout.root, schema)
  b.line('}')
  return b.compile()
}

/**
 * A record is added in two steps: all parts are tested and their sizes summed up, then, when it
 * fits, all are written. Parts that are absent are written as zeros.
 */
class RowWriter {
  readonly #b: SourceBuilder
  readonly #rowBytes: number
  readonly #refuse: string
  #writes: string[] = []
  #strings: string[] = []
  #declared: string[] = []
  #hasTail = false

  constructor(b: SourceBuilder, rowBytes: number) {
    this.#b = b
    this.#rowBytes = rowBytes
    this.#refuse = b.constant(refuseValue, 'refuse')
  }

  union(union: PlacedUnion): void {
    const b = this.#b
    this.#test(union.schema, 'value', '')
    const tag = property('value', union.discriminator)
    for (const [i, variant] of union.variants.entries()) {
      const tags = unionTags(variant.schema, union.discriminator)
      const condition = tags.map(one => `${tag} === ${JSON.stringify(one)}`).join(' || ')
      b.line(`if (${condition}) {`)
      this.#writes = [`view.setUint8(row + ${union.tag}, ${i})`]
      this.record(variant, variant.schema)
      b.line('}')
    }
    const path = quote(union.discriminator)
    b.line(`return ${this.#refuse}(${b.constant(union.schema)}, ${path}, ${tag})`)
  }

  record(placed: Placed, schema: SchemaNode): void {
    const b = this.#b
    this.#strings = []
    this.#declared = []
    this.#hasTail = false
    const [declare, rewind] = [b.later(), b.later()]
    this.#part(placed, schema, { value: 'value', path: '' })
    if (this.#declared.length > 0) declare(`let ${this.#declared.join(', ')}`)
    // What a refused record left in the tail is overwritten.
    if (this.#hasTail) rewind('tail.length = store.tailUsed')
    const units = this.#strings.map(name => `${name}.length`).join(' + ') || '0'
    b.line(
      `const units = ${units}`,
      `const tailBytes = ${this.#hasTail ? 'tail.length' : 'store.tailUsed'}`,
      `const size = row + ${this.#rowBytes} + tailBytes + ` +
        '(store.heap.length + units) * store.bytesPerUnit',
      'if (size > store.limit && store.count > 0) return false',
      // Only the first record of a frame may be beyond the limit; the rows always fit the buffer.
      'const view = store.view',
      'let end = store.heap.length',
      `view.setFloat64(row + ${ROW_TIMESTAMP}, timestamp, true)`,
      `view.setUint32(row + ${ROW_HEAP_START}, end, true)`,
      ...this.#writes,
    )
    if (this.#strings.length > 0) b.line(`store.heap += ${this.#strings.join(' + ')}`)
    if (this.#hasTail) b.line('store.tailUsed = tail.length')
    b.line(`store.row = row + ${this.#rowBytes}`, 'store.count++')
    b.line('return true')
    this.#writes = []
  }

  #test(schema: SchemaNode, value: string, path: string): void {
    const refused = `${this.#refuse}(${this.#b.constant(schema)}, ${quote(path)}, ${value})`
    this.#b.line(`if (!(${isOfType(schema, value)})) ${refused}`)
  }

  /** Emits the tests of one part and notes what is to be written. */
  #part(placed: Placed, schema: SchemaNode, at: { value: string; path: string }): void {
    const b = this.#b
    switch (placed.kind) {
      case 'constant':
        this.#test(placed.schema, at.value, at.path)
        return
      case 'string': {
        const held = this.#declare("''", at)
        this.#test({ kind: 'string' }, held, at.path)
        this.#strings.push(held)
        this.#writes.push(`view.setUint32(row + ${placed.offset}, end += ${held}.length, true)`)
        return
      }
      case 'tail': {
        this.#hasTail = true
        const held = this.#declare('0', { ...at, value: 'tail.length' })
        const write = b.constant(makeValueWriter(placed.schema, at.path), 'write')
        b.line(`${write}(tail, ${at.value})`)
        this.#writes.push(`view.setUint32(row + ${placed.offset}, ${held}, true)`)
        return
      }
      case 'fixed':
        this.#fixed(placed.schema, placed.offset, at)
        return
      case 'maybe':
        this.#maybe(placed, schema, at)
        return
      case 'object':
        this.#object(placed, at)
        return
      case 'union':
        return
    }
  }

  /** A variable that is assigned here, perhaps in a branch, and read when all parts are written. */
  #declare(absent: string, at: { value: string }): string {
    const name = this.#b.name('part')
    this.#declared.push(`${name} = ${absent}`)
    this.#b.line(`${name} = ${at.value}`)
    return name
  }

  #fixed(schema: SchemaNode, offset: number, at: { value: string; path: string }): void {
    const b = this.#b
    const place = `row + ${offset}`
    if (schema.kind === 'enum') {
      const index = b.constant(new Map(schema.values.map((value, i) => [value, i])))
      const held = this.#declare('0', { value: `${index}.get(${at.value})` })
      const refused = `${this.#refuse}(${b.constant(schema)}, ${quote(at.path)}, ${at.value})`
      b.line(`if (${held} === undefined) ${refused}`)
      const method = enumWidth(schema.values) === 1 ? 'setUint8' : 'setUint16'
      this.#writes.push(`view.${method}(${place}, ${held}, true)`)
      return
    }
    const held = this.#declare(schema.kind === 'int64' ? '0n' : '0', at)
    this.#test(schema, held, at.path)
    if (schema.kind === 'int32') this.#writes.push(`view.setInt32(${place}, ${held}, true)`)
    else if (schema.kind === 'boolean')
      this.#writes.push(`view.setUint8(${place}, ${held} ? 1 : 0)`)
    else if (schema.kind === 'int64') this.#writes.push(`view.setBigInt64(${place}, ${held}, true)`)
    else this.#writes.push(`view.setFloat64(${place}, ${held}, true)`)
  }

  #maybe(
    placed: Placed & { readonly kind: 'maybe' },
    schema: SchemaNode,
    at: { value: string; path: string },
  ): void {
    const b = this.#b
    const held = b.name('held')
    const flag = this.#declare('0', { value: `${at.value} === ${placed.absent} ? 0 : 1` })
    this.#writes.push(`view.setUint8(row + ${placed.flag}, ${flag})`)
    b.line(`if (${flag} === 1) {`, `const ${held} = ${at.value}`)
    const of = schema.kind === 'optional' || schema.kind === 'nullable' ? schema.of : schema
    this.#part(placed.of, of, { value: held, path: at.path })
    b.line('}')
  }

  #object(placed: PlacedObject, at: { value: string; path: string }): void {
    this.#test(placed.schema, at.value, at.path)
    if (placed.schema.kind !== 'object') return
    for (const [i, field] of placed.fields.entries()) {
      const held = this.#b.name('field')
      this.#b.line(`const ${held} = ${property(at.value, field.name)}`)
      const type = placed.schema.fields[i]?.type ?? placed.schema
      this.#part(field.placed, type, { value: held, path: joinPath(at.path, field.name) })
    }
  }
}
