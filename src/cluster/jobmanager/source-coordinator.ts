/**
 * Runs the split enumerators of a job's sources and carries their words to the readers.
 *
 * Owns        the enumerators of one attempt, which readers they know, and what each was given.
 * Leaves out  when a checkpoint happens.
 *
 * Invariants
 *  E1  What an enumerator says after its snapshot reaches a reader behind the barrier: else a split
 *      would be in neither state, or in both.
 *  E2  A reader gets its restored splits before its enumerator hears of it.
 *  E3  After `close` nothing is said any more.
 *  E4  What is said to a reader that is not there reaches it when it is.
 *  E5  A split that a reader was given after the checkpoint it starts again from goes back to the
 *      enumerator, which goes on as it is: of all readers only that one forgets.
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
import type { Subtask } from '../../graph/execution-plan.ts'
import { headOf, type JobGraph } from '../../graph/job-graph.ts'
import type { SlotCommandBody, SourceReaderAddress } from '../slot-messages.ts'
import { SplitAssignments } from './split-assignments.ts'

/** What an enumerator says to a reader. */
export type ReaderCommand = Extract<SlotCommandBody, { readonly reader: SourceReaderAddress }>

export interface SourceCoordinatorOptions {
  readonly graph: JobGraph
  readonly restore: RestorePlan | undefined
  readonly clock: Clock
  readonly send: (slot: number, command: ReaderCommand) => void
  readonly fail: (error: unknown) => void
}

interface CoordinatedSource {
  readonly address: SourceReaderAddress
  readonly enumerator: SplitEnumerator<SourceSplit>
  /** By reader: for it when it comes. */
  readonly restoredSplits: Map<number, readonly SourceSplit[]>
  readonly readers: Set<number>
  readonly assignments: SplitAssignments
  /** Said to readers that are not there (E4). */
  readonly unsaid: { readonly slot: number; readonly command: ReaderCommand }[]
}

export class SourceCoordinator {
  readonly #options: SourceCoordinatorOptions
  readonly #sources = new Map<string, CoordinatedSource>()
  /** What was said while a checkpoint is being triggered; `undefined`: the gate is open. */
  #held: { slot: number; command: ReaderCommand }[] | undefined
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
        restoredSplits: new Map(restored?.subtasks.map(({ splits }, index) => [index, splits])),
        readers: new Set(),
        assignments: new SplitAssignments(),
        unsaid: [],
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

  /** These subtasks start again from what this plan gives them; nothing: they start empty (E5). */
  startAgain(subtasks: readonly Subtask[], restore: RestorePlan | undefined): void {
    const returns: (() => void)[] = []
    for (const [operatorId, source] of this.#sources) {
      const restored = restore?.operators.get(operatorId)?.subtasks
      for (const { vertex, index } of subtasks) {
        if (vertex.id !== source.address.vertexId) continue
        const back = source.assignments.takeBack(index, restore?.checkpointId ?? 0)
        source.readers.delete(index)
        source.restoredSplits.set(index, restored?.[index]?.splits ?? [])
        removeAll(source.unsaid, ({ slot }) => slot === index)
        returns.push(() => source.enumerator.addSplitsBack(back, index))
      }
    }
    // Only now: what is given on at once may be for another one that starts again.
    for (const giveBack of returns) this.#whenStarted(giveBack)
  }

  /**
   * Takes the enumerators' states, then calls `inject`, which sends the barriers; whatever the
   * enumerators say meanwhile goes out behind them (E1).
   */
  snapshot(checkpointId: number, inject: () => void): ReadonlyMap<string, JsonValue> {
    assert(this.#held === undefined, 'E1: one checkpoint is triggered at a time')
    assert(this.#started, 'E2: readers have their restored splits before a checkpoint')
    const held: { slot: number; command: ReaderCommand }[] = []
    this.#held = held
    try {
      const states = new Map<string, JsonValue>()
      for (const [operatorId, { enumerator, assignments }] of this.#sources) {
        assignments.cut(checkpointId)
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
    for (const { enumerator, assignments } of this.#sources.values()) {
      assignments.completed(checkpointId)
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
    const splits = source.restoredSplits.get(subtaskIndex) ?? []
    if (splits.length > 0) {
      this.#say(subtaskIndex, { kind: 'add-splits', reader: source.address, splits })
    }
    for (const { command } of removeAll(source.unsaid, ({ slot }) => slot === subtaskIndex)) {
      this.#say(subtaskIndex, command)
    }
    source.enumerator.addReader(subtaskIndex)
  }

  #context(reader: SourceReaderAddress, parallelism: number): EnumeratorContext<SourceSplit> {
    return {
      parallelism,
      clock: this.#options.clock,
      assignSplit: (split, slot) => {
        this.#sources.get(reader.operatorId)?.assignments.given(split, slot)
        this.#say(slot, { kind: 'add-splits', reader, splits: [split] })
      },
      signalNoMoreSplits: slot => this.#say(slot, { kind: 'no-more-splits', reader }),
      fail: error => {
        if (!this.#closed) this.#options.fail(error)
      },
    }
  }

  #say(slot: number, command: ReaderCommand): void {
    if (this.#closed) return
    const source = this.#sources.get(command.reader.operatorId)
    if (source?.readers.has(slot) === false) source.unsaid.push({ slot, command })
    else if (this.#held !== undefined) this.#held.push({ slot, command })
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

/** Takes out of the list what is asked for, and gives it. */
function removeAll<T>(list: T[], isWanted: (item: T) => boolean): readonly T[] {
  const wanted = list.filter(isWanted)
  const rest = list.filter(item => !isWanted(item))
  list.splice(0, list.length, ...rest)
  return wanted
}
