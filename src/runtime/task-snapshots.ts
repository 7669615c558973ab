/**
 * The snapshots of one task.
 *
 * Owns        the order of a snapshot's steps, and the parts that are written between batches.
 * Leaves out  barriers on the inputs (`checkpointing/barrier-handler.ts`), what is in flight
 *             (`checkpointing/in-flight-recorder.ts`), storing the bytes.
 *
 * The steps: the recording of inputs begins, if they are recorded; operators prepare, head to tail
 * (sinks flush); the barrier goes on, ahead of what is in the outputs if it may; operators write
 * their volatile parts, tail to head; all state is cut at one instant; records go on while keyed
 * state is written in slices and recordings wait for their barriers. The barrier leaves before the
 * cut, so that the tasks behind begin meanwhile. Between the first step and the cut nothing is
 * taken from the inputs: all steps see the same instant.
 *
 * An unaligned snapshot may begin between any two records, also while an output is full, an
 * operator is blocked, or a burst of timers was interrupted: what did not fire yet is state, and
 * the watermark that lets it fire is kept with the inputs. It waits for the running record or
 * timer, and for the cut of a snapshot before it.
 *
 * Invariants
 *  TS1  Ids only grow; one that was aborted before it began is answered by a cancel marker.
 *  TS2  From `begin` to the cut no record, timer or mailbox action runs.
 *  TS3  A snapshot is reported once: taken, or not at all after an abort.
 *  TS4  It is taken when its state is written and its recording is whole.
 */
import { assert } from '../common/assert.ts'
import type { Clock } from '../common/clock.ts'
import { MAX_TIMESTAMP } from '../common/timestamps.ts'
import type { KeyedSnapshot, SnapshotRun } from '../state/keyed-state-backend.ts'
import { momentOf, type SnapshotDecision } from './checkpointing/barrier-decision.ts'
import type { InFlightRecorder } from './checkpointing/in-flight-recorder.ts'
import { inSequence } from './in-sequence.ts'
import type { StreamEvent } from './network/stream-item.ts'
import type { ChainLink, OperatorChain } from './operator-chain.ts'
import { SinkOperator } from './operators/sink-operator.ts'
import { SourceOperator } from './operators/source-operator.ts'
import type { OperatorSnapshot, SnapshotMetrics, TaskSnapshot } from './task-contract.ts'

export interface SnapshotsOptions {
  readonly vertexId: string
  readonly subtaskIndex: number
  readonly chain: OperatorChain
  readonly recorder: InFlightRecorder
  readonly clock: Clock
  /** False: keyed state is left out, which may be most of a snapshot's cost. */
  readonly keepsState: boolean
  broadcast(event: StreamEvent): void
  taken(snapshot: TaskSnapshot): void
  /** The synchronous part ended: records may go on. */
  resumed(): void
  failed(error: unknown): void
}

export type SnapshotRequest = Omit<SnapshotDecision, 'kind'>

/** A snapshot after its cut. */
interface Writing {
  readonly request: SnapshotRequest
  alignmentMs: number
  readonly syncMs: number
  readonly cutAt: number
  readonly operators: readonly Omit<OperatorSnapshot, 'keyed'>[]
  /** By operator; `undefined` where it has no keyed state. */
  readonly runs: readonly (SnapshotRun | undefined)[]
  readonly proof: Pick<SnapshotMetrics, 'recordsPerSplit' | 'recordsPerSink'>
  /** The run that is written next. */
  at: number
}

/** Aborted ids that are remembered: more than could ever be on their way. */
const ABORTED_MAX = 64

export class TaskSnapshots {
  readonly #options: SnapshotsOptions
  readonly #aborted = new Set<number>()
  #newestId: number
  #writing: Writing[] = []
  #suspended = false
  #closed = false

  /** `newestId`: of the restored checkpoint, else 0. */
  constructor(options: SnapshotsOptions, newestId: number) {
    this.#options = options
    this.#newestId = newestId
  }

  /** True while nothing else may run (TS2). */
  get suspended(): boolean {
    return this.#suspended
  }

  /** True while `step` has something to do. */
  get isWriting(): boolean {
    return this.#writing.some(writing => isUnwritten(writing) || this.#isWhole(writing))
  }

  /** When `checkOutputs` has to be called (monotonic ms). */
  get nextTimer(): number {
    return this.#suspended ? MAX_TIMESTAMP : this.#options.recorder.nextTimer
  }

