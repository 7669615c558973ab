/**
 * The figures of one task: records, watermark, and where its time went. Every moment belongs to one
 * of three: busy (working, or waiting for the thread or for a slow system outside), idle (no
 * input), backpressured (the tasks behind are full). They sum to the time since `start`.
 */
import type { SourceLag } from '../api/source.ts'
import type { Clock } from '../common/clock.ts'
import { MIN_TIMESTAMP } from '../common/timestamps.ts'
import type { OperatorProgress, TaskMetrics } from './task-contract.ts'

export type TimeKind = 'busy' | 'idle' | 'backpressured'

export interface CountersOptions {
  readonly vertexId: string
  readonly subtaskIndex: number
  readonly clock: Clock
}

export class TaskCounters implements TaskMetrics {
  readonly vertexId: string
  readonly subtaskIndex: number
  recordsIn = 0
  recordsOut = 0
  watermark = MIN_TIMESTAMP
  operators: readonly OperatorProgress[] = []
  /** Asks the source at the head of the task. */
  readLag: () => SourceLag | undefined = () => undefined
  readonly #clock: Clock
  readonly #spentMs = { busy: 0, idle: 0, backpressured: 0 }
  #kind: TimeKind = 'busy'
  #since: number | undefined

  constructor({ vertexId, subtaskIndex, clock }: CountersOptions) {
    this.vertexId = vertexId
    this.subtaskIndex = subtaskIndex
    this.#clock = clock
  }

  /** The time until `now` (monotonic) belongs to what was going on; from now on to `kind`. */
  turnTo(kind: TimeKind, now: number): void {
    if (this.#since !== undefined) this.#spentMs[this.#kind] += now - this.#since
    this.#since = now
    this.#kind = kind
  }

  get busyMs(): number {
    return this.#until('busy')
  }

  get idleMs(): number {
    return this.#until('idle')
  }

  get backpressuredMs(): number {
    return this.#until('backpressured')
  }

  get lag(): SourceLag | undefined {
    return this.readLag()
  }

  /** With the part of the running interval: a sleeping task has no turn to add it up. */
  #until(kind: TimeKind): number {
    const running =
      this.#kind === kind && this.#since !== undefined ? this.#clock.monotonic() - this.#since : 0
    return this.#spentMs[kind] + running
  }
}
