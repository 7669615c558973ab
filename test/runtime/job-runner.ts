/**
 * Runs a job's tasks in this process, stepped by hand: what an executor and a coordinator do for
 * them, as small as it can be. No real time passes; `settle` lets promises run.
 */
import type { Job } from '../../src/api/job.ts'
import type { JsonValue, SourceSplit, SplitEnumerator } from '../../src/api/source.ts'
import { type Clock, SystemClock } from '../../src/common/clock.ts'
import { silentLogger } from '../../src/common/logger.ts'
import { SeededRandom } from '../../src/common/random.ts'
import { type JobGraphOptions, planJob } from '../../src/graph/build-job-graph.ts'
import {
  buildExecutionPlan,
  type ExecutionPlan,
  type Subtask,
} from '../../src/graph/execution-plan.ts'
import type { Exchange } from '../../src/runtime/network/channel.ts'
import { LocalExchange } from '../../src/runtime/network/local-channel.ts'
import type { StateBackends } from '../../src/runtime/operator-context.ts'
import { SlotLoop } from '../../src/runtime/slot-loop.ts'
import type {
  BarrierAlignment,
  ChannelRestore,
  OperatorRestore,
  TaskControl,
  TaskListener,
  TaskRestore,
  TaskSnapshot,
} from '../../src/runtime/task-contract.ts'
import { makeTask } from '../../src/runtime/task-factory.ts'
import { AlignmentGroups } from '../../src/runtime/watermark-alignment.ts'
import { makeHeapBackend } from '../../src/state/heap/heap-keyed-state-backend.ts'
import { makeOperatorStateBackend } from '../../src/state/heap/heap-operator-state.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'

export interface RunnerOptions extends JobGraphOptions {
  readonly clock?: ManualClock
  /** Records a channel holds; small ones make backpressure. */
  readonly channelRecords?: number
  /** Other channels than those of one process. */
  readonly exchange?: Exchange & { moveAll(): void }
  readonly checkpointMode?: 'exactly-once' | 'at-least-once'
  /** The completed checkpoint to go on from; parallelism must be the same. */
  readonly restore?: RunnerCheckpoint
  readonly attempt?: number
  readonly watermarkIntervalMs?: number
  /** The machine's clock and a loop that runs by itself, for benchmarks. */
  readonly realTime?: boolean
}

export interface RunnerCheckpoint {
  readonly checkpointId: number
  readonly snapshots: ReadonlyMap<string, TaskSnapshot>
  readonly enumerators: ReadonlyMap<string, JsonValue>
}

export interface RunnerTask {
  readonly subtask: Subtask
  readonly control: TaskControl
  state: 'opening' | 'running' | 'drained' | 'finished' | 'failed'
}

const state: StateBackends = {
  makeKeyed: makeHeapBackend,
  makeOperatorState: makeOperatorStateBackend,
}

export class JobRunner {
  /** Not used in real time. */
  readonly clock: ManualClock
  readonly #time: Clock
  readonly plan: ExecutionPlan
  readonly loop: SlotLoop
  readonly tasks: RunnerTask[] = []
  readonly errors: unknown[] = []
  readonly declined: number[] = []
  readonly userMetrics = new Map<string, number>()
  readonly #options: RunnerOptions
  readonly #enumerators = new Map<string, SplitEnumerator<SourceSplit>>()
  readonly #snapshots = new Map<number, Map<string, TaskSnapshot>>()
  readonly #enumeratorStates = new Map<number, Map<string, JsonValue>>()
  #steps = 0

