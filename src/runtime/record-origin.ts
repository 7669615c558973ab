/**
 * Where the record that a task is processing came from. One for all operators of the task: what
 * they emit for a record came from the same place as the record.
 */
import { cloneFunction } from '../common/clone-function.ts'
import type { Located, RecordCoordinates } from '../schema/located-type.ts'
import type { Push } from './stream-operator.ts'

export class RecordOrigin {
  /** As the input told, or who emits later than the record came. */
  at: RecordCoordinates | undefined
  readonly #ofSource: () => RecordCoordinates | undefined

  /** `ofSource`: of the record that a source at the head is emitting. */
  constructor(ofSource: () => RecordCoordinates | undefined) {
    this.#ofSource = ofSource
  }

  coordinates(): RecordCoordinates | undefined {
    return this.at ?? this.#ofSource()
  }
}

/** The input of an operator, for records that come with their coordinates. */
export function makeLocatedInput(push: Push, origin: RecordOrigin): Push {
  return cloneFunction(locatedInputFactory)(push, origin)
}

/** Self-contained: see `cloneFunction`. After an error the place stays: messages name it. */
function locatedInputFactory(push: Push, origin: RecordOrigin): Push {
  return (record, timestamp) => {
    const { value, coordinates } = record as Located<unknown>
    origin.at = coordinates
    push(value, timestamp)
    origin.at = undefined
  }
}

/** The other end: gives each record its coordinates to take along. */
export function makeLocatedOutput(push: Push, origin: RecordOrigin): Push {
  return cloneFunction(locatedOutputFactory)(push, origin)
}

/** Self-contained: see `cloneFunction`. */
function locatedOutputFactory(push: Push, origin: RecordOrigin): Push {
  return (value, timestamp) => {
    push({ value, coordinates: origin.coordinates() }, timestamp)
  }
}
