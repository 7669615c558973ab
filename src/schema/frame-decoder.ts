/** Generates the code that takes records out of a frame; see `frame-layout.ts` for the layout. */
import { ByteReader, bytesErrors } from '../common/bytes.ts'
import {
  FRAME_HEADER_BYTES,
  FRAME_VERSION,
  type FrameLayout,
  frameLayout,
  HEAP_ASCII,
  HEAP_UTF16,
  type Placed,
  type PlacedObject,
  ROW_TIMESTAMP,
} from './frame-layout.ts'
import { objectLiteral, quote, SourceBuilder } from './source-builder.ts'
import type { SchemaNode, Type } from './type.ts'
import { enumWidth } from './value-layout.ts'
import { makeValueReader } from './value-reader.ts'

/**
 * Reads the records of one frame at a time. All but `open` may throw WEIR_BYTES_MALFORMED too: a
 * record is checked when it is read.
 */
export interface FrameDecoder<T> {
  /**
   * Takes a frame, gives its number of records. The bytes must not change until the next `open`;
   * strings read from it share the frame's text. Throws WEIR_BYTES_MALFORMED.
   */
  open(frame: Buffer): number
  timestamp(index: number): number
  /** The record as an object of its own. */
  value(index: number): T
  /** All records, each with its timestamp behind it. */
  items(): unknown[]
  /**
   * The record as a view that reads a field when it is asked for: cheap where a filter or a key
   * selector looks at one field of many. It is one object, moved by each call: never keep it.
   */
  view(index: number): Readonly<T>
}

/** Compiles code of its own for each decoder. */
export function makeFrameDecoder<T>(type: Type<T>): FrameDecoder<T> {
  const layout = frameLayout(type.schema)
  return compileDecoder<T>(layout)(new OpenFrame(layout.rowBytes))
}

/** The frame being read. Its fields are public to the generated code only. */
class OpenFrame {
  view: DataView = new DataView(new ArrayBuffer(0))
  /** The text of all strings; read when the first is asked for. */
  heap: string | undefined
  tail = new ByteReader(Buffer.alloc(0))
  tailStart = 0
  count = 0
  readonly #rowBytes: number
  #frame: Buffer = Buffer.alloc(0)
  #heapStart = 0

  constructor(rowBytes: number) {
    this.#rowBytes = rowBytes
  }

  open(frame: Buffer): number {
    this.count = 0
    if (frame.length < FRAME_HEADER_BYTES) throw malformed(frame.length, 'a frame without header')
    const view = new DataView(frame.buffer, frame.byteOffset, frame.length)
    const rowBytes = view.getUint16(2, true)
    if (view.getUint8(0) !== FRAME_VERSION || rowBytes !== this.#rowBytes) {
      throw malformed(0, `rows of ${rowBytes} bytes, ${this.#rowBytes} expected`)
    }
    const count = view.getUint32(4, true)
    const tailStart = FRAME_HEADER_BYTES + count * rowBytes
    const heapStart = tailStart + view.getUint32(8, true)
    const heapEnd = heapStart + view.getUint32(12, true)
    if (heapEnd !== frame.length) throw malformed(4, `a frame of ${heapEnd} bytes`)
    const form = view.getUint8(1)
    if (form > HEAP_UTF16) throw malformed(1, `unknown form of text ${form}`)
    this.view = view
    this.heap = undefined
    this.#frame = frame
    this.#heapStart = heapStart
    this.tail = new ByteReader(frame, tailStart, heapStart)
    this.tailStart = tailStart
    this.count = count
    return count
  }

  /** One native call for all strings; a piece of the text costs a tenth of a call of its own. */
  readHeap(): string {
    const form = this.view.getUint8(1)
    const encoding = form === HEAP_ASCII ? 'latin1' : form === HEAP_UTF16 ? 'utf16le' : 'utf8'
    const heap = this.#frame.toString(encoding, this.#heapStart)
    if (heap.length !== this.view.getUint32(16, true)) {
      throw malformed(this.#heapStart, 'text of other length')
    }
    this.heap = heap
    return heap
  }

  /** The offset of a row. */
  row(index: number): number {
    if (!(index >= 0 && index < this.count)) throw malformed(0, `no record ${index}`)
    return FRAME_HEADER_BYTES + index * this.#rowBytes
  }

  /** The reader of the tail, at an offset that comes from a row. */
  tailAt(offset: number): ByteReader {
    this.tail.offset = this.tailStart + offset
    if (this.tail.offset > this.tail.limit)
      throw malformed(this.tailStart, 'a part beyond the tail')
    return this.tail
  }
}

function malformed(offset: number, what: string): Error {
  return bytesErrors.WEIR_BYTES_MALFORMED({ what, offset })
}

function throwMalformed(what: string): never {
  throw malformed(0, what)
}

function compileDecoder<T>(layout: FrameLayout): (frame: OpenFrame) => FrameDecoder<T> {
  const b = new SourceBuilder()
  const reader = new RowReader(b)
  b.line('return frame => {', 'let row = 0')
  const rowOf = `${FRAME_HEADER_BYTES} + index * ${layout.rowBytes}`
  const locate = `(index >= 0 && index < frame.count) ? ${rowOf} : frame.row(index)`
  b.line('function readValue(row) {', 'const view = frame.view')
  if (holdsText(layout.root)) b.line(HEAP)
  b.line(`return ${reader.value(layout.root, 'row')}`, '}')
  const flyweight = reader.flyweight(layout.root)
  b.line(
    'return {',
    'open: bytes => frame.open(bytes),',
    `timestamp: index => frame.view.getFloat64((${locate}) + ${ROW_TIMESTAMP}, true),`,
    `value: index => readValue(${locate}),`,
    'items: () => {',
    'const { count, view } = frame',
    'const items = new Array(count * 2)',
    `for (let i = 0, row = ${FRAME_HEADER_BYTES}; i < count; i++, row += ${layout.rowBytes}) {`,
    'items[i * 2] = readValue(row)',
    `items[i * 2 + 1] = view.getFloat64(row + ${ROW_TIMESTAMP}, true)`,
    '}',
    'return items',
    '},',
    `view: index => { row = ${locate}; return ${flyweight} }`,
    '}',
    '}',
  )
  return b.compile()
}

const HEAP = 'const heap = frame.heap ?? frame.readHeap()'

/** Whether any string of it lies in the heap. */
function holdsText(placed: Placed): boolean {
  switch (placed.kind) {
    case 'string':
      return true
    case 'maybe':
      return holdsText(placed.of)
    case 'object':
      return placed.fields.some(field => holdsText(field.placed))
    case 'union':
      return placed.variants.some(holdsText)
    default:
      return false
  }
}

/** Emits statements that read parts of the row at `row`; gives the expressions that hold them. */
class RowReader {
  readonly #b: SourceBuilder
  readonly #throw: string

