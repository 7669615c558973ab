/**
 * One simulated subtask around the real barrier handler, gate and recorder: it takes records one by
 * one, performs the handler's decisions, and snapshots in the order of the real tasks.
 */
import type { SourceSplit } from '../../api/source.ts'
import { assertNever } from '../../common/assert.ts'
import type { TimerHandle } from '../../common/clock.ts'
import { MIN_TIMESTAMP } from '../../common/timestamps.ts'
import type { Subtask } from '../../graph/execution-plan.ts'
import {
  type BarrierDecision,
  type BarrierHandler,
  momentOf,
  type SnapshotDecision,
} from '../../runtime/checkpointing/barrier-decision.ts'
import { makeBarrierHandler } from '../../runtime/checkpointing/barrier-handler.ts'
import { InFlightRecorder } from '../../runtime/checkpointing/in-flight-recorder.ts'
import { InputGate } from '../../runtime/network/input-gate.ts'
import type { RecordBatch, StreamEvent } from '../../runtime/network/stream-item.ts'
import type {
  ChannelRestore,
  CheckpointBarrier,
  TaskControl,
  TaskListener,
  TaskMetrics,
} from '../../runtime/task-contract.ts'
import type { Patience } from './patience.ts'
import type { Protection } from './protections.ts'
import { encodeRecords, RestoredRecords } from './restored-records.ts'
import { SLOW_UNTIL_MS } from './scenario.ts'
import type { Scheduler, SimProcess } from './scheduler.ts'
import type { SimClock } from './sim-clock.ts'
import type { SimRecord } from './sim-exchange.ts'
import type { SimPartition } from './sim-partition.ts'
import type { SimInput } from './sim-pipe.ts'
import { emptyPart, type TaskLogic } from './task-logic.ts'

export interface SimTaskParts {
  readonly subtask: Subtask
  readonly scheduler: Scheduler
  readonly process: SimProcess
  readonly clock: SimClock
  readonly mode: 'exactly-once' | 'at-least-once'
  readonly off: ReadonlySet<Protection>
  readonly listener: TaskListener
  readonly inputs: readonly SimInput[]
  /** `undefined` for a sink. */
  readonly output: SimPartition | undefined
  readonly patience: Patience
  /** The longest time that a record takes. */
  readonly takeMs: number
  readonly restoredCheckpointId: number
  readonly restoredChannels: readonly ChannelRestore[]
}

const SNAPSHOT_MS = 4

export class SimTask implements TaskControl {
  readonly metrics: TaskMetrics
  readonly #parts: SimTaskParts
  readonly #barriers: BarrierHandler | undefined
  readonly #gate: InputGate | undefined
  readonly #recorder: InFlightRecorder
  readonly #restored: RestoredRecords
  readonly #aborted = new Set<number>()
  /** Snapshots whose upload has ended, by what is then reported. */
  readonly #uploaded = new Map<number, () => void>()
  #logic: TaskLogic | undefined
  #timer: TimerHandle | undefined
  #newestId: number
  #ended = 0
  #drained = false
  #running = false
  #taking = false
  #woken = false
  #closed = false

