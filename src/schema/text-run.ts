/**
 * The strings of one object by one native call. A call costs 30-60 ns whatever it reads, a piece of
 * its result 5: so the bytes from the first string to the last are read as one text, of which each
 * string is a piece. Only where all of them are ASCII; anything else is read string by string.
 */
import type { SourceBuilder } from './source-builder.ts'
import type { FieldNode, SchemaNode } from './type.ts'
import { fixedSize, isFixed } from './value-layout.ts'

/** A run of fields that begins and ends with a string, with fixed parts and strings in between. */
export interface TextRun {
  readonly from: number
  readonly to: number
}

/** The names of the variables that hold the text of a run, and the place of its first byte. */
export interface WholeText {
  readonly text: string
  readonly base: string
}

/** Undefined with less than two strings in reach of each other. */
export function findTextRun(fields: readonly FieldNode[]): TextRun | undefined {
  let from = -1
  let to = -1
  for (const [i, { type }] of fields.entries()) {
    if (type.kind === 'string') {
      if (from < 0) from = i
      to = i
    } else if (from >= 0 && !isFixed(type)) {
      if (to > from) break
      from = -1
    }
  }
  return to > from && from >= 0 ? { from, to } : undefined
}

/** Shorter texts are built from their characters. */
const TEXT_MIN = 24

/**
 * Emits what reads the text of a run that begins at `p`. The text is `undefined` where the strings
 * are to be read one by one.
 */
export function emitTextRun(b: SourceBuilder, schemas: readonly SchemaNode[]): WholeText {
  const [text, base, end, heads] = ['text', 'base', 'end', 'heads'].map(name => b.name(name))
  const isAscii = b.constant(isAsciiAt, 'isAscii')
  b.line(`const ${base} = p + 1`, `let ${text}, ${end} = p, ${heads} = 0`)
  const checks: string[] = []
  for (const type of schemas) {
    if (type.kind !== 'string') {
      b.line(`${end} += ${fixedSize(type)}`)
      continue
    }
    const [head, start] = [b.name('head'), b.name('start')]
    // Beyond the end a byte is `undefined`, and the run too long.
    b.line(`const ${head} = buffer[${end}] | 0, ${start} = ${end} + 1`)
    b.line(`${heads} |= ${head}; ${end} = ${start} + (${head} >> 1)`)
    checks.push(`${isAscii}(data, ${start}, ${start} + (${head} >> 1))`)
  }
  // The heads say: shorter than 64 bytes, and not UTF-16.
  b.line(
    `if ((${heads} & 0x81) === 0 && ${end} <= limit && ${end} - ${base} >= ${TEXT_MIN} &&`,
    `${checks.join(' && ')}) ${text} = buffer.latin1Slice(${base}, ${end})`,
  )
  return { text: text as string, base: base as string }
}

function isAsciiAt(data: DataView, start: number, end: number): boolean {
  let all = 0
  let i = start
  for (; i + 4 <= end; i += 4) all |= data.getInt32(i, true)
  for (; i < end; i++) all |= data.getUint8(i)
  return (all & 0x80808080) === 0
}
