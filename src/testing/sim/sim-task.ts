/**
 * One simulated subtask around the real barrier handler: it takes items from its channels, performs
 * the handler's decisions, and snapshots in the order of the real tasks.
 */
import type { SourceSplit } from '../../api/source.ts'
import { assertNever } from '../../common/assert.ts'
import type { Subtask } from '../../graph/execution-plan.ts'
import type {
  BarrierDecision,
  BarrierHandler,
} from '../../runtime/checkpointing/barrier-decision.ts'
import { makeBarrierHandler } from '../../runtime/checkpointing/barrier-handler.ts'
import type {
  CheckpointBarrier,
  TaskControl,
  TaskListener,
  TaskMetrics,
} from '../../runtime/task-contract.ts'
import type { Protection } from './protections.ts'
import type { Scheduler, SimProcess } from './scheduler.ts'
import type { SimChannel } from './sim-channel.ts'
import type { SimClock } from './sim-clock.ts'
import type { SimInput, SimItem } from './sim-exchange.ts'
import { emptyPart, ownerOf, type TaskLogic } from './task-logic.ts'

export interface SimTaskParts {
  readonly subtask: Subtask
  readonly scheduler: Scheduler
  readonly process: SimProcess
  readonly clock: SimClock
  readonly mode: 'exactly-once' | 'at-least-once'
  readonly off: ReadonlySet<Protection>
  readonly listener: TaskListener
  readonly inputs: readonly SimInput[]
  /** By subtask behind; empty for a sink. */
  readonly outputs: readonly SimChannel<SimItem>[]
  readonly restoredCheckpointId: number
}

const SNAPSHOT_MS = 4

export class SimTask implements TaskControl {
  readonly metrics: TaskMetrics
  readonly #parts: SimTaskParts
  readonly #barriers: BarrierHandler | undefined
  readonly #aborted = new Set<number>()
  #logic: TaskLogic | undefined
  #newestId: number
  #ended = 0
  #drained = false
  #running = false
  #closed = false

  constructor(parts: SimTaskParts) {
    this.#parts = parts
    this.#newestId = parts.restoredCheckpointId
    const { mode, inputs, subtask } = parts
    this.#barriers =
      inputs.length === 0 ? undefined : makeBarrierHandler({ mode, channelCount: inputs.length })
    this.metrics = idleMetrics(subtask)
  }

  get isClosed(): boolean {
    return this.#closed
  }

