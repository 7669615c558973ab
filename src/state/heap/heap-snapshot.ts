/**
 * A snapshot of the heap backend being written: walks every table and timer queue in slices, while
 * the task goes on between them. What the task is about to change ahead of the walk is written
 * first.
 *
 * Owns        the order of the walk, the bytes written so far.
 * Leaves out  which entries are pending (the tables know), where the bytes go.
 *
 * Invariants
 *  S1  Begun tables are all ended, by the last step or by `cancel`.
 *  S2  `result` is given once everything is written, never before.
 */
import { assert } from '../../common/assert.ts'
import type { Clock } from '../../common/clock.ts'
import type { ChunkPool } from '../chunk-pool.ts'
import type { KeyGroupRange } from '../key-groups.ts'
import type { KeyedSnapshot, SnapshotRun, StateMeta } from '../keyed-state-backend.ts'
import { joinSections, SectionWriter } from '../section-writer.ts'
import { stateErrors } from '../state-errors.ts'
import type { EntrySink } from './entry-table.ts'
import { EntryWriter } from './entry-writer.ts'
import type { Generation } from './generation.ts'
import type { HeapTimerQueue } from './heap-timer-queue.ts'
import type { OpenState } from './open-state.ts'

/** Slots between two looks at the clock: some 20 µs; lists and maps may be long. */
const SLICE_NUMBERS = 1_024
const SLICE_ENTRIES = 128
const SLICE_CELLS = 8

export interface HeapSnapshotOptions {
  readonly operatorName: string
  readonly maxParallelism: number
  readonly range: KeyGroupRange
  readonly clock: Pick<Clock, 'monotonic'>
  readonly pool: ChunkPool
  readonly states: Iterable<OpenState>
  readonly timers: Iterable<readonly [name: string, queue: HeapTimerQueue]>
  /** Called after each step: entries may have moved. */
  moved(): void
  /** Called once, when the run is over. */
  ended(): void
}

/** A table or a timer queue on the walk. */
interface Stop {
  /** Writes on a little; true when there is nothing left. */
  write(): boolean
  end(): void
}

export class HeapSnapshot implements SnapshotRun {
  readonly #options: HeapSnapshotOptions
  readonly #metas: StateMeta[] = []
  readonly #writers: SectionWriter[] = []
  readonly #stops: Stop[] = []
  #at = 0
  #isOver = false

  constructor(options: HeapSnapshotOptions) {
    this.#options = options
    for (const state of options.states) this.#beginState(state)
    for (const [name, queue] of options.timers) this.#beginTimers(name, queue)
  }

  step(budgetMs: number): boolean {
    assert(!this.#isOver || this.#at === this.#stops.length, 'S2: a cancelled run goes no further')
    const { clock } = this.#options
    const deadline = clock.monotonic() + budgetMs
    while (this.#at < this.#stops.length) {
      const stop = this.#stops[this.#at] as Stop
      if (stop.write()) {
        stop.end()
        this.#at++
      }
      if (clock.monotonic() >= deadline) break
    }
    this.#options.moved()
    if (this.#at === this.#stops.length) this.#finish()
    return this.#isOver
  }

  result(): KeyedSnapshot {
    assert(this.#isOver && this.#at === this.#stops.length, 'S2: a result is whole')
    this.#options.pool.clear()
    return joinSections(this.#metas, this.#writers, this.#options.range)
  }

  cancel(): void {
    for (const stop of this.#stops.slice(this.#at)) stop.end()
    this.#finish()
  }

  #finish(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#options.ended()
  }

  #writer(meta: StateMeta): SectionWriter {
    const { maxParallelism, range, pool } = this.#options
    const writer = new SectionWriter(maxParallelism, range, pool)
    this.#metas.push(meta)
    this.#writers.push(writer)
    return writer
  }

  #beginState(state: OpenState): void {
    const section = this.#writer(state.meta)
    const { contents } = state
    const slice = sliceOf(state)
    for (const table of state.tables.all()) {
      const { outerNamespace } = table
      const entries = new EntryWriter({ section, contents, outerNamespace })
      table.beginSnapshot(makeSink(state, entries, this.#options.operatorName))
      const write = (): boolean => {
        state.sweep.advance(table, slice)
        return table.writeSome(slice)
      }
      this.#stops.push({ write, end: () => table.endSnapshot() })
    }
  }

  #beginTimers(name: string, queue: HeapTimerQueue): void {
    const meta: StateMeta = { name, kind: 'timers', schema: null, version: 0, ttl: false }
    queue.beginSnapshot(this.#writer(meta))
    const write = (): boolean => queue.writeSome(SLICE_ENTRIES)
    this.#stops.push({ write, end: () => queue.endSnapshot() })
  }
}

function sliceOf({ meta, contents }: OpenState): number {
  if (contents.code !== undefined) return SLICE_NUMBERS
  return meta.kind === 'list' || meta.kind === 'map' ? SLICE_CELLS : SLICE_ENTRIES
}

/** Says which state it was that cannot be written. */
function makeSink(state: OpenState, entries: EntryWriter, operator: string): EntrySink {
  return {
    writeEntries(generation: Generation, from: number, to: number): number {
      try {
        return entries.writeEntries(generation, from, to)
      } catch (cause) {
        const { name } = state.meta
        const reason = cause instanceof Error ? cause.message : String(cause)
        throw stateErrors.WEIR_STATE_UNSERIALIZABLE({ operator, state: name, reason }, cause)
      }
    },
  }
}
