/**
 * Runs the split enumerators of a job's sources and carries their words to the readers.
 *
 * Owns        the enumerators of one attempt, and which readers they know.
 * Leaves out  when a checkpoint happens.
 *
 * Invariants
 *  E1  What an enumerator says after its snapshot reaches a reader behind the barrier: else a split
 *      would be in neither state, or in both.
 *  E2  A reader gets its restored splits before its enumerator hears of it.
 *  E3  After `close` nothing is said any more.
 */
import type {
  EnumeratorContext,
  JsonValue,
  Source,
  SourceSplit,
  SplitEnumerator,
} from '../../api/source.ts'
import type { RestorePlan } from '../../checkpoint/restore-plan.ts'
import { assert } from '../../common/assert.ts'
import type { Clock } from '../../common/clock.ts'
import { headOf, type JobGraph } from '../../graph/job-graph.ts'
import type { SlotCommandBody, SourceReaderAddress } from '../slot-messages.ts'

export interface SourceCoordinatorOptions {
  readonly graph: JobGraph
  readonly restore: RestorePlan | undefined
  readonly clock: Clock
  readonly send: (slot: number, command: SlotCommandBody) => void
  readonly fail: (error: unknown) => void
}

interface CoordinatedSource {
  readonly address: SourceReaderAddress
  readonly enumerator: SplitEnumerator<SourceSplit>
  readonly restoredSplits: readonly (readonly SourceSplit[])[]
  readonly readers: Set<number>
}

export class SourceCoordinator {
  readonly #options: SourceCoordinatorOptions
  readonly #sources = new Map<string, CoordinatedSource>()
  /** What was said while a checkpoint is being triggered; `undefined`: the gate is open. */
  #held: { slot: number; command: SlotCommandBody }[] | undefined
  #closed = false
  #started = false
  #waiting: (() => void)[] = []

  constructor(options: SourceCoordinatorOptions) {
    this.#options = options
  }

  /** Makes and starts the enumerators. Rejects with what one of them threw. */
  async start(): Promise<void> {
    const { graph, restore } = this.#options
    for (const vertex of graph.vertices) {
      const { operatorId, spec } = headOf(vertex)
      if (spec.kind !== 'source') continue
      const address = { vertexId: vertex.id, operatorId }
      const restored = restore?.operators.get(operatorId)
      const context = this.#context(address, vertex.parallelism)
      this.#sources.set(operatorId, {
        address,
        enumerator: enumeratorOf(spec.source, context, restored?.enumeratorState),
        restoredSplits: restored?.subtasks.map(subtask => subtask.splits) ?? [],
        readers: new Set(),
      })
    }
    for (const { enumerator } of this.#sources.values()) await enumerator.start()
    if (this.#closed) return
    this.#started = true
    for (const action of this.#waiting.splice(0)) this.#guarded(action)
  }

  /** A subtask of this vertex runs: its reader is there. */
  readerRunning(vertexId: string, subtaskIndex: number): void {
    for (const source of this.#sources.values()) {
      if (source.address.vertexId !== vertexId) continue
      this.#whenStarted(() => this.#register(source, subtaskIndex))
    }
  }

  splitRequested(operatorId: string, subtaskIndex: number): void {
    this.#whenStarted(() => {
      const source = this.#sources.get(operatorId)
      assert(source !== undefined, `E2: ${operatorId} is a source`)
      this.#register(source, subtaskIndex)
      source.enumerator.handleSplitRequest(subtaskIndex)
    })
  }

  /**
   * Takes the enumerators' states, then calls `inject`, which sends the barriers; whatever the
   * enumerators say meanwhile goes out behind them (E1).
   */
  snapshot(checkpointId: number, inject: () => void): ReadonlyMap<string, JsonValue> {
    assert(this.#held === undefined, 'E1: one checkpoint is triggered at a time')
    const held: { slot: number; command: SlotCommandBody }[] = []
    this.#held = held
    try {
      const states = new Map<string, JsonValue>()
      for (const [operatorId, { enumerator }] of this.#sources) {
        // A copy: the enumerator's own objects go on changing while the checkpoint is taken.
        states.set(operatorId, structuredClone(enumerator.snapshotState(checkpointId)))
      }
      inject()
      return states
    } finally {
      this.#held = undefined
      for (const { slot, command } of held) this.#options.send(slot, command)
    }
  }

  notifyComplete(checkpointId: number): void {
    for (const { enumerator } of this.#sources.values()) {
      this.#guarded(() => enumerator.notifyCheckpointComplete?.(checkpointId))
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#waiting = []
    for (const { enumerator } of this.#sources.values()) {
      // A failure to close changes nothing any more; the job's own end or failure is what counts.
      await Promise.resolve()
        .then(() => enumerator.close())
        .catch(() => undefined)
    }
  }

  #register(source: CoordinatedSource, subtaskIndex: number): void {
    if (source.readers.has(subtaskIndex)) return
    source.readers.add(subtaskIndex)
    const splits = source.restoredSplits[subtaskIndex] ?? []
    if (splits.length > 0) {
      this.#say(subtaskIndex, { kind: 'add-splits', reader: source.address, splits })
    }
    source.enumerator.addReader(subtaskIndex)
  }

  #context(reader: SourceReaderAddress, parallelism: number): EnumeratorContext<SourceSplit> {
    return {
      parallelism,
      clock: this.#options.clock,
      assignSplit: (split, slot) =>
        this.#say(slot, { kind: 'add-splits', reader, splits: [split] }),
      signalNoMoreSplits: slot => this.#say(slot, { kind: 'no-more-splits', reader }),
      fail: error => {
        if (!this.#closed) this.#options.fail(error)
      },
    }
  }

  #say(slot: number, command: SlotCommandBody): void {
    if (this.#closed) return
    if (this.#held !== undefined) this.#held.push({ slot, command })
    else this.#options.send(slot, command)
  }

  #whenStarted(action: () => void): void {
    if (this.#started) this.#guarded(action)
    else this.#waiting.push(action)
  }

  #guarded(action: () => void): void {
    if (this.#closed) return
    try {
      action()
    } catch (error) {
      this.#options.fail(error)
    }
  }
}

function enumeratorOf(
  source: Source<unknown>,
  context: EnumeratorContext<SourceSplit>,
  state: JsonValue | undefined,
): SplitEnumerator<SourceSplit> {
  return state === undefined
    ? source.createEnumerator(context)
    : source.createEnumerator(context, state)
}
