/** A jobmanager process: the real JobMaster over a simulated store, network and slots. */
import { generationOf } from '../../checkpoint/checkpoint-layout.ts'
import type { JobResult } from '../../cluster/job-result.ts'
import { defaultSettings, type JobSettings } from '../../cluster/job-settings.ts'
import { JobMaster } from '../../cluster/jobmanager/job-master.ts'
import { buildExecutionPlan } from '../../graph/execution-plan.ts'
import type { ObjectBytes } from '../../storage/object-store.ts'
import { bankGraph } from './bank-job.ts'
import type { SimProcess } from './scheduler.ts'
import { SimClock } from './sim-clock.ts'
import { SimExchange } from './sim-exchange.ts'
import { SimStore } from './sim-store.ts'
import type { SimWorld } from './sim-world.ts'
import { SlotLine } from './slot-line.ts'
import { UnsafeStore } from './unsafe-store.ts'

export interface SimJobManagerOptions {
  readonly world: SimWorld
  readonly name: string
  readonly parallelism: number
  readonly restore: 'none' | 'latest'
  /** A commit was ordered, for the first time. */
  readonly completes: (checkpointId: number, generation: number) => void
  readonly deploys: () => void
  readonly ended: (result: JobResult) => void
}

/** Long enough for any run: a timeout that never comes. */
const NEVER_MS = 1e9

export class SimJobManager {
  readonly process: SimProcess
  readonly lines: readonly SlotLine[]
  result: JobResult | undefined
  readonly #store: OwnStore

  constructor(options: SimJobManagerOptions) {
    const { world, name, parallelism, completes, ended } = options
    const { scheduler, disk, off, scenario, bank, jobId } = world
    this.process = scheduler.spawn(name)
    const graph = bankGraph(bank, parallelism)
    const plan = buildExecutionPlan(graph)
    const exchange = new SimExchange({
      scheduler,
      processOf: slot => this.lines[slot]?.process ?? this.process,
      delayMs: scenario.networkMs,
      ordered: !off.has('fifo-channels'),
    })
    const faults = scenario.store
    const store = new OwnStore({ scheduler, process: this.process, disk, faults })
    this.#store = store
    const ordered = new Set<number>()
    this.lines = Array.from(
      { length: plan.slots },
      (_, slot) =>
        new SlotLine({
          world,
          master: this.process,
          slot,
          plan,
          exchange,
          deploys: options.deploys,
          receive: event => master.receive(event),
          completes: id => {
            if (ordered.has(id)) return
            ordered.add(id)
            completes(id, store.generation)
          },
        }),
    )
    const unsafe = new UnsafeStore(store, off)
    const master = new JobMaster({
      graph,
      jobId,
      store: unsafe,
      storeAt: () => unsafe,
      restore: { kind: options.restore },
      settings: settingsOf(world),
      clock: new SimClock(scheduler, this.process),
      random: scheduler.random,
      slots: this.lines,
      onNotice: ({ text }) => scheduler.note(this.process, text),
    })
    void master.done.then(result => {
      this.result = result
      const why = result.error instanceof Error ? `: ${result.error.message}` : ''
      scheduler.note(this.process, `${result.outcome}${why}`)
      ended(result)
    })
    scheduler.note(this.process, `starts with ${parallelism} slots, restores ${options.restore}`)
    scheduler.after(0, this.process, () => master.start())
  }

  /** The last one that it took; 0 before. */
  get generation(): number {
    return this.#store.generation
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
  const { mode, intervalMs, minPauseMs, maxConcurrent, tolerableFailures, retained } = scenario
  const timeoutMs = off.has('checkpoint-timeout') ? NEVER_MS : scenario.timeoutMs
  return {
    ...defaultSettings,
    checkpoint: {
      mode,
      alignment: { kind: 'aligned' },
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
