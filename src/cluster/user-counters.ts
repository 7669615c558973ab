/** Metrics that user functions count, by operator and name, over all subtasks and attempts. */
export class UserCounters {
  readonly #counts = new Map<string, Map<string, number>>()

  add(operator: string, metric: string, by: number): void {
    const counts = this.#counts.get(operator) ?? new Map<string, number>()
    counts.set(metric, (counts.get(metric) ?? 0) + by)
    this.#counts.set(operator, counts)
  }

  get(operator: string, metric: string): number {
    return this.#counts.get(operator)?.get(metric) ?? 0
  }

  /** Every count, in the order in which they first occurred. */
  *[Symbol.iterator](): Generator<{ operator: string; metric: string; count: number }> {
    for (const [operator, counts] of this.#counts) {
      for (const [metric, count] of counts) yield { operator, metric, count }
    }
  }
}
