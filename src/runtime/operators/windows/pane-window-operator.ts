/**
 * Event-time tumbling and sliding windows with the default trigger, by panes: a record updates one
 * pane, whatever number of windows it is in, and a window fires by one visit of its keys, without a
 * timer a key. Results are those of `WindowOperator`.
 *
 * Owns        which panes hold something, which windows are due, what has fired.
 * Leaves out  what panes hold (`pane-store.ts`).
 *
 * Timers make three things right that this has to do by itself: a window fires once a key, also
 * around a restore; a window that was cleaned up before a restore begins anew with the records
 * after it (the watermark is unknown then); a burst stops in the middle when the outputs are full.
 *
 * Invariants
 *  P1  Each pane that holds something is in `#live`, and its windows that are to fire in
 *      `#pending`.
 *  P2  A window with a greatest timestamp up to `#fired` of a key has fired for it, unless a timer
 *      in `#refires` says that it still has to.
 *  P3  The gate opens only for panes all of whose windows are still to fire, for all keys.
 */

import type { Window } from '../../../api/window.ts'
import { requireTimestamp } from '../../../api/windows/window-arithmetic.ts'
import { assertDefined } from '../../../common/assert.ts'
import { cloneFunction } from '../../../common/clone-function.ts'
import { MAX_TIMESTAMP, MIN_TIMESTAMP } from '../../../common/timestamps.ts'
import type { PrimitiveKey } from '../../../state/key.ts'
import type { KeyedStateBackend } from '../../../state/keyed-state-backend.ts'
import type { TimerQueue } from '../../../state/timer-queue.ts'
import type { OperatorContext, Push } from '../../stream-operator.ts'
import { makeErrorHandler } from '../../user-function-errors.ts'
import { AbstractStreamOperator } from '../abstract-stream-operator.ts'
import { makeCollector } from '../output-collector.ts'
import { FiredWindows } from './fired-windows.ts'
import { makeLateOutput } from './late-output.ts'
import { makePaneGrid, type PaneGrid, paneOf, windowsOfPane } from './pane-grid.ts'
import { type PaneGate, paneInput } from './pane-input.ts'
import { makePaneStores, type PaneStores } from './pane-stores.ts'
import { makeFire } from './window-body.ts'
import type { WindowOperatorSpec } from './window-operator-spec.ts'

/** A firing that was interrupted: the keys that are left. */
interface Burst {
  readonly window: Window
  readonly keys: PrimitiveKey[]
}

interface PaneElement {
  readonly value: unknown
  readonly timestamp: number
  readonly input: number
}

/** What `open` makes. */
interface Parts {
  readonly backend: KeyedStateBackend
  readonly stores: PaneStores
  readonly fired: FiredWindows
  readonly late: Push
  /** Keys whose window, though it is in `fired`, has to fire by itself. */
  readonly refires: TimerQueue
  /** The same for windows that began anew after a restore. */
  readonly reopenedTimers: TimerQueue
}

export class PaneWindowOperator extends AbstractStreamOperator {
  readonly #spec: WindowOperatorSpec
  readonly #grid: PaneGrid
  readonly #latenessMs: number
  readonly #gate: PaneGate = { start: MAX_TIMESTAMP, end: MIN_TIMESTAMP, openFrom: MAX_TIMESTAMP }
  /** The starts of panes that may hold something. */
  readonly #live = new Set<number>()
  /** The starts of windows that are to fire for all their keys. */
  readonly #pending = new Set<number>()
  readonly #reopened = new Set<number>()
  /** The watermark as window functions see it. */
  readonly #clock = { watermark: MIN_TIMESTAMP }
  #burst: Burst | undefined
  #opened: Parts | undefined