  async open(logic: TaskLogic): Promise<void> {
    this.#logic = logic
    const { listener, inputs } = this.#parts
    try {
      await logic.open()
    } catch (error) {
      if (!this.#closed) listener.failed(error)
      return
    }
    if (this.#closed) return
    this.#running = true
    listener.running()
    for (const input of inputs) input.wake = () => this.#pump()
    logic.start()
    this.#pump()
  }

  emit(item: SimItem, account: number): void {
    const { outputs, off } = this.#parts
    outputs[ownerOf(account, outputs.length, off)]?.send(item)
  }

  end(): void {
    this.#drained = true
    this.#broadcast({ kind: 'end' })
    this.#parts.listener.drained()
  }

  triggerCheckpoint(barrier: CheckpointBarrier): void {
    if (this.#running)
      this.#snapshot({ barrier, record: undefined, alignmentMs: 0, startDelayMs: 0 })
  }

  notifyCheckpointComplete(checkpointId: number): void {
    if (this.#running) this.#logic?.complete(checkpointId)
  }

  notifyCheckpointAborted(checkpointId: number): void {
    this.#aborted.add(checkpointId)
  }

  addSplits(_operatorId: string, splits: readonly SourceSplit[]): void {
    this.#logic?.addSplits(splits)
  }

  noMoreSplits(): void {
    this.#logic?.noMoreSplits()
  }

  stopSources(): void {}

  finishTask(): void {
    const { listener } = this.#parts
    const done = (): void => {
      if (this.#closed) return
      this.#closed = true
      this.#broadcast({ kind: 'closed' })
      listener.finished()
    }
    this.#logic?.finish().then(done, error => listener.failed(error))
  }

  async cancel(): Promise<void> {
    this.#closed = true
    for (const input of this.#parts.inputs) input.wake = undefined
  }

  #broadcast(item: SimItem): void {
    for (const output of this.#parts.outputs) output.send(item)
  }

  #pump(): void {
    const { inputs } = this.#parts
    for (let channel = 0; channel < inputs.length && !this.#closed; channel++) {
      const input = inputs[channel] as SimInput
      const item = input.blocked ? undefined : input.inbox.shift()
      if (item === undefined) continue
      this.#take(item, channel)
      // It may have opened a channel before this one.
      channel = -1
    }
  }

  #take(item: SimItem, channel: number): void {
    const { clock, inputs } = this.#parts
    switch (item.kind) {
      case 'leg':
      case 'booking':
        this.#logic?.record(item)
        break
      case 'barrier':
        this.#perform(this.#barriers?.onBarrier(item.barrier, channel, clock.now()))
        break
      case 'cancel':
        this.#perform(this.#barriers?.onCancel(item.checkpointId))
        break
      case 'end':
        this.#ended++
        if (this.#ended === inputs.length && !this.#drained) this.end()
        break
      case 'closed':
        this.#perform(this.#barriers?.onEndOfPartition(channel, clock.now()))
        break
      default:
        assertNever(item)
    }
  }

  #perform(decisions: readonly BarrierDecision[] = []): void {
    const { inputs, off, listener } = this.#parts
    for (const decision of decisions) {
      switch (decision.kind) {
        case 'block':
          if (!off.has('alignment')) (inputs[decision.channel] as SimInput).blocked = true
          break
        case 'unblock-all':
          if (off.has('unblocking')) break
          for (const input of inputs) input.blocked = false
          break
        case 'snapshot':
          this.#snapshot(decision)
          break
        case 'abort':
          listener.declined(decision.checkpointId, decision.reason)
          break
        case 'forward-cancel':
          this.#broadcast({ kind: 'cancel', checkpointId: decision.checkpointId })
          break
        default:
          break
      }
    }
  }

  #snapshot(cut: Omit<BarrierDecision & { kind: 'snapshot' }, 'kind'>): void {
    const { scheduler, process, off, subtask, listener } = this.#parts
    const { barrier, alignmentMs, startDelayMs } = cut
    const { checkpointId } = barrier
    const logic = this.#logic
    if (checkpointId <= this.#newestId || logic === undefined) return
    this.#newestId = checkpointId
    if (this.#aborted.has(checkpointId)) {
      this.#broadcast({ kind: 'cancel', checkpointId })
      return
    }
    logic.prepare(checkpointId)
    this.#broadcast({ kind: 'barrier', barrier })
    scheduler.note(
      process,
      `cuts ${subtask.vertex.chain[0]?.uid}/${subtask.index} at ${checkpointId}`,
    )
    const take = () => ({ part: logic.cut(), recordsPerSplit: logic.recordsPerSplit() })
    const taken = off.has('instant-cut') ? undefined : take()
    scheduler.after(scheduler.between(0.1, SNAPSHOT_MS), process, () => {
      if (this.#closed || this.#aborted.has(checkpointId)) return
      const { part, recordsPerSplit } = taken ?? take()
      const operators = subtask.vertex.chain.map(({ operatorId }, index) => {
        return { operatorId, ...(index === 0 ? part : emptyPart) }
      })
      const { vertex, index } = subtask
      const metrics = {
        alignmentMs,
        startDelayMs,
        unaligned: false,
        inFlightBytes: 0,
        syncMs: 0,
        asyncMs: 0,
        recordsPerSplit,
      }
      const place = { checkpointId, vertexId: vertex.id, subtaskIndex: index }
      listener.snapshotTaken({ ...place, operators, channels: [], metrics })
    })
  }
}

function idleMetrics({ vertex, index }: Subtask): TaskMetrics {
  return {
    vertexId: vertex.id,
    subtaskIndex: index,
    recordsIn: 0,
    recordsOut: 0,
    watermark: 0,
    busyMs: 0,
    idleMs: 0,
    backpressuredMs: 0,
    operators: [],
  }
}
