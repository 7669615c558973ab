/** A jobmanager process: the real JobMaster over a simulated store, network and slots. */
import { generationOf } from '../../checkpoint/checkpoint-layout.ts'
import type { CheckpointProgress } from '../../cluster/job-progress.ts'
import type { JobResult } from '../../cluster/job-result.ts'
import {
  defaultSettings,
  type JobSettings,
  type RestoreRequest,
} from '../../cluster/job-settings.ts'
import { JobMaster } from '../../cluster/jobmanager/job-master.ts'
import type { JobCounts, JobShape } from '../../cluster/jobmanager/job-master-options.ts'
import { messageOf } from '../../common/errors.ts'
import { buildExecutionPlan } from '../../graph/execution-plan.ts'
import type { JobGraph } from '../../graph/job-graph.ts'
import type { ObjectBytes } from '../../storage/object-store.ts'
import { bankGraph } from './bank-job.ts'
import type { Scheduler, SimProcess } from './scheduler.ts'
import { SimClock } from './sim-clock.ts'
import { SimExchange } from './sim-exchange.ts'
import { SimStore } from './sim-store.ts'
import type { SimWorld } from './sim-world.ts'
import { SlotLine } from './slot-line.ts'
import { UnsafeStore } from './unsafe-store.ts'

/** A start of the job by its user: what the jobmanagers of it share. */
export interface SimStart {
  readonly run: string
  readonly restore: RestoreRequest
}

export interface SimJobManagerOptions {
  readonly world: SimWorld
  readonly name: string
  readonly parallelism: number
  readonly start: SimStart
  /** A commit was ordered, for the first time. */
  readonly completes: (checkpointId: number, generation: number) => void
  readonly deploys: (parallelism: number, generation: number) => void
  readonly ended: (result: JobResult) => void
  /** A rescale has taken other slots. */
  readonly released: (lines: readonly SlotLine[]) => void
}

/** Long enough for any run: a timeout that never comes. */
const NEVER_MS = 1e9

export class SimJobManager {
  readonly process: SimProcess
  result: JobResult | undefined
  readonly start: SimStart
  readonly clock: SimClock
  #lines: readonly SlotLine[]
  readonly #master: JobMaster
  readonly #scheduler: Scheduler
  readonly #store: OwnStore
  readonly #options: SimJobManagerOptions
  /** Checkpoints whose commit was ordered. */
  readonly #ordered = new Set<number>()

