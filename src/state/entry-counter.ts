/**
 * Reads the entries of stored key groups one by one, in the shape in which they were stored, and
 * keeps none: what a restore would trip over is found without the job that wrote them.
 */
import { AssertionError } from '../common/assert.ts'
import { type ByteReader, bytesErrors } from '../common/bytes.ts'
import { generalType } from '../schema/general-type.ts'
import type { SchemaNode } from '../schema/type.ts'
import { makeValueReader } from '../schema/value-reader.ts'
import type { StateMeta } from './keyed-state-backend.ts'
import { readSection } from './section-reader.ts'
import { type EntryKey, readCount, readEntryKey, readTime } from './snapshot-format.ts'

type Read = (input: ByteReader) => unknown

/** One for each list of states; the code that reads values is made once. */
export class EntryCounter {
  readonly #readers: readonly Read[]
  readonly #key: EntryKey = { key: 0, namespace: 0 }

  constructor(states: readonly StateMeta[]) {
    this.#readers = states.map(contentsReader)
  }

  /** The entries of a key group, timers included. Throws WEIR_BYTES_MALFORMED. */
  count(section: Buffer): number {
    let total = 0
    for (const { state, count, input } of readSection(section, this.#readers.length)) {
      const read = this.#readers[state]
      if (read === undefined) throw new AssertionError(`state ${state} is one of the list`)
      for (let left = count; left > 0; left--) {
        readEntryKey(input, this.#key)
        read(input)
      }
      if (input.remaining > 0) {
        const what = `${input.remaining} bytes too many`
        throw bytesErrors.WEIR_BYTES_MALFORMED({ what, offset: input.offset })
      }
      total += count
    }
    return total
  }
}

/** By the form that `snapshot-format.ts` gives to each kind. */
function contentsReader({ kind, schema, keySchema }: StateMeta): Read {
  if (kind === 'timers') return input => input.readFloat64()
  const value = valueReader(schema)
  const timed: Read = input => {
    readTime(input)
    return value(input)
  }
  if (kind === 'list') return several(timed)
  if (kind !== 'map') return timed
  const key = valueReader(keySchema)
  return several(input => {
    readTime(input)
    key(input)
    return value(input)
  })
}

function several(read: Read): Read {
  return input => {
    for (let left = readCount(input); left > 0; left--) read(input)
  }
}

function valueReader(stored: unknown): Read {
  const schema = stored as SchemaNode
  if (schema.kind === 'general') return input => generalType.read(input)
  return makeValueReader<unknown>(schema)
}
