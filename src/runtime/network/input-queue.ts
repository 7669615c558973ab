/**
 * The receiver's queue of one channel: items in the order they came, barriers that overtook some of
 * them, and the recording of what arrives. Used by every transport.
 *
 * Owns        the order of items and barriers, and which data counts as before which barrier.
 * Leaves out  room and credit, and how items come here.
 *
 * Invariants
 *  Q1  Items come out in the order they went in.
 *  Q2  A barrier that overtook stands at the place where the queue ended when it came: what was
 *      there is before it, and nothing behind it comes out before `pollPriority` gave the barrier.
 *  Q3  A recording and what `beginRecording` gave are together the data before the barrier that was
 *      not polled by then, each item once.
 *  Q4  A barrier comes once: in order, or by `pollPriority`.
 */
import { assert } from '../../common/assert.ts'
import type { CheckpointBarrier } from '../task-contract.ts'
import type { InFlightItem, PriorityBarrier } from './channel.ts'
import type { StreamEvent } from './stream-item.ts'

/** A barrier that left its place in the order: what came before `at` is before it (Q2). */
interface Mark {
  readonly checkpointId: number
  /** Counted from the first item that ever came. */
  at: number
}

interface Recording<D> {
  readonly checkpointId: number
  readonly items: D[]
  /** The barrier came: nothing more belongs to it. */
  closed: boolean
}

/** Items that were taken and still stand in the array: moving the rest for each would cost more. */
const TAKEN_MAX = 16

/** `D`: the data, as this transport holds it. */
export class InputQueue<D extends InFlightItem> {
  /** A plain array read by an index and cut when empty: queues are a few items long. */
  #items: (D | StreamEvent)[] = []
  #head = 0
  /** Items that ever came, and that ever left. */
  #came = 0
  #left = 0
  readonly #priority: PriorityBarrier[] = []
  /** Of barriers that overtook and were not given yet. */
  readonly #marks: Mark[] = []
  /** The newest barrier that was given, in order or not. */
  #given: Mark = { checkpointId: 0, at: 0 }
  #recording: Recording<D> | undefined
  readonly #whenPriority: () => void

  constructor(whenPriority: () => void) {
    this.#whenPriority = whenPriority
  }

  get isEmpty(): boolean {
    return this.#head === this.#items.length
  }

  /** Items in the queue; barriers that overtook are not counted. */
  get length(): number {
    return this.#items.length - this.#head
  }