  begin(request: SnapshotRequest): void {
    const { checkpointId } = request.barrier
    assert(!this.#suspended, 'TS2: one snapshot is cut at a time')
    if (checkpointId <= this.#newestId) return
    this.#newestId = checkpointId
    const { chain, recorder, broadcast, clock } = this.#options
    if (this.#aborted.delete(checkpointId)) {
      broadcast({ kind: 'cancel-barrier', checkpointId })
      return
    }
    const startedAt = clock.monotonic()
    recorder.beginInputs(request.barrier, request.record)
    const cut = inSequence([
      () => chain.prepareSnapshot(checkpointId),
      () => recorder.sendBarrier(checkpointId, momentOf(clock)),
      () => chain.snapshotState(checkpointId),
      () => this.#cut(request, startedAt),
    ])
    if (!(cut instanceof Promise)) return
    this.#suspended = true
    cut.then(() => this.#resume(), this.#options.failed)
  }

  /** The barrier of a recorded channel came. */
  finishRecording(checkpointId: number, channel: number): void {
    this.#options.recorder.finishInput(checkpointId, channel)
  }

  /** All barriers of a recording came. */
  recorded(checkpointId: number, alignmentMs: number): void {
    const writing = this.#writing.find(one => idOf(one) === checkpointId)
    if (writing !== undefined) writing.alignmentMs = alignmentMs
  }

  /** Barriers that waited in the outputs may have left, or their time is over. */
  checkOutputs(): void {
    const { recorder, clock } = this.#options
    if (this.#writing.length > 0) recorder.step(clock.monotonic())
  }

  /** Writes on for about `budgetMs`, and reports what is complete. */
  step(budgetMs: number): void {
    const { recorder, clock, taken } = this.#options
    const end = clock.monotonic() + budgetMs
    const unwritten = this.#writing.find(isUnwritten)
    if (unwritten !== undefined) write(unwritten, budgetMs)
    for (const writing of this.#writing) {
      if (isUnwritten(writing) || !this.#isWhole(writing)) continue
      while (recorder.encodeNext(idOf(writing))) if (clock.monotonic() > end) return
      this.#writing = this.#writing.filter(one => one !== writing)
      taken(this.#finish(writing))
    }
  }

  /** The job gave the checkpoint up. */
  abort(checkpointId: number): void {
    this.abandon(checkpointId)
    if (checkpointId <= this.#newestId) return
    this.#aborted.add(checkpointId)
    const [oldest] = this.#aborted
    if (this.#aborted.size > ABORTED_MAX) this.#aborted.delete(oldest as number)
  }

  /** What was begun of it is given up. */
  abandon(checkpointId: number): void {
    assert(!this.#suspended, 'TS2: an abort waits for the cut')
    this.#options.recorder.abandon(checkpointId)
    for (const writing of this.#writing) if (idOf(writing) === checkpointId) cancel(writing)
    this.#writing = this.#writing.filter(writing => idOf(writing) !== checkpointId)
  }

  /** Gives everything up: the task ends. */
  close(): void {
    this.#closed = true
    for (const writing of this.#writing) cancel(writing)
    this.#writing = []
  }

  #resume(): void {
    this.#suspended = false
    if (!this.#closed) this.#options.resumed()
  }

  /** The instant: everything below is synchronous. */
  #cut(request: SnapshotRequest, startedAt: number): void {
    const { checkpointId } = request.barrier
    const { chain, clock, keepsState } = this.#options
    if (this.#closed) return
    const operators = chain.links.map(cutOperator)
    const runs = chain.links.map(({ home }) => {
      return keepsState ? home.openKeyed()?.beginSnapshot(checkpointId) : undefined
    })
    const cutAt = clock.monotonic()
    const syncMs = cutAt - startedAt
    const { alignmentMs } = request
    const proof = {
      recordsPerSplit: chain.source?.recordsPerSplit() ?? {},
      recordsPerSink: recordsPerSink(chain),
    }
    this.#writing.push({ request, alignmentMs, syncMs, cutAt, operators, runs, proof, at: 0 })
  }

  #isWhole(writing: Writing): boolean {
    return this.#options.recorder.isWhole(idOf(writing))
  }

  #finish(writing: Writing): TaskSnapshot {
    const { vertexId, subtaskIndex, recorder, clock } = this.#options
    const { request, alignmentMs, syncMs, cutAt, runs, proof } = writing
    const checkpointId = idOf(writing)
    const { channels, unaligned } = recorder.take(checkpointId)
    const keyed: readonly (KeyedSnapshot | undefined)[] = runs.map(run => run?.result())
    return {
      checkpointId,
      kind: request.barrier.kind,
      vertexId,
      subtaskIndex,
      operators: writing.operators.map((part, index) => ({ ...part, keyed: keyed[index] })),
      channels,
      metrics: {
        alignmentMs,
        startDelayMs: request.startDelayMs,
        unaligned,
        inFlightBytes: channels.flatMap(one => one.chunks).reduce((sum, c) => sum + c.length, 0),
        syncMs,
        asyncMs: clock.monotonic() - cutAt,
        ...proof,
      },
    }
  }
}

function recordsPerSink({ links }: OperatorChain): { readonly [operatorId: string]: number } {
  const counts: Record<string, number> = {}
  for (const { node, operator } of links) {
    if (operator instanceof SinkOperator) counts[node.operatorId] = operator.recordsWritten
  }
  return counts
}

function cutOperator({ node, operator, home }: ChainLink): Omit<OperatorSnapshot, 'keyed'> {
  const sink = operator instanceof SinkOperator ? operator : undefined
  const source = operator instanceof SourceOperator ? operator : undefined
  return {
    operatorId: node.operatorId,
    operatorState: home.openOperatorState()?.snapshot() ?? [],
    splits: source?.snapshotSplits,
    writerState: sink?.snapshotWriterState,
    committables: sink === undefined ? undefined : [...sink.committables],
  }
}

function idOf({ request }: Writing): number {
  return request.barrier.checkpointId
}

function isUnwritten({ at, runs }: Writing): boolean {
  return at < runs.length
}

function write(writing: Writing, budgetMs: number): void {
  const { runs } = writing
  while (writing.at < runs.length) {
    const run = runs[writing.at]
    if (run !== undefined && !run.step(budgetMs)) return
    writing.at++
    // A second keyed operator in one chain is rare: it may wait for the next turn.
    if (run !== undefined && writing.at < runs.length) return
  }
}

function cancel(writing: Writing): void {
  for (const run of writing.runs.slice(writing.at)) run?.cancel()
}
