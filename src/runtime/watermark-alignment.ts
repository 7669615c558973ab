/**
 * Watermark alignment: sources of one group wait for each other, so that what is joined later does
 * not pile up in state. Sources in one slot see each other at once; how far those in other slots
 * are, the slot is told from time to time (`hear`), and it tells where its own stand (`standings`).
 *
 * Owns        the watermark of each member in this slot, the limit of each group, and whom to wake
 *             when it rises.
 * Leaves out  which splits to pause (`source-output.ts`), and when slots hear of each other.
 *
 * Invariants
 *  WA1  The limit is the smallest watermark of the group plus the drift; without a member that
 *      counts there is none. Idle and finished members do not count: FLINK-32496, FLINK-31632.
 *  WA2  Whoever waits is woken when the limit rises, so that nobody waits for itself or for ever.
 *  WA3  Other slots that were not heard of yet hold the limit back: nobody runs ahead at the start.
 */
import type { AlignmentOptions } from '../api/watermark-strategy.ts'
import { MAX_TIMESTAMP, MIN_TIMESTAMP } from '../common/timestamps.ts'

/** Where the slowest member of a group stands. Finite, so that any text can carry it. */
export interface GroupStanding {
  readonly group: string
  /** `Number.MAX_VALUE`: none counts now; `-Number.MAX_VALUE`: one has said nothing yet. */
  readonly watermark: number
}

interface Group {
  readonly members: Set<AlignmentMember>
  /** The slowest member in other slots. */
  others: number
}

/** The groups of one slot in one attempt. */
export class AlignmentGroups {
  readonly #groups = new Map<string, Group>()

  /** `shared`: groups that have members in other slots. */
  constructor(shared: Iterable<string> = []) {
    for (const group of shared) this.#open(group, MIN_TIMESTAMP)
  }

  /** A source subtask enters its group. `wake` is called when it waits and the limit rose. */
  join({ group, maxDriftMs }: AlignmentOptions, wake: () => void): AlignmentMember {
    const entered = this.#groups.get(group) ?? this.#open(group, MAX_TIMESTAMP)
    return new AlignmentMember(entered, maxDriftMs, wake)
  }

  /** What the other slots are to hear. */
  standings(): readonly GroupStanding[] {
    return [...this.#groups].map(([group, { members }]) => {
      return { group, watermark: finite(slowest(members)) }
    })
  }

  /** Whether a member has something that waits for the limit to rise. */
  get isWaiting(): boolean {
    return [...this.#groups.values()].some(({ members }) => [...members].some(one => one.waiting))
  }

  /** Where the slowest of all other slots stand. */
  hear(standings: readonly GroupStanding[]): void {
    for (const { group, watermark } of standings) {
      const heard = this.#groups.get(group)
      if (heard === undefined) continue
      const before = leastOf(heard)
      heard.others = watermark
      if (leastOf(heard) > before) wakeAll(heard)
    }
  }

  #open(group: string, others: number): Group {
    const opened: Group = { members: new Set(), others }
    this.#groups.set(group, opened)
    return opened
  }
}

export class AlignmentMember {
  readonly #group: Group
  readonly #maxDriftMs: number
  readonly #wake: () => void
  #watermark = MIN_TIMESTAMP
  /** It has something that waits for the limit to rise. */
  waiting = false

  constructor(group: Group, maxDriftMs: number, wake: () => void) {
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
    return leastOf(this.#group) + this.#maxDriftMs
  }

  wake(): void {
    this.#wake()
  }

  /** Where this member stands; MAX: it does not count now. */
  report(watermark: number): void {
    if (watermark === this.#watermark) return
    const before = leastOf(this.#group)
    this.#watermark = watermark
    if (leastOf(this.#group) > before) wakeAll(this.#group, this)
  }

  leave(): void {
    this.waiting = false
    this.report(MAX_TIMESTAMP)
    this.#group.members.delete(this)
  }
}

function wakeAll({ members }: Group, but?: AlignmentMember): void {
  for (const member of members) if (member.waiting && member !== but) member.wake()
}

function leastOf({ members, others }: Group): number {
  return Math.min(slowest(members), others)
}

function slowest(members: ReadonlySet<AlignmentMember>): number {
  let least = MAX_TIMESTAMP
  for (const { watermark } of members) if (watermark < least) least = watermark
  return least
}

function finite(watermark: number): number {
  return Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, watermark))
}
