/**
 * How values of a snapshot are read into the state that is declared now: as they are, through the
 * changes of the schema, or through the user's `migrate`.
 */
import type { StateDescriptor } from '../api/state-descriptor.ts'
import { AssertionError } from '../common/assert.ts'
import type { ByteReader } from '../common/bytes.ts'
import { migratingType } from '../schema/compatibility.ts'
import { generalType } from '../schema/general-type.ts'
import type { SchemaNode, Type } from '../schema/type.ts'
import { makeValueReader } from '../schema/value-reader.ts'
import { checkStoredState } from './check-restore.ts'
import type { StateMeta } from './keyed-state-backend.ts'
import { mapKeyTypeOf, valueTypeOf } from './state-type.ts'

export interface StoredReaders {
  readValue(input: ByteReader): unknown
  readMapKey(input: ByteReader): unknown
}

/** Throws WEIR_STATE_INCOMPATIBLE. */
export function storedReaders(
  descriptor: StateDescriptor,
  stored: StateMeta,
  operatorName: string,
): StoredReaders {
  const verdict = checkStoredState(descriptor, stored, operatorName)
  if (verdict.kind === 'incompatible') throw verdict.error
  const readMapKey = descriptor.kind === 'map' ? reader(mapKeyTypeOf(descriptor)) : noMapKey
  const storedSchema = stored.schema as SchemaNode
  if (verdict.kind !== 'migrated') {
    return { readValue: reader(migratingType(storedSchema, valueTypeOf(descriptor))), readMapKey }
  }
  const migrate = descriptor.migrate as NonNullable<StateDescriptor['migrate']>
  const readStored = makeStoredReader(storedSchema)
  const readValue = (input: ByteReader): unknown =>
    migrate.call(descriptor, readStored(input), stored.version)
  return { readValue, readMapKey }
}

/** Reads values in the shape in which they were stored. */
function makeStoredReader(schema: SchemaNode): (input: ByteReader) => unknown {
  return schema.kind === 'general' ? reader(generalType) : makeValueReader<unknown>(schema)
}

function reader(type: Type<unknown>): (input: ByteReader) => unknown {
  return input => type.read(input)
}

function noMapKey(): never {
  throw new AssertionError('only maps have map keys')
}
