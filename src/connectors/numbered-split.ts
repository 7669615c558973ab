import type { SourceSplit } from '../api/source.ts'
import type { Schema } from '../schema/type.ts'

/** Every `step`-th number from `next` on. */
export interface NumberedSplit extends SourceSplit {
  /** The number of the next record. */
  readonly next: number
  readonly step: number
  /** Numbers stay below; absent: there is no end. */
  readonly end?: number
}

/** What tells one numbered source from another. */
export interface NumberedSourceOptions<T> {
  readonly name: string
  readonly type: Schema<T> | undefined
  /** How many records there are; `undefined`: no end. */
  readonly count: number | undefined
  /** Of all readers together; `undefined`: as fast as they are taken. */
  readonly ratePerSecond?: number | undefined
  /** Makes the function from a number to its record; each reader has one of its own. */
  readonly makeRecordAt: () => (n: number) => T
}
