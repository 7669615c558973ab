/**
 * The data in flight that belongs to a task's snapshots: what the barrier overtook in the outputs,
 * and what stands before it in the inputs.
 *
 * Owns        the recordings of this task, how its barriers leave, and when a recording is whole.
 * Leaves out  which inputs are recorded and until when (`barrier-handler.ts`), storing.
 *
 * Invariants
 *  F1  A barrier leaves once on every output: ahead of the data there, or in its order.
 *  F2  A recording is whole when each recorded input gave its barrier and no output holds one.
 *  F3  What was sent before the barrier and not processed is recorded once: on the input's side or
 *      on the output's.
 */
import { assert } from '../../common/assert.ts'
import type { JobEdge } from '../../graph/job-graph.ts'
import type { InFlightItem } from '../network/channel.ts'
import type { InputGate } from '../network/input-gate.ts'
import type { ResultPartition } from '../network/result-partition.ts'
import type { ChannelSnapshot, CheckpointBarrier } from '../task-contract.ts'
import type { ChannelMark, WatermarkValve } from '../watermark-valve.ts'
import type { Moment } from './barrier-decision.ts'
import { deadlineOf, unalignedForm } from './pending-barriers.ts'

export interface RecorderParts {
  readonly subtaskIndex: number
  readonly inputs: RecordedInputs | undefined
  readonly outputs: readonly RecordedOutput[]
  /** Makes bytes of what was recorded on an edge; `undefined`: nobody stores it. */
  readonly encode: EncodeItems | undefined
}

export type EncodeItems = (edge: JobEdge, items: readonly InFlightItem[]) => readonly Buffer[]

export interface RecordedInputs {
  readonly gate: Pick<InputGate, 'beginRecording' | 'endRecording'>
  readonly valve: Pick<WatermarkValve, 'marks'>
  /** By channel of the gate: whom it comes from. */
  readonly senders: readonly { readonly edge: JobEdge; readonly from: number }[]
}

export interface RecordedOutput {
  readonly partition: Pick<ResultPartition, 'sendBarrier' | 'holdsBarrier' | 'hastenBarrier'>
  readonly edge: JobEdge
  /** By channel of the partition: whom it leads to. */
  readonly to: readonly number[]
}

interface Recording {
  readonly barrier: CheckpointBarrier
  /** When a barrier that waits in the outputs is to overtake (monotonic ms). */
  deadline: number
  /** Of all inputs, at the cut; none for an aligned checkpoint. */
  readonly marks: readonly ChannelMark[]
  readonly inputs: Map<number, InFlightItem[]>
  readonly awaited: Set<number>
  /** By output, then by channel. */
  readonly outputs: (readonly InFlightItem[])[][]
  /** Outputs that still hold the barrier behind data. */
  holding: boolean
  /** The barrier went on ahead of data. */
  overtook: boolean
  /** What is still to be encoded, and what was. */
  encoding: Generator<ChannelSnapshot> | undefined
  readonly encoded: ChannelSnapshot[]
}

export interface WholeRecording {
  readonly channels: readonly ChannelSnapshot[]
  readonly unaligned: boolean
}

export class InFlightRecorder {
  readonly #parts: RecorderParts
  readonly #recordings = new Map<number, Recording>()

  constructor(parts: RecorderParts) {
    this.#parts = parts
  }

  /** When `step` has to hasten barriers (monotonic ms); infinite when it has not. */
  get nextTimer(): number {
    let next = Number.POSITIVE_INFINITY
    for (const { holding, deadline } of this.#recordings.values()) {
      if (holding) next = Math.min(next, deadline)
    }
    return next
  }

  /** The instant from which on nothing is taken from the inputs until the cut. */
  beginInputs(barrier: CheckpointBarrier, record: readonly number[] = []): void {
    const { inputs } = this.#parts
    const { checkpointId, alignment } = barrier
    const recording: Recording = {
      barrier,
      deadline: Number.POSITIVE_INFINITY,
      marks: alignment.kind === 'aligned' ? [] : (inputs?.valve.marks() ?? []),
      inputs: new Map(),
      awaited: new Set(record),
      outputs: [],
      holding: false,
      overtook: false,
      encoding: undefined,
      encoded: [],
    }
    for (const channel of record) {
      assert(inputs !== undefined, 'F3: what is recorded are inputs')
      recording.inputs.set(channel, [...inputs.gate.beginRecording(channel, checkpointId)])
    }
    this.#recordings.set(checkpointId, recording)
  }

