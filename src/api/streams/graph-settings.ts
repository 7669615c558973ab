/** The setters of one operator; all that a sink has. */
import { apiErrors } from '../api-errors.ts'
import { callLocation } from '../call-location.ts'
import type { StreamSink } from '../data-stream.ts'
import type { Transformation } from '../transformation.ts'

/** Uids become names of files and metrics: what these allow, no more. */
const UID = /^[A-Za-z0-9._-]{1,100}$/

export class GraphSettings implements StreamSink {
  readonly #transformation: Transformation

  constructor(transformation: Transformation) {
    this.#transformation = transformation
  }

  uid(uid: string): this {
    if (!UID.test(uid)) throw apiErrors.WEIR_UID_INVALID({ uid, location: callLocation() })
    this.#transformation.uid = uid
    return this
  }

  name(name: string): this {
    this.#transformation.name = name
    return this
  }

  setParallelism(parallelism: number): this {
    if (!Number.isInteger(parallelism) || parallelism < 1) {
      throw apiErrors.WEIR_PARALLELISM_INVALID({ parallelism, location: callLocation() })
    }
    this.#transformation.parallelism = parallelism
    return this
  }

  startNewChain(): this {
    this.#transformation.chaining = 'head'
    return this
  }

  disableChaining(): this {
    this.#transformation.chaining = 'never'
    return this
  }
}
