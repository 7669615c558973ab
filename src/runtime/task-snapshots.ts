/**
 * The snapshots of one task.
 *
 * Owns        the order of a snapshot's steps, and the parts that are written between batches.
 * Leaves out  barriers on the inputs (`checkpointing/barrier-handler.ts`), storing the bytes.
 *
 * The steps: operators prepare, head to tail (sinks flush); the barrier goes on; operators write
 * their volatile parts, tail to head; all state is cut at one instant; records go on while keyed
 * state is written in slices. The barrier leaves before the cut, so that the tasks behind begin
 * meanwhile.
 *
 * Invariants
 *  TS1  Ids only grow; one that was aborted before it began is answered by a cancel marker.
 *  TS2  From `prepareSnapshot` to the cut no record, timer or mailbox action runs.
 *  TS3  A snapshot is reported once: taken, or not at all after an abort.
 */
import { assert } from '../common/assert.ts'
import type { Clock } from '../common/clock.ts'
import type { KeyedSnapshot, SnapshotRun } from '../state/keyed-state-backend.ts'
import { inSequence } from './in-sequence.ts'
import type { StreamEvent } from './network/stream-item.ts'
import type { ChainLink, OperatorChain } from './operator-chain.ts'
import { SinkOperator } from './operators/sink-operator.ts'
import { SourceOperator } from './operators/source-operator.ts'
import type {
  CheckpointBarrier,
  OperatorSnapshot,
  SnapshotMetrics,
  TaskSnapshot,
} from './task-contract.ts'

export interface SnapshotsOptions {
  readonly vertexId: string
  readonly subtaskIndex: number
  readonly chain: OperatorChain
  readonly clock: Clock
  /** False: keyed state is left out, which may be most of a snapshot's cost. */
  readonly keepsState: boolean
  broadcast(event: StreamEvent): void
  taken(snapshot: TaskSnapshot): void
  /** The synchronous part ended: records may go on. */
  resumed(): void
  failed(error: unknown): void
}

export interface SnapshotRequest {
  readonly barrier: CheckpointBarrier
  readonly alignmentMs: number
  readonly startDelayMs: number
}

/** A snapshot after its cut. */
interface Writing {
  readonly request: SnapshotRequest
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

  /** True while something is left to be written. */
  get isWriting(): boolean {
    return this.#writing.length > 0
  }

  begin(request: SnapshotRequest): void {
    const { checkpointId } = request.barrier
    assert(!this.#suspended, 'TS2: one snapshot is cut at a time')
    if (checkpointId <= this.#newestId) return
    this.#newestId = checkpointId
    const { chain, broadcast, clock } = this.#options
    if (this.#aborted.delete(checkpointId)) {
      broadcast({ kind: 'cancel-barrier', checkpointId })
      return
    }
    const startedAt = clock.monotonic()
    const cut = inSequence([
      () => chain.prepareSnapshot(checkpointId),
      () => broadcast({ kind: 'barrier', barrier: request.barrier }),
      () => chain.snapshotState(checkpointId),
      () => this.#cut(request, startedAt),
    ])
    if (!(cut instanceof Promise)) return
    this.#suspended = true
    cut.then(() => this.#resume(), this.#options.failed)
  }

  /** Writes on for about `budgetMs`. */
  step(budgetMs: number): void {
    const [writing] = this.#writing
    if (writing === undefined) return
    const { runs } = writing
    while (writing.at < runs.length) {
      const run = runs[writing.at]
      if (run !== undefined && !run.step(budgetMs)) return
      writing.at++
      // A second keyed operator in one chain is rare: it may wait for the next turn.
      if (run !== undefined && writing.at < runs.length) return
    }
    this.#writing.shift()
    this.#options.taken(this.#finish(writing))
  }

  /** The job gave the checkpoint up. */
  abort(checkpointId: number): void {
    assert(!this.#suspended, 'TS2: an abort waits for the cut')
    for (const writing of this.#writing) {
      if (writing.request.barrier.checkpointId === checkpointId) cancel(writing)
    }
    this.#writing = this.#writing.filter(
      writing => writing.request.barrier.checkpointId !== checkpointId,
    )
    if (checkpointId <= this.#newestId) return
    this.#aborted.add(checkpointId)
    const [oldest] = this.#aborted
    if (this.#aborted.size > ABORTED_MAX) this.#aborted.delete(oldest as number)
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
    const proof = {
      recordsPerSplit: chain.source?.recordsPerSplit() ?? {},
      recordsPerSink: recordsPerSink(chain),
    }
    this.#writing.push({ request, syncMs, cutAt, operators, runs, proof, at: 0 })
  }

  #finish(writing: Writing): TaskSnapshot {
    const { vertexId, subtaskIndex, clock } = this.#options
    const { request, syncMs, cutAt, runs, proof } = writing
    const { alignmentMs, startDelayMs } = request
    const keyed: readonly (KeyedSnapshot | undefined)[] = runs.map(run => run?.result())
    return {
      checkpointId: request.barrier.checkpointId,
      kind: request.barrier.kind,
      vertexId,
      subtaskIndex,
      operators: writing.operators.map((part, index) => ({ ...part, keyed: keyed[index] })),
      metrics: {
        alignmentMs,
        startDelayMs,
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

function cancel(writing: Writing): void {
  for (const run of writing.runs.slice(writing.at)) run?.cancel()
}
