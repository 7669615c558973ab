/**
 * Runs one scenario: starts jobmanagers, lets the faults happen when their moments come, and puts a
 * new process where one died.
 *
 * Owns        the processes and the faults that are still to come.
 * Leaves out  what is promised (`checkers.ts`).
 */
import type { JobResult } from '../../cluster/job-result.ts'
import type { Fault } from './scenario.ts'
import { PARALLELISM_MAX } from './scenario.ts'
import { SimJobManager } from './sim-jobmanager.ts'
import type { SimWorld } from './sim-world.ts'

const TAKEOVER_MS = 15
const STANDSTILL_MS = 120
const LINGER_MS = 60
/** After the end, for what is still under way: messages, writes, those that stand still. */
const AFTERMATH_MS = 400

export class SimCluster {
  readonly #world: SimWorld
  readonly #masters: SimJobManager[] = []
  #waiting: Fault[]
  #begun = false
  #writes = 0
  #completes = 0
  #names = 0
  #overAtMs = Number.POSITIVE_INFINITY

  constructor(world: SimWorld) {
    this.#world = world
    this.#waiting = [...world.scenario.faults]
  }

  /** Resolves when the job has ended and nothing is under way, or the steps are used up. */
  async run(stepsMax: number): Promise<boolean> {
    const { scheduler } = this.#world
    this.#startMaster(this.#world.scenario.parallelism)
    for (const fault of this.#waiting) {
      if (fault.moment.kind === 'at') {
        scheduler.after(fault.moment.atMs, undefined, () => this.#strike(fault))
      }
    }
    await scheduler.run(() => scheduler.nowMs > this.#overAtMs + AFTERMATH_MS, stepsMax)
    return this.#overAtMs < Number.POSITIVE_INFINITY && scheduler.steps < stepsMax
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

  #startMaster(parallelism: number): void {
    this.#names++
    const master: SimJobManager = new SimJobManager({
      world: this.#world,
      name: `jm${this.#names}`,
      parallelism,
      // Before anything ran there is nothing to go on from.
      restore: this.#begun ? 'latest' : 'none',
      completes: (id, generation) => this.#completed(id, generation),
      deploys: () => {
        this.#begun = true
      },
      ended: result => this.#ended(master, result),
    })
    this.#masters.push(master)
  }

  #ended(master: SimJobManager, { outcome, error }: JobResult): void {
    const { scheduler, checkers } = this.#world
    this.#checkError(master, error)
    this.#release(master)
    if (outcome === 'finished' && master === this.#newest) this.#overAtMs = scheduler.nowMs
    else if (master === this.#newest) this.#succeed(master)
    if (this.#names > 40) checkers.found('nothing-stuck', 'forty jobmanagers gave up')
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
  #succeed(master: SimJobManager): void {
    const { scheduler } = this.#world
    const parallelism = 1 + scheduler.random.int(PARALLELISM_MAX)
    scheduler.after(scheduler.between(1, TAKEOVER_MS), undefined, () => {
      if (master === this.#newest && this.#names <= 40) this.#startMaster(parallelism)
    })
  }

  /** Its workers notice some time later that nobody is there any more. */
  #release(master: SimJobManager): void {
    const { scheduler } = this.#world
    for (const line of master.lines) {
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
    // Until the job has begun a restart would be another first start.
    if (master === undefined || !this.#begun || this.#overAtMs < Number.POSITIVE_INFINITY) return
    this.#waiting = this.#waiting.filter(one => one !== fault)
    if (master.process.state !== 'alive' || master.result !== undefined) return
    this.#world.scheduler.note(undefined, `fault: ${fault.kind}`)
    switch (fault.kind) {
      case 'kill-worker':
        this.#loseWorker(master, 'dead')
        break
      case 'zombie-worker':
        this.#loseWorker(master, 'paused')
        break
      case 'kill-jobmanager':
        this.#world.scheduler.kill(master.process)
        this.#release(master)
        this.#succeed(master)
        break
      case 'zombie-jobmanager':
        this.#standStill(master)
        break
      case 'rival-jobmanagers':
        this.#startMaster(1 + this.#world.scheduler.random.int(PARALLELISM_MAX))
        this.#startMaster(1 + this.#world.scheduler.random.int(PARALLELISM_MAX))
        break
    }
  }

  #loseWorker(master: SimJobManager, state: 'dead' | 'paused'): void {
    const { scheduler } = this.#world
    const line = master.lines[scheduler.random.int(master.lines.length)]
    if (line === undefined) return
    const { process } = line
    if (state === 'dead') scheduler.kill(process)
    else {
      scheduler.pause(process)
      scheduler.after(scheduler.between(5, STANDSTILL_MS), undefined, () => scheduler.wake(process))
    }
    line.replace()
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
