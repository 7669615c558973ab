/**
 * How a jobmanager reaches one slot: its connection, and who is at the other end. When the process
 * there dies, it is told, and a new process takes the slot.
 */
import type {
  FailureReport,
  SlotCommand,
  SlotEvent,
  SlotGateway,
} from '../../cluster/slot-messages.ts'
import type { ExecutionPlan } from '../../graph/execution-plan.ts'
import type { SimProcess } from './scheduler.ts'
import { SimChannel } from './sim-channel.ts'
import type { SimClock } from './sim-clock.ts'
import type { SimExchange } from './sim-exchange.ts'
import { SimWorker } from './sim-worker.ts'
import type { SimWorld } from './sim-world.ts'

export interface SlotLineOptions {
  readonly world: SimWorld
  readonly master: SimProcess
  readonly slot: number
  readonly plan: ExecutionPlan
  readonly exchange: SimExchange
  readonly receive: (event: SlotEvent) => void
  /** The jobmanager orders a commit. */
  readonly completes: (checkpointId: number) => void
  /** The jobmanager settled what it goes on from, and knows it. */
  readonly deploys: () => void
}

interface Deployed {
  readonly attempt: number
  readonly cancel: SlotCommand | undefined
}

const NOTICED_MS = 8
const LATE_MS = 60

export class SlotLine implements SlotGateway {
  readonly #options: SlotLineOptions
  #workers = 0
  #worker: SimWorker
  #down: SimChannel<SlotCommand>
  /** Where splits may overtake barriers. */
  #side: SimChannel<SlotCommand>
  #up: SimChannel<SlotEvent>
  /** By region: what was deployed and has not said that it is over. */
  readonly #deployed = new Map<number, Deployed>()
  #lost: SlotCommand | undefined

  constructor(options: SlotLineOptions) {
    this.#options = options
    this.#worker = this.#makeWorker()
    const registersAtMs = this.#registersAtMs()
    this.#down = this.#makeDown(registersAtMs)
    this.#side = this.#makeDown(registersAtMs)
    this.#up = this.#makeUp()
  }

  get clock(): SimClock {
    return this.#worker.clock
  }

  get process(): SimProcess {
    return this.#worker.process
  }

  send(command: SlotCommand): void {
    const { scheduler, off, scenario } = this.#options.world
    if (this.#options.master.state === 'dead') return
    this.#note(command)
    const isNotification = command.kind === 'complete' || command.kind === 'abort'
    if (command.kind === 'deploy') this.#options.deploys()
    if (command.kind === 'complete') this.#options.completes(command.checkpointId)
    // The order to end follows its notification at once: that one is never lost.
    if (command.kind === 'finish' && this.#lost !== undefined) this.#down.send(this.#lost)
    this.#lost = undefined
    const loss =
      command.kind === 'trigger'
        ? scenario.lostTrigger
        : isNotification
          ? scenario.lostNotification
          : 0
    if (scheduler.chance(loss)) {
      this.#lost = command
      scheduler.note(this.#options.master, `${command.kind} for ${this.process.name} is lost`)
      return
    }
    const overtakes = command.kind === 'add-splits' && off.has('splits-behind-barrier')
    ;(overtakes ? this.#side : this.#down).send(command)
    if (isNotification && scheduler.chance(scenario.doubledNotification)) this.#down.send(command)
  }

  failTask(): void {
    this.#worker.failTask()
  }

  /** The process at the other end is gone, or counts as gone. */
  replace(): void {
    const { world, master, slot, receive } = this.#options
    const gone = this.#worker.process
    world.scheduler.after(world.scheduler.between(0.2, NOTICED_MS), master, () => {
      if (this.#worker.process !== gone) return
      this.#up.close()
      this.#down.close()
      this.#side.close()
      this.#worker = this.#makeWorker()
      const registersAtMs = this.#registersAtMs()
      this.#down = this.#makeDown(registersAtMs)
      this.#side = this.#makeDown(registersAtMs)
      this.#up = this.#makeUp()
      world.scheduler.note(master, `lost ${gone.name}`)
      const failure: FailureReport = {
        code: undefined,
        domain: 'external',
        message: `the connection to ${gone.name} was closed`,
        next: undefined,
        stack: undefined,
        retry: 'later',
      }
      for (const [region, { attempt, cancel }] of this.#deployed) {
        // Whoever waits for the end of an attempt hears of it from the new process.
        if (cancel !== undefined) this.#down.send(cancel)
        receive({ region, attempt, slot, kind: 'failed', vertexId: '', failure })
      }
    })
  }

  #note(command: SlotCommand): void {
    const { region, attempt, kind } = command
    if (kind === 'deploy') this.#deployed.set(region, { attempt, cancel: undefined })
    if (kind === 'cancel') this.#deployed.set(region, { attempt, cancel: command })
  }

  #heard(event: SlotEvent): void {
    const deployed = this.#deployed.get(event.region)
    const isOver = event.kind === 'cancelled' && deployed?.attempt === event.attempt
    if (isOver) this.#deployed.delete(event.region)
    this.#options.receive(event)
  }

  #makeWorker(): SimWorker {
    const { world, master, slot, plan, exchange } = this.#options
    this.#workers++
    const name = `${master.name}.${slot}${"'".repeat(this.#workers - 1)}`
    const worker: SimWorker = new SimWorker({
      world,
      name,
      slot,
      plan,
      exchange,
      // Of a process that was given up the connection is closed.
      report: event => {
        if (this.#worker === worker) this.#up.send(event)
      },
    })
    return worker
  }

  /** What was said before the process registered reaches it then. */
  #registersAtMs(): number {
    const { scheduler, scenario } = this.#options.world
    return scheduler.chance(scenario.lateWorker)
      ? scheduler.nowMs + scheduler.between(5, LATE_MS)
      : 0
  }

  #makeDown(opensAtMs: number): SimChannel<SlotCommand> {
    const { world, master } = this.#options
    const worker = this.#worker
    return new SimChannel<SlotCommand>({
      scheduler: world.scheduler,
      from: master,
      to: () => worker.process,
      delayMs: world.scenario.networkMs,
      ordered: true,
      opensAtMs,
      deliver: command => {
        world.scheduler.note(worker.process, `is told to ${command.kind}${idOf(command)}`)
        worker.executor.handle(command)
      },
    })
  }

  #makeUp(): SimChannel<SlotEvent> {
    const { world, master } = this.#options
    return new SimChannel<SlotEvent>({
      scheduler: world.scheduler,
      from: this.#worker.process,
      to: () => master,
      delayMs: world.scenario.networkMs,
      ordered: true,
      deliver: event => {
        const from = `slot ${event.slot}`
        world.scheduler.note(master, `hears from ${from}: ${event.kind}${idOf(event)}`)
        this.#heard(event)
      },
    })
  }
}

function idOf(message: SlotCommand | SlotEvent): string {
  return 'checkpointId' in message ? ` ${message.checkpointId}` : ''
}
