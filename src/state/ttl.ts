/**
 * Time to live. The rules are Flink's, observed on its own operators:
 * - What was renewed at s is expired from s + ttlMs on.
 * - A write renews; with `on-read-and-write` so does a read of what is not expired.
 * - A read of an expired value removes it. With `return-expired-if-not-cleaned-up` this one read
 *   still returns it; a reducing or aggregating `add` still adds onto it.
 * - List elements expire one by one, but leave the stored list only when all are expired, or at a
 *   read that renews the others.
 * - `isEmpty` of a map ignores the TTL.
 *
 * Expired entries are left out of snapshots. Between snapshots each access also looks at a few
 * entries further on and drops the expired ones, so that state nobody reads again does not pile up.
 */
import type { TtlConfig } from '../api/state-descriptor.ts'
import type { Clock } from '../common/clock.ts'

export class Ttl {
  readonly ttlMs: number
  readonly renewOnRead: boolean
  readonly returnExpired: boolean
  readonly #clock: Pick<Clock, 'now'>

  constructor(config: TtlConfig, clock: Pick<Clock, 'now'>) {
    this.ttlMs = config.ttlMs
    this.renewOnRead = config.updateType === 'on-read-and-write'
    this.returnExpired = config.visibility === 'return-expired-if-not-cleaned-up'
    this.#clock = clock
  }

  now(): number {
    return this.#clock.now()
  }

  isExpired(renewedAt: number, now: number): boolean {
    return renewedAt + this.ttlMs <= now
  }
}
