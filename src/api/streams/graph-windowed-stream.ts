/** {@link WindowedStream} as it writes to the graph. */
import { type Duration, durationMs } from '../../common/duration.ts'
import type { Schema } from '../../schema/type.ts'
import type {
  KeyedStream,
  NumericField,
  OperatorStream,
  OrderedField,
  WindowedStream,
  WindowFunction,
  WindowResultFunction,
} from '../data-stream.ts'
import { maxBy, minBy, sum } from '../field-reducers.ts'
import type { Key, OutputTag } from '../functions.ts'
import type { AggregateFunction, ReduceFunction } from '../state.ts'
import type { NoState, StateDescriptors } from '../state-descriptor.ts'
import { ORIGIN } from '../stream-origin.ts'
import type { WindowFunctionSpec, WindowSpec } from '../transformation.ts'
import type { Evictor, ProcessWindowFunction, Trigger, WindowAssigner } from '../window.ts'
import { checkWindow } from './check-window.ts'
import { addOperator, erased, type StreamContext, typeOrGeneral } from './stream-context.ts'
import { fromPlainFunction, fromResultFunction } from './window-functions.ts'

export interface WindowedParts<T, K extends Key> {
  readonly keyed: KeyedStream<T, K>
  readonly assigner: WindowAssigner<T>
  readonly trigger?: Trigger<T>
  readonly evictor?: Evictor<T>
  readonly allowedLatenessMs?: number
  readonly lateTag?: OutputTag<T>
  /** Of the operator that comes out of it; `undefined`: the job's. */
  readonly parallelism?: number
}

/** Any function that gets the results of a window. */
type AnyWindowFunction = ProcessWindowFunction<
  unknown,
  unknown,
  Key,
  StateDescriptors,
  StateDescriptors
>

type ResultFunction<
  IN,
  OUT,
  K extends Key,
  WS extends StateDescriptors,
  GS extends StateDescriptors,
> = WindowResultFunction<IN, OUT, K> | ProcessWindowFunction<IN, OUT, K, WS, GS>

export class GraphWindowedStream<T, K extends Key> implements WindowedStream<T, K> {
  readonly #context: StreamContext
  readonly #parts: WindowedParts<T, K>

  constructor(context: StreamContext, parts: WindowedParts<T, K>) {
    this.#context = context
    this.#parts = parts
  }

  trigger(trigger: Trigger<T>): WindowedStream<T, K> {
    return this.#with({ trigger })
  }

  evictor(evictor: Evictor<T>): WindowedStream<T, K> {
    return this.#with({ evictor })
  }

  allowedLateness(lateness: Duration): WindowedStream<T, K> {
    return this.#with({ allowedLatenessMs: durationMs(lateness) })
  }

  sideOutputLateData(tag: OutputTag<T>): WindowedStream<T, K> {
    return this.#with({ lateTag: tag })
  }

  reduce<OUT, WS extends StateDescriptors = NoState, GS extends StateDescriptors = NoState>(
    fn: ReduceFunction<T>,
    result?: ResultFunction<T, OUT, K, WS, GS>,
  ): OperatorStream<OUT> {
    const output = result === undefined ? this.#parts.keyed[ORIGIN].type : outputOf(result)
    return this.#add({ kind: 'reduce', reduce: erased(fn) }, resultFunction(result), output)
  }

  aggregate<
    ACC,
    RESULT,
    OUT,
    WS extends StateDescriptors = NoState,
    GS extends StateDescriptors = NoState,
  >(
    fn: AggregateFunction<T, ACC, RESULT>,
    result?: ResultFunction<RESULT, OUT, K, WS, GS>,
  ): OperatorStream<OUT> {
    const output = result === undefined ? fn.output : outputOf(result)
    return this.#add({ kind: 'aggregate', aggregate: erased(fn) }, resultFunction(result), output)
  }

  sum(field: NumericField<T>): OperatorStream<T> {
    return this.reduce(sum(field))
  }

  minBy(field: OrderedField<T>): OperatorStream<T> {
    return this.reduce(minBy(field))
  }

  maxBy(field: OrderedField<T>): OperatorStream<T> {
    return this.reduce(maxBy(field))
  }

  process<OUT, WS extends StateDescriptors = NoState, GS extends StateDescriptors = NoState>(
    fn: ProcessWindowFunction<T, OUT, K, WS, GS>,
  ): OperatorStream<OUT> {
    return this.#add({ kind: 'elements' }, erased(fn), fn.output)
  }

  apply<OUT>(fn: WindowFunction<T, OUT, K>, output?: Schema<OUT>): OperatorStream<OUT> {
    return this.#add({ kind: 'elements' }, erased(fromPlainFunction(fn)), output)
  }

  #with(change: Partial<WindowedParts<T, K>>): WindowedStream<T, K> {
    return new GraphWindowedStream(this.#context, { ...this.#parts, ...change })
  }

  #add<OUT>(
    contents: WindowFunctionSpec,
    fn: AnyWindowFunction | undefined,
    output: Schema<unknown> | undefined,
  ): OperatorStream<OUT> {
    const { keyed, assigner, parallelism } = this.#parts
    const window: WindowSpec = {
      assigner: erased(assigner),
      trigger: erased(this.#parts.trigger),
      evictor: erased(this.#parts.evictor),
      allowedLatenessMs: this.#parts.allowedLatenessMs ?? 0,
      lateTag: this.#parts.lateTag,
    }
    checkWindow(window, fn)
    const added = addOperator<OUT>(this.#context, {
      operator: { kind: 'window', window, contents, fn },
      name: `window ${assigner.name}`,
      inputs: [keyed[ORIGIN]],
      keySelectors: [erased(keyed.keySelector)],
      outputType: typeOrGeneral(output),
    })
    return parallelism === undefined ? added : added.setParallelism(parallelism)
  }
}

function outputOf(result: object): Schema<unknown> | undefined {
  return 'output' in result ? (result.output as Schema<unknown>) : undefined
}

/** A plain function gives one result; an object is a process function already. */
function resultFunction(result: unknown): AnyWindowFunction | undefined {
  if (typeof result === 'function')
    return erased(fromResultFunction(result as WindowResultFunction<unknown, unknown, Key>))
  return erased(result)
}
