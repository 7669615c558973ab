/**
 * A taskmanager: offers one slot to the jobmanager of its job, and does for it what it is told.
 * The connection is all that binds them: without it nothing runs, and it is made again for as long
 * as it takes, to the same jobmanager or to the one in its place.
 *
 * Owns        the connection, and the session that it serves.
 * Leaves out  what a slot does (`slot-session.ts`), and the process around it (`bin/`).
 *
 * Invariants
 *  Z1  A session ends with its connection, and the next one begins after it has ended.
 *  Z2  What cannot change by trying again ends the taskmanager, with the reason.
 */

import { assert } from '../../common/assert.ts'
import { Backoff } from '../../common/backoff.ts'
import type { Clock, TimerHandle } from '../../common/clock.ts'
import { isWeirError, messageOf } from '../../common/errors.ts'
import type { Logger } from '../../common/logger.ts'
import type { Random } from '../../common/random.ts'
import type { JobOrder, ToJobManagerText, ToTaskManager } from '../../protocol/control-messages.ts'
import type { ConnectionEnd } from '../control/control-connection.ts'
import type { ControlLine, ControlThread } from '../control/control-thread.ts'
import type { HeartbeatTimes } from '../control/heartbeat-watch.ts'
import { type ProcessFigures, slotFigures } from '../control/slot-figures.ts'
import { errorOf, failureReport } from '../failure-report.ts'
import { graphDigest } from '../job-bundle.ts'
import type { FailureReport, SlotCommand, SlotEvent } from '../slot-messages.ts'
import { UserCounters } from '../user-counters.ts'
import type { DataPlane } from './data-plane.ts'
import { JobLoader } from './job-loader.ts'
import type { LocalCopies } from './local-copies.ts'
import { SlotSession } from './slot-session.ts'

export interface TaskManagerOptions {
  readonly slot: number
  /** Connects to the jobmanager. */
  readonly control: Pick<ControlThread, 'dial'>
  readonly dataPlane: DataPlane
  /** Holds the job's code. */
  readonly workFolder: string
  /** Copies of state for a fast restore. */
  readonly copies?: LocalCopies | undefined
  /** Before the jobmanager has said its own. */
  readonly times: HeartbeatTimes
  readonly process: ProcessPort
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

/** What is known of the process that this runs in. */
export interface ProcessPort {
  readonly pid: number
  readonly host: string
  figures(): ProcessFigures
}

/** `dismissed`: by its jobmanager; `left`: on request. */
export type TaskManagerEnd = 'dismissed' | 'left'

/** A jobmanager that is replaced is back within less than a second. */
const reconnect = { initialDelayMs: 20, maxDelayMs: 1_000, factor: 1.5, jitter: 0.2 }
/** Tasks that do not end by then never will; the process has to. */
const CLOSE_LIMIT_MS = 10_000
/** Longer than a jobmanager takes to let it go. */
const LEAVE_LIMIT_MS = 8_000

export class TaskManager {
  readonly done: Promise<TaskManagerEnd>
  readonly #options: TaskManagerOptions
  readonly #loader: JobLoader
  readonly #counters = new UserCounters()
  readonly #process: string
  readonly #backoff: Backoff
  #connection: ControlLine | undefined
  #session: SlotSession | undefined
  /** Of the figures; the jobmanager says its own. */
  #intervalMs: number
  #figuring: TimerHandle | undefined
  #leaving = false
  #over = false
  #timer: TimerHandle | undefined
  #resolve: (end: TaskManagerEnd) => void = () => {}
  #reject: (error: unknown) => void = () => {}