  /** Sends the barrier on. One that is overdue goes on as an unaligned one. */
  sendBarrier(checkpointId: number, now: Moment): void {
    const recording = this.#recordings.get(checkpointId)
    if (recording === undefined) return
    const { barrier, outputs } = recording
    recording.deadline = deadlineOf(barrier, now)
    const sent = now.monotonicMs >= recording.deadline ? unalignedForm(barrier) : barrier
    for (const { partition } of this.#parts.outputs) {
      outputs.push([...partition.sendBarrier(sent)])
    }
    recording.overtook = sent.alignment.kind === 'unaligned'
    recording.holding = sent.alignment.kind === 'timeout' && this.#isHeld(checkpointId)
  }

  /** The barrier came on a recorded input. */
  finishInput(checkpointId: number, channel: number): void {
    const recording = this.#recordings.get(checkpointId)
    if (recording === undefined) return
    assert(recording.awaited.delete(channel), 'F2: a recording ends once')
    this.#endInput(recording, channel)
  }

  /** Looks at barriers that waited in the outputs: some may have left, or be overdue. */
  step(monotonicMs: number): void {
    for (const [checkpointId, recording] of this.#recordings) {
      if (!recording.holding) continue
      if (monotonicMs >= recording.deadline) this.#hasten(recording)
      recording.holding = this.#isHeld(checkpointId)
    }
  }

  isWhole(checkpointId: number): boolean {
    const recording = this.#recordings.get(checkpointId)
    return recording !== undefined && recording.awaited.size === 0 && !recording.holding
  }

  /** Gives it up. */
  abandon(checkpointId: number): void {
    const recording = this.#recordings.get(checkpointId)
    if (recording === undefined) return
    for (const channel of recording.awaited) this.#endInput(recording, channel)
    this.#recordings.delete(checkpointId)
  }

  /** Encodes one channel of a whole recording; false when all are. */
  encodeNext(checkpointId: number): boolean {
    const recording = this.#whole(checkpointId)
    recording.encoding ??= this.#encode(recording)
    const next = recording.encoding.next()
    if (next.done !== true) recording.encoded.push(next.value)
    return next.done !== true
  }

  /** Hands out what was encoded. */
  take(checkpointId: number): WholeRecording {
    const { encoded, overtook } = this.#whole(checkpointId)
    this.#recordings.delete(checkpointId)
    return { channels: encoded, unaligned: overtook }
  }

  #whole(checkpointId: number): Recording {
    const recording = this.#recordings.get(checkpointId)
    assert(
      recording !== undefined && this.isWhole(checkpointId),
      'F2: only what is whole is stored',
    )
    return recording
  }

  #endInput({ barrier, inputs }: Recording, channel: number): void {
    const collected = this.#parts.inputs?.gate.endRecording(channel, barrier.checkpointId) ?? []
    inputs.get(channel)?.push(...collected)
  }

  #isHeld(checkpointId: number): boolean {
    return this.#parts.outputs.some(({ partition }) => partition.holdsBarrier(checkpointId))
  }

  #hasten(recording: Recording): void {
    const { barrier, outputs } = recording
    recording.overtook = true
    this.#parts.outputs.forEach(({ partition }, index) => {
      outputs[index] = [...partition.hastenBarrier(unalignedForm(barrier))]
    })
  }

  *#encode(recording: Recording): Generator<ChannelSnapshot> {
    const { encode } = this.#parts
    if (encode === undefined) return
    yield* this.#inputSnapshots(recording, encode)
    yield* this.#outputSnapshots(recording, encode)
  }

  *#inputSnapshots({ marks, inputs }: Recording, encode: EncodeItems): Generator<ChannelSnapshot> {
    const { subtaskIndex } = this.#parts
    for (const [channel, { edge, from }] of (this.#parts.inputs?.senders ?? []).entries()) {
      const mark = marks[channel]
      if (mark === undefined) continue
      const chunks = encode(edge, inputs.get(channel) ?? [])
      const place = { edgeId: edge.id, from, to: subtaskIndex }
      yield { ...place, direction: 'input', mark, chunks }
    }
  }

  *#outputSnapshots({ outputs }: Recording, encode: EncodeItems): Generator<ChannelSnapshot> {
    const { subtaskIndex } = this.#parts
    for (const [index, { edge, to }] of this.#parts.outputs.entries()) {
      for (const [channel, receiver] of to.entries()) {
        const items = outputs[index]?.[channel] ?? []
        if (items.length === 0) continue
        const place = { edgeId: edge.id, from: subtaskIndex, to: receiver }
        yield { ...place, direction: 'output', mark: undefined, chunks: encode(edge, items) }
      }
    }
  }
}
