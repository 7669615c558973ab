/**
 * Who of the waiting jobs of a tenant gets its room; pure. The order is priority, then time. A
 * cycle admits until nothing more fits: the wait follows what is free, not how many wait.
 *
 * A1: what is used and what is admitted together are within the quota, in each resource. What is
 *     used already may be above it, after the quota was lowered: then nobody is admitted.
 */
import { assert } from '../../common/assert.ts'
import { amountText, type Demand, plus, quotaResources } from './demand.ts'

export type Quota = Readonly<Partial<Demand>>

/** A job that wants to run. */
export interface Waiter {
  /** Namespace and name. */
  readonly key: string
  readonly demand: Demand
  readonly priority: number
  readonly sinceMs: number
}

export interface Room {
  readonly quota: Quota
  readonly used: Demand
  readonly strategy: 'best-effort-fifo' | 'strict-fifo'
  /** Nothing new is admitted. */
  readonly isHeld: boolean
  readonly queuedMax: number
}

export type WaitReason = 'QuotaPending' | 'QuotaTooSmall' | 'QueueFull' | 'AdmissionHeld'

export interface Waits {
  readonly kind: 'waits'
  /** From 1, among those that wait. */
  readonly position: number
  readonly reason: WaitReason
  /** What is missing, or who goes first. */
  readonly shortfall: string
}

export type Verdict = { readonly kind: 'admitted' } | Waits

/** What a job is told that wants to run. */
export type Admission =
  /** No tenant has its namespace. */
  | { readonly kind: 'free' }
  /** It is not known yet what is used: it asks again. */
  | { readonly kind: 'unknown'; readonly tenant: string }
  | { readonly kind: 'admitted'; readonly tenant: string }
  | (Waits & { readonly tenant: string })

/** From then on nobody passes it: else small jobs could keep a large one out for ever. */
const PASSED_MAX_MS = 1_800_000

export function planAdmission(
  room: Room,
  waiting: readonly Waiter[],
  nowMs: number,
): ReadonlyMap<string, Verdict> {
  const verdicts = new Map<string, Verdict>()
  let { used } = room
  let head: Waiter | undefined
  let position = 0
  for (const waiter of waiting.toSorted(inTurn)) {
    const refusal = refusalOf(waiter, { ...room, used }, position)
    if (refusal === undefined && head === undefined) {
      used = plus(used, waiter.demand)
      assert(isWithin(used, room.quota), `A1: ${waiter.key} is admitted within the quota`)
      verdicts.set(waiter.key, { kind: 'admitted' })
      continue
    }
    position++
    const behind = { reason: 'QuotaPending', shortfall: `waits behind ${head?.key}` } as const
    verdicts.set(waiter.key, { kind: 'waits', position, ...(refusal ?? behind) })
    // One that can never run holds nobody up.
    if (refusal?.reason !== 'QuotaPending') continue
    const isStrict = room.strategy === 'strict-fifo' || nowMs - waiter.sinceMs > PASSED_MAX_MS
    if (isStrict) head ??= waiter
  }
  return verdicts
}

function refusalOf(
  { demand }: Waiter,
  room: Room,
  before: number,
): { readonly reason: WaitReason; readonly shortfall: string } | undefined {
  const { quota, used, isHeld, queuedMax } = room
  if (isHeld) return { reason: 'AdmissionHeld', shortfall: 'the tenant admits nothing new' }
  const tooLarge = lackOf(demand, quota)
  if (tooLarge !== '') return { reason: 'QuotaTooSmall', shortfall: tooLarge }
  if (before >= queuedMax) {
    return { reason: 'QueueFull', shortfall: `${queuedMax} jobs of the tenant wait already` }
  }
  const shortfall = shortfallOf(demand, quota, used)
  return shortfall === '' ? undefined : { reason: 'QuotaPending', shortfall }
}

function inTurn(one: Waiter, other: Waiter): number {
  if (one.priority !== other.priority) return other.priority - one.priority
  if (one.sinceMs !== other.sinceMs) return one.sinceMs - other.sinceMs
  return one.key < other.key ? -1 : 1
}

function isWithin(amount: Demand, quota: Quota): boolean {
  return quotaResources.every(resource => amount[resource] <= (quota[resource] ?? Infinity))
}

/** `slots: needs 8, the quota is 4` */
function lackOf(demand: Demand, quota: Quota): string {
  return quotaResources
    .flatMap(resource => {
      const limit = quota[resource]
      if (limit === undefined || demand[resource] <= limit) return []
      const [needs, has] = [demand[resource], limit].map(one => amountText(resource, one))
      return [`${resource}: needs ${needs}, the quota is ${has}`]
    })
    .join('; ')
}

/** `slots: needs 4, 2 of 10 are free` */
function shortfallOf(demand: Demand, quota: Quota, used: Demand): string {
  return quotaResources
    .flatMap(resource => {
      const limit = quota[resource]
      if (limit === undefined || used[resource] + demand[resource] <= limit) return []
      const free = Math.max(0, limit - used[resource])
      const [needs, left, all] = [demand[resource], free, limit].map(one =>
        amountText(resource, one),
      )
      return [`${resource}: needs ${needs}, ${left} of ${all} are free`]
    })
    .join('; ')
}
