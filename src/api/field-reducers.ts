/** Reduce functions over one field of a record. */
import type { ReduceFunction } from './state.ts'

type Row = Readonly<Record<string, unknown>>

/** Adds up the field; the other fields are those of the first record. */
export function sum<T>(field: string): ReduceFunction<T> {
  return (a, b) => {
    const left = (a as Row)[field]
    const right = (b as Row)[field]
    const added = typeof left === 'bigint' ? left + (right as bigint) : Number(left) + Number(right)
    return { ...a, [field]: added }
  }
}

/** The record with the smallest value of the field, the first one of equals. */
export function minBy<T>(field: string): ReduceFunction<T> {
  return (a, b) => (((b as Row)[field] as number) < ((a as Row)[field] as number) ? b : a)
}

/** The record with the greatest value of the field, the first one of equals. */
export function maxBy<T>(field: string): ReduceFunction<T> {
  return (a, b) => (((b as Row)[field] as number) > ((a as Row)[field] as number) ? b : a)
}