  constructor(b: SourceBuilder) {
    this.#b = b
    this.#throw = b.constant(throwMalformed, 'malformed')
  }

  #hold(expression: string): string {
    const name = this.#b.name('v')
    this.#b.line(`const ${name} = ${expression}`)
    return name
  }

  value(placed: Placed, row: string): string {
    const b = this.#b
    switch (placed.kind) {
      case 'constant':
        return placed.text
      case 'string': {
        const start = this.#hold(`view.getUint32(${row} + ${placed.before}, true)`)
        const end = this.#hold(`view.getUint32(${row} + ${placed.offset}, true)`)
        b.line(`if (${end} < ${start} || ${end} > heap.length) ${this.#throw}('text out of order')`)
        return this.#hold(`heap.substring(${start}, ${end})`)
      }
      case 'tail': {
        const read = b.constant(makeValueReader(placed.schema), 'read')
        return this.#hold(`${read}(frame.tailAt(view.getUint32(${row} + ${placed.offset}, true)))`)
      }
      case 'fixed':
        return this.#fixed(placed.schema, `${row} + ${placed.offset}`)
      case 'maybe': {
        const v = b.name('v')
        const flag = this.#hold(`view.getUint8(${row} + ${placed.flag})`)
        b.line(`if (${flag} > 1) ${this.#throw}('a flag that is neither 0 nor 1')`)
        b.line(`let ${v} = ${placed.absent}`, `if (${flag} === 1) {`)
        const held = this.value(placed.of, row)
        b.line(`${v} = ${held}`, '}')
        return v
      }
      case 'object': {
        const fields = placed.fields.map(
          field => [field.name, this.value(field.placed, row)] as const,
        )
        return this.#hold(objectLiteral(fields))
      }
      case 'union': {
        const v = b.name('v')
        b.line(`let ${v}`, `switch (view.getUint8(${row} + ${placed.tag})) {`)
        for (const [i, variant] of placed.variants.entries()) {
          b.line(`case ${i}: {`)
          const held = this.value(variant, row)
          b.line(`${v} = ${held}`, 'break', '}')
        }
        b.line(`default: ${this.#throw}('an unknown variant')`, '}')
        return v
      }
    }
  }

  #fixed(schema: SchemaNode, place: string): string {
    switch (schema.kind) {
      case 'int32':
        return this.#hold(`view.getInt32(${place}, true)`)
      case 'int64':
        return this.#hold(`view.getBigInt64(${place}, true)`)
      case 'boolean': {
        const v = this.#hold(`view.getUint8(${place})`)
        this.#b.line(`if (${v} > 1) ${this.#throw}('a boolean that is neither 0 nor 1')`)
        return `(${v} === 1)`
      }
      case 'enum': {
        const method = enumWidth(schema.values) === 1 ? 'getUint8' : 'getUint16'
        const index = this.#hold(`view.${method}(${place}, true)`)
        const beyond = `${index} >= ${schema.values.length}`
        this.#b.line(`if (${beyond}) ${this.#throw}('an unknown enum value')`)
        return this.#hold(`${this.#b.constant(schema.values)}[${index}]`)
      }
      default:
        return this.#hold(`view.getFloat64(${place}, true)`)
    }
  }

  /**
   * An object with a getter for each field, which reads the record at the variable `row`; gives the
   * expression for it. What has no fields is read as a whole.
   */
  flyweight(root: Placed): string {
    if (root.kind === 'object') return this.#getters(root)
    if (root.kind !== 'union') return 'readValue(row)'
    const views = root.variants.map(variant => this.#getters(variant))
    const list = this.#hold(`[${views.join(', ')}]`)
    return (
      `(${list}[frame.view.getUint8(row + ${root.tag})] ?? ` +
      `${this.#throw}('an unknown variant'))`
    )
  }

  #getters(object: PlacedObject): string {
    const b = this.#b
    const name = b.name('flyweight')
    b.line(`const ${name} = {`)
    for (const field of object.fields) {
      b.line(`get ${quote(field.name)}() {`, 'const view = frame.view')
      if (holdsText(field.placed)) b.line(HEAP)
      b.line(`return ${this.value(field.placed, 'row')}`, '},')
    }
    b.line('}')
    return name
  }
}
