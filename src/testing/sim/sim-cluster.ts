/**
 * Runs one scenario: starts jobmanagers, lets the faults happen when their moments come, and puts a
 * new process where one died.
 *
 * Owns        the processes and the faults that are still to come.
 * Leaves out  what is promised (`checkers.ts`).
 */
import type { JobResult } from '../../cluster/job-result.ts'
import type { RestoreRequest } from '../../cluster/job-settings.ts'
import { assertNever } from '../../common/assert.ts'
import { RescaleOrders } from './rescale-orders.ts'
import type { Fault } from './scenario.ts'
import { PARALLELISM_MAX } from './scenario.ts'
import type { SimProcess } from './scheduler.ts'
import { SimJobManager, type SimStart } from './sim-jobmanager.ts'
import type { SimWorld } from './sim-world.ts'
import type { SlotLine } from './slot-line.ts'

const TAKEOVER_MS = 15
const STANDSTILL_MS = 120
const LINGER_MS = 60
const SLOW_DISK_MS = 80
const DOOMED_MS = 12
/** After the end, for what is still under way: messages, writes, those that stand still. */
const AFTERMATH_MS = 400

export class SimCluster {
  readonly #world: SimWorld
  readonly #masters: SimJobManager[] = []
  #waiting: Fault[]
  /** Starts that got to run tasks. */
  readonly #begun = new Set<string>()
  /** By start. */
  readonly #orders = new Map<string, RescaleOrders>()
  #writes = 0
  #completes = 0
  #names = 0
  #starts = 0
  #overAtMs = Number.POSITIVE_INFINITY

  constructor(world: SimWorld) {
    this.#world = world
    this.#waiting = [...world.scenario.faults]
  }

  /** Resolves when the job has ended and nothing is under way, or the steps are used up. */
  async run(stepsMax: number): Promise<boolean> {
    const { scheduler } = this.#world
    this.#startMaster(this.#newStart({ kind: 'none' }), this.#world.scenario.parallelism)
    for (const fault of this.#waiting) {
      if (fault.moment.kind === 'at') {
        scheduler.after(fault.moment.atMs, undefined, () => this.#strike(fault))
      }
    }
    await scheduler.run(() => scheduler.nowMs > this.#overAtMs + AFTERMATH_MS, stepsMax)
    return this.#overAtMs < Number.POSITIVE_INFINITY && scheduler.steps < stepsMax
  }

  /** That were started so far. */
  get jobManagers(): number {
    return this.#names
  }

  /** A jobmanager wrote to the store. */
  wrote(): void {
    this.#writes++
    this.#strikeAt('write', this.#writes)
  }

  #completed(id: number, generation: number): void {
    this.#world.scheduler.note(this.#newest?.process, `checkpoint ${id} completes`)
    this.#world.checkers.completed(id, generation)
    this.#completes++
    this.#strikeAt('complete', this.#completes)
  }

  get #newest(): SimJobManager | undefined {
    return this.#masters.at(-1)
  }

