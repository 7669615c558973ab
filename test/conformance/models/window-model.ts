/**
 * Keyed windows element by element, as `conformance/README.md` describes them: every window of every
 * key is an object that holds its elements, and every timer is looked for in one set.
 */
import type { Op, Row } from '../vectors.ts'
import { timeOf, timeRow, timestampRow } from '../vectors.ts'
import type { AssignerVector, WindowVector } from '../window-vectors.ts'
import { type Domain, type TimerEntry, TimerSet } from './timer-set.ts'
import { type Ask, makeTriggerModel, type TriggerModel, type Verdict } from './trigger-model.ts'

export interface ModelElement {
  readonly id: number
  readonly ts: number
  readonly x: number
  /** Which stream of a join. */
  readonly side: string
}

export interface ModelWindow {
  readonly key: string
  readonly start: number
  readonly end: number
  /** The greatest timestamp. */
  readonly max: number
  elements: readonly ModelElement[]
  readonly state: Map<string, number>
  fired: number
}

/** Rows of a firing; the default is that of the suite `windows`. */
export type FireRows = (window: ModelWindow, seen: readonly ModelElement[]) => readonly Row[]

export class WindowModel {
  watermark = Number.NEGATIVE_INFINITY
  clock = 0
  readonly #vector: WindowVector
  readonly #trigger: TriggerModel
  readonly #fireRows: FireRows
  readonly #timers = new TimerSet()
  readonly #firedOfKey = new Map<string, number>()
  readonly #isEventTime: boolean
  #windows: ModelWindow[] = []
  #rows: Row[] = []
  /** The time of the timer that is firing, `null` at an element. */
  #timer: number | null = null

  constructor(vector: WindowVector, fireRows?: FireRows) {
    this.#vector = vector
    this.#trigger = makeTriggerModel(vector.trigger, vector.assigner)
    this.#fireRows = fireRows ?? ((window, seen) => [this.#row(window, seen)])
    this.#isEventTime = vector.assigner.kind !== 'global' && vector.assigner.time === 'event'
  }

  /** The rows of one op. `s`: a snapshot and a restore, of which only the watermark shows. */
  run(op: Op): Row[] {
    this.#rows = []
    const [kind, first] = op
    if (kind === 's') this.watermark = Number.NEGATIVE_INFINITY
    else if (kind === 'p') this.clock = timeOf(first)
    else if (kind === 'w') this.#advance(timeOf(first))
    else this.#element(op)
    this.#fireTimers('P', this.clock)
    return this.#rows
  }

