/** The Lease by which one of several controllers leads, and what to do about it; pure. */
import type { KubeObject } from './kube-object.ts'

export interface LeaseSpec {
  readonly holderIdentity?: string | undefined
  readonly leaseDurationSeconds?: number | undefined
  readonly acquireTime?: string | undefined
  readonly renewTime?: string | undefined
  readonly leaseTransitions?: number | undefined
}

export interface Lease extends KubeObject {
  readonly spec?: LeaseSpec
}

/** The usual 15, 10 and 2 seconds leave a cluster without a leader for longer than it needs. */
export interface LeaseTimes {
  readonly durationMs: number
  /** So long after its last renewal the holder gives up; shorter than the duration. */
  readonly renewDeadlineMs: number
  readonly retryMs: number
}

export const leaseTimes: LeaseTimes = {
  durationMs: 6_000,
  renewDeadlineMs: 4_000,
  retryMs: 1_000,
}

/** What a controller has seen of the lease, by its own clock: no two clocks are ever compared. */
export interface LeaseView {
  readonly lease: Lease | undefined
  /** Since when the lease has been as it is now. */
  readonly unchangedMs: number
}

export type LeaseStep = 'create' | 'renew' | 'take' | 'wait'

export function leaseStep(view: LeaseView, identity: string): LeaseStep {
  const { lease, unchangedMs } = view
  if (lease === undefined) return 'create'
  const { holderIdentity = '' } = lease.spec ?? {}
  if (holderIdentity === identity) return 'renew'
  const isFree = holderIdentity === '' || unchangedMs > freeAfterMs(lease)
  return isFree ? 'take' : 'wait'
}

/** Unchanged for longer, another may take it. */
export function freeAfterMs({ spec }: Lease): number {
  return (spec?.leaseDurationSeconds ?? 0) * 1_000
}

/** RFC 3339 with exactly six digits: the API server takes no other MicroTime. */
export function microTime(nowMs: number): string {
  return new Date(nowMs).toISOString().replace(/(\.\d{3})Z$/, '$1000Z')
}

export interface LeaseClaim {
  readonly identity: string
  readonly nowMs: number
  readonly times: LeaseTimes
}

/** The lease as its next holder writes it, or as its holder renews it. */
export function claimed(before: LeaseSpec | undefined, claim: LeaseClaim): LeaseSpec {
  const now = microTime(claim.nowMs)
  const isRenewal = before?.holderIdentity === claim.identity
  return {
    holderIdentity: claim.identity,
    leaseDurationSeconds: Math.ceil(claim.times.durationMs / 1_000),
    acquireTime: isRenewal ? before.acquireTime : now,
    renewTime: now,
    leaseTransitions: (before?.leaseTransitions ?? 0) + (isRenewal || before === undefined ? 0 : 1),
  }
}
