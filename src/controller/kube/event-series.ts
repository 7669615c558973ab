/**
 * Which Kubernetes events are written: the same one again only counts, and an object that has much
 * to say is cut short. Pure; `event-recorder.ts` writes them.
 */
import type { KubeObject } from './kube-object.ts'

export interface EventWords {
  readonly type: 'Normal' | 'Warning'
  /** A constant. */
  readonly reason: string
  /** What the controller did: a constant too. */
  readonly action: string
  readonly note: string
}

export interface EventSeries {
  /** Of the Event object. */
  readonly name: string
  readonly count: number
  readonly firstMs: number
  readonly lastMs: number
}

export type EventStep =
  | { readonly kind: 'create'; readonly series: EventSeries }
  | { readonly kind: 'count'; readonly series: EventSeries }
  | { readonly kind: 'drop' }

const WINDOW_MS = 600_000
/** An upgrade that is undone has four. Warnings are counted apart: news never keeps one out. */
const EVENTS_MAX = 25
/** What is over is looked for now and then only: a thousand jobs that begin say much at once. */
const SWEEP_EVERY_MS = 60_000

export class EventBudget {
  readonly #series = new Map<string, EventSeries>()
  readonly #spent = new Map<string, number[]>()
  readonly #newName: () => string
  #sweptMs = Number.NEGATIVE_INFINITY

  constructor(newName: () => string) {
    this.#newName = newName
  }

  decide(object: KubeObject, words: EventWords, nowMs: number): EventStep {
    if (nowMs - this.#sweptMs >= SWEEP_EVERY_MS) this.#sweep(nowMs)
    const uid = object.metadata.uid ?? object.metadata.name
    const key = JSON.stringify([uid, words.type, words.reason, words.action, words.note])
    const known = this.#series.get(key)
    if (known !== undefined && isRecent(known.lastMs, nowMs)) {
      const series = { ...known, count: known.count + 1, lastMs: nowMs }
      this.#series.set(key, series)
      // Once for each doubling: the count is for people.
      return Number.isInteger(Math.log2(series.count))
        ? { kind: 'count', series }
        : { kind: 'drop' }
    }
    const purse = `${words.type} ${uid}`
    const spent = (this.#spent.get(purse) ?? []).filter(ms => isRecent(ms, nowMs))
    if (spent.length >= EVENTS_MAX) return { kind: 'drop' }
    this.#spent.set(purse, [...spent, nowMs])
    const series = { name: this.#newName(), count: 1, firstMs: nowMs, lastMs: nowMs }
    this.#series.set(key, series)
    return { kind: 'create', series }
  }

  #sweep(nowMs: number): void {
    this.#sweptMs = nowMs
    for (const [key, { lastMs }] of this.#series) {
      if (!isRecent(lastMs, nowMs)) this.#series.delete(key)
    }
    for (const [purse, times] of this.#spent) {
      if (!times.some(ms => isRecent(ms, nowMs))) this.#spent.delete(purse)
    }
  }
}

function isRecent(ms: number, nowMs: number): boolean {
  return nowMs - ms <= WINDOW_MS
}
