/**
 * Makes a task and hands its control to the executor: everything a slot needs to run one subtask.
 *
 * Owns        putting the parts together, the task's end (finished, failed, cancelled), and the
 *             commits that run beside the loop.
 * Leaves out  the loop itself (`stream-task.ts`).
 *
 * Invariants
 *  F1  Orders that come while the operators open wait until the task runs.
 *  F2  The operators are closed once, on every path; after `cancel` nothing is reported.
 *  F3  A task finishes only after the commits it was told of.
 */
import type { CheckpointPlan } from '../api/sink.ts'
import type { SourceSplit } from '../api/source.ts'
import { assert, assertDefined } from '../common/assert.ts'
import type { Clock } from '../common/clock.ts'
import type { Logger } from '../common/logger.ts'
import type { Random } from '../common/random.ts'
import type { Subtask } from '../graph/execution-plan.ts'
import { makeBarrierHandler } from './checkpointing/barrier-handler.ts'
import { InFlightRecorder, type RecordedInputs } from './checkpointing/in-flight-recorder.ts'
import type { Exchange } from './network/channel.ts'
import { ItemEncoders } from './network/channel-state.ts'
import { InputGate } from './network/input-gate.ts'
import { OutputRoom } from './network/output-room.ts'
import { ResultPartition } from './network/result-partition.ts'
import type { StreamEvent } from './network/stream-item.ts'
import { wireOf } from './network/wire-of.ts'
import { type Blockables, OperatorChain } from './operator-chain.ts'
import type { StateBackends, TaskScope } from './operator-context.ts'
import type { SourceHooks } from './operators/source-operator.ts'
import { RecordOrigin } from './record-origin.ts'
import { makeRestoredInputs, type RestoredInputs } from './restored-inputs.ts'
import { taskError } from './runtime-errors.ts'
import type { LoopHandle, SlotLoop } from './slot-loop.ts'
import { StreamTask } from './stream-task.ts'
import type {
  CheckpointBarrier,
  CommitSettlement,
  TaskControl,
  TaskListener,
  TaskMetrics,
  TaskRestore,
} from './task-contract.ts'
import { TaskCounters } from './task-counters.ts'
import { TaskServices } from './task-services.ts'
import { TaskSnapshots } from './task-snapshots.ts'
import { wrapUserError } from './user-function-errors.ts'
import type { AlignmentGroups } from './watermark-alignment.ts'
import { type ValveOutput, WatermarkValve } from './watermark-valve.ts'

export interface TaskOptions {
  readonly subtask: Subtask
  /** The place of the subtask's vertex in the graph: tasks further downstream run first. */
  readonly rank: number
  readonly jobId: string
  /** 0 for the first run, then higher for each restart. */
  readonly attempt: number
  readonly listener: TaskListener
  readonly loop: SlotLoop
  /** Joins the subtasks of one attempt: a new one for each. */
  readonly exchange: Exchange
  /** Shared by the sources of one job that wait for each other. */
  readonly alignment: AlignmentGroups
  readonly state: StateBackends
  readonly restore: TaskRestore | undefined
  /**
   * False: nobody stores snapshots. They then leave keyed state out, and only let sinks commit.
   */
  readonly keepsState: boolean
  readonly checkpointMode: 'exactly-once' | 'at-least-once'
  /** When barriers come, for sinks that hold something open between them. */
  readonly checkpoints?: CheckpointPlan
  /** See `SinkContext`. */
  readonly isSuperseded?: (() => Promise<boolean>) | undefined
  /** How often watermark generators are asked and idleness is probed. */
  readonly watermarkIntervalMs: number
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Adds to a user metric of an operator. */
  count(operator: string, metric: string, by: number): void
}

/** The input side of a task. */
interface TaskInputs extends RecordedInputs {
  readonly gate: InputGate
  readonly valve: WatermarkValve
  readonly channelCount: number
  readonly restored: RestoredInputs | undefined
}

