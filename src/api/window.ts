/**
 * The contracts of windows: assigners, triggers, evictors and window functions. The implementations
 * are one file each in `api/windows/`.
 */
import type { Schema } from '../schema/type.ts'
import type { Collector, Key, Lifecycle, OutputTag } from './functions.ts'
import type { NoState, StateDescriptors, StatesOf } from './state-descriptor.ts'

/** [start, end) in ms; its greatest timestamp is `end - 1`. The global window is (-∞, ∞). */
export interface Window {
  readonly start: number
  readonly end: number
}

/** By the records’ timestamps, or by the machine’s clock. */
export type TimeDomain = 'event' | 'processing'

/** The shapes the runtime knows how to run faster than through `assign`. */
export type WindowShape =
  | { readonly kind: 'tumbling'; readonly sizeMs: number; readonly offsetMs: number }
  | {
      readonly kind: 'sliding'
      readonly sizeMs: number
      readonly slideMs: number
      readonly offsetMs: number
    }
  /** `gapMs` undefined: dynamic, only `assign` knows it. */
  | { readonly kind: 'session'; readonly gapMs: number | undefined }
  | { readonly kind: 'global' }
  | { readonly kind: 'custom' }

/** Puts records into windows: `tumbling`, `sliding`, `session`, `global`, or one’s own. */
export interface WindowAssigner<T> {
  readonly name: string
  readonly timeDomain: TimeDomain
  /** Windows of one key that overlap or touch become one. */
  readonly merging: boolean
  readonly shape: WindowShape
  /** The windows of a record. `timestamp` is the clock for processing-time assigners. */
  assign(value: T, timestamp: number): readonly Window[]
  /** Used when the job names no trigger. */
  defaultTrigger(): Trigger<T>
}

/** Emit the window’s contents, drop them, both, or wait. */
export type TriggerResult = 'continue' | 'fire' | 'purge' | 'fire-and-purge'

/** Bound to one key and window. */
export interface TriggerContext<S extends StateDescriptors = StateDescriptors> {
  readonly window: Window
  readonly watermark: number
  readonly processingTime: number
  /** The trigger's declared state, per key and window. */
  readonly state: StatesOf<S>
  registerEventTimeTimer(timestamp: number): void
  registerProcessingTimeTimer(timestamp: number): void
  deleteEventTimeTimer(timestamp: number): void
  deleteProcessingTimeTimer(timestamp: number): void
}

/** Bound to the window that others were merged into. */
export interface OnMergeContext<S extends StateDescriptors = StateDescriptors>
  extends TriggerContext<S> {
  /** Merges the named state of the members into the merged window's. */
  mergeState(name: keyof S & string): void
}

/**
 * Decides when a window's contents are emitted. Methods get the context of one key and window; a
 * trigger object itself holds no state.
 */
export interface Trigger<T, S extends StateDescriptors = StateDescriptors> {
  readonly name: string
  /** Whether it can be used with merging windows; then `onMerge` is required. */
  readonly canMerge: boolean
  readonly state?: S
  onElement(value: T, timestamp: number, context: TriggerContext<S>): TriggerResult
  onEventTime(time: number, context: TriggerContext<S>): TriggerResult
  onProcessingTime(time: number, context: TriggerContext<S>): TriggerResult
  onMerge?(context: OnMergeContext<S>): void
  /** Removes the trigger's state and timers of the window. */
  clear(context: TriggerContext<S>): void
}

/** A record kept in a window with an evictor. */
export interface TimestampedValue<T> {
  readonly value: T
  /** `MIN_TIMESTAMP` when it has none. */
  readonly timestamp: number
}

/** Removes records of a window before or after its function sees them. */
export interface Evictor<T> {
  readonly name: string
  /** The records that stay, in order; records evicted are gone for good. */
  evictBefore?(
    elements: readonly TimestampedValue<T>[],
    window: Window,
  ): readonly TimestampedValue<T>[]
  evictAfter?(
    elements: readonly TimestampedValue<T>[],
    window: Window,
  ): readonly TimestampedValue<T>[]
}

/** What a window function may know of the window that fires. */
export interface WindowContext<
  K extends Key,
  WS extends StateDescriptors = NoState,
  GS extends StateDescriptors = NoState,
> {
  readonly key: K
  readonly window: Window
  readonly watermark: number
  readonly processingTime: number
  /** Per key and window; cleared with the window. Refused on merging windows. */
  readonly windowState: StatesOf<WS>
  /** Per key, over all windows. */
  readonly globalState: StatesOf<GS>
  output<T>(tag: OutputTag<T>, value: T): void
}

/** Sees the contents of a firing window: all elements, or the one aggregate. */
export interface ProcessWindowFunction<
  IN,
  OUT,
  K extends Key,
  WS extends StateDescriptors = NoState,
  GS extends StateDescriptors = NoState,
> extends Lifecycle {
  readonly output?: Schema<OUT>
  readonly windowState?: WS
  readonly globalState?: GS
  process(
    key: K,
    elements: readonly IN[],
    context: WindowContext<K, WS, GS>,
    out: Collector<OUT>,
  ): void
  /** The window's state is about to be cleared. */
  clear?(context: WindowContext<K, WS, GS>): void
}
