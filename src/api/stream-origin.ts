/**
 * What a stream is made of: the operators its records come from. Union, keyBy and partitioning only
 * make a new origin; an operator is added when something is done with the records.
 */
import type { Type } from '../schema/type.ts'
import type { OutputTag } from './functions.ts'
import type { Partitioner, Transformation } from './transformation.ts'

/** The property that carries it; a symbol, so that it does not show among a stream's methods. */
export const ORIGIN: unique symbol = Symbol('weir.origin')

export interface StreamOrigin {
  /** The job it belongs to: streams of two jobs never meet. */
  readonly owner: object
  /** More than one after a union. */
  readonly sources: readonly OriginSource[]
  readonly type: Type<unknown>
}

export interface OriginSource {
  readonly from: Transformation
  readonly partitioner: Partitioner | undefined
  readonly sideOutput: OutputTag<unknown> | undefined
}

/** The same records, given to subtasks in another way. */
export function partitionedBy(origin: StreamOrigin, partitioner: Partitioner): StreamOrigin {
  return { ...origin, sources: origin.sources.map(source => ({ ...source, partitioner })) }
}
