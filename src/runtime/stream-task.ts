/**
 * The loop: one subtask of one vertex. It takes a batch from an input channel (or polls its
 * source), pushes it record by record through the operator chain, and does everything else in
 * between: watermarks, timers, barriers, orders of the executor, actions of operators.
 *
 * Owns        the order in which these happen, the task's phase, and where its time goes.
 * Leaves out  operators (`operator-chain.ts`), what events on channels mean (`channel-events.ts`),
 *             the steps of a snapshot (`task-snapshots.ts`), whose turn it is (`slot-loop.ts`).
 *
 * Invariants
 *  T1  Everything runs between two records, on one thread. No record waits for a promise.
 *  T2  An interrupted watermark or timer burst goes on before any new input, timer or order; but a
 *      barrier that overtakes may come in between: what did not fire yet is state.
 *  T3  No input is taken while an output is full or an operator is blocked: what a task holds
 *      beyond its channels is what one record (of a source: one poll) makes.
 *  T4  While a snapshot is being cut, nothing else runs.
 *  T5  `failed` or `finished` is reported once, and nothing after it.
 *  T6  What was restored in flight is taken before anything new, and the task runs only then.
 *
 * A turn, in order: mailbox; barriers that overtook, and alignments whose time is over; interrupted
 * operators; orders; due timers; input until the deadline; a slice of a snapshot that is being
 * written; what was collected for the next tasks is handed over.
 */
import { assert, assertDefined } from '../common/assert.ts'
import { MAX_TIMESTAMP, MIN_TIMESTAMP } from '../common/timestamps.ts'
import { type BatchRunner, makeBatchRunner } from './batch-runner.ts'
import { ChannelEvents } from './channel-events.ts'
import type { BarrierHandler } from './checkpointing/barrier-decision.ts'
import { FlightSize } from './flight-size.ts'
import type { InputGate } from './network/input-gate.ts'
import type { OutputRoom } from './network/output-room.ts'
import type { ResultPartition } from './network/result-partition.ts'
import type { RecordBatch } from './network/stream-item.ts'
import type { OperatorChain } from './operator-chain.ts'
import type { RestoredInputs } from './restored-inputs.ts'
import type { LoopHandle, LoopTask } from './slot-loop.ts'
import type { TaskCounters, TimeKind } from './task-counters.ts'
import type { TaskServices } from './task-services.ts'
import type { TaskSnapshots } from './task-snapshots.ts'
import type { WatermarkValve } from './watermark-valve.ts'

/**
 * Time a turn gives to writing a snapshot while there is input: a quarter of a slice. More only
 * makes the dip deeper, less makes the checkpoint longer.
 */
const SNAPSHOT_SLICE_MS = 0.25

/** Flights a turn at most: tasks take turns even where the clock stands still. */
const FLIGHTS_MAX = 64

/** Opening is no phase: a task is made when its operators are open. */
type Phase =
  /** Takes input. */
  | 'running'
  /** Its input is over; operators emit what is left. */
  | 'ending'
  /** Everything was emitted; only barriers and orders are left. */
  | 'drained'
  | 'closed'

/** Why a turn ended: `more` to do, or what it waits for. */
type Outcome =
  | 'more'
  /** No input. */
  | 'input'
  /** An output is full. */
  | 'room'
  /** A mailbox action, or a promise. */
  | 'action'

const timeOf: Readonly<Record<Outcome, TimeKind>> = {
  more: 'busy',
  input: 'idle',
  room: 'backpressured',
  // Waiting for a slow system outside is this task's own slowness: it is what holds the others up.
  action: 'busy',
}

export interface TaskParts {
  readonly chain: OperatorChain
  /** `undefined` for a task that begins with a source. */
  readonly gate: InputGate | undefined
  readonly valve: WatermarkValve | undefined
  /** What was in flight in the restored checkpoint. */
  readonly restored: RestoredInputs | undefined
  readonly barriers: BarrierHandler | undefined
  readonly partitions: readonly ResultPartition[]
  readonly room: OutputRoom
  readonly snapshots: TaskSnapshots
  readonly counters: TaskCounters
  readonly services: TaskServices
}

