/** Aggregate functions that most jobs need. All of them merge, so that windows share panes. */
import { isZod } from '../schema/node-of-zod.ts'
import type { Schema } from '../schema/type.ts'
import { z } from '../schema/z.ts'
import type { AggregateFunction } from './state.ts'

/** Counts the records; exact up to 2^53. */
export function counting<T>(): AggregateFunction<T, number, number> {
  return {
    accumulator: z.int(),
    output: z.int(),
    create: () => 0,
    add: (_value, count) => count + 1,
    result: count => count,
    merge: (a, b) => a + b,
  }
}

/** Adds up what `of` gives for each record. */
export function summing<T>(of: (value: T) => number): AggregateFunction<T, number, number> {
  return folding(0, (sum, value) => sum + of(value), { merge: (a, b) => a + b })
}

/** The smallest of what `of` gives; `Infinity` without records. */
export function smallest<T>(of: (value: T) => number): AggregateFunction<T, number, number> {
  const fold = (least: number, value: T): number => Math.min(least, of(value))
  return folding(Number.POSITIVE_INFINITY, fold, { merge: Math.min })
}

/** The greatest of what `of` gives; `-Infinity` without records. */
export function greatest<T>(of: (value: T) => number): AggregateFunction<T, number, number> {
  const fold = (most: number, value: T): number => Math.max(most, of(value))
  return folding(Number.NEGATIVE_INFINITY, fold, { merge: Math.max })
}

/** What {@link averaging} keeps. */
export interface AveragingAccumulator {
  readonly count: number
  readonly sum: number
}

/** The mean of what `of` gives for each record; NaN without records. */
export function averaging<T>(
  of: (value: T) => number,
): AggregateFunction<T, AveragingAccumulator, number> {
  return {
    accumulator: z.object({ count: z.int(), sum: z.number() }),
    output: z.number(),
    create: () => ({ count: 0, sum: 0 }),
    add: (value, { count, sum }) => ({ count: count + 1, sum: sum + of(value) }),
    result: ({ count, sum }) => sum / count,
    merge: (a, b) => ({ count: a.count + b.count, sum: a.sum + b.sum }),
  }
}

/** Aggregates by the names of their results. */
export interface NamedAggregates<T> {
  readonly [name: string]: AggregateFunction<T, unknown, unknown>
}

/** The results of {@link combining}. */
export type CombinedResults<P> = {
  readonly [N in keyof P]: P[N] extends AggregateFunction<never, unknown, infer R> ? R : never
}

/**
 * Several aggregates at once, each under its name:
 * `combining({ flights: counting(), meanDelay: averaging(flight => flight.delay) })`.
 *
 * Merges if all of them do. An aggregate written by hand is faster: this one calls a function for
 * each part.
 */
export function combining<T, const P extends NamedAggregates<T>>(
  parts: P & NamedAggregates<T>,
): AggregateFunction<T, Readonly<Record<string, unknown>>, CombinedResults<P>> {
  type Fields = Record<string, unknown>
  const all = Object.entries<AggregateFunction<T, unknown, unknown>>(parts)
  const merges = all.every(([, part]) => part.merge !== undefined)
  const accumulator = objectOf(all.map(([name, part]) => [name, part.accumulator]))
  const output = objectOf(all.map(([name, part]) => [name, part.output]))

  function fieldsOf(make: (name: string, part: (typeof all)[number][1]) => unknown): Fields {
    const fields: Fields = {}
    for (const [name, part] of all) fields[name] = make(name, part)
    return fields
  }

  return {
    ...(accumulator === undefined ? {} : { accumulator: accumulator as Schema<Fields> }),
    ...(output === undefined ? {} : { output: output as Schema<CombinedResults<P>> }),
    create: () => fieldsOf((_name, part) => part.create()),
    add: (value, fields) => fieldsOf((name, part) => part.add(value, fields[name])),
    result: fields => fieldsOf((name, part) => part.result(fields[name])) as CombinedResults<P>,
    ...(merges
      ? { merge: (a: Fields, b: Fields) => fieldsOf((n, part) => part.merge?.(a[n], b[n])) }
      : {}),
  }
}

function folding<T>(
  start: number,
  fold: (folded: number, value: T) => number,
  { merge }: { readonly merge: (a: number, b: number) => number },
): AggregateFunction<T, number, number> {
  return {
    accumulator: z.number(),
    output: z.number(),
    create: () => start,
    add: (value, folded) => fold(folded, value),
    result: folded => folded,
    merge: (a, b) => merge(a, b),
  }
}

/** A zod object of the parts' schemas; `undefined` where one of them has none. */
function objectOf(
  fields: readonly (readonly [string, Schema<unknown> | undefined])[],
): z.ZodType | undefined {
  const shape: Record<string, z.ZodType> = {}
  for (const [name, schema] of fields) {
    if (schema === undefined || !isZod(schema)) return undefined
    shape[name] = schema as z.ZodType
  }
  return z.object(shape)
}
