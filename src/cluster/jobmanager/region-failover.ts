/**
 * Failover of some regions while the others go on: what fails is stopped, and starts again from the
 * last completed checkpoint. Since no record passes between regions, each is as consistent with the
 * checkpoint as the whole job is, however far the others have come.
 *
 * Owns        which regions are on their way to start again, and why.
 * Leaves out  slots, checkpoints and the restart strategy: the attempt passes ports.
 *
 * Invariants
 *  RF1  All that fails until the regions are deployed again belongs to one restart and counts once.
 *  RF2  Regions start again when nothing of their attempts before runs, every slot is there, and it
 *       is sure which checkpoint is the last.
 *  RF3  Where that is in doubt, the whole job starts again: the next attempt asks the store.
 *  RF4  After `close` nothing is deployed any more.
 */
import type { Clock, TimerHandle } from '../../common/clock.ts'
import type { FailureReport } from '../slot-messages.ts'
import type { RestartDecision } from './restart-strategy.ts'
import type { RestoredJob } from './restored-job.ts'

export interface FailoverPorts {
  /** Resolves when no checkpoint is being stored any more: to false where one is in doubt. */
  pause(): Promise<boolean>
  /** Resolves when nothing of the region runs any more. */
  stop(region: number): Promise<void>
  decide(failure: FailureReport, regions: ReadonlySet<number>): RestartDecision
  /** Resolves when all slots are there. */
  awaitSlots(): Promise<unknown>
  /** Reads the last completed checkpoint. Rejects where the attempt cannot go on. */
  load(): Promise<RestoredJob | undefined>
  /** Says whether it could: nothing of the regions runs, and all slots are there. */
  deploy(regions: ReadonlySet<number>, restored: RestoredJob | undefined): boolean
  /** The regions do not start again alone. */
  giveUp(failure: FailureReport, decision?: RestartDecision): void
  crashed(error: unknown): void
}

interface Restart {
  readonly regions: Set<number>
  failure: FailureReport
}

export class RegionFailover {
  readonly #ports: FailoverPorts
  readonly #clock: Clock
  #restart: Restart | undefined
  #timer: TimerHandle | undefined
  #closed = false

  constructor(ports: FailoverPorts, clock: Clock) {
    this.#ports = ports
    this.#clock = clock
  }

  /** Some regions are on their way to start again. */
  get isBusy(): boolean {
    return this.#restart !== undefined && !this.#closed
  }

  failed(region: number, failure: FailureReport): void {
    const restart = this.#restart
    if (restart === undefined) {
      this.#restart = { regions: new Set([region]), failure }
      void this.#ports.stop(region)
      this.#run(this.#restart).catch((error: unknown) => this.#ports.crashed(error))
      return
    }
    restart.failure = causeOf(restart.failure, failure)
    if (restart.regions.has(region)) return
    restart.regions.add(region)
    void this.#ports.stop(region)
  }

  close(): void {
    this.#closed = true
    this.#timer?.cancel()
  }

  async #run(restart: Restart): Promise<void> {
    const isSure = await this.#ports.pause()
    await this.#allStopped(restart)
    if (this.#closed) return
    if (!isSure) {
      this.#ports.giveUp(restart.failure)
      return
    }
    const decision = this.#ports.decide(restart.failure, restart.regions)
    if (decision.kind === 'give-up') {
      this.#ports.giveUp(restart.failure, decision)
      return
    }
    if (decision.delayMs > 0) await this.#pass(decision.delayMs)
    for (;;) {
      await this.#allStopped(restart)
      if (!this.#closed) await this.#ports.awaitSlots()
      if (this.#closed) return
      const restored = await this.#ports.load()
      if (this.#closed) return
      // Meanwhile more may have failed, or a slot may have left.
      if (this.#ports.deploy(restart.regions, restored)) break
    }
    this.#restart = undefined
  }

  /** Also those that fail while it waits. */
  async #allStopped({ regions }: Restart): Promise<void> {
    let awaited = -1
    while (awaited < regions.size) {
      awaited = regions.size
      await Promise.all([...regions].map(region => this.#ports.stop(region)))
    }
  }

  #pass(delayMs: number): Promise<void> {
    return new Promise(resolve => {
      this.#timer = this.#clock.schedule(delayMs, resolve)
    })
  }
}

/**
 * The first failure is the cause. Only the loss of a process takes the place of the broken channels
 * that it caused: it may be noticed after them.
 */
export function causeOf(first: FailureReport, later: FailureReport): FailureReport {
  return isLoss(later) && isBrokenChannel(first) ? later : first
}

function isLoss({ code }: FailureReport): boolean {
  return code === 'WEIR_SLOT_LOST'
}

function isBrokenChannel({ code }: FailureReport): boolean {
  return code?.startsWith('WEIR_PEER_') === true
}
