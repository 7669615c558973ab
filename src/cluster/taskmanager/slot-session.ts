/**
 * One slot at work for one jobmanager: from the job it was given to the end of the connection.
 *
 * Owns        the executor, the channels of its attempts, and the store it writes to.
 * Leaves out  the connection (`task-manager.ts`).
 *
 * Invariants
 *  Y1  After `close` resolved nothing of the session runs, and nothing of it was reported since.
 */
import type { Clock } from '../../common/clock.ts'
import type { Logger } from '../../common/logger.ts'
import type { Random } from '../../common/random.ts'
import { buildExecutionPlan } from '../../graph/execution-plan.ts'
import type { JobGraph } from '../../graph/job-graph.ts'
import type { JobOrder } from '../../protocol/control-messages.ts'
import type { Exchange } from '../../runtime/network/channel.ts'
import { SlotLoop } from '../../runtime/slot-loop.ts'
import type { TaskMetrics } from '../../runtime/task-contract.ts'
import type { ObjectStore } from '../../storage/object-store.ts'
import { openStore } from '../../storage/open-store.ts'
import type { StoreCounters } from '../../storage/store-counters.ts'
import { newestGenerationIn } from '../generations-in.ts'
import type { JobSettings } from '../job-settings.ts'
import type { AttemptNetwork, RegionAttempt, SlotCommand, SlotEvent } from '../slot-messages.ts'
import type { UserCounters } from '../user-counters.ts'
import type { ClosableExchange, DataPlane } from './data-plane.ts'
import type { LocalCopies } from './local-copies.ts'
import { makeTaskStarter } from './make-task-starter.ts'
import { TaskExecutor } from './task-executor.ts'

export interface SlotSessionOptions {
  readonly slot: number
  readonly order: JobOrder
  readonly graph: JobGraph
  readonly dataPlane: DataPlane
  readonly counters: UserCounters
  readonly copies: LocalCopies | undefined
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly report: (event: SlotEvent) => void
  /** An attempt is over; its last figures can still be read. */
  readonly onRetired: () => void
  readonly onUnheard: (unheard: UnheardPeer) => void
}

/** A slot from which nothing comes on the connection for data. */
export interface UnheardPeer extends RegionAttempt {
  readonly peer: number
  readonly silentMs: number
}

interface OpenExchange {
  readonly attempt: number
  readonly open: ClosableExchange
}

export class SlotSession {
  readonly #options: SlotSessionOptions
  readonly #executor: TaskExecutor
  readonly #store: ObjectStore | undefined
  /** By region. */
  readonly #exchanges = new Map<number, OpenExchange>()
  #closed = false

  constructor(options: SlotSessionOptions) {
    this.#options = options
    const { slot, order, graph, counters, copies, clock, random, logger } = options
    const { jobId, storeLocation } = order
    const settings = order.settings as unknown as JobSettings
    const open = (location: string): ObjectStore => openStore({ location, folder: '/', random })
    const bare = storeLocation === null ? undefined : open(storeLocation)
    const store = bare && copies ? copies.over(bare) : bare
    this.#store = bare
    this.#executor = new TaskExecutor({
      slot,
      jobId,
      plan: buildExecutionPlan(graph),
      store,
      copies,
      storeAt: location => (location === store?.location ? store : open(location)),
      startTask: makeTaskStarter({
        graph,
        jobId,
        loop: SlotLoop.running(clock),
        exchanges: { of: (attempt, network) => this.#exchangeOf(attempt, network) },
        settings,
        keepsState: store !== undefined,
        newestGeneration: bare && (() => newestGenerationIn(bare, jobId)),
        clock,
        random,
        logger,
        counters,
      }),
      retire: (_tasks, { region }) => {
        this.#closeExchange(region)
        if (!this.#closed) options.onRetired()
      },
      report: event => this.#report(event),
    })
  }

  get metrics(): readonly TaskMetrics[] {
    return this.#executor.metrics
  }

  get storage(): StoreCounters | undefined {
    return this.#store?.counters
  }

  handle(command: SlotCommand): void {
    if (!this.#closed) this.#executor.handle(command)
  }

  /** Cancels what runs. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#executor.close()
    for (const region of [...this.#exchanges.keys()]) this.#closeExchange(region)
  }

  #report(event: SlotEvent): void {
    if (!this.#closed) this.#options.report(event)
  }

  #exchangeOf(of: RegionAttempt, { generation, peers }: AttemptNetwork): Exchange {
    const { region, attempt } = of
    const known = this.#exchanges.get(region)
    if (known?.attempt === attempt) return known.open
    this.#closeExchange(region)
    const { dataPlane, graph, order } = this.#options
    const { network: settings } = order.settings as unknown as JobSettings
    const onFailure = (error: unknown): void => this.#executor.fail(of, error)
    const onUnheard = (peer: number, silentMs: number): void => {
      if (!this.#closed) this.#options.onUnheard({ region, attempt, peer, silentMs })
    }
    const open = dataPlane.exchange({
      graph,
      settings,
      attempt: { generation, region, attempt },
      peers,
      onFailure,
      onUnheard,
    })
    this.#exchanges.set(region, { attempt, open })
    return open
  }

  #closeExchange(region: number): void {
    this.#exchanges.get(region)?.open.close()
    this.#exchanges.delete(region)
  }
}
