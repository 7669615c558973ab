/**
 * The wait of an attempt for its slots: says now and then which are missing, and gives up in the
 * end.
 */
import type { Clock, TimerHandle } from '../../common/clock.ts'
import { formatDuration } from '../../common/duration.ts'
import { clusterErrors, slotsText } from '../cluster-errors.ts'
import type { JobNotice } from '../job-result.ts'

/** A process that comes back needs less: until then nobody need know. */
const FIRST_NOTICE_MS = 3_000

export interface SlotWaitOptions {
  readonly slots: number
  readonly missing: () => readonly number[]
  readonly clock: Clock
  readonly slotTimeoutMs: number
  readonly onNotice: (notice: JobNotice) => void
}

interface Waiting {
  readonly sinceMs: number
  readonly resolve: () => void
  readonly reject: (error: Error) => void
  /** An attempt may wait again and again, with one signal. */
  readonly forgetSignal: () => void
}

export class SlotWait {
  readonly #options: SlotWaitOptions
  #waiting: Waiting | undefined
  #notice: TimerHandle | undefined
  #timeout: TimerHandle | undefined

  constructor(options: SlotWaitOptions) {
    this.#options = options
  }

  get waitingMs(): number | undefined {
    const since = this.#waiting?.sinceMs
    return since === undefined ? undefined : this.#options.clock.monotonic() - since
  }

  /** Only one attempt waits at a time. */
  whenComplete(signal: AbortSignal): Promise<void> {
    const { clock, missing, slotTimeoutMs } = this.#options
    if (signal.aborted || missing().length === 0) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const giveUp = (): void => this.completed()
      const forgetSignal = (): void => signal.removeEventListener('abort', giveUp)
      this.#waiting = { sinceMs: clock.monotonic(), resolve, reject, forgetSignal }
      this.#timeout = clock.schedule(slotTimeoutMs, () => this.#giveUp())
      this.#remindIn(FIRST_NOTICE_MS)
      signal.addEventListener('abort', giveUp, { once: true })
    })
  }

  /** All are there, or nobody waits any more. */
  completed(): void {
    this.#end()?.resolve()
  }

  #giveUp(): void {
    const { missing, slots, slotTimeoutMs } = this.#options
    const details = { missing: missing(), slots, waitedMs: slotTimeoutMs }
    this.#end()?.reject(clusterErrors.WEIR_SLOTS_MISSING(details))
  }

  #remindIn(delayMs: number): void {
    const { clock, missing, onNotice, slots, slotTimeoutMs } = this.#options
    this.#notice = clock.schedule(delayMs, () => {
      const waited = formatDuration(Math.round(this.waitingMs ?? 0))
      const limit = formatDuration(slotTimeoutMs)
      const which = `${slotsText(missing())} of ${slots}`
      const text = `waiting for ${which}: ${waited} so far, at most ${limit}`
      onNotice({ level: 'warn', text })
      this.#remindIn(2 * delayMs)
    })
  }

  #end(): Waiting | undefined {
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.forgetSignal()
    this.#notice?.cancel()
    this.#timeout?.cancel()
    return waiting
  }
}
