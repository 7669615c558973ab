/**
 * The records that an async operator is waiting for, and the order in which their results leave.
 *
 * Invariants
 *  Q1  No result crosses a mark (a watermark or status), in either direction.
 *  Q2  Ordered: results leave in the order of the records. Unordered: as soon as they are there and
 *      Q1 allows it.
 */
import { assert } from '../../common/assert.ts'
import type { RecordCoordinates } from '../../schema/located-type.ts'

export interface AsyncEntry {
  readonly value: unknown
  readonly timestamp: number
  /** Where the record came from. */
  readonly coordinates: RecordCoordinates | undefined
  /** `undefined` until the request has completed. */
  results: readonly unknown[] | undefined
}

/** Sends a watermark or a status on. */
export type Mark = () => void

export interface AsyncQueue {
  /** Records added and not yet emitted. */
  readonly size: number
  add(entry: AsyncEntry): void
  addMark(mark: Mark): void
  /** The entry has its results: emits all that may leave now. */
  completed(entry: AsyncEntry): void
  /** What a snapshot must hold, in the order of arrival. */
  entries(): Iterable<AsyncEntry>
}

export type EmitEntry = (entry: AsyncEntry) => void

export class OrderedAsyncQueue implements AsyncQueue {
  size = 0
  readonly #emit: EmitEntry
  /** In order of arrival: a set gives its oldest member, and lets it go, in constant time. */
  readonly #queue = new Set<AsyncEntry | Mark>()

  constructor(emit: EmitEntry) {
    this.#emit = emit
  }

  add(entry: AsyncEntry): void {
    this.#queue.add(entry)
    this.size++
  }

  addMark(mark: Mark): void {
    if (this.#queue.size === 0) mark()
    else this.#queue.add(mark)
  }

  completed(entry: AsyncEntry): void {
    assert(entry.results !== undefined, 'Q2: a completed entry has results')
    for (const head of this.#queue) {
      if (typeof head !== 'function' && head.results === undefined) return
      this.#queue.delete(head)
      if (typeof head === 'function') {
        head()
      } else {
        this.size--
        this.#emit(head)
      }
    }
  }

  *entries(): Generator<AsyncEntry> {
    for (const one of this.#queue) if (typeof one !== 'function') yield one
  }
}

/** The records between two marks. */
interface Segment {
  readonly waiting: Set<AsyncEntry>
  /** Completed while an older segment was still waiting. */
  readonly ready: AsyncEntry[]
  /** Ends the segment. The last one has none. */
  mark: Mark | undefined
}

export class UnorderedAsyncQueue implements AsyncQueue {
  size = 0
  readonly #emit: EmitEntry
  /** Oldest first; never empty. */
  readonly #segments: Segment[] = [emptySegment()]

  constructor(emit: EmitEntry) {
    this.#emit = emit
  }

  add(entry: AsyncEntry): void {
    this.#segments.at(-1)?.waiting.add(entry)
    this.size++
  }

  addMark(mark: Mark): void {
    if (this.size === 0) {
      mark()
      return
    }
    const last = this.#segments.at(-1)
    assert(last !== undefined && last.mark === undefined, 'Q1: the last segment is open')
    last.mark = mark
    this.#segments.push(emptySegment())
  }

  completed(entry: AsyncEntry): void {
    const segment = this.#segments.find(one => one.waiting.delete(entry))
    assert(segment !== undefined, 'Q2: an entry completes once')
    segment.ready.push(entry)
    if (segment === this.#segments[0]) this.#drain()
  }

  *entries(): Generator<AsyncEntry> {
    for (const { ready, waiting } of this.#segments) {
      yield* ready
      yield* waiting
    }
  }

  #drain(): void {
    for (;;) {
      const head = this.#segments[0] as Segment
      for (const entry of head.ready.splice(0)) {
        this.size--
        this.#emit(entry)
      }
      if (head.waiting.size > 0 || head.mark === undefined) return
      this.#segments.shift()
      head.mark()
    }
  }
}

function emptySegment(): Segment {
  return { waiting: new Set(), ready: [], mark: undefined }
}
