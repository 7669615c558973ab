/**
 * When a status is written: news at once, and how far the same thing has come once a second. A job
 * of a hundred slots that comes up pod by pod could be written as often, and of each write the API
 * server checks every rule of the job.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Clock } from '../../common/clock.ts'
import type { StreamJobStatus } from '../../protocol/stream-job-status.ts'
import { remainingMs } from '../remaining-ms.ts'

const PROGRESS_EVERY_MS = 1_000

export class StatusPace {
  readonly #clock: Pick<Clock, 'monotonic'>
  /** Key of the job -> when its status was written last. */
  readonly #writtenMs = new Map<string, number>()

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock
  }

  /** Until the status may be written; 0: now. */
  delayMs(key: string, before: StreamJobStatus, after: StreamJobStatus): number {
    const writtenMs = this.#writtenMs.get(key)
    if (writtenMs === undefined || !isProgress(before, after)) return 0
    return remainingMs(writtenMs, PROGRESS_EVERY_MS, this.#clock.monotonic())
  }

  written(key: string): void {
    this.#writtenMs.set(key, this.#clock.monotonic())
  }

  forget(key: string): void {
    this.#writtenMs.delete(key)
  }
}

/** Nothing differs but how many slots are ready, and the words of conditions. */
function isProgress(before: StreamJobStatus, after: StreamJobStatus): boolean {
  return isDeepStrictEqual(newsOf(before), newsOf(after))
}

function newsOf({ slots, conditions = [], ...rest }: StreamJobStatus) {
  const found = conditions.map(({ message: _words, ...one }) => one)
  return { ...rest, desired: slots?.desired, found }
}