  constructor(options: TaskManagerOptions) {
    this.#options = options
    this.#intervalMs = options.times.intervalMs
    this.#loader = new JobLoader(options.workFolder)
    this.#process = options.random.uuid()
    const endless = { resetAfterMs: 5_000, attemptsMax: Number.POSITIVE_INFINITY }
    this.#backoff = new Backoff({ ...reconnect, ...endless }, options.random)
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  start(): void {
    void this.#connect()
  }

  /** Leaves its slot as soon as the jobmanager lets it, or after a while. */
  leave(): void {
    if (this.#leaving || this.#over) return
    this.#leaving = true
    if (this.#connection === undefined) {
      void this.#end('left')
      return
    }
    this.#send({ kind: 'leaving' })
    this.#timer?.cancel()
    this.#timer = this.#options.clock.schedule(LEAVE_LIMIT_MS, () => void this.#end('left'))
  }

  /** Ends at once: nobody needs it any more. */
  async abandon(): Promise<void> {
    await this.#end('left')
  }

  async #connect(): Promise<void> {
    try {
      let line: ControlLine | undefined
      line = await this.#options.control.dial({
        onMessage: message => line && this.#take(line, message as ToTaskManager),
        onClosed: end => void this.#lost(end),
      })
      if (this.#over) line.close()
      else this.#connected(line)
    } catch (error) {
      if (this.#over) return
      if (isWeirError(error) && error.retry === 'never') this.#fail(error)
      else this.#retry(messageOf(error))
    }
  }

  #connected(line: ControlLine): void {
    this.#connection = line
    const { slot, dataPlane, process } = this.#options
    const { pid, host } = process
    this.#send({
      kind: 'register',
      slot,
      process: this.#process,
      pid,
      host,
      dataAddress: dataPlane.address,
      digest: this.#loader.digest,
    })
    this.#figureSoon()
  }

  #figureSoon(): void {
    this.#figuring?.cancel()
    this.#figuring = this.#options.clock.schedule(this.#intervalMs, () => {
      this.#send(this.#figures())
      this.#figureSoon()
    })
  }

  #take(connection: ControlLine, message: ToTaskManager): void {
    switch (message.kind) {
      case 'job':
        this.#backoff.succeeded()
        void this.#prepare(connection, message)
        break
      case 'spare':
        this.#backoff.succeeded()
        this.#options.logger.info({ slot: this.#options.slot }, 'the job does not need this slot')
        break
      case 'command':
        this.#session?.handle(message.command as unknown as SlotCommand)
        break
      case 'refused':
        this.#refused(connection, errorOf(message.failure as FailureReport))
        break
      case 'dismissed':
        void this.#end(this.#leaving ? 'left' : 'dismissed')
        break
      case 'heartbeat':
        break
    }
  }

  async #prepare(connection: ControlLine, order: JobOrder): Promise<void> {
    const { slot, dataPlane, copies, clock, random, logger } = this.#options
    const { heartbeatIntervalMs: intervalMs, heartbeatTimeoutMs: timeoutMs } = order
    connection.change({ intervalMs, timeoutMs })
    this.#intervalMs = intervalMs
    try {
      const graph = await this.#loader.load(order)
      if (!connection.isOpen) return
      assert(this.#session === undefined, 'Z1: the session before has ended')
      this.#session = new SlotSession({
        slot,
        order,
        graph,
        dataPlane,
        counters: this.#counters,
        copies,
        clock,
        random,
        logger,
        report: event => this.#report(event),
        onRetired: () => this.#send(this.#figures()),
        onUnheard: unheard => this.#send({ kind: 'unheard', ...unheard }),
      })
      this.#send({ kind: 'prepared', graphDigest: graphDigest(graph) })
    } catch (error) {
      logger.error({ err: error }, 'the job cannot be loaded')
      this.#send({ kind: 'unprepared', failure: failureReport(error) })
    }
  }

  #report(event: SlotEvent): void {
    // What is counted up to here belongs to what is reported.
    if (event.kind === 'finished' || event.kind === 'failed') this.#send(this.#figures())
    this.#send({ kind: 'event', event })
  }

  #figures(): ToJobManagerText {
    const session = this.#session
    const figures = slotFigures({
      tasks: session?.metrics ?? [],
      counters: this.#counters,
      process: this.#options.process.figures(),
      network: this.#options.dataPlane.figures,
      storage: session?.storage,
    })
    return { kind: 'figures', figures }
  }

  #send(message: ToJobManagerText): void {
    this.#connection?.send(message)
  }

  #refused(connection: ControlLine, error: Error): void {
    connection.close()
    if (isWeirError(error) && error.retry === 'never') this.#fail(error)
    else void this.#lost({ cause: 'broken', how: `was refused: ${messageOf(error)}` })
  }

  async #lost(end: ConnectionEnd): Promise<void> {
    this.#connection = undefined
    this.#figuring?.cancel()
    const { logger } = this.#options
    if (this.#over) return
    logger.warn({ err: end.error, how: end.how }, 'the connection to the jobmanager is over')
    await this.#closeSession()
    if (this.#leaving) await this.#end('left')
    else this.#retry(end.how)
  }

  #retry(reason: string): void {
    if (this.#over) return
    const { clock, logger } = this.#options
    const delayMs = this.#backoff.failed(clock.monotonic()) ?? reconnect.maxDelayMs
    logger.debug({ reason, delayMs }, 'connecting to the jobmanager again')
    this.#timer = clock.schedule(delayMs, () => void this.#connect())
  }

  async #closeSession(): Promise<void> {
    const session = this.#session
    this.#session = undefined
    if (session === undefined) return
    const { clock } = this.#options
    let isStuck = false
    const limit = new Promise<void>(resolve => {
      const timer = clock.schedule(CLOSE_LIMIT_MS, () => {
        isStuck = true
        resolve()
      })
      void session.close().then(() => {
        timer.cancel()
        resolve()
      })
    })
    await limit
    if (isStuck) this.#fail(new Error('the tasks of the slot do not end'))
  }

  #fail(error: unknown): void {
    if (this.#over) return
    this.#over = true
    this.#timer?.cancel()
    this.#figuring?.cancel()
    this.#connection?.close()
    this.#reject(error)
  }

  async #end(end: TaskManagerEnd): Promise<void> {
    if (this.#over) return
    this.#over = true
    this.#timer?.cancel()
    this.#figuring?.cancel()
    await this.#closeSession()
    this.#connection?.close()
    this.#connection = undefined
    this.#resolve(end)
  }
}
