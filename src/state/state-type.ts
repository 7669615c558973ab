/** The types of declared state: what is written now, and how what was stored before is read. */
import type { MapStateDescriptor, StateDescriptor } from '../api/state-descriptor.ts'
import { generalType } from '../schema/general-type.ts'
import type { Schema, Type } from '../schema/type.ts'
import { typeOf } from '../schema/type-of.ts'

/** Of values, list elements, map values or accumulators. Without a schema: the general type. */
export function valueTypeOf(descriptor: StateDescriptor): Type<unknown> {
  return resolve(descriptor.type)
}

/** Of a map's keys. */
export function mapKeyTypeOf(descriptor: MapStateDescriptor<unknown, unknown>): Type<unknown> {
  return resolve(descriptor.keyType)
}

function resolve(schema: Schema<unknown> | undefined): Type<unknown> {
  return schema === undefined ? generalType : typeOf(schema)
}