  constructor(job: Job, options: RunnerOptions = {}) {
    this.#options = options
    this.clock = options.clock ?? new ManualClock(1_000)
    this.plan = buildExecutionPlan(planJob(job, { name: 'test', ...options }))
    this.#time = options.realTime === true ? new SystemClock() : this.clock
    this.loop =
      options.realTime === true ? SlotLoop.running(this.#time) : new SlotLoop({ clock: this.clock })
    const exchange = options.exchange ?? new LocalExchange(options.channelRecords)
    const alignment = new AlignmentGroups()
    const { vertices } = this.plan.graph
    for (const subtask of this.plan.subtasks) {
      const control = makeTask({
        subtask,
        rank: vertices.indexOf(subtask.vertex),
        jobId: 'job-1',
        attempt: options.attempt ?? 0,
        listener: this.#listen(this.tasks.length),
        loop: this.loop,
        exchange,
        alignment,
        state,
        restore: this.#restoreOf(subtask),
        keepsState: true,
        checkpointMode: options.checkpointMode ?? 'exactly-once',
        watermarkIntervalMs: options.watermarkIntervalMs ?? 200,
        clock: this.#time,
        random: new SeededRandom(this.tasks.length),
        logger: silentLogger,
        count: (operator, metric, by) => {
          const name = `${operator}.${metric}`
          this.userMetrics.set(name, (this.userMetrics.get(name) ?? 0) + by)
        },
      })
      this.tasks.push({ subtask, control, state: 'opening' })
    }
  }

  /** Opens the tasks and hands out splits. */
  async start(): Promise<void> {
    await this.stepUntil(() => this.tasks.every(task => task.state !== 'opening'))
    for (const task of this.tasks) this.#startSource(task)
  }

  /** Runs to the end of the input, takes a last checkpoint, finishes. Throws what failed the job. */
  async runToEnd(): Promise<void> {
    await this.start()
    await this.stepUntil(() => this.tasks.every(task => task.state === 'drained'))
    await this.finish()
  }

  async finish(): Promise<void> {
    await this.checkpoint(1_000_000)
    this.complete(1_000_000)
    for (const task of this.tasks) task.control.finishTask()
    await this.stepUntil(() => this.tasks.every(task => task.state === 'finished'))
  }

  /** Begins a checkpoint at the sources. */
  trigger(checkpointId: number, alignment: BarrierAlignment = { kind: 'aligned' }): void {
    const states = new Map<string, JsonValue>()
    for (const [id, enumerator] of this.#enumerators) {
      states.set(id, enumerator.snapshotState(checkpointId))
    }
    this.#enumeratorStates.set(checkpointId, states)
    const barrier = {
      checkpointId,
      timestamp: this.#time.now(),
      kind: 'checkpoint',
      alignment,
    } as const
    for (const task of this.#sources()) task.control.triggerCheckpoint(barrier)
  }

  async checkpoint(
    checkpointId: number,
    alignment: BarrierAlignment = { kind: 'aligned' },
  ): Promise<RunnerCheckpoint> {
    this.trigger(checkpointId, alignment)
    await this.stepUntil(() => this.#snapshots.get(checkpointId)?.size === this.tasks.length)
    return this.taken(checkpointId)
  }

  taken(checkpointId: number): RunnerCheckpoint {
    return {
      checkpointId,
      snapshots: this.#snapshots.get(checkpointId) ?? new Map(),
      enumerators: this.#enumeratorStates.get(checkpointId) ?? new Map(),
    }
  }

  complete(checkpointId: number): void {
    for (const task of this.tasks) task.control.notifyCheckpointComplete(checkpointId)
  }

  async cancel(): Promise<void> {
    await Promise.all(this.tasks.map(task => task.control.cancel()))
  }

  /** One slice of the loop, and every promise that can go on. */
  async step(): Promise<void> {
    this.#options.exchange?.moveAll()
    if (this.#options.realTime !== true) this.loop.step()
    await new Promise(setImmediate)
  }

  async stepUntil(done: () => boolean, stepsMax = 20_000): Promise<void> {
    const end = this.#steps + stepsMax
    while (!done()) {
      if (this.errors.length > 0) throw this.errors[0]
      if (this.#steps++ > end) throw new Error(`still waiting: ${this.describe()}`)
      await this.step()
    }
    if (this.errors.length > 0) throw this.errors[0]
  }

  describe(): string {
    return this.tasks.map(task => `${task.subtask.id} ${task.state}`).join(', ')
  }

  #sources(): RunnerTask[] {
    return this.tasks.filter(task => task.subtask.inputs.length === 0)
  }

  #listen(index: number): TaskListener {
    const change = (to: RunnerTask['state']): void => {
      ;(this.tasks[index] as RunnerTask).state = to
    }
    return {
      running: () => change('running'),
      snapshotTaken: snapshot => {
        const { checkpointId } = snapshot
        const taken = this.#snapshots.get(checkpointId) ?? new Map<string, TaskSnapshot>()
        const { id } = (this.tasks[index] as RunnerTask).subtask
        if (taken.has(id)) throw new Error(`checkpoint ${checkpointId} taken twice by ${id}`)
        taken.set(id, snapshot)
        this.#snapshots.set(checkpointId, taken)
      },
      declined: checkpointId => void this.declined.push(checkpointId),
      requestSplit: operatorId => {
        const { subtask } = this.tasks[index] as RunnerTask
        this.#enumerators.get(operatorId)?.handleSplitRequest(subtask.index)
      },
      drained: () => change('drained'),
      finished: () => change('finished'),
      failed: error => {
        change('failed')
        this.errors.push(error)
      },
    }
  }

  #startSource({ subtask, control }: RunnerTask): void {
    const [head] = subtask.vertex.chain
    if (head === undefined || head.spec.kind !== 'source') return
    const { operatorId } = head
    const restored = this.#options.restore
    let enumerator = this.#enumerators.get(operatorId)
    if (enumerator === undefined) {
      enumerator = head.spec.source.createEnumerator(
        {
          parallelism: subtask.vertex.parallelism,
          clock: this.#time,
          assignSplit: (split, to) =>
            this.#sourceTask(operatorId, to).addSplits(operatorId, [split]),
          signalNoMoreSplits: to => this.#sourceTask(operatorId, to).noMoreSplits(operatorId),
          fail: error => void this.errors.push(error),
        },
        restored?.enumerators.get(operatorId),
      )
      this.#enumerators.set(operatorId, enumerator)
      void enumerator.start()
    }
    const splits = restored?.snapshots.get(subtask.id)?.operators[0]?.splits ?? []
    if (splits.length > 0) control.addSplits(operatorId, splits)
    enumerator.addReader(subtask.index)
  }

  #sourceTask(operatorId: string, index: number): TaskControl {
    const task = this.#sources().find(
      one => one.subtask.vertex.chain[0]?.operatorId === operatorId && one.subtask.index === index,
    )
    if (task === undefined) throw new Error(`no source ${operatorId}/${index}`)
    return task.control
  }