  constructor(options: SimJobManagerOptions) {
    const { world, name, parallelism, ended, start } = options
    const { scheduler, disk, off, scenario, jobId } = world
    this.#options = options
    this.process = scheduler.spawn(name)
    this.start = start
    this.#scheduler = scheduler
    this.clock = new SimClock(scheduler, this.process, scenario.clocks)
    const faults = scenario.store
    const store = new OwnStore({ scheduler, process: this.process, disk, faults })
    this.#store = store
    const graph = this.#plan(parallelism)
    this.#lines = this.#makeLines(graph)
    const unsafe = new UnsafeStore(store, off)
    const master = new JobMaster({
      graph,
      jobId,
      store: unsafe,
      storeAt: () => unsafe,
      ...start,
      settings: settingsOf(world),
      clock: this.clock,
      random: scheduler.random,
      slots: this.lines,
      counts: new Completions(id => this.#completed(world, id)),
      rescaling: scenario.rescales
        ? { plan: slots => this.#plan(slots), provide: moved => this.#provide(moved) }
        : undefined,
      onNotice: ({ text }) => scheduler.note(this.process, text),
    })
    this.#master = master
    void master.done.then(result => {
      this.result = result
      const why = result.error instanceof Error ? `: ${result.error.message}` : ''
      scheduler.note(this.process, `${result.outcome}${why}`)
      ended(result)
    })
    const from = start.restore.kind === 'path' ? start.restore.path : start.restore.kind
    scheduler.note(this.process, `starts ${start.run}, ${parallelism} slots, restores ${from}`)
    scheduler.after(0, this.process, () => master.start())
  }

  /** As a user orders it; what becomes of it is seen from outside. */
  savepoint(): void {
    this.#master.savepoint().then(
      path => this.#note(`has savepoint ${path}`),
      (error: unknown) => this.#note(`takes no savepoint: ${messageOf(error)}`),
    )
  }

  stopWithSavepoint(): void {
    this.#master
      .stop({ savepoint: true })
      .catch((error: unknown) => this.#note(`does not stop: ${messageOf(error)}`))
  }

  /** Also where every slot has failed meanwhile, and nobody can be told to commit. */
  #completed({ checkers }: SimWorld, id: number): void {
    if (this.process.state !== 'dead') checkers.completed(id, this.generation)
  }

  rescale(parallelism: number, taken: () => void): void {
    this.#note(`is told to rescale to ${parallelism}`)
    this.#master.rescale(parallelism).then(taken, (error: unknown) => {
      this.#note(`does not rescale: ${messageOf(error)}`)
    })
  }

  #plan(parallelism: number): JobGraph {
    const { scenario, bank, off } = this.#options.world
    const { forced, slices } = scenario
    return bankGraph(bank, { parallelism, forced, slices, off })
  }

  #provide(graph: JobGraph): JobShape {
    const before = this.#lines
    this.#lines = this.#makeLines(graph)
    this.#options.released(before)
    return { graph, slots: this.lines }
  }

  #makeLines(graph: JobGraph): readonly SlotLine[] {
    const { world, completes, deploys } = this.#options
    const { scheduler, off, scenario } = world
    const plan = buildExecutionPlan(graph)
    const lines: SlotLine[] = []
    const exchange = new SimExchange({
      scheduler,
      off,
      credit: scenario.credit,
      processOf: slot => lines[slot]?.process ?? this.process,
      delayMs: scenario.networkMs,
    })
    for (let slot = 0; slot < plan.slots; slot++) {
      const line = new SlotLine({
        world,
        master: this.process,
        slot,
        plan,
        exchange,
        deploys: () => deploys(graph.parallelism, this.generation),
        receive: event => this.#master.receive(event),
        completes: id => {
          if (this.#ordered.has(id)) return
          this.#ordered.add(id)
          completes(id, this.generation)
        },
      })
      lines.push(line)
    }
    return lines
  }

  #note(text: string): void {
    this.#scheduler.note(this.process, text)
  }

  /** To the slots that it has now: a rescale brings others. */
  get lines(): readonly SlotLine[] {
    return this.#lines
  }

  get parallelism(): number {
    return this.lines.length
  }

  /** The last one that it took; 0 before. */
  get generation(): number {
    return this.#store.generation
  }
}

/** Hears of each checkpoint that completes. */
class Completions implements JobCounts {
  checkpointsCompleted = 0
  checkpointsFailed = 0
  lastCheckpointPath: string | undefined
  lastCheckpointFailure: string | undefined
  readonly #completed: (id: number) => void

  constructor(completed: (id: number) => void) {
    this.#completed = completed
  }

  get lastCheckpoint(): undefined {
    return undefined
  }

  set lastCheckpoint(progress: CheckpointProgress | undefined) {
    if (progress !== undefined) this.#completed(progress.id)
  }
}

/** Knows the generation that its process took. */
class OwnStore extends SimStore {
  generation = 0

  override async putIfAbsent(key: string, bytes: ObjectBytes): Promise<boolean> {
    const isTaken = await super.putIfAbsent(key, bytes)
    if (isTaken) this.generation = generationOf(key) ?? 0
    return isTaken
  }
}

function settingsOf({ scenario, off }: SimWorld): JobSettings {
  const { mode, alignment, intervalMs, minPauseMs, maxConcurrent } = scenario
  const { tolerableFailures, retained } = scenario
  const timeoutMs = off.has('checkpoint-timeout') ? NEVER_MS : scenario.timeoutMs
  return {
    ...defaultSettings,
    checkpoint: {
      mode,
      alignment,
      intervalMs,
      minPauseMs,
      timeoutMs,
      maxConcurrent,
      tolerableFailures,
      retained,
    },
    restart: { ...defaultSettings.restart, initialDelayMs: 2, maxDelayMs: 20, resetAfterMs: 200 },
  }
}
