/** Records on their way together with the place in a source that they came from. */

import type { SchemaNode, Type } from './type.ts'
import { makeValueReader } from './value-reader.ts'
import { makeValueWriter } from './value-writer.ts'

/** Where a source read something: enough to find it again. */
export interface RecordCoordinates {
  readonly source: string
  readonly split: string
  readonly offset: string
}

export interface Located<T> {
  readonly value: T
  /** `undefined`: it came from no single record. */
  readonly coordinates: RecordCoordinates | undefined
}

const coordinates: SchemaNode = {
  kind: 'optional',
  of: {
    kind: 'object',
    fields: ['source', 'split', 'offset'].map(name => ({ name, type: { kind: 'string' } })),
  },
}

export function locatedType<T>(value: Type<T>): Type<Located<T>> {
  const schema: SchemaNode = {
    kind: 'object',
    fields: [
      { name: 'value', type: value.schema },
      { name: 'coordinates', type: coordinates },
    ],
  }
  return {
    name: `{value: ${value.name}, coordinates}`,
    schema,
    storage: 'object',
    write: makeValueWriter<Located<T>>(schema),
    read: makeValueReader<Located<T>>(schema),
  }
}
