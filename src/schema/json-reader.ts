/**
 * Readers of JSON records, generated for the fields of one type.
 *
 * A record in the form that the reader was made for (all keys, in order, the same white space) is
 * read in one pass over the bytes. Any other goes through `JSON.parse` and the zod schema, which
 * define the result: value and error are the same either way. Where many records look otherwise in
 * the same way, the reader learns their form and is generated anew.
 */
import type { Decoder } from './format.ts'
import { JsonBatch } from './json-batch.ts'
import { makeJsonFallback, type ReadText } from './json-fallback.ts'
import { CANONICAL, type JsonLayout, learnLayout } from './json-layout.ts'
import { ReadSource } from './json-read-source.ts'
import { StructureReader } from './json-structure-reader.ts'
import { type FieldOf, type Picked, pickType } from './pick-type.ts'
import { fieldNames } from './record.ts'
import { SourceBuilder } from './source-builder.ts'
import type { TypeNode } from './type-node.ts'
import type { ZodType } from './zod-type.ts'

export interface JsonReader<T> extends Decoder<T> {
  /** How many records took the slow way so far: each costs about ten times the fast one. */
  readonly slowRecords: number
}

export interface JsonReaderOptions<F extends string = string> {
  /**
   * Reads only these fields of the record; of a union, its discriminator too. The others are not in
   * the value, and their text is neither validated nor always looked at: a record that breaks off
   * behind the last wanted field is accepted, and so is one that repeats a field there.
   */
  readonly fields?: readonly F[]
}

/** Compiles code of its own for each reader, so that no reader's records slow another's down. */
export function makeJsonReader<T>(type: ZodType<T>): JsonReader<T>
export function makeJsonReader<T, F extends FieldOf<T>>(
  type: ZodType<T>,
  options: JsonReaderOptions<F>,
): JsonReader<Picked<T, F>>
export function makeJsonReader<T, F extends FieldOf<T>>(
  type: ZodType<T>,
  options: JsonReaderOptions<F> = {},
): JsonReader<Picked<T, F>> | JsonReader<T> {
  const { fields } = options
  if (fields === undefined) return new GeneratedReader(type, makeJsonFallback(type))
  const picked = pickType(type, fields)
  return new GeneratedReader(type, makeJsonFallback(picked), new Set(fieldNames(picked.node)))
}

type ReadBytes<T> = (start: number, end: number) => T

/** So many records in a row without a fast one are reason to look at what they have in common. */
const SLOW_RECORDS_BEFORE_LEARNING = 16
/** Each new form costs a compilation; an input with more forms than this has none. */
const LAYOUTS_MAX = 8

class GeneratedReader<T> implements JsonReader<T> {
  read: ReadBytes<T>
  slowRecords = 0
  readonly #node: TypeNode
  readonly #wanted: ReadonlySet<string> | undefined
  readonly #fallback: ReadText<T>
  #batch: JsonBatch
  #layout: JsonLayout = CANONICAL
  #layouts = 0
  #slowSinceLearning = 0

  constructor(type: ZodType<unknown>, fallback: ReadText<T>, wanted?: ReadonlySet<string>) {
    this.#node = type.node
    this.#wanted = wanted
    this.#fallback = fallback
    this.#batch = new JsonBatch(0)
    this.read = this.#compile()
  }

  setBatch(buffer: Buffer): void {
    this.#batch.set(buffer)
  }

  #compile(): ReadBytes<T> {
    const compiled = compileReader<T>({
      node: this.#node,
      layout: this.#layout,
      wanted: this.#wanted,
      slow: (start, end) => this.#readSlowly(start, end),
    })
    const { buffer } = this.#batch
    this.#batch = compiled.batch
    this.#batch.set(buffer)
    return compiled.read
  }

  #readSlowly(start: number, end: number): T {
    this.slowRecords++
    const text = this.#batch.buffer.toString('utf8', start, end)
    const value = this.#fallback(text)
    this.#slowSinceLearning++
    const due = SLOW_RECORDS_BEFORE_LEARNING * 4 ** this.#layouts
    if (this.#slowSinceLearning >= due && this.#layouts < LAYOUTS_MAX) {
      this.#slowSinceLearning = 0
      this.#layouts++
      this.#layout = learnLayout(this.#node, text, this.#layout)
      this.read = this.#compile()
    }
    return value
  }
}

interface Compilation<T> {
  readonly node: TypeNode
  readonly layout: JsonLayout
  readonly wanted: ReadonlySet<string> | undefined
  readonly slow: ReadBytes<T>
}

function compileReader<T>(given: Compilation<T>): { read: ReadBytes<T>; batch: JsonBatch } {
  const b = new SourceBuilder()
  const slow = b.constant(given.slow, 'slow')
  const source = new ReadSource(b, `return ${slow}(start, end)`)
  b.line(
    'return batch => function read(start, end) {',
    'const bytes = batch.bytes, view = batch.view, text = batch.text',
    'let bs = batch.backslash',
    'if (start < batch.cleanFrom || start > bs) bs = batch.findBackslash(start)',
    'let p = start, c = 0, q = 0, w = 0, acc = 0, neg = false',
  )
  const structure = new StructureReader(source, given.layout, given.wanted)
  const value = structure.root(given.node)
  source.flush()
  if (given.wanted === undefined) {
    b.line(`if (p !== end && !batch.isBlank(p, end)) ${source.miss}`)
  }
  b.line(`return ${value}`, '}')
  const batch = new JsonBatch(source.reach)
  return { read: b.compile<(batch: JsonBatch) => ReadBytes<T>>()(batch), batch }
}
