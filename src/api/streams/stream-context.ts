/**
 * What the classes of this folder share: adding an operator and giving out its stream. The classes
 * of plain streams are handed in, so that they may know the other ones and need not be known.
 */
import { generalType } from '../../schema/general-type.ts'
import type { Schema, Type } from '../../schema/type.ts'
import { typeOf } from '../../schema/type-of.ts'
import type { DataStream, OperatorStream } from '../data-stream.ts'
import type { NewOperator, PipelineBuilder } from '../pipeline-builder.ts'
import type { StreamOrigin } from '../stream-origin.ts'
import type { Transformation } from '../transformation.ts'

export interface StreamContext {
  readonly builder: PipelineBuilder
  operatorStream<T>(transformation: Transformation): OperatorStream<T>
  dataStream<T>(origin: StreamOrigin): DataStream<T>
}

/** Adds an operator; its results are of type `OUT`. */
export function addOperator<OUT>(context: StreamContext, added: NewOperator): OperatorStream<OUT> {
  return context.operatorStream<OUT>(context.builder.add(added))
}

/** The type of a schema, the general one where there is none. */
export function typeOrGeneral(schema: Schema<unknown> | undefined): Type<unknown> {
  return schema === undefined ? generalType : (typeOf(schema) as Type<unknown>)
}

/**
 * Forgets the types of a user's function: the graph holds functions of all types in one list, and
 * the stream it was given to has already checked them.
 */
export function erased<T>(value: unknown): T {
  return value as T
}