  #advance(watermark: number): void {
    this.watermark = watermark
    this.#fireTimers('E', watermark)
    this.#rows.push(['w', timeRow(watermark)])
  }

  #element([side, key, time, id, x]: Op): void {
    this.#timer = null
    const ts = timeOf(time)
    const element = { id: id as number, ts, x: (x ?? 0) as number, side }
    const { assigner, lateness = 0 } = this.#vector
    const bounds = boundsOf(assigner, assignedTime(assigner, ts, this.clock), element.x)
    let taken = false
    for (const [start, end] of bounds) {
      const window = this.#windowFor(key as string, start, end)
      if (window === undefined) continue
      taken = true
      window.elements = [...window.elements, element]
      const ask = this.#ask(window)
      this.#act(window, this.#trigger.onElement(ask, ts, element.x))
      const cleanup = this.#cleanupTime(window)
      if (cleanup !== Number.POSITIVE_INFINITY) ask.register(this.#isEventTime ? 'E' : 'P', cleanup)
    }
    if (!taken && this.#isEventTime && ts + lateness <= this.watermark) {
      this.#rows.push(['l', timestampRow(ts), element.id])
    }
  }

  #fireTimers(domain: Domain, now: number): void {
    for (;;) {
      const timer = this.#timers.takeDue(domain, now)
      if (timer === undefined) return
      this.#onTimer(domain, timer)
    }
  }

  #onTimer(domain: Domain, timer: TimerEntry): void {
    const window = this.#windows.find(one => one.key === timer.key && nameOf(one) === timer.window)
    if (window === undefined) return
    this.#timer = timer.time
    this.#act(window, this.#trigger.onTimer(this.#ask(window), domain, timer.time))
    const isCleanup = timer.time === this.#cleanupTime(window)
    if (!isCleanup || domain !== (this.#isEventTime ? 'E' : 'P')) return
    this.#trigger.clear(this.#ask(window))
    this.#windows = this.#windows.filter(one => one !== window)
  }

  /** The live window of these bounds, merged or made; `undefined` when it is late. */
  #windowFor(key: string, start: number, end: number): ModelWindow | undefined {
    const ofKey = this.#windows.filter(one => one.key === key)
    const isSession = this.#vector.assigner.kind === 'session'
    const members = isSession
      ? ofKey.filter(one => one.start <= end && start <= one.end)
      : ofKey.filter(one => one.start === start)
    const from = Math.min(start, ...members.map(one => one.start))
    const to = Math.max(end, ...members.map(one => one.end))
    const same = members.find(one => one.start === from && one.end === to)
    if (same !== undefined) return this.#isLate(same) ? undefined : same
    const merged: ModelWindow = {
      key,
      start: from,
      end: to,
      max: to === Number.POSITIVE_INFINITY ? to : to - 1,
      elements: members.flatMap(one => one.elements),
      state: new Map(),
      fired: 0,
    }
    if (this.#isLate(merged)) return undefined
    if (members.length > 0) this.#merge(merged, members)
    this.#windows = [...this.#windows.filter(one => !members.includes(one)), merged]
    return merged
  }

  #merge(merged: ModelWindow, members: readonly ModelWindow[]): void {
    const states = members.map(one => one.state)
    this.#trigger.onMerge(this.#ask(merged), states)
    for (const member of members) {
      const ask = this.#ask(member)
      this.#trigger.clear(ask)
      ask.remove(this.#isEventTime ? 'E' : 'P', this.#cleanupTime(member))
    }
  }

  #isLate(window: ModelWindow): boolean {
    return this.#isEventTime && this.#cleanupTime(window) <= this.watermark
  }

  #cleanupTime(window: ModelWindow): number {
    return this.#isEventTime ? window.max + (this.#vector.lateness ?? 0) : window.max
  }

  #act(window: ModelWindow, { fire, purge }: Verdict): void {
    if (fire && window.elements.length > 0) this.#fire(window)
    if (purge) window.elements = []
  }

  #fire(window: ModelWindow): void {
    const { evictor } = this.#vector
    const kept = evictor ? evict(evictor, window.elements) : window.elements
    const seen = evictor?.after === true ? window.elements : kept
    window.fired++
    this.#firedOfKey.set(window.key, (this.#firedOfKey.get(window.key) ?? 0) + 1)
    this.#rows.push(...this.#fireRows(window, seen))
    window.elements = kept
  }

  #row(window: ModelWindow, seen: readonly ModelElement[]): Row {
    const { fn, assigner } = this.#vector
    const isGlobal = assigner.kind === 'global'
    const ids = seen.map(({ id }) => id)
    const inOrder = assigner.kind === 'session' ? ids.toSorted((a, b) => a - b) : ids
    const sum = [ids.length, ids.reduce((a, b) => a + b, 0)]
    const counted = [inOrder, window.fired, this.#firedOfKey.get(window.key)]
    const content = fn === 'sum' ? sum : fn === 'list' ? inOrder : counted
    const bounds = isGlobal ? [null, null] : [window.start, window.end]
    const timer = this.#timer === null ? null : timeRow(this.#timer)
    const time = timeRow(this.watermark)
    return ['r', timeRow(window.max), window.key, ...bounds, content, time, timer]
  }

  #ask(window: ModelWindow): Ask {
    const timers = this.#timers
    const entry = (time: number): TimerEntry => ({
      key: window.key,
      window: nameOf(window),
      time,
    })
    return {
      max: window.max,
      watermark: this.watermark,
      clock: this.clock,
      state: window.state,
      register: (domain, time) => timers.register(domain, entry(time)),
      remove: (domain, time) => timers.remove(domain, entry(time)),
    }
  }
}

function nameOf({ start, end }: ModelWindow): string {
  return `${start}..${end}`
}

function assignedTime(assigner: AssignerVector, ts: number, clock: number): number {
  if (assigner.kind === 'global') return ts
  if (assigner.time === 'processing') return clock
  if (ts === Number.NEGATIVE_INFINITY) throw new Error('an element without a timestamp')
  return ts
}

/** In the order in which the element visits its windows. */
function boundsOf(assigner: AssignerVector, t: number, x: number): [number, number][] {
  switch (assigner.kind) {
    case 'global':
      return [[Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]]
    case 'session':
      return [[t, t + (assigner.gap === 'dynamic' ? x : assigner.gap)]]
    case 'tumbling': {
      const start = t - floorMod(t - assigner.offset, assigner.size)
      return [[start, start + assigner.size]]
    }
    case 'sliding': {
      const { size, slide, offset } = assigner
      const bounds: [number, number][] = []
      const last = t - floorMod(t - offset, slide)
      for (let start = last; start > t - size; start -= slide) bounds.push([start, start + size])
      return bounds
    }
  }
}

function floorMod(a: number, b: number): number {
  return ((a % b) + b) % b
}

type EvictorOf = NonNullable<WindowVector['evictor']>

/** What stays. */
function evict(evictor: EvictorOf, elements: readonly ModelElement[]): readonly ModelElement[] {
  switch (evictor.kind) {
    case 'count':
      return elements.slice(Math.max(0, elements.length - evictor.n))
    case 'time': {
      if (elements[0]?.ts === Number.NEGATIVE_INFINITY) return elements
      const greatest = Math.max(...elements.map(({ ts }) => ts))
      return elements.filter(({ ts }) => ts > greatest - evictor.ms)
    }
    case 'delta': {
      const last = elements.at(-1)?.x ?? 0
      return elements.filter(({ x }) => last - x < evictor.threshold)
    }
  }
}
