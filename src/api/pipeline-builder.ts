/**
 * Collects the operators of one job while its builder function runs. Ids count from 1 in the
 * order of the calls; inputs always exist before what reads them, so that the list is in
 * topological order.
 */
import type { Type } from '../schema/type.ts'
import { apiErrors } from './api-errors.ts'
import { callLocation } from './call-location.ts'
import type { Key, KeySelector } from './functions.ts'
import type { StreamOrigin } from './stream-origin.ts'
import type { OperatorSpec, Transformation, TransformationEdge } from './transformation.ts'

export interface NewOperator {
  readonly operator: OperatorSpec
  readonly name: string
  /** None for a source, two for a connected operator. */
  readonly inputs: readonly StreamOrigin[]
  readonly keySelectors?: readonly KeySelector<unknown, Key>[]
  readonly outputType: Type<unknown>
}

export class PipelineBuilder {
  readonly #transformations: Transformation[] = []

  get transformations(): readonly Transformation[] {
    return this.#transformations
  }

  /** Throws WEIR_STREAM_FOREIGN when an input belongs to another job. */
  add(added: NewOperator): Transformation {
    const location = callLocation()
    for (const input of added.inputs) {
      if (input.owner !== this) throw apiErrors.WEIR_STREAM_FOREIGN({ location })
    }
    const transformation: Transformation = {
      id: this.#transformations.length + 1,
      operator: added.operator,
      inputs: added.inputs.flatMap(edgesOf),
      keySelectors: added.keySelectors ?? [],
      inputTypes: added.inputs.map(input => input.type),
      outputType: added.outputType,
      name: added.name,
      uid: undefined,
      parallelism: undefined,
      chaining: 'always',
      errorPolicy: { kind: 'fail' },
      location,
    }
    this.#transformations.push(transformation)
    return transformation
  }
}

function edgesOf(origin: StreamOrigin, input: number): TransformationEdge[] {
  return origin.sources.map(source => ({ ...source, input: input === 0 ? 0 : 1 }))
}
