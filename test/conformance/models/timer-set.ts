/** Timers as a set of (key, window, time, domain), searched from end to end: slow and obvious. */
export type Domain = 'E' | 'P'

export interface TimerEntry {
  readonly key: string
  /** Which window of the key; empty where there are no windows. */
  readonly window: string
  readonly time: number
}

export class TimerSet {
  readonly #timers: Record<Domain, Map<string, TimerEntry>> = { E: new Map(), P: new Map() }

  register(domain: Domain, timer: TimerEntry): void {
    this.#timers[domain].set(JSON.stringify([timer.key, timer.window, String(timer.time)]), timer)
  }

  remove(domain: Domain, timer: TimerEntry): void {
    this.#timers[domain].delete(JSON.stringify([timer.key, timer.window, String(timer.time)]))
  }

  /** Takes out the earliest timer that is due; the timer is gone before anyone is told of it. */
  takeDue(domain: Domain, now: number): TimerEntry | undefined {
    const due = [...this.#timers[domain].values()].filter(({ time }) => time <= now)
    const [first] = due.toSorted((a, b) => a.time - b.time)
    if (first !== undefined) this.remove(domain, first)
    return first
  }
}
