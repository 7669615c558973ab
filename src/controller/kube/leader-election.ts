/**
 * One controller leads: it holds a Lease and renews it; the others are warm and wait.
 *
 * L1: who leads has renewed within the renew deadline, by its own clock, from before the request:
 *     no other can have taken the lease meanwhile.
 * L2: who stops leading never leads again: whoever follows, be it in the same process, begins
 *     without memories.
 */
import type { Clock } from '../../common/clock.ts'
import { messageOf } from '../../common/errors.ts'
import type { Logger } from '../../common/logger.ts'
import type { Random } from '../../common/random.ts'
import { Alarm } from './alarm.ts'
import type { KubeClient } from './kube-client.ts'
import { isKubeError, kubeErrors } from './kube-errors.ts'
import { keyOf } from './kube-object.ts'
import { claimed, freeAfterMs, type Lease, type LeaseTimes, leaseStep, microTime } from './lease.ts'

export interface ElectionOptions {
  readonly client: KubeClient<Lease>
  readonly namespace: string
  readonly name: string
  /** No two processes have the same. */
  readonly identity: string
  readonly times: LeaseTimes
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly onLeading: () => void
  /** Led, and may no longer. */
  readonly onLost: (error: Error) => void
}

const REQUEST_SHARE = 0.4

type Role = 'waits' | 'leads' | 'ended'

export class LeaderElection {
  readonly #options: ElectionOptions
  readonly #stop = new AbortController()
  readonly #renewal: Alarm
  #role: Role = 'waits'
  #lease: Lease | undefined
  #seen = ''
  #seenMs = 0
  #renewedMs = 0

  constructor(options: ElectionOptions) {
    this.#options = options
    this.#renewal = new Alarm(options.clock)
  }

  get leads(): boolean {
    return this.#role === 'leads'
  }

  /** Throws WEIR_KUBE_LEASE_LOST: called before each write. */
  check(): void {
    const { clock, times } = this.#options
    const isFresh = clock.monotonic() - this.#renewedMs < times.renewDeadlineMs
    if (this.leads && isFresh) return
    throw this.#lostError()
  }

  /** Comes back when it was stopped, or has lost the lease. */
  async run(): Promise<void> {
    const { clock, logger } = this.#options
    while (this.#role !== 'ended' && !this.#stop.signal.aborted) {
      try {
        await this.#round()
      } catch (error) {
        // A conflict is a rival that was faster: the next round sees what it wrote.
        const isRival = isKubeError(error, 'WEIR_KUBE_CONFLICT')
        if (!isRival) logger.warn({ message: messageOf(error) }, 'lease cannot be reached')
        this.#lease = undefined
      }
      await new Alarm(clock, this.#stop.signal).sleep(this.#pauseMs())
    }
    this.#renewal.clear()
    if (this.leads) await this.#release()
    this.#role = 'ended'
  }

  /** Who waits looks as soon as the lease may be free, not a turn later. */
  #pauseMs(): number {
    const { clock, random, times } = this.#options
    const turnMs = times.retryMs * (1 + random.next() * 0.2)
    const lease = this.#lease
    if (this.leads || lease === undefined) return turnMs
    const freeMs = this.#seenMs + freeAfterMs(lease) - clock.monotonic()
    return freeMs > 0 ? Math.min(turnMs, freeMs + 1) : turnMs
  }

  /** Gives the lease up at once, so that another can take it. */
  stop(): void {
    this.#stop.abort(new Error('the controller stops'))
  }

  /** A request that hangs must leave time for another before the renew deadline. */
  async #round(): Promise<void> {
    const { clock, times } = this.#options
    const limit = new AbortController()
    const alarm = new Alarm(clock)
    const limitMs = times.renewDeadlineMs * REQUEST_SHARE
    alarm.set(limitMs, () => limit.abort(new Error(`no answer in ${limitMs} ms`)))
    try {
      await this.#step(limit.signal)
    } finally {
      alarm.clear()
    }
  }

  async #step(signal: AbortSignal): Promise<void> {
    const { client, namespace, name, identity, clock, times } = this.#options
    // What it holds is what it wrote: only a rival makes that wrong, and then the write fails.
    if (!this.leads || this.#lease === undefined) await this.#look(signal)
    const unchangedMs = clock.monotonic() - this.#seenMs
    const lease = this.#lease
    const step = leaseStep({ lease, unchangedMs }, identity)
    if (step === 'wait' || this.#role === 'ended') {
      if (this.leads) this.#lost()
      return
    }
    const sentMs = clock.monotonic()
    const spec = claimed(lease?.spec, { identity, nowMs: clock.now(), times })
    const { apiVersion, kind } = client.kind
    const { resourceVersion } = lease?.metadata ?? {}
    const metadata = { namespace, name, ...(resourceVersion && { resourceVersion }) }
    const wanted: Lease = { apiVersion, kind, metadata, spec }
    const write = step === 'create' ? client.create(wanted, signal) : client.replace(wanted, signal)
    this.#see(await write)
    this.#renewed(sentMs)
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { client, namespace, name } = this.#options
    this.#see(await client.get({ namespace, name }, signal))
  }

  #see(lease: Lease | undefined): void {
    const text = JSON.stringify([lease?.metadata.uid, lease?.spec])
    if (text !== this.#seen) this.#seenMs = this.#options.clock.monotonic()
    this.#seen = text
    this.#lease = lease
  }

  #renewed(sentMs: number): void {
    const { clock, times, onLeading, logger, identity } = this.#options
    const leftMs = sentMs + times.renewDeadlineMs - clock.monotonic()
    if (this.#role === 'ended') return
    // An answer that took so long says nothing about now.
    if (leftMs <= 0) return
    this.#renewedMs = sentMs
    this.#renewal.set(leftMs, () => this.#lost())
    if (this.#role === 'leads') return
    this.#role = 'leads'
    logger.info({ identity }, 'leads')
    onLeading()
  }

  #lost(): void {
    if (this.#role === 'ended') return
    const led = this.leads
    this.#role = 'ended'
    this.#renewal.clear()
    this.#options.logger.error({ identity: this.#options.identity }, 'lease lost')
    if (led) this.#options.onLost(this.#lostError())
    this.#stop.abort(this.#lostError())
  }

  #lostError(): Error {
    const { namespace, name } = this.#options
    return kubeErrors.WEIR_KUBE_LEASE_LOST({ lease: keyOf({ namespace, name }) })
  }

  async #release(): Promise<void> {
    const { client, clock, logger } = this.#options
    const lease = this.#lease
    if (lease === undefined) return
    const renewTime = microTime(clock.now())
    const spec = { ...lease.spec, holderIdentity: '', leaseDurationSeconds: 1, renewTime }
    try {
      await client.replace({ ...lease, spec })
    } catch (error) {
      // It runs out by itself.
      logger.warn({ message: messageOf(error) }, 'lease not released')
    }
  }
}