interface Restoring extends RestoredInputs {
  readonly events: ChannelEvents
  begun: boolean
}

export class StreamTask implements LoopTask {
  readonly #parts: TaskParts
  readonly #chain: OperatorChain
  readonly #room: OutputRoom
  readonly #runners: readonly BatchRunner[]
  readonly #flight: FlightSize
  #phase: Phase = 'running'
  #loop: LoopHandle | undefined
  #outcome: Outcome = 'input'
  #batchRunner: BatchRunner | undefined
  /** `undefined` for a task without channels. */
  readonly #gate: InputGate | undefined
  readonly #events: ChannelEvents | undefined
  /** Until it is taken (T6). */
  #restoring: Restoring | undefined
  #drain = true
  readonly #isOpen = (): boolean => this.#phase !== 'closed'
  /** T4: an order may begin a snapshot that has to wait. */
  readonly #mayObey = (): boolean => this.#isOpen() && !this.#parts.snapshots.suspended

  constructor(parts: TaskParts) {
    const { chain, room, services } = parts
    this.#parts = parts
    this.#chain = chain
    this.#room = room
    const { blockables } = chain
    this.#runners = chain.inputs.map((push, input) =>
      makeBatchRunner({ push, lookAhead: chain.lookAhead(input), room, blockables }),
    )
    this.#flight = new FlightSize()
    this.#gate = parts.gate
    this.#events = this.#makeEvents(parts)
    this.#restoring = this.#makeRestoring(parts)
    assert(
      (this.#events === undefined) !== (chain.source === undefined),
      `task ${services.name} has a source or inputs`,
    )
  }

  get isClosed(): boolean {
    return this.#phase === 'closed'
  }

  get isDrained(): boolean {
    return this.#phase === 'drained'
  }

