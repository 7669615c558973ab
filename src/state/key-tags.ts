/** The first byte of an entry in a snapshot: the kind of its key, see `snapshot-format.ts`. */
export const keyTags = {
  int32: 0,
  float64: 1,
  string: 2,
  bigint: 3,
  false: 4,
  true: 5,
  pair: 6,
  /** Added to the others: a namespace follows. */
  namespaced: 8,
} as const
