/**
 * Watermark alignment: sources of one group wait for each other, so that what is joined later does
 * not pile up in state. Each task tells where it stands and reads how far it may go; what other
 * processes tell comes in now and then.
 *
 * Owns        the watermark of each member, the group's limit, and whom to wake when it rises.
 * Leaves out  which splits to pause (`source-output.ts`), and carrying words to other processes.
 *
 * Invariants
 *  WA1  The limit is the smallest watermark of the group plus the drift; without a member that
 *      counts there is none. Idle and finished members do not count: FLINK-32496, FLINK-31632.
 *  WA2  Whoever waits is woken when the limit rises, so that nobody waits for itself or for ever.
 *  WA3  What is known of other processes is older than they are: sources may drift apart by what they
 *       read meanwhile, never wait for a watermark that has been passed.
 */
import type { AlignmentOptions } from '../api/watermark-strategy.ts'
import { MAX_TIMESTAMP, MIN_TIMESTAMP } from '../common/timestamps.ts'

/** The groups of one job, with their members in this process. */
export class AlignmentGroups {
  readonly #groups = new Map<string, AlignmentGroup>()

  /** A source subtask enters its group. `wake` is called when it waits and the limit rose. */
  join({ group, maxDriftMs }: AlignmentOptions, wake: () => void): AlignmentMember {
    return new AlignmentMember(this.#group(group), maxDriftMs, wake)
  }

  /** Where the members of this process stand, by group; MAX: none counts. */
  get standing(): ReadonlyMap<string, number> {
    return new Map([...this.#groups].map(([name, group]) => [name, group.least]))
  }

  /** Where the members of other processes stand, as far as it is known (WA3). */
  set elsewhere(standing: ReadonlyMap<string, number>) {
    for (const name of new Set([...this.#groups.keys(), ...standing.keys()])) {
      this.#group(name).elsewhere = standing.get(name) ?? MAX_TIMESTAMP
    }
  }

  #group(name: string): AlignmentGroup {
    const group = this.#groups.get(name) ?? new AlignmentGroup()
    this.#groups.set(name, group)
    return group
  }
}

class AlignmentGroup {
  readonly members = new Set<AlignmentMember>()
  #elsewhere = MAX_TIMESTAMP

  /** Of the members in this process. */
  get least(): number {
    let least = MAX_TIMESTAMP
    for (const { watermark } of this.members) if (watermark < least) least = watermark
    return least
  }

  /** Of all members. */
  get floor(): number {
    return Math.min(this.least, this.#elsewhere)
  }

  set elsewhere(watermark: number) {
    const before = this.floor
    this.#elsewhere = watermark
    if (this.floor > before) this.wakeAllBut(undefined)
  }

  wakeAllBut(riser: AlignmentMember | undefined): void {
    for (const member of this.members) if (member !== riser) member.wakeIfWaiting()
  }
}

export class AlignmentMember {
  readonly #group: AlignmentGroup
  readonly #maxDriftMs: number
  readonly #wake: () => void
  #watermark = MIN_TIMESTAMP
  #waiting = false

  constructor(group: AlignmentGroup, maxDriftMs: number, wake: () => void) {
    this.#group = group
    this.#maxDriftMs = maxDriftMs
    this.#wake = wake
    group.members.add(this)
  }

  get watermark(): number {
    return this.#watermark
  }

  /** The greatest watermark a split may have and still go on. */
  get limit(): number {
    return this.#group.floor + this.#maxDriftMs
  }

  /** Where this member stands; MAX: it does not count now. */
  report(watermark: number): void {
    if (watermark === this.#watermark) return
    const before = this.#group.floor
    this.#watermark = watermark
    if (this.#group.floor > before) this.#group.wakeAllBut(this)
  }

  /** It has something that waits for the limit to rise. */
  set waiting(waiting: boolean) {
    this.#waiting = waiting
  }

  wakeIfWaiting(): void {
    if (this.#waiting) this.#wake()
  }

  leave(): void {
    this.report(MAX_TIMESTAMP)
    this.#group.members.delete(this)
  }
}
