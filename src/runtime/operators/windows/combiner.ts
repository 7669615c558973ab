import type { AggregateFunction, ReduceFunction } from '../../../api/state.ts'
import type { OperatorSpec, WindowFunctionSpec } from '../../../api/transformation.ts'
import { ByteReader, ByteWriter } from '../../../common/bytes.ts'
import { generalType } from '../../../schema/general-type.ts'
import type { Type } from '../../../schema/type.ts'
import { typeOf } from '../../../schema/type-of.ts'

/** An aggregate or a reduce function in one form. `undefined` stands for nothing combined yet. */
export interface Combiner {
  readonly type: Type<unknown>
  /** May change and return `accumulator`. */
  add(value: unknown, accumulator: unknown): unknown
  /** May change and return `a`; leaves `b` as it is, but may return it. */
  merge(a: unknown, b: unknown): unknown
  /** One that shares nothing with the given one: may be changed by `merge`. */
  copy(accumulator: unknown): unknown
  result(accumulator: unknown): unknown
}

export type Combining = Exclude<WindowFunctionSpec, { readonly kind: 'elements' }>

/** Windows whose contents are one accumulator. */
export type AggregateWindowSpec = WindowSpecOf & { readonly contents: Combining }
type WindowSpecOf = Extract<OperatorSpec, { readonly kind: 'window' }>

export function isCombining(spec: OperatorSpec): spec is AggregateWindowSpec {
  return spec.kind === 'window' && spec.contents.kind !== 'elements'
}

/** `undefined` where parts cannot be merged. */
export function makeCombiner(
  contents: Combining,
  inputType: Type<unknown> | undefined,
): Combiner | undefined {
  return contents.kind === 'reduce'
    ? reducing(contents.reduce, inputType ?? generalType)
    : aggregating(contents.aggregate)
}

function reducing(reduce: ReduceFunction<unknown>, type: Type<unknown>): Combiner {
  const combine = (a: unknown, b: unknown): unknown => (a === undefined ? b : reduce(a, b))
  return {
    type,
    add: (value, accumulator) => combine(accumulator, value),
    merge: combine,
    copy: accumulator => (isPlain(accumulator) ? accumulator : rewritten(type, accumulator)),
    result: value => value,
  }
}

type AnyAggregate = AggregateFunction<unknown, unknown, unknown>

function aggregating(aggregate: AnyAggregate): Combiner | undefined {
  const { accumulator: schema } = aggregate
  if (aggregate.merge === undefined) return undefined
  const type = schema === undefined ? generalType : typeOf(schema)
  const merge = (a: unknown, b: unknown): unknown =>
    aggregate.merge?.(a === undefined ? aggregate.create() : a, b)
  return {
    type,
    add: (value, accumulator) =>
      aggregate.add(value, accumulator === undefined ? aggregate.create() : accumulator),
    merge,
    copy(accumulator) {
      if (isPlain(accumulator)) return accumulator
      const copy = merge(undefined, accumulator)
      // Where nothing is merged with `b`, a `merge` may well return `b` itself.
      return copy === accumulator ? rewritten(type, accumulator) : copy
    },
    result: accumulator => aggregate.result(accumulator),
  }
}

function isPlain(value: unknown): boolean {
  return typeof value !== 'object' || value === null
}

const scratch = new ByteWriter(256)

function rewritten(type: Type<unknown>, value: unknown): unknown {
  scratch.clear()
  type.write(scratch, value)
  return type.read(new ByteReader(scratch.copy()))
}
