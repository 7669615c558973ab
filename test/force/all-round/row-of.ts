import type { Row } from './ledger-sink.ts'
import { hashOf, type Ordered } from './ordering-input.ts'

/** A record on a way that keeps the order of each split and key. */
export function rowByKey(path: string, one: Ordered): Row {
  const { split, key, ordinal } = one
  return { path, part: `${split}.${key}`, ordinal, hash: hashOf(one) }
}

/** A record on a way that keeps the order of each split; of every `step`th record only. */
export function rowBySplit(path: string, one: Ordered, step = 1): Row {
  return { path, part: `${one.split}`, ordinal: one.seq / step, hash: hashOf(one) }
}