/** Flink's default. */
export const WATERMARK_INTERVAL_MS = 200

/** Makes the task and begins to open its operators; `listener.running` tells when it runs. */
export function makeTask(options: TaskOptions): TaskControl {
  const task = new Task(options)
  task.start()
  return task
}

class Task implements TaskControl {
  readonly #options: TaskOptions
  readonly #services: TaskServices
  readonly #room: OutputRoom
  readonly #origin = new RecordOrigin(() => this.#chain?.source?.coordinates())
  readonly #counters: TaskCounters
  readonly #partitions: readonly ResultPartition[]
  /** Commits on their way (F3). */
  readonly #commits = new Set<Promise<void>>()
  #handle: LoopHandle | undefined
  #chain: OperatorChain | undefined
  #stream: StreamTask | undefined
  #snapshots: TaskSnapshots | undefined
  #opening: Promise<void> = Promise.resolve()
  /** Resolves to what went wrong; never rejects. */
  #closing: Promise<unknown> | undefined

  constructor(options: TaskOptions) {
    const { subtask, clock, listener } = options
    const wake = (): void => this.#handle?.wake()
    this.#options = options
    this.#services = new TaskServices({
      name: `${subtask.vertex.name} (${subtask.index + 1}/${subtask.vertex.parallelism})`,
      clock,
      listener,
      wake,
      fail: error => this.#fail(error),
    })
    this.#room = new OutputRoom(wake)
    this.#counters = new TaskCounters({
      vertexId: subtask.vertex.id,
      subtaskIndex: subtask.index,
      clock,
    })
    this.#partitions = subtask.outputs.map(output => this.#makePartition(output))
  }

  get metrics(): TaskMetrics {
    return this.#counters
  }

  start(): void {
    // A task says nothing before its maker holds it: an answer would find nobody.
    this.#opening = Promise.resolve()
      .then(() => this.#open())
      .catch((error: unknown) => this.#fail(error))
  }

  triggerCheckpoint(barrier: CheckpointBarrier): void {
    this.#order(() => {
      const startDelayMs = Math.max(0, this.#services.now - barrier.timestamp)
      this.#snapshots?.begin({ barrier, record: undefined, alignmentMs: 0, startDelayMs })
    })
  }

  notifyCheckpointComplete(checkpointId: number): void {
    this.#order(() => {
      const commit = this.#chain?.notifyCheckpointComplete(checkpointId)
      if (commit !== undefined) this.#track(commit)
    })
  }

  notifyCheckpointAborted(checkpointId: number): void {
    this.#order(() => this.#stream?.abortCheckpoint(checkpointId))
  }

  addSplits(operatorId: string, splits: readonly SourceSplit[]): void {
    this.#order(() => this.#sourceOf(operatorId).addSplits(splits))
  }

  noMoreSplits(operatorId: string): void {
    this.#order(() => this.#sourceOf(operatorId).noMoreSplits())
  }

  stopSources(drain: boolean): void {
    this.#order(() => this.#stream?.endSource(drain))
  }

  finishTask(): void {
    this.#order(() => {
      this.#finish().catch((error: unknown) => this.#fail(error))
    })
  }

  async cancel(settlement?: CommitSettlement): Promise<void> {
    this.#closing ??= this.#close(settlement)
    this.#warn(await this.#closing)
  }

  #order(action: () => void): void {
    this.#services.orders.submit(action)
  }

  async #open(): Promise<void> {
    const { subtask, restore, loop, rank } = this.#options
    const chain = await OperatorChain.open({
      vertex: subtask.vertex,
      scope: this.#makeScope(),
      partitions: this.#partitions,
      restore,
      sourceHooks: (operatorId, blockables) => this.#makeSourceHooks(operatorId, blockables),
    })
    this.#chain = chain
    // Cancelled meanwhile: `#close` waits for this and closes the chain.
    if (this.#closing !== undefined) return
    this.#counters.operators = chain.links.map(({ node, home }) => ({
      operatorId: node.operatorId,
      name: node.name,
      kind: node.spec.kind,
      metrics: home.context.metrics,
    }))
    const inputs = this.#makeInputs(chain)
    this.#counters.readLag = () => chain.source?.lag()
    this.#snapshots = this.#makeSnapshots(chain, inputs)
    this.#stream = this.#makeStream(chain, this.#snapshots, inputs)
    this.#handle = loop.add(this.#stream, rank)
    this.#stream.start(this.#handle)
  }

  #makeStream(
    chain: OperatorChain,
    snapshots: TaskSnapshots,
    inputs: TaskInputs | undefined,
  ): StreamTask {
    const { checkpointMode: mode } = this.#options
    return new StreamTask({
      chain,
      gate: inputs?.gate,
      valve: inputs?.valve,
      restored: inputs?.restored,
      barriers: inputs && makeBarrierHandler({ mode, ...inputs }),
      partitions: this.#partitions,
      room: this.#room,
      snapshots,
      counters: this.#counters,
      services: this.#services,
    })
  }

  #makeSnapshots(chain: OperatorChain, inputs: TaskInputs | undefined): TaskSnapshots {
    const { subtask, clock, listener, restore, keepsState } = this.#options
    const { vertex, index: subtaskIndex, outputs } = subtask
    const encoders = new ItemEncoders()
    const recorder = new InFlightRecorder({
      subtaskIndex,
      encode: keepsState ? (edge, items) => encoders.encode(edge, items) : undefined,
      inputs,
      outputs: outputs.map(({ edge, to }, index) => {
        const partition = this.#partitions[index]
        return { partition: assertDefined(partition, 'an output has a partition'), edge, to }
      }),
    })
    return new TaskSnapshots(
      {
        vertexId: vertex.id,
        subtaskIndex,
        chain,
        recorder,
        clock,
        keepsState,
        broadcast: event => this.#broadcast(event),
        taken: snapshot => listener.snapshotTaken(snapshot),
        resumed: () => this.#handle?.wake(),
        failed: error => this.#fail(error),
      },
      restore?.checkpointId ?? 0,
    )
  }

  /** `undefined` for a task that begins with a source. */
  #makeInputs(chain: OperatorChain): TaskInputs | undefined {
    const { subtask, exchange, restore, random } = this.#options
    const { vertex, index, inputs } = subtask
    const senders = inputs.flatMap(({ edge, from }) => from.map(sender => ({ edge, from: sender })))
    if (senders.length === 0) return undefined
    const gate = new InputGate(
      senders.map(({ edge, from }) => ({
        channel: exchange.input(edge, from, index),
        input: edge.input,
      })),
    )
    const output: ValveOutput = {
      emitWatermark: watermark => chain.processWatermark(watermark),
      emitStatus: status => chain.processStatus(status),
    }
    const context = { name: vertex.name, coordinates: () => this.#origin.coordinates() }
    const fail = (error: unknown): never => {
      throw wrapUserError(context, error)
    }
    const channels = restore?.channels ?? []
    return {
      gate,
      valve: new WatermarkValve(gate.channelCount, output),
      senders,
      channelCount: gate.channelCount,
      restored: makeRestoredInputs({ subtask, channels, output, random, fail }),
    }
  }

  #makePartition({ edge, to }: Subtask['outputs'][number]): ResultPartition {
    const { subtask, exchange, random } = this.#options
    const { vertex, index } = subtask
    const from = vertex.chain.find(node => node.operatorId === edge.from.operatorId)
    const origin = this.#origin
    const context = { name: from?.name ?? vertex.name, coordinates: () => origin.coordinates() }
    return new ResultPartition({
      partitioner: wireOf(edge).partitioner,
      channels: to.map(receiver => exchange.output(edge, index, receiver)),
      room: this.#room,
      subtaskIndex: index,
      maxParallelism: vertex.maxParallelism,
      random,
      forcedAligned: edge.forcedAlignment !== undefined,
      fail: error => {
        throw wrapUserError(context, error)
      },
      badKeysTo: edge.passesBadKeys === true ? 0 : undefined,
      origin: edge.isLocated === true ? origin : undefined,
    })
  }

  #makeScope(): TaskScope {
    const { subtask, jobId, attempt, restore, clock, state } = this.#options
    const { checkpoints, isSuperseded } = this.#options
    const { vertex, index } = subtask
    return {
      jobId,
      attempt,
      subtaskIndex: index,
      parallelism: vertex.parallelism,
      maxParallelism: vertex.maxParallelism,
      keyGroups: subtask.keyGroups,
      restoredCheckpointId: restore?.checkpointId,
      checkpoints,
      isSuperseded,
      clock,
      mailbox: this.#services.mailbox,
      state,
      processingTime: () => this.#services.now,
      outputFull: () => this.#isFull(),
      origin: this.#origin,
      count: (operator, metric, by) => this.#options.count(operator, metric, by),
    }
  }

  #makeSourceHooks(operatorId: string, blockables: Blockables): SourceHooks {
    const { subtask, watermarkIntervalMs } = this.#options
    return {
      requestSplit: () => this.#services.listener.requestSplit(operatorId),
      wakeUp: () => this.#handle?.wake(),
      alignment: this.#options.alignment,
      brakes: { room: this.#room, blockables },
      watermarkIntervalMs,
      outputChannels: Math.max(0, ...subtask.outputs.map(output => output.to.length)),
      heldBackMs: () => this.#counters.backpressuredMs,
    }
  }

  #isFull(): boolean {
    return this.#room.fullChannels > 0 || (this.#chain?.blocked ?? false)
  }

  #sourceOf(operatorId: string): NonNullable<OperatorChain['source']> {
    const source = this.#chain?.source
    const id = this.#chain?.links[0]?.node.operatorId
    assert(
      source !== undefined && id === operatorId,
      `operator ${operatorId} is this task's source`,
    )
    return source
  }

  #broadcast(event: StreamEvent): void {
    for (const partition of this.#partitions) partition.broadcast(event)
  }

  #track(commit: Promise<unknown>): void {
    const tracked = commit
      .then(() => {})
      .catch((error: unknown) => this.#fail(error))
      .finally(() => this.#commits.delete(tracked))
    this.#commits.add(tracked)
  }

  async #finish(): Promise<void> {
    assert(this.#stream?.isDrained === true, 'F3: a task finishes after it drained')
    await Promise.all(this.#commits)
    if (this.#closing !== undefined) return
    await this.#chain?.commitRest()
    if (this.#closing !== undefined) return
    this.#closing = this.#close()
    const error = await this.#closing
    if (error !== undefined) {
      this.#report(error)
      return
    }
    this.#broadcast({ kind: 'end-of-partition' })
    this.#services.listener.finished()
  }

  #fail(error: unknown): void {
    // After `cancel`, or a second error: nobody asks any more (F2).
    if (this.#closing !== undefined) return
    this.#closing = this.#close()
    void this.#closing.then(closing => this.#warn(closing))
    this.#report(error)
  }

  #report(error: unknown): void {
    this.#services.listener.failed(taskError(this.#services.name, error))
  }

  #warn(error: unknown): void {
    if (error === undefined) return
    const { logger } = this.#options
    logger.warn({ task: this.#services.name, err: error }, 'a task did not close cleanly')
  }

  /** Closes everything, whatever fails; resolves to the first error. */
  async #close(settlement?: CommitSettlement): Promise<unknown> {
    this.#stream?.close()
    await this.#opening
    try {
      await this.#chain?.close(settlement)
      return undefined
    } catch (error) {
      return error
    }
  }
}