  /** A task that cannot fire timers now is woken by what it waits for; alignment waits for none. */
  get nextTimer(): number {
    const { snapshots } = this.#parts
    if (snapshots.suspended || this.isClosed) return MAX_TIMESTAMP
    const barriers = this.#nextBarrierTimer()
    const waits = this.#outcome === 'room' || this.#outcome === 'action'
    if (this.#phase !== 'running' || waits) return barriers
    return Math.min(barriers, this.#chain.nextProcessingTime())
  }

  /** As the loop counts, but without what happens to the clock: asked for again and again. */
  #nextBarrierTimer(): number {
    const { snapshots, services } = this.#parts
    const next = Math.min(this.#events?.nextTimer ?? MAX_TIMESTAMP, snapshots.nextTimer)
    if (next === MAX_TIMESTAMP) return next
    return services.clock.now() + next - services.clock.monotonic()
  }

  /** Begins to run; the loop gives turns from now on. */
  start(loop: LoopHandle): void {
    const { counters, services } = this.#parts
    this.#loop = loop
    this.#gate?.listen({ whenData: () => loop.wake(), whenPriority: () => loop.wake() })
    if (this.#restoring === undefined) services.listener.running()
    counters.turnTo('idle', services.clock.monotonic())
    loop.wake()
  }

  /** Ends the loop's part: nothing is processed any more. */
  close(): void {
    this.#phase = 'closed'
    this.#loop?.remove()
    this.#parts.snapshots.close()
  }

  /** The job gave a checkpoint up. */
  abortCheckpoint(checkpointId: number): void {
    this.#events?.checkpointAborted(checkpointId)
    this.#parts.snapshots.abort(checkpointId)
    this.#chain.notifyCheckpointAborted(checkpointId)
  }

  /** The source emits nothing more and the output ends; with `drain`, event time ends first. */
  endSource(drain: boolean): void {
    const { source } = this.#chain
    if (source === undefined || this.#phase !== 'running') return
    source.stop()
    this.#endInputs(drain)
  }

  turn(deadline: number): boolean {
    const { services, counters, partitions } = this.#parts
    if (this.#phase === 'closed') return false
    const { clock } = services
    counters.turnTo('busy', clock.monotonic())
    services.beginTurn()
    try {
      this.#outcome = this.#work(deadline)
      for (const partition of partitions) partition.flush()
      this.#count()
    } catch (error) {
      services.fail(error)
      return false
    }
    counters.turnTo(timeOf[this.#outcome], clock.monotonic())
    return this.#outcome === 'more'
  }

  #work(deadline: number): Outcome {
    const { services, snapshots } = this.#parts
    if (snapshots.suspended) return 'action'
    services.mailbox.run(this.#isOpen)
    this.#heedBarriers()
    const outcome = this.#proceed(deadline)
    if (snapshots.suspended || !snapshots.isWriting) return outcome
    snapshots.step(SNAPSHOT_SLICE_MS)
    return snapshots.isWriting ? 'more' : outcome
  }

  /** Whatever the task waits for, it does not let these wait. */
  #heedBarriers(): void {
    const { services, snapshots } = this.#parts
    const [gate, events] = [this.#gate, this.#events]
    if (this.isClosed) return
    snapshots.checkOutputs()
    if (gate === undefined || events === undefined) return
    while (gate.hasPriority && !snapshots.suspended) {
      const priority = gate.pollPriority()
      if (priority !== undefined) events.handlePriority(priority)
    }
    if (snapshots.suspended || events.nextTimer === MAX_TIMESTAMP) return
    if (events.nextTimer <= services.clock.monotonic()) events.timeUp()
  }

  #proceed(deadline: number): Outcome {
    const { services, snapshots } = this.#parts
    if (snapshots.suspended) return 'action'
    if (this.#chain.hasInterrupted && !this.#goOn()) return this.#waitsFor()
    services.orders.run(this.#mayObey)
    // An order may have begun a snapshot, or ended the task.
    if (snapshots.suspended) return 'action'
    if (this.isClosed) return 'input'
    if (this.#phase === 'running' && this.#mayTakeInput()) this.#chain.processTime(services.now)
    return this.#advance(deadline)
  }

  #advance(deadline: number): Outcome {
    this.#beginRestoring()
    if (this.#phase === 'running') {
      const outcome = this.#gate === undefined ? this.#poll(deadline) : this.#take(deadline)
      if ((this.#phase as Phase) !== 'ending') return outcome
    }
    if (this.#phase === 'ending') return this.#end()
    // Drained: barriers still come.
    return this.#gate === undefined ? 'input' : this.#take(deadline)
  }

  /** Lets the source emit, poll by poll. */
  #poll(deadline: number): Outcome {
    const source = assertDefined(this.#chain.source, 'a task without inputs has a source')
    const { services } = this.#parts
    let now = services.clock.monotonic()
    let flights = 0
    while (this.#mayTakeInput()) {
      const result = source.poll(this.#flight.size)
      if (result === 'end') {
        this.#endInputs(true)
        return 'more'
      }
      if (result === 'nothing') return 'input'
      const before = now
      now = services.clock.monotonic()
      this.#flight.adapt(now - before)
      if (now >= deadline || ++flights === FLIGHTS_MAX || services.hasWork) return 'more'
    }
    return this.#waitsFor()
  }

  /** Takes items from the channels. */
  #take(deadline: number): Outcome {
    const { services, snapshots } = this.#parts
    const gate = assertDefined(this.#gate, 'a task without a source has inputs')
    let now = services.clock.monotonic()
    let flights = 0
    while (this.#mayTakeInput()) {
      const restoring = this.#restoring
      const from = restoring?.gate ?? gate
      if (from.batch === undefined && !this.#takeItem(from)) {
        if (restoring === undefined) return 'input'
        this.#endRestoring(restoring)
        continue
      }
      if (snapshots.suspended) return 'action'
      if (this.#phase === 'ending') return 'more'
      const { batch } = from
      if (batch !== undefined) this.#pushSome(from, batch)
      const before = now
      now = services.clock.monotonic()
      if (batch !== undefined) this.#flight.adapt(now - before)
      if (now >= deadline || ++flights === FLIGHTS_MAX || services.hasWork) return 'more'
    }
    return this.#waitsFor()
  }

  /** Begins a batch or handles an event; false when no channel has anything. */
  #takeItem(gate: InputGate): boolean {
    const item = gate.poll()
    if (item === undefined) return false
    const channel = gate.polledChannel
    if (item.kind === 'records') this.#openBatch(gate, item)
    else (this.#restoring?.events ?? this.#events)?.handle(item, channel)
    return true
  }

  #openBatch(gate: InputGate, batch: RecordBatch): void {
    assert(this.#phase === 'running', 'no records follow the end of the data')
    gate.batch = batch
    gate.batchAt = 0
    this.#batchRunner = this.#runners[gate.inputOf(gate.polledChannel)]
    this.#parts.counters.recordsIn += batch.size
  }

  #pushSome(gate: InputGate, batch: RecordBatch): void {
    const runner = this.#batchRunner as BatchRunner
    const last = batch.size * 2
    const end = Math.min(last, gate.batchAt + this.#flight.size * 2)
    gate.batchAt = runner(batch.items, gate.batchAt, end)
    if (gate.batchAt === last) gate.batch = undefined
  }

  #makeRestoring({ restored, barriers }: TaskParts): Restoring | undefined {
    if (restored === undefined || barriers === undefined) return undefined
    const endInputs = (): void => assert(false, 'T6: a restored channel has no end')
    const events = new ChannelEvents({ ...this.#parts, ...restored, barriers, endInputs })
    return { ...restored, events, begun: false }
  }

  /** The watermark of the cut comes before the first record that is taken again. */
  #beginRestoring(): void {
    const restoring = this.#restoring
    if (restoring === undefined || restoring.begun) return
    restoring.begun = true
    restoring.valve.restore(restoring.marks)
  }

  #endRestoring(restoring: Restoring): void {
    const { valve, services } = this.#parts
    this.#restoring = undefined
    valve?.succeed(restoring.valve)
    services.listener.running()
  }

  #makeEvents(parts: TaskParts): ChannelEvents | undefined {
    const { gate, valve, barriers } = parts
    if (gate === undefined || valve === undefined || barriers === undefined) return undefined
    const endInputs = (drain: boolean): void => this.#endInputs(drain)
    return new ChannelEvents({ ...parts, gate, valve, barriers, endInputs })
  }

  #endInputs(drain: boolean): void {
    this.#drain = drain
    this.#phase = 'ending'
    if (drain) this.#chain.source?.endEventTime()
  }

  /** Without `drain` the operators keep what they hold: it is in the last snapshot. */
  #end(): Outcome {
    const { partitions, services } = this.#parts
    if (this.#chain.hasInterrupted) return this.#waitsFor()
    if (!this.#drain) this.#chain.hold()
    else if (!this.#chain.finish(() => this.#mayTakeInput())) return this.#waitsFor()
    for (const partition of partitions) {
      partition.broadcast({ kind: 'end-of-data', drain: this.#drain })
    }
    this.#phase = 'drained'
    services.listener.drained()
    return 'more'
  }

  #goOn(): boolean {
    return this.#mayTakeInput(true) && this.#chain.resume()
  }

  /** T2, T3. */
  #mayTakeInput(whileInterrupted = false): boolean {
    if (this.#room.fullChannels > 0 || this.#chain.blocked) return false
    return whileInterrupted || !this.#chain.hasInterrupted
  }

  #waitsFor(): Outcome {
    return this.#room.fullChannels > 0 ? 'room' : 'action'
  }

  #count(): void {
    const { counters, partitions, valve, chain } = this.#parts
    const head = chain.links[0]
    let sent = 0
    for (const partition of partitions) sent += partition.records
    counters.recordsOut = sent
    const own = head?.home.context.metrics.currentWatermark ?? MIN_TIMESTAMP
    counters.watermark = (this.#restoring?.valve ?? valve)?.watermark ?? own
  }
}