  constructor(parts: SimTaskParts) {
    const { mode, inputs, subtask, off } = parts
    this.#parts = parts
    this.#newestId = parts.restoredCheckpointId
    this.metrics = idleMetrics(subtask)
    this.#recorder = makeRecorder(parts, () => this.#gate)
    this.#restored = new RestoredRecords({
      channels: parts.restoredChannels,
      index: subtask.index,
      parallelism: subtask.vertex.parallelism,
      off,
    })
    parts.output?.listen(() => this.#wake())
    if (inputs.length === 0) return
    this.#gate = new InputGate(inputs.map(channel => ({ channel, input: 0 })))
    this.#barriers = makeBarrierHandler({ mode, channelCount: inputs.length })
  }

  get isClosed(): boolean {
    return this.#closed
  }

  get isOver(): boolean {
    return this.#closed || this.#drained
  }

  async open(logic: TaskLogic): Promise<void> {
    this.#logic = logic
    const { listener } = this.#parts
    try {
      await logic.open()
    } catch (error) {
      if (!this.#closed) listener.failed(error)
      return
    }
    if (this.#closed) return
    const wake = (): void => this.#wake()
    this.#gate?.listen({ whenData: wake, whenPriority: wake })
    this.#go()
  }

  emit(record: SimRecord): void {
    this.#parts.output?.emit(record)
  }

  mayEmit(): boolean {
    return this.#parts.output?.isFull !== true
  }

  flush(): void {
    this.#parts.output?.flush()
  }

  end(): void {
    this.#drained = true
    this.#broadcast({ kind: 'end-of-data', drain: true })
    this.#parts.listener.drained()
  }

  triggerCheckpoint(barrier: CheckpointBarrier): void {
    if (!this.#running) return
    this.#snapshot({ barrier, record: undefined, alignmentMs: 0, startDelayMs: 0 })
  }

  notifyCheckpointComplete(checkpointId: number): void {
    if (this.#running) this.#logic?.complete(checkpointId)
  }

  notifyCheckpointAborted(checkpointId: number): void {
    this.#aborted.add(checkpointId)
    this.#perform(this.#barriers?.onAborted(checkpointId))
    this.#recorder.abandon(checkpointId)
  }

  addSplits(_operatorId: string, splits: readonly SourceSplit[]): void {
    this.#logic?.addSplits(splits)
  }

  noMoreSplits(): void {
    this.#logic?.noMoreSplits()
  }

  stopSources(): void {
    if (!this.isOver) this.end()
  }

  finishTask(): void {
    const { listener } = this.#parts
    const done = (): void => {
      if (this.#closed) return
      this.#closed = true
      this.#broadcast({ kind: 'end-of-partition' })
      listener.finished()
    }
    this.#logic?.finish().then(done, error => listener.failed(error))
  }

  async cancel(): Promise<void> {
    this.#closed = true
    this.#timer?.cancel()
  }

  #run(): void {
    if (this.#running) return
    this.#running = true
    this.#parts.listener.running()
    this.#logic?.start()
  }

  #broadcast(event: StreamEvent): void {
    this.#parts.output?.broadcast(event)
  }

  /** Something came, or there is room again: never within a step of the task itself. */
  #wake(): void {
    const { scheduler, process } = this.#parts
    if (this.#woken) return
    this.#woken = true
    scheduler.after(0, process, () => {
      this.#woken = false
      this.#go()
    })
  }

  #go(): void {
    if (this.#closed || this.#logic === undefined) return
    this.#recorder.step(this.#parts.clock.monotonic())
    this.#report()
    this.#heedBarriers()
    while (!this.#taking && !this.#closed && this.mayEmit() && this.#takeNext())
      this.#heedBarriers()
  }

  #heedBarriers(): void {
    const { clock, patience } = this.#parts
    const [gate, barriers] = [this.#gate, this.#barriers]
    if (gate === undefined || barriers === undefined || !this.#running) return
    while (gate.hasPriority) {
      const priority = gate.pollPriority()
      if (priority === undefined) return
      const barrier = patience.seen(priority.barrier, clock.now())
      this.#perform(
        priority.announced
          ? barriers.onAnnounced(barrier, momentOf(clock))
          : barriers.onBarrierAhead(barrier, priority.channel, momentOf(clock)),
      )
    }
  }

  /** Takes one record, or an event; false when there is nothing. */
  #takeNext(): boolean {
    const { scheduler, off } = this.#parts
    if (off.has('restored-before-new') && scheduler.chance(0.3) && this.#takeNew()) return true
    const restored = this.#restored.take(count => scheduler.random.int(count))
    if (restored !== undefined) {
      this.#takeRecord(restored)
      return true
    }
    this.#run()
    return this.#takeNew()
  }

  #takeNew(): boolean {
    const gate = this.#gate
    if (gate === undefined) return false
    if (gate.batch === undefined) {
      const item = gate.poll()
      if (item === undefined) return false
      if (item.kind !== 'records') {
        this.#takeEvent(item, gate.polledChannel)
        return true
      }
      gate.batch = item
      gate.batchAt = 0
    }
    this.#takeFrom(gate, gate.batch)
    return true
  }

  #takeFrom(gate: InputGate, batch: RecordBatch): void {
    const record = batch.items[gate.batchAt] as SimRecord
    gate.batchAt += 2
    if (gate.batchAt === batch.size * 2) gate.batch = undefined
    this.#takeRecord(record)
  }

  #takeRecord(record: SimRecord): void {
    const { scheduler, process, takeMs } = this.#parts
    this.#logic?.record(record)
    this.flush()
    if (takeMs === 0 || scheduler.nowMs > SLOW_UNTIL_MS) return
    this.#taking = true
    scheduler.after(scheduler.between(0, takeMs), process, () => {
      this.#taking = false
      this.#go()
    })
  }

  #takeEvent(event: StreamEvent, channel: number): void {
    const { clock, inputs, patience } = this.#parts
    const barriers = this.#barriers
    switch (event.kind) {
      case 'barrier':
        this.#perform(
          barriers?.onBarrier(patience.seen(event.barrier, clock.now()), channel, momentOf(clock)),
        )
        break
      case 'cancel-barrier':
        this.#perform(barriers?.onCancel(event.checkpointId))
        break
      case 'end-of-data':
        this.#ended++
        if (this.#ended === inputs.length && !this.#drained) this.end()
        break
      case 'end-of-partition':
        this.#perform(barriers?.onEndOfPartition(channel, momentOf(clock)))
        break
      case 'watermark':
      case 'status':
        break
      default:
        assertNever(event)
    }
  }

  #perform(decisions: readonly BarrierDecision[] = []): void {
    for (const decision of decisions) this.#performOne(decision)
  }

  #performOne(decision: BarrierDecision): void {
    const { off, listener, patience } = this.#parts
    switch (decision.kind) {
      case 'block':
        if (!off.has('alignment')) this.#gate?.block(decision.channel)
        break
      case 'unblock-all':
        if (!off.has('unblocking')) this.#gate?.unblockAll()
        break
      case 'set-timer':
        this.#setTimer(decision.at)
        break
      case 'snapshot':
        patience.check(decision)
        this.#snapshot(decision)
        break
      case 'finish-recording':
        this.#recorder.finishInput(decision.checkpointId, decision.channel)
        break
      case 'recorded':
        this.#report()
        break
      case 'abort':
        this.#recorder.abandon(decision.checkpointId)
        listener.declined(decision.checkpointId, decision.reason)
        break
      case 'forward-cancel':
        this.#broadcast({ kind: 'cancel-barrier', checkpointId: decision.checkpointId })
        break
      default:
        assertNever(decision)
    }
  }

  #setTimer(at: number): void {
    const { clock } = this.#parts
    this.#timer?.cancel()
    this.#timer = clock.schedule(Math.max(0, at - clock.monotonic()), () => {
      if (this.#closed) return
      this.#perform(this.#barriers?.onTimer(momentOf(clock)))
      this.#go()
    })
  }

  #snapshot(cut: Omit<SnapshotDecision, 'kind'>): void {
    const { clock, scheduler, process, off, subtask } = this.#parts
    const { barrier, record, alignmentMs, startDelayMs } = cut
    const { checkpointId } = barrier
    const logic = this.#logic
    if (checkpointId <= this.#newestId || logic === undefined) return
    this.#newestId = checkpointId
    if (this.#aborted.has(checkpointId)) {
      this.#broadcast({ kind: 'cancel-barrier', checkpointId })
      return
    }
    this.#recorder.beginInputs(barrier, record)
    logic.prepare(checkpointId)
    this.#recorder.sendBarrier(checkpointId, momentOf(clock))
    this.#hastenLater()
    const name = `${subtask.vertex.chain[0]?.uid}/${subtask.index}`
    scheduler.note(
      process,
      `cuts ${name} at ${checkpointId}${record === undefined ? '' : ' unaligned'}`,
    )
    const take = () => ({
      part: logic.cut(),
      recordsPerSplit: logic.recordsPerSplit(),
      recordsWritten: logic.recordsWritten?.(),
    })
    const taken = off.has('instant-cut') ? undefined : take()
    scheduler.after(scheduler.between(0.1, SNAPSHOT_MS), process, () => {
      if (this.#closed || this.#aborted.has(checkpointId)) return
      const { part, recordsPerSplit, recordsWritten } = taken ?? take()
      const times = { alignmentMs, startDelayMs, syncMs: 0, asyncMs: 0 }
      const headId = subtask.vertex.chain[0]?.operatorId ?? ''
      const recordsPerSink = recordsWritten === undefined ? {} : { [headId]: recordsWritten }
      this.#uploaded.set(checkpointId, () => {
        const proof = { recordsPerSplit, recordsPerSink }
        const metrics = { ...times, ...proof, unaligned: false, inFlightBytes: 0 }
        while (this.#recorder.encodeNext(checkpointId));
        const { channels } = this.#recorder.take(checkpointId)
        const operators = subtask.vertex.chain.map(({ operatorId }, index) => {
          return { operatorId, ...(index === 0 ? part : emptyPart) }
        })
        const { kind } = barrier
        const place = {
          checkpointId,
          kind,
          vertexId: subtask.vertex.id,
          subtaskIndex: subtask.index,
        }
        this.#parts.listener.snapshotTaken({ ...place, operators, channels, metrics })
      })
      this.#report()
    })
  }

  /** A barrier that waits in the outputs may have to overtake. */
  #hastenLater(): void {
    const { clock } = this.#parts
    const at = this.#recorder.nextTimer
    if (at !== Number.POSITIVE_INFINITY) clock.schedule(at - clock.monotonic(), () => this.#go())
  }

  /** Reports snapshots that are uploaded and whose recordings are whole. */
  #report(): void {
    for (const [checkpointId, report] of this.#uploaded) {
      if (this.#aborted.has(checkpointId)) this.#uploaded.delete(checkpointId)
      else if (this.#recorder.isWhole(checkpointId)) {
        this.#uploaded.delete(checkpointId)
        report()
      }
    }
  }
}

function makeRecorder(parts: SimTaskParts, gate: () => InputGate | undefined): InFlightRecorder {
  const { subtask, output } = parts
  const [input] = subtask.inputs
  const marks = (input?.from ?? []).map(() => {
    return { watermark: MIN_TIMESTAMP, status: 'active' as const }
  })
  return new InFlightRecorder({
    subtaskIndex: subtask.index,
    encode: (_edge, items) => encodeRecords(items),
    inputs: input && {
      gate: {
        beginRecording: (channel, id) => gate()?.beginRecording(channel, id) ?? [],
        endRecording: (channel, id) => gate()?.endRecording(channel, id) ?? [],
      },
      valve: { marks: () => marks },
      senders: input.from.map(from => ({ edge: input.edge, from })),
    },
    outputs: subtask.outputs.flatMap(({ edge, to }) => {
      return output === undefined ? [] : [{ partition: output, edge, to }]
    }),
  })
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
