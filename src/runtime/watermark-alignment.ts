/**
 * Watermark alignment: sources of one group wait for each other, so that what is joined later does
 * not pile up in state. Within one process; each task tells where it stands and reads how far it
 * may go.
 *
 * Owns        the watermark of each member, the group's limit, and whom to wake when it rises.
 * Leaves out  which splits to pause (`source-output.ts`).
 *
 * Invariants
 *  WA1  The limit is the smallest watermark of the group plus the drift; without a member that
 *      counts there is none. Idle and finished members do not count: FLINK-32496, FLINK-31632.
 *  WA2  Whoever waits is woken when the limit rises, so that nobody waits for itself or for ever.
 */
import type { AlignmentOptions } from '../api/watermark-strategy.ts'
import { MAX_TIMESTAMP, MIN_TIMESTAMP } from '../common/timestamps.ts'

/** The groups of one job. */
export class AlignmentGroups {
  readonly #groups = new Map<string, Set<AlignmentMember>>()

  /** A source subtask enters its group. `wake` is called when it waits and the limit rose. */
  join({ group, maxDriftMs }: AlignmentOptions, wake: () => void): AlignmentMember {
    const members = this.#groups.get(group) ?? new Set()
    this.#groups.set(group, members)
    return new AlignmentMember(members, maxDriftMs, wake)
  }
}

export class AlignmentMember {
  readonly #members: Set<AlignmentMember>
  readonly #maxDriftMs: number
  readonly #wake: () => void
  #watermark = MIN_TIMESTAMP
  #waiting = false

  constructor(members: Set<AlignmentMember>, maxDriftMs: number, wake: () => void) {
    this.#members = members
    this.#maxDriftMs = maxDriftMs
    this.#wake = wake
    members.add(this)
  }

  /** The greatest watermark a split may have and still go on. */
  get limit(): number {
    return this.#least() + this.#maxDriftMs
  }

  /** Where this member stands; MAX: it does not count now. */
  report(watermark: number): void {
    if (watermark === this.#watermark) return
    const before = this.#least()
    this.#watermark = watermark
    if (this.#least() > before) this.#wakeOthers()
  }

  /** It has something that waits for the limit to rise. */
  set waiting(waiting: boolean) {
    this.#waiting = waiting
  }

  leave(): void {
    this.report(MAX_TIMESTAMP)
    this.#members.delete(this)
  }

  #wakeOthers(): void {
    for (const member of this.#members) {
      if (member.#waiting && member !== this) member.#wake()
    }
  }

  #least(): number {
    let least = MAX_TIMESTAMP
    for (const member of this.#members) {
      if (member.#watermark < least) least = member.#watermark
    }
    return least
  }
}