  constructor(context: OperatorContext, spec: WindowOperatorSpec) {
    super(context)
    const { assigner, allowedLatenessMs } = spec.window
    const { shape } = assigner
    this.#spec = spec
    this.#latenessMs = allowedLatenessMs
    this.#grid = makePaneGrid(
      assertDefined(
        shape.kind === 'tumbling' || shape.kind === 'sliding' ? shape : undefined,
        'panes are of tumbling or sliding windows',
      ),
    )
  }

  open(): void | Promise<void> {
    const { context } = this
    const spec = this.#spec
    const backend = context.keyedState()
    const collector = makeCollector(context)
    this.collector = collector
    const fn = spec.kind === 'window' ? spec.fn : undefined
    const body = { context, backend, timers: this.#clock, collector }
    const { fire } = makeFire(fn, body)
    const parts: Parts = {
      backend,
      stores: makePaneStores(spec, { ...body, grid: this.#grid, fire }),
      fired: new FiredWindows({ context, range: backend.range }),
      late: makeLateOutput(context, spec.window.lateTag),
      refires: backend.timerQueue('$timers.event'),
      reopenedTimers: backend.timerQueue('$timers.reopened'),
    }
    this.#opened = parts
    for (const start of parts.stores.reopenedStarts()) this.#reopened.add(start)
    for (const pane of parts.fired.restoredPanes) this.#note(pane)
    this.#moveGate()
    this.inputs = context.keySelectors.map((select, input) => {
      return cloneFunction(paneInput)({
        select,
        input,
        backend,
        collector,
        gate: this.#gate,
        store: parts.stores.panes,
        enter: timestamp => this.#enter(timestamp),
        slow: (value, timestamp) => this.#slow({ value, timestamp, input }),
        metrics: context.metrics,
        errors: makeErrorHandler(context),
      })
    })
    return fn?.open?.(context.runtime)
  }

  override close(): void | Promise<void> {
    return this.#spec.kind === 'window' ? this.#spec.fn?.close?.() : undefined
  }

  get #parts(): Parts {
    return assertDefined(this.#opened, 'the operator is open')
  }

  /** Opens the gate for the record's pane; false when the record must take the slow way (P3). */
  #enter(timestamp: number): boolean {
    const gate = this.#gate
    if (timestamp < gate.openFrom || timestamp === MIN_TIMESTAMP) return false
    const pane = paneOf(this.#grid, timestamp)
    if (!this.#live.has(pane)) this.#note(pane)
    this.#parts.stores.panes.select(pane)
    gate.start = pane
    gate.end = pane + this.#grid.paneMs
    return true
  }

  /** The pane that the store stands on is not that of the last record any more. */
  #closeGate(): void {
    this.#gate.start = MAX_TIMESTAMP
    this.#gate.end = MIN_TIMESTAMP
  }

  /** Panes that the watermark has not passed are in windows that are still to fire only. */
  #moveGate(): void {
    this.#closeGate()
    const firesFrom = Math.max(this.watermark, this.#parts.fired.most)
    const { sizeMs, slideMs } = this.#grid
    const isKnown = firesFrom > MIN_TIMESTAMP && firesFrom < MAX_TIMESTAMP
    this.#gate.openFrom = isKnown ? paneOf(this.#grid, firesFrom + 1) : firesFrom
    // Between windows there are panes that no window has.
    if (slideMs > sizeMs) this.#gate.openFrom = MAX_TIMESTAMP
  }

  /** A record some of whose windows may have fired already, or be late. */
  #slow({ value, timestamp, input }: PaneElement): void {
    const { stores, fired, backend, late, refires, reopenedTimers } = this.#parts
    requireTimestamp(timestamp, this.#spec.window.assigner.name)
    this.#closeGate()
    backend.setCurrentKey(this.selector(input)(value))
    const pane = paneOf(this.#grid, timestamp)
    const firedTo = fired.of(backend.foldedKey())
    let taken = false
    let inPane = false
    for (const start of windowsOfPane(this.#grid, pane)) {
      const last = this.#lastOf(start)
      if (last + this.#latenessMs <= this.watermark) continue
      taken = true
      const isForgotten = last + this.#latenessMs <= firedTo && !holds(refires, start, last)
      if (isForgotten) {
        stores.reopened.select(start)
        stores.reopened.add(value, input)
        this.#reopened.add(start)
        if (last <= this.watermark) stores.reopened.fire(this.#windowAt(start))
        else reopenedTimers.add(start, last)
        continue
      }
      if (!inPane) {
        inPane = true
        this.#note(pane)
        stores.panes.select(pane)
        stores.panes.add(value, input)
      }
      if (last <= this.watermark) stores.panes.fire(this.#windowAt(start))
      else if (last <= firedTo) refires.add(start, last)
    }
    if (!taken && timestamp + this.#latenessMs <= this.watermark) late(value, timestamp)
  }

  /** Keeps P1 for a pane that is about to hold something. */
  #note(pane: number): void {
    if (this.#live.has(pane)) return
    this.#live.add(pane)
    const firesFrom = Math.max(this.watermark, this.#parts.fired.least)
    for (const start of windowsOfPane(this.#grid, pane)) {
      if (this.#lastOf(start) > firesFrom) this.#pending.add(start)
    }
  }

  protected override fireEventTime(watermark: number): boolean {
    const { fired } = this.#parts
    this.#clock.watermark = watermark
    this.#closeGate()
    for (;;) {
      if (!this.#goOn()) return false
      const start = this.#nextPending(watermark)
      const limit = start === undefined ? watermark : this.#lastOf(start)
      if (!this.#fireTimers(limit)) return false
      if (start === undefined) break
      this.#pending.delete(start)
      this.#fireWindow(this.#windowAt(start))
    }
    fired.raise(watermark)
    this.#moveGate()
    this.#cleanUp(watermark)
    return true
  }

  /** The earliest window that is due. */
  #nextPending(watermark: number): number | undefined {
    let next: number | undefined
    for (const start of this.#pending) {
      if (this.#lastOf(start) <= watermark && (next === undefined || start < next)) next = start
    }
    return next
  }

  /** Fires the windows of single keys, up to `limit`, in the order of time. */
  #fireTimers(limit: number): boolean {
    const { refires, reopenedTimers, stores } = this.#parts
    for (;;) {
      const isRefire = refires.nextTimestamp() <= reopenedTimers.nextTimestamp()
      const queue = isRefire ? refires : reopenedTimers
      if (!queue.poll(limit)) return true
      const store = isRefire ? stores.panes : stores.reopened
      store.fire(this.#windowAt(queue.polledNamespace))
      if (this.context.outputFull()) return false
    }
  }

  /**
   * Fires a window for all keys; when the outputs are full, the keys that are left wait in a burst.
   */
  #fireWindow(window: Window): void {
    const { stores, fired, backend } = this.#parts
    const last = window.end - 1
    // After a rescale, key groups that had come further have fired this window before.
    const mixed = fired.most >= last
    let left: PrimitiveKey[] | undefined
    stores.panes.forEachKey(window, () => {
      if (mixed && fired.of(backend.foldedKey()) >= last) return
      if (left === undefined) {
        stores.panes.fire(window)
        if (this.context.outputFull()) left = []
      } else {
        left.push(backend.foldedKey())
      }
    })
    fired.raise(last)
    if (left === undefined) stores.panes.release()
    else this.#burst = { window, keys: left.reverse() }
  }

  /** Goes on with an interrupted window. False when it has to stop again. */
  #goOn(): boolean {
    const burst = this.#burst
    if (burst === undefined) return true
    const { stores, backend } = this.#parts
    for (let key = burst.keys.pop(); key !== undefined; key = burst.keys.pop()) {
      backend.setFoldedKey(key)
      stores.panes.fire(burst.window)
      if (this.context.outputFull()) return false
    }
    this.#burst = undefined
    stores.panes.release()
    return true
  }

  #cleanUp(watermark: number): void {
    const { stores } = this.#parts
    const isOver = (start: number): boolean => this.#lastOf(start) + this.#latenessMs <= watermark
    const dead = [...this.#live].filter(pane => windowsOfPane(this.#grid, pane).every(isOver))
    for (const pane of dead) {
      this.#live.delete(pane)
      stores.panes.drop(pane)
    }
    for (const start of [...this.#reopened].filter(isOver)) {
      this.#reopened.delete(start)
      stores.reopened.drop(start)
    }
  }

  /** What an interrupted window has left becomes timers: state, like any that did not fire yet. */
  override snapshotState(): void {
    const { fired, refires, backend, stores } = this.#parts
    const burst = this.#burst
    if (burst !== undefined) {
      for (const key of burst.keys) {
        backend.setFoldedKey(key)
        refires.add(burst.window.start, burst.window.end - 1)
      }
      this.#burst = undefined
      stores.panes.release()
    }
    fired.store([...this.#live])
  }

  /** The greatest timestamp of the window at `start`. */
  #lastOf(start: number): number {
    return start + this.#grid.sizeMs - 1
  }

  #windowAt(start: number): Window {
    return { start, end: start + this.#grid.sizeMs }
  }
}

/** Whether the current key has this timer. */
function holds(queue: TimerQueue, namespace: number, timestamp: number): boolean {
  if (!queue.remove(namespace, timestamp)) return false
  queue.add(namespace, timestamp)
  return true
}
