export interface ParallelOptions<T, R> {
  /** At most so many at a time. */
  readonly limit: number
  readonly work: (item: T) => Promise<R>
}

/** Does the work of all items, gives the results in their order. The first failure is the end. */
export async function inParallel<T, R>(
  items: readonly T[],
  { limit, work }: ParallelOptions<T, R>,
): Promise<readonly R[]> {
  const results: R[] = []
  let next = 0
  const takeTurns = async (): Promise<void> => {
    while (next < items.length) {
      const index = next++
      try {
        results[index] = await work(items[index] as T)
      } catch (error) {
        // Nobody begins another one.
        next = items.length
        throw error
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, takeTurns))
  return results
}