  /** The newest item, if another may be put in its place. */
  get replaceable(): D | StreamEvent | undefined {
    const mark = this.#marks.at(-1) ?? this.#given
    // What came before a barrier must not turn into something that came after it (Q2).
    if (this.#came === mark.at) return undefined
    return this.#items.at(-1)
  }

  /** Puts a newer item in the place of the newest one. */
  replace(item: D | StreamEvent): void {
    this.#items[this.#items.length - 1] = item
    this.#record(item)
  }

  push(item: D | StreamEvent): void {
    if (item.kind === 'barrier') {
      const { barrier } = item
      const recording = this.#recording
      if (recording?.checkpointId === barrier.checkpointId && !recording.closed) {
        this.pushAhead(barrier)
        return
      }
      this.#closeRecording(barrier)
      if (barrier.alignment.kind === 'timeout') this.#announce({ barrier, announced: true })
    }
    this.#items.push(item)
    this.#came++
    this.#record(item)
  }

  /** A barrier came that overtook data: what is here is all there is before it. */
  pushAhead(barrier: CheckpointBarrier): void {
    this.#closeRecording(barrier)
    this.#marks.push({ checkpointId: barrier.checkpointId, at: this.#came })
    this.#announce({ barrier, announced: false })
  }

  poll(): D | StreamEvent | undefined {
    if (this.#head === this.#items.length) return undefined
    const [mark] = this.#marks
    if (mark !== undefined && mark.at === this.#left) return undefined
    const item = this.#items[this.#head] as D | StreamEvent
    this.#head++
    this.#left++
    if (this.#head === this.#items.length) {
      this.#items = []
      this.#head = 0
    } else if (this.#head === TAKEN_MAX) {
      // A queue that never becomes empty must not keep what was taken.
      this.#items.splice(0, TAKEN_MAX)
      this.#head = 0
    }
    if (item.kind === 'barrier') {
      const { checkpointId } = item.barrier
      this.#gave({ checkpointId, at: this.#left })
      this.#forget(checkpointId)
    }
    return item
  }

  pollPriority(): PriorityBarrier | undefined {
    const priority = this.#priority.shift()
    if (priority === undefined || priority.announced) return priority
    const mark = this.#marks.shift()
    const { checkpointId } = priority.barrier
    assert(mark?.checkpointId === checkpointId, 'Q4: barriers that overtook are given in order')
    this.#gave(mark)
    return priority
  }

  beginRecording(checkpointId: number): readonly D[] {
    assert(this.#recording === undefined, 'Q3: one recording at a time')
    const given = this.#given
    if (checkpointId <= given.checkpointId) {
      return checkpointId === given.checkpointId ? this.#dataBefore(given.at) : []
    }
    const mark =
      this.#marks.find(one => one.checkpointId === checkpointId) ?? this.#takeOut(checkpointId)
    if (mark !== undefined) return this.#dataBefore(mark.at)
    this.#recording = { checkpointId, items: [], closed: false }
    return this.#dataBefore(this.#came)
  }

  endRecording(checkpointId: number): readonly D[] {
    const recording = this.#recording
    if (recording?.checkpointId !== checkpointId) return []
    this.#recording = undefined
    return recording.items
  }

  #announce(priority: PriorityBarrier): void {
    this.#priority.push(priority)
    this.#whenPriority()
  }

  #record(item: D | StreamEvent): void {
    const recording = this.#recording
    if (recording !== undefined && !recording.closed && isData<D>(item)) recording.items.push(item)
  }

  /** A newer barrier than the awaited one says that the awaited one will not come. */
  #closeRecording({ checkpointId }: CheckpointBarrier): void {
    const recording = this.#recording
    if (recording !== undefined && recording.checkpointId <= checkpointId) recording.closed = true
  }

  /** One that was overtaken by a newer one says nothing any more. */
  #gave(mark: Mark): void {
    if (mark.checkpointId > this.#given.checkpointId) this.#given = mark
  }

  /** The barrier does not stand in the queue any more: its announcement says nothing. */
  #forget(checkpointId: number): void {
    const at = this.#priority.findIndex(
      one => one.announced && one.barrier.checkpointId === checkpointId,
    )
    if (at !== -1) this.#priority.splice(at, 1)
  }

  /** Takes a barrier out of its order; it goes on as one that overtook what stands behind it. */
  #takeOut(checkpointId: number): Mark | undefined {
    const index = this.#items.findIndex(
      (item, at) =>
        at >= this.#head && item.kind === 'barrier' && item.barrier.checkpointId === checkpointId,
    )
    const found = this.#items[index]
    if (found?.kind !== 'barrier') return undefined
    this.#items.splice(index, 1)
    this.#came--
    const at = this.#left + index - this.#head
    for (const later of this.#marks) if (later.at > at) later.at--
    const mark: Mark = { checkpointId, at }
    const place = this.#marks.findIndex(one => one.at > at)
    const marks = place === -1 ? this.#marks.length : place
    this.#marks.splice(marks, 0, mark)
    this.#forget(checkpointId)
    this.#insertPriority(found.barrier, marks)
    return mark
  }

  /** Barriers that overtook are given in the order of their marks. */
  #insertPriority(barrier: CheckpointBarrier, marks: number): void {
    let overtaking = 0
    let at = 0
    while (at < this.#priority.length && overtaking < marks) {
      if (this.#priority[at]?.announced === false) overtaking++
      at++
    }
    this.#priority.splice(at, 0, { barrier, announced: false })
    this.#whenPriority()
  }

  #dataBefore(at: number): readonly D[] {
    const end = this.#head + Math.max(0, at - this.#left)
    return this.#items.slice(this.#head, end).filter(isData<D>)
  }
}

function isData<D extends InFlightItem>(item: D | StreamEvent): item is D {
  switch (item.kind) {
    case 'records':
    case 'frame':
    case 'watermark':
    case 'status':
      return true
    default:
      return false
  }
}
