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
  /** The size of a frame; may be changed, up to the one it was made with. */
  limitBytes: number
  /**
   * Adds a record; false when it would not fit any more: take the frame, then add it again. A
   * record that is larger than a frame gets a frame of its own, beyond the limit.
   *
   * Throws WEIR_VALUE_UNSERIALIZABLE, naming the path; the frame is as before then.
   */
  add(value: T, timestamp: number): boolean
  /** The frame, and a new one begun. The bytes are valid until the next `add`. */
  finish(): Buffer
  /** The same, behind `headroomBytes` for the caller to fill; the bytes are the caller's. */
  take(): Buffer
}

export interface FrameEncoderOptions {
  /**
   * The size of a frame. Text beyond ASCII is counted at the width it had in the frame before: the
   * first frame of such text may be up to three times larger.
   */
  readonly limitBytes: number
  /** Free bytes before each frame that is taken; none if absent. Not part of the limit. */
  readonly headroomBytes?: number
}

/** Compiles code of its own: the shapes of one job's records do not slow another's. */
export function makeFrameEncoder<T>(type: Type<T>, options: FrameEncoderOptions): FrameEncoder<T> {
  return compileFrameEncoder(type)(options)
}

/** Compiles code for all encoders of one edge: one for each of its channels. */
export function compileFrameEncoder<T>(
  type: Type<T>,
): (options: FrameEncoderOptions) => FrameEncoder<T> {
  const layout = frameLayout(type.schema)
  const bind = compileAdd<T>(layout, type.schema)
  return options => {
    const { headroomBytes = 0 } = options
    const store = new FrameStore(layout.rowBytes, options)
    return {
      get count() {
        return store.count
      },
      get limitBytes() {
        return store.limit - headroomBytes
      },
      set limitBytes(bytes) {
        store.limit = headroomBytes + Math.min(bytes, options.limitBytes)
      },
      add: bind(store),
      finish: () => store.finish(),
      take: () => store.take(),
    }
  }
}

/** Beyond the text: room enough to tell text beyond ASCII from text that just fits. */
const SPARE_BYTES = 4

/** A frame that fills less of its buffer is copied out of it. */
const WORTH_GIVING = 0.5

/** The frame in the making. Its fields are public to the generated code only. */
class FrameStore {
  /** Headroom, header and rows; when the frame is finished also tail and heap. */
  buffer: Buffer
  view: DataView
  count = 0
  /** Where the next row begins. */
  row: number
  heap = ''
  readonly tail = new ByteWriter(256)
  /** Bytes of the tail that belong to records that were added. */
  tailUsed = 0
  /** Where the frame has to end, counting the heap at its usual width. */
  limit: number
  bytesPerUnit = 1
  readonly #rowBytes: number
  readonly #start: number
  readonly #size: number

  constructor(rowBytes: number, { limitBytes, headroomBytes = 0 }: FrameEncoderOptions) {
    this.#rowBytes = rowBytes
    this.#start = headroomBytes
    this.limit = headroomBytes + limitBytes
    this.row = headroomBytes + FRAME_HEADER_BYTES
    this.#size = Math.max(this.limit, this.row + rowBytes) + SPARE_BYTES
    this.buffer = Buffer.allocUnsafeSlow(this.#size)
    this.view = new DataView(this.buffer.buffer)
  }

  finish(): Buffer {
    const end = this.#complete()
    return this.buffer.subarray(this.#start, end)
  }

  take(): Buffer {
    const end = this.#complete()
    const { buffer } = this
    const given = end >= buffer.length * WORTH_GIVING
    const frame = given ? buffer.subarray(0, end) : Buffer.allocUnsafeSlow(end)
    if (!given) buffer.copy(frame, this.#start, this.#start, end)
    // One that grew for a large record is not kept for small ones.
    if (given || buffer.length > this.#size) this.#use(Buffer.allocUnsafeSlow(this.#size))
    return frame
  }

  /** Puts tail, heap and header in, and begins anew; where the frame ends. */
  #complete(): number {
    const { heap } = this
    const heapStart = this.row + this.tailUsed
    this.#reserve(heapStart + heap.length + SPARE_BYTES)
    let form = HEAP_ASCII
    // With bytes to spare, text beyond ASCII takes more bytes than it has units, or does not fit.
    let heapBytes = this.buffer.write(heap, heapStart, 'utf8')
    if (heapBytes !== heap.length) {
      this.#reserve(heapStart + heap.length * 3)
      form = heap.isWellFormed() ? HEAP_UTF8 : HEAP_UTF16
      heapBytes = this.buffer.write(heap, heapStart, form === HEAP_UTF8 ? 'utf8' : 'utf16le')
    }
    this.tail.buffer.copy(this.buffer, this.row, 0, this.tailUsed)
    const { view } = this
    const start = this.#start
    view.setUint8(start, FRAME_VERSION)
    view.setUint8(start + 1, form)
    view.setUint16(start + 2, this.#rowBytes, true)
    view.setUint32(start + 4, this.count, true)
    view.setUint32(start + 8, this.tailUsed, true)
    view.setUint32(start + 12, heapBytes, true)
    view.setUint32(start + 16, heap.length, true)
    this.bytesPerUnit = heap.length === 0 ? 1 : heapBytes / heap.length
    this.#begin()
    return heapStart + heapBytes
  }

  #begin(): void {
    this.count = 0
    this.row = this.#start + FRAME_HEADER_BYTES
    this.heap = ''
    this.tailUsed = 0
    this.tail.clear()
  }

  #reserve(bytes: number): void {
    if (bytes <= this.buffer.length) return
    const grown = Buffer.allocUnsafeSlow(bytes)
    this.buffer.copy(grown, 0, 0, this.row)
    this.#use(grown)
  }

  #use(buffer: Buffer): void {
    this.buffer = buffer
    this.view = new DataView(buffer.buffer)
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