  #newStart(restore: RestoreRequest): SimStart {
    this.#starts++
    return { run: `run${this.#starts}`, restore }
  }

  #someParallelism(): number {
    return 1 + this.#world.scheduler.random.int(PARALLELISM_MAX)
  }

  #startMaster(start: SimStart, parallelism = this.#someParallelism()): void {
    this.#names++
    const master: SimJobManager = new SimJobManager({
      world: this.#world,
      name: `jm${this.#names}`,
      parallelism,
      start,
      completes: (id, generation) => this.#completed(id, generation),
      deploys: (slots, generation) => {
        this.#begun.add(start.run)
        this.#checkOrders(start, slots, generation)
      },
      released: lines => this.#release(lines),
      ended: result => this.#ended(master, result),
    })
    this.#masters.push(master)
  }

  #ended(master: SimJobManager, { outcome, error, savepointPath }: JobResult): void {
    const { scheduler, checkers } = this.#world
    this.#checkError(master, error)
    this.#release(master.lines)
    if (master === this.#newest) {
      if (savepointPath !== undefined) this.#startAgain(savepointPath)
      else if (outcome === 'failed') this.#succeed(master)
      else this.#overAtMs = scheduler.nowMs
    }
    const { jobManagersMax } = this.#world.scenario
    if (this.#names > jobManagersMax) {
      checkers.found('nothing-stuck', `${jobManagersMax} jobmanagers gave up`)
    }
  }

  #checkError(master: SimJobManager, error: unknown): void {
    if (!(error instanceof Error)) return
    const { checkers } = this.#world
    const text = error.message
    if (text.startsWith('AssertionError')) checkers.found('invariants-hold', text)
    const code = 'code' in error ? String(error.code) : ''
    if (checkers.isNewest(master.generation) && /^WEIR_(RESTORE|CHECKPOINT_CORRUPT)/.test(code)) {
      checkers.found('completed-restores', text)
    }
  }

  /** Another one goes on, perhaps with other slots. */
  #succeed(master: SimJobManager, start = master.start): void {
    const { scheduler } = this.#world
    const parallelism = this.#someParallelism()
    scheduler.after(scheduler.between(1, TAKEOVER_MS), undefined, () => {
      if (master === this.#newest && this.#names <= this.#world.scenario.jobManagersMax)
        this.#startMaster(start, parallelism)
    })
  }

  /** As the user who stopped the job would. */
  #startAgain(path: string): void {
    const master = this.#newest
    if (master === undefined) return
    const isLatest = this.#world.scheduler.chance(0.5)
    this.#succeed(master, this.#newStart(isLatest ? { kind: 'latest' } : { kind: 'path', path }))
  }

  #kill(master: SimJobManager): void {
    this.#world.scheduler.kill(master.process)
    this.#release(master.lines)
    this.#succeed(master)
  }

  /** To more slots, fewer, or as many; some of those who took the order die soon after. */
  #rescale(master: SimJobManager): void {
    const { scheduler } = this.#world
    const parallelism = this.#someParallelism()
    const dies = scheduler.chance(0.4)
    const isOther = parallelism !== master.parallelism
    const taken = isOther ? this.#ordersOf(master.start).ask(parallelism) : (): void => {}
    master.rescale(parallelism, () => {
      scheduler.note(master.process, `takes the order to rescale to ${parallelism}`)
      taken()
      if (!dies) return
      scheduler.after(scheduler.between(0, DOOMED_MS), undefined, () => {
        if (master === this.#newest && master.process.state === 'alive') this.#kill(master)
      })
    })
  }

  #ordersOf({ run }: SimStart): RescaleOrders {
    const orders = this.#orders.get(run) ?? new RescaleOrders()
    this.#orders.set(run, orders)
    return orders
  }

  /** One that was overtaken does no harm. */
  #checkOrders(start: SimStart, slots: number, generation: number): void {
    const { checkers } = this.#world
    const wanted = this.#ordersOf(start).refutes(slots)
    if (wanted === undefined || !checkers.isNewest(generation)) return
    const detail = `generation ${generation} runs at ${slots}, ${wanted} was ordered`
    checkers.found('rescale-holds', detail)
  }

  /** These workers notice some time later that nobody is there any more. */
  #release(lines: readonly SlotLine[]): void {
    const { scheduler } = this.#world
    for (const line of lines) {
      scheduler.after(scheduler.between(0, LINGER_MS), undefined, () =>
        scheduler.kill(line.process),
      )
    }
  }

  #strikeAt(kind: 'write' | 'complete', count: number): void {
    const due = this.#waiting.filter(
      ({ moment }) => moment.kind === kind && 'count' in moment && moment.count <= count,
    )
    for (const fault of due) this.#strike(fault)
  }

  #strike(fault: Fault): void {
    const master = this.#newest
    if (master === undefined || this.#overAtMs < Number.POSITIVE_INFINITY) return
    this.#waiting = this.#waiting.filter(one => one !== fault)
    if (master.process.state !== 'alive' || master.result !== undefined) return
    this.#world.scheduler.note(undefined, `fault: ${fault.kind}`)
    switch (fault.kind) {
      case 'kill-worker':
        this.#loseWorker(master, 'dead')
        break
      case 'fail-task':
        this.#someLine(master)?.failTask()
        break
      case 'zombie-worker':
        this.#loseWorker(master, 'paused')
        break
      case 'kill-jobmanager':
        this.#kill(master)
        break
      case 'zombie-jobmanager':
        this.#standStill(master)
        break
      case 'doubled-worker':
        this.#loseWorker(master, 'alive')
        break
      case 'rival-jobmanagers':
        this.#startMaster(master.start)
        this.#startMaster(this.#rivalOf(master))
        break
      case 'savepoint':
        master.savepoint()
        break
      case 'stop-with-savepoint':
        master.stopWithSavepoint()
        break
      case 'rescale':
        this.#rescale(master)
        break
      case 'clock-jump':
        this.#setClock(master)
        break
      case 'slow-disk':
        this.#world.disk.slowUntilMs = this.#world.scheduler.nowMs + SLOW_DISK_MS
        break
      default:
        assertNever(fault.kind)
    }
  }

  /** Where there is something to go on from it may be another start by the user. */
  #rivalOf({ start }: SimJobManager): SimStart {
    const isOther = this.#begun.has(start.run) && this.#world.scheduler.chance(0.5)
    return isOther ? this.#newStart({ kind: 'latest' }) : start
  }

  #setClock(master: SimJobManager): void {
    const { random } = this.#world.scheduler
    const clocks = [master.clock, ...master.lines.map(line => line.clock)]
    clocks[random.int(clocks.length)]?.jump()
  }

  #loseWorker(master: SimJobManager, state: SimProcess['state']): void {
    const { scheduler } = this.#world
    const line = this.#someLine(master)
    if (line === undefined) return
    const { process } = line
    if (state === 'dead') scheduler.kill(process)
    if (state === 'paused') {
      scheduler.pause(process)
      scheduler.after(scheduler.between(5, STANDSTILL_MS), undefined, () => scheduler.wake(process))
    }
    line.replace()
  }

  #someLine({ lines }: SimJobManager): SlotLine | undefined {
    return lines[this.#world.scheduler.random.int(lines.length)]
  }

  #standStill(master: SimJobManager): void {
    const { scheduler } = this.#world
    scheduler.pause(master.process)
    scheduler.after(scheduler.between(1, STANDSTILL_MS), undefined, () =>
      scheduler.wake(master.process),
    )
    this.#succeed(master)
  }
}
