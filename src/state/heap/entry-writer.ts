/**
 * Writes the entries of a table into the blocks of their key groups. The code that does it is
 * generated for the shape of the table - how keys, namespaces and values lie in memory - and shared
 * by all tables of that shape: a million entries pass through it at every checkpoint.
 */
import type { ByteWriter } from '../../common/bytes.ts'
import { SourceBuilder } from '../../schema/source-builder.ts'
import type { PrimitiveKey } from '../key.ts'
import { keyGroupOf } from '../key-groups.ts'
import { keyTags } from '../key-tags.ts'
import type { SectionWriter } from '../section-writer.ts'
import { writeEntryKey, writeTime } from '../snapshot-format.ts'
import type { EntryContents } from './contents.ts'
import type { EntrySink } from './entry-table.ts'
import type { Generation } from './generation.ts'
import type { CellsCode } from './value-cells.ts'

/** Room for a tag, two integers, a namespace, and the time of contents. */
const FLAT_KEY_BYTES = 1 + 8 + 8 + 8

interface Shape {
  /** Keys are the tags, pairs of integers beside them, or anything. */
  readonly keys: 'tags' | 'pairs' | 'objects'
  /** Every entry's is 0, the table's, or in a column. */
  readonly namespaces: 'none' | 'outer' | 'column'
  readonly isTimed: boolean
  readonly expires: boolean
  /** Of values; without it the contents write themselves. */
  readonly code: CellsCode | undefined
}

/** What the generated code works on. */
interface Place {
  readonly section: SectionWriter
  readonly contents: EntryContents
  readonly outerNamespace: number
  from: number
  to: number
}

type WriteEntries = (place: Place, generation: Generation) => number

export interface EntryWriterOptions {
  readonly section: SectionWriter
  readonly contents: EntryContents
  readonly outerNamespace: number
}

/** Of one table, for one snapshot. */
export class EntryWriter implements EntrySink {
  readonly #place: Place
  /** By {@link shapeIndex}. */
  readonly #writers: (WriteEntries | undefined)[] = []

  constructor(options: EntryWriterOptions) {
    this.#place = { ...options, from: 0, to: 0 }
  }

  writeEntries(generation: Generation, from: number, to: number): number {
    const index = shapeIndex(generation)
    let write = this.#writers[index]
    if (write === undefined) {
      write = writerOf(this.#shapeOf(generation))
      this.#writers[index] = write
    }
    this.#place.from = from
    this.#place.to = to
    return write(this.#place, generation)
  }

  #shapeOf({ keys, pairs, namespaces, times }: Generation): Shape {
    const { contents, outerNamespace } = this.#place
    const outer = outerNamespace === 0 ? 'none' : 'outer'
    const keyForm = pairs === undefined ? 'tags' : 'pairs'
    return {
      keys: keys === undefined ? keyForm : 'objects',
      namespaces: namespaces === undefined ? outer : 'column',
      isTimed: times !== undefined,
      expires: contents.expires,
      code: contents.code,
    }
  }
}

/** Differs where the shape differs between the generations, and the copies, of one table. */
function shapeIndex({ keys, pairs, namespaces }: Generation): number {
  const form = keys === undefined ? (pairs === undefined ? 0 : 1) : 2
  return namespaces === undefined ? form : form + 3
}

/** One a text. The shapes of a program are few. */
const writers = new Map<string, WriteEntries>()

function writerOf(shape: Shape): WriteEntries {
  const source = makeSource(shape)
  const { text } = source
  const known = writers.get(text)
  if (known !== undefined) return known
  const made = source.compile<WriteEntries>()
  writers.set(text, made)
  return made
}

function makeSource(shape: Shape): SourceBuilder {
  const b = new SourceBuilder()
  const groupOf = b.constant(keyGroupOf, 'groupOf')
  // The tag is the key's hash unless a namespace is mixed in.
  const hash = shape.namespaces === 'column' ? 'generation.hash(slot)' : 'slots[slot * 2]'
  b.line(
    'return function writeEntries(place, generation) {',
    'const { section, contents, outerNamespace, from, to } = place',
    'const { slots, values, keys, pairs, namespaces, times } = generation',
    'const { blocks, start, maxParallelism } = section',
    'let bytes = 0',
    'for (let slot = from; slot < to; slot++) {',
    'if (slots[slot * 2 + 1] <= 0) continue',
  )
  if (shape.expires) b.line('if (contents.isGone(generation, slot)) continue')
  b.line(
    `const group = ${groupOf}(${hash}, maxParallelism)`,
    'const block = blocks[group - start] ?? section.open(group)',
    `block.reserve(${FLAT_KEY_BYTES + (shape.code?.bytes ?? 0)})`,
    'const out = block.out, before = out.length',
    'let data = out.data, p = before',
  )
  addKey(b, shape)
  addContents(b, shape)
  b.line('out.length = p', 'block.count++', 'bytes += p - before', '}', 'return bytes', '}')
  return b
}

function addKey(b: SourceBuilder, shape: Shape): void {
  const namespace = { none: '0', outer: 'outerNamespace', column: 'namespaces[slot]' }
  b.line(`const namespace = ${namespace[shape.namespaces]}`)
  if (shape.keys === 'objects') {
    call(b, `${b.constant(writeObjectKey)}(out, keys.get(slot), namespace)`)
    return
  }
  const mark = shape.namespaces === 'none' ? '0' : `(namespace === 0 ? 0 : ${keyTags.namespaced})`
  if (shape.keys === 'tags') {
    b.line(
      `data.setUint8(p, ${keyTags.int32} + ${mark})`,
      'data.setInt32(p + 1, slots[slot * 2], true)',
    )
    b.line('p += 5')
  } else {
    b.line(
      `data.setUint8(p, ${keyTags.pair} + ${mark})`,
      'data.setInt32(p + 1, pairs[slot * 2], true)',
      'data.setInt32(p + 5, pairs[slot * 2 + 1], true)',
      'p += 9',
    )
  }
  if (shape.namespaces === 'none') return
  b.line('if (namespace !== 0) { data.setFloat64(p, namespace, true); p += 8 }')
}

function addContents(b: SourceBuilder, { code, isTimed }: Shape): void {
  if (code === undefined) {
    call(b, 'contents.write(out, generation, slot)')
    return
  }
  if (isTimed) call(b, `${b.constant(writeTime)}(out, times[slot])`)
  else b.line('data.setUint8(p++, 0)')
  if (isTimed) b.line(`out.length = p; out.reserve(${code.bytes}); data = out.data`)
  b.line(...code.lines)
}

/** A call that moves `out.length` itself. */
function call(b: SourceBuilder, statement: string): void {
  b.line(`out.length = p; ${statement}; p = out.length; data = out.data`)
}

function writeObjectKey(out: ByteWriter, key: unknown, namespace: number): void {
  writeEntryKey(out, key as PrimitiveKey, namespace)
}
