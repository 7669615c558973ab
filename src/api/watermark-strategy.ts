/**
 * Watermark strategies: where timestamps come from and how far event time has advanced. A
 * watermark t promises that no record with a timestamp <= t follows. One generator runs per
 * split; the task combines them.
 */

/** Makes watermarks of one split. `MIN_TIMESTAMP` means: none yet. */
export interface WatermarkGenerator<T> {
  /** Sees every record; may return a watermark to emit at once (punctuated generators). */
  onEvent(value: T, timestamp: number): number | undefined
  /** Asked every `watermarkInterval`: the watermark now. */
  onPeriodicEmit(): number | undefined
}

/** Keeps sources that are ahead from filling the state of those that wait. */
export interface AlignmentOptions {
  /** Sources of one group wait for each other. */
  readonly group: string
  /** How far a split may be ahead of the slowest, in ms. */
  readonly maxDriftMs: number
}

/** Made by `watermarks` of the API. */
export interface WatermarkStrategy<T> {
  readonly name: string
  /** Gives the record's timestamp; without it the source's own timestamp holds. */
  readonly timestampAssigner: ((value: T, sourceTimestamp: number) => number) | undefined
  /** `undefined`: no watermarks until the end of input. */
  readonly makeGenerator: (() => WatermarkGenerator<T>) | undefined
  /** Set for the built-in generator, which the hot path inlines: bound in ms (0 for ascending). */
  readonly outOfOrdernessMs: number | undefined
  /** A split silent for longer is idle and holds no watermark back. 0: never. */
  readonly idlenessMs: number
  readonly alignment: AlignmentOptions | undefined
}