  #restoreOf(subtask: Subtask): TaskRestore | undefined {
    const { restore } = this.#options
    const snapshot = restore?.snapshots.get(subtask.id)
    if (restore === undefined || snapshot === undefined) return undefined
    const operators = new Map<string, OperatorRestore>()
    for (const part of snapshot.operators) {
      const { keyed } = part
      const all = keyed === undefined ? Buffer.alloc(0) : Buffer.concat(keyed.chunks)
      operators.set(part.operatorId, {
        keyed:
          keyed === undefined
            ? []
            : [
                {
                  states: keyed.states,
                  groups: keyed.groups.map(({ keyGroup, offset, length }) => ({
                    keyGroup,
                    bytes: all.subarray(offset, offset + length),
                  })),
                },
              ],
        operatorState: part.operatorState,
        writerState: part.writerState ?? [],
        committables: part.committables ?? [],
      })
    }
    return { checkpointId: restore.checkpointId, operators, channels: this.#channelsOf(subtask) }
  }

  /** At the same parallelism every channel goes back to its receiver. */
  #channelsOf({ vertex, index }: Subtask): readonly ChannelRestore[] {
    const all = [...(this.#options.restore?.snapshots.values() ?? [])].flatMap(one => one.channels)
    const own = all.filter(({ edgeId, to }) => {
      return to === index && vertex.inputs.some(edge => edge.id === edgeId)
    })
    return own.flatMap(input => {
      const { edgeId, from, to, mark } = input
      if (input.direction === 'output' || mark === undefined) return []
      const output = own.find(other => {
        return other.direction === 'output' && other.edgeId === edgeId && other.from === from
      })
      const sections = [input, output].map(side => Buffer.concat(side?.chunks ?? []))
      return [{ edgeId, from, to, mark, sections, filtered: false }]
    })
  }
}
