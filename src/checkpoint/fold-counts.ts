/** Under this name stand splits that ended long ago, all together. */
export const ENDED_SPLITS = 'ended splits'

export interface FoldOptions {
  /** So many that ended keep their names. */
  readonly named: number
  /** It may count on, under its name. */
  readonly isOpen: (name: string) => boolean
}

/**
 * Adds the counts of splits that ended, the oldest first, to one: a source of ever new files would
 * make each checkpoint larger than the one before. The sum stays. Changes the map, which is in the
 * order of age.
 */
export function foldCounts(counts: Map<string, number>, { named, isOpen }: FoldOptions): void {
  if (counts.size <= named) return
  const ended = [...counts.keys()].filter(name => name !== ENDED_SPLITS && !isOpen(name))
  const surplus = ended.length - named
  if (surplus <= 0) return
  let sum = counts.get(ENDED_SPLITS) ?? 0
  for (const name of ended.slice(0, surplus)) {
    sum += counts.get(name) ?? 0
    counts.delete(name)
  }
  counts.set(ENDED_SPLITS, sum)
}
