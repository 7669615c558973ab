/**
 * The graph as the API's calls leave it: one {@link Transformation} per operator, edges with their
 * partitioner. Plain data; `graph/` turns it into a StreamGraph. Union, keyBy, side outputs and
 * partitioning are no nodes: they live on the edges.
 */
import type { Type } from '../schema/type.ts'
import type {
  AsyncFunction,
  BroadcastProcessFunction,
  BroadcastStateDescriptors,
  CoGroupFunction,
  CoProcessFunction,
  ErrorPolicy,
  FilterFunction,
  FlatMapFunction,
  IntervalJoinFunction,
  JoinFunction,
  Key,
  KeyedBroadcastProcessFunction,
  KeyedCoProcessFunction,
  KeyedProcessFunction,
  KeySelector,
  MapFunction,
  OperatorStateDescriptors,
  OutputTag,
  ProcessFunction,
} from './functions.ts'
import type { Sink } from './sink.ts'
import type { Source } from './source.ts'
import type { AggregateFunction, ReduceFunction } from './state.ts'
import type { StateDescriptors } from './state-descriptor.ts'
import type { WatermarkStrategy } from './watermark-strategy.ts'
import type { Evictor, ProcessWindowFunction, Trigger, WindowAssigner } from './window.ts'

/** How records of an edge choose the subtask that gets them. */
export type Partitioner =
  | { readonly kind: 'forward' | 'rebalance' | 'rescale' | 'shuffle' | 'broadcast' | 'global' }
  | { readonly kind: 'key'; readonly selector: KeySelector<unknown, Key> }
  | {
      readonly kind: 'custom'
      readonly selector: KeySelector<unknown, Key>
      readonly partition: (key: Key, partitions: number) => number
    }

/** One way into an operator. An operator with a union on an input has several edges there. */
export interface TransformationEdge {
  readonly from: Transformation
  /** 0 for the only or first input, 1 for the second. */
  readonly input: 0 | 1
  /** `undefined`: forward where parallelism is equal, else rebalance. */
  readonly partitioner: Partitioner | undefined
  /** Takes a side output instead of the main one. */
  readonly sideOutput: OutputTag<unknown> | undefined
}

export interface WindowSpec {
  readonly assigner: WindowAssigner<unknown>
  readonly trigger: Trigger<unknown> | undefined
  readonly evictor: Evictor<unknown> | undefined
  readonly allowedLatenessMs: number
  readonly lateTag: OutputTag<unknown> | undefined
}

/** What a window does with its contents. */
export type WindowFunctionSpec =
  | { readonly kind: 'reduce'; readonly reduce: ReduceFunction<unknown> }
  | { readonly kind: 'aggregate'; readonly aggregate: AggregateFunction<unknown, unknown, unknown> }
  /** All elements, no incremental aggregate. */
  | { readonly kind: 'elements' }

export interface AsyncOptions {
  readonly ordered: boolean
  /** Over all retries; 0: none. */
  readonly timeoutMs: number
  readonly capacity: number
  readonly retry: AsyncRetry | undefined
}

export interface AsyncRetry {
  readonly maxAttempts: number
  readonly delayMs: number
  /** 1 for a fixed delay. */
  readonly backoff: number
  readonly maxDelayMs: number
  readonly onError?: (error: unknown) => boolean
  readonly onResult?: (results: readonly unknown[]) => boolean
}

/** What an operator does. `runtime/operators` has one file for each kind. */
export type OperatorSpec =
  | {
      readonly kind: 'source'
      readonly source: Source<unknown>
      readonly watermarks: WatermarkStrategy<unknown>
    }
  | { readonly kind: 'map'; readonly fn: MapFunction<unknown, unknown> }
  | { readonly kind: 'filter'; readonly fn: FilterFunction<unknown> }
  | { readonly kind: 'flat-map'; readonly fn: FlatMapFunction<unknown, unknown> }
  | { readonly kind: 'watermarks'; readonly watermarks: WatermarkStrategy<unknown> }
  | {
      readonly kind: 'process'
      readonly fn: ProcessFunction<unknown, unknown, OperatorStateDescriptors>
    }
  | {
      readonly kind: 'keyed-process'
      readonly fn: KeyedProcessFunction<Key, unknown, unknown, StateDescriptors>
    }
  | { readonly kind: 'keyed-reduce'; readonly reduce: ReduceFunction<unknown> }
  | {
      readonly kind: 'keyed-aggregate'
      readonly aggregate: AggregateFunction<unknown, unknown, unknown>
    }
  | {
      readonly kind: 'window'
      readonly window: WindowSpec
      readonly contents: WindowFunctionSpec
      readonly fn:
        | ProcessWindowFunction<unknown, unknown, Key, StateDescriptors, StateDescriptors>
        | undefined
    }
  | {
      readonly kind: 'window-join'
      readonly window: WindowSpec
      readonly fn: JoinFunction<unknown, unknown, unknown>
    }
  | {
      readonly kind: 'window-co-group'
      readonly window: WindowSpec
      readonly fn: CoGroupFunction<unknown, unknown, unknown>
    }
  | {
      readonly kind: 'interval-join'
      readonly lowerMs: number
      readonly upperMs: number
      readonly lowerInclusive: boolean
      readonly upperInclusive: boolean
      readonly leftLateTag: OutputTag<unknown> | undefined
      readonly rightLateTag: OutputTag<unknown> | undefined
      readonly fn: IntervalJoinFunction<unknown, unknown, unknown>
    }
  | {
      readonly kind: 'co-process'
      readonly fn: CoProcessFunction<unknown, unknown, unknown, OperatorStateDescriptors>
    }
  | {
      readonly kind: 'keyed-co-process'
      readonly fn: KeyedCoProcessFunction<Key, unknown, unknown, unknown, StateDescriptors>
    }
  | {
      readonly kind: 'broadcast-process'
      readonly fn: BroadcastProcessFunction<unknown, unknown, unknown, BroadcastStateDescriptors>
    }
  | {
      readonly kind: 'keyed-broadcast-process'
      readonly fn: KeyedBroadcastProcessFunction<
        Key,
        unknown,
        unknown,
        unknown,
        BroadcastStateDescriptors,
        StateDescriptors
      >
    }
  | {
      readonly kind: 'async'
      readonly fn: AsyncFunction<unknown, unknown>
      readonly options: AsyncOptions
    }
  | { readonly kind: 'sink'; readonly sink: Sink<unknown> }

export type OperatorKind = OperatorSpec['kind']

/** An operator's node. The settable fields are those of `uid()`, `name()`, `parallelism()` … */
export interface Transformation {
  /** Counts from 1 within one job graph. */
  readonly id: number
  readonly operator: OperatorSpec
  readonly inputs: readonly TransformationEdge[]
  /** Key selectors of keyed inputs, by input number; empty when the operator is not keyed. */
  readonly keySelectors: readonly KeySelector<unknown, Key>[]
  /** The inputs' record types, by input number. */
  readonly inputTypes: readonly Type<unknown>[]
  /** The records it emits. The general type when nothing is known. */
  outputType: Type<unknown>
  name: string
  uid: string | undefined
  /** `undefined`: the job's. */
  parallelism: number | undefined
  /** `always`: joins its input's chain where it can; `head`: starts one; `never`: stays alone. */
  chaining: 'always' | 'head' | 'never'
  errorPolicy: ErrorPolicy
  /** `file:line` of the call that made it, for errors. */
  readonly location: string
}
