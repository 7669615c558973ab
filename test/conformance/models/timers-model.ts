/** The keyed process function of the suite `timers`, with one set of timers and a number a key. */
import { type Op, type Row, timeOf, timeRow, timestampRow } from '../vectors.ts'
import { type Domain, type TimerEntry, TimerSet } from './timer-set.ts'

interface KeyOf {
  v: number | undefined
  chain: { readonly domain: Domain; readonly delta: number; left: number } | undefined
  cut: { readonly domain: Domain; readonly delta: number } | undefined
}

type Action = readonly [string, ...unknown[]]

export class TimersModel {
  #watermark = Number.NEGATIVE_INFINITY
  #clock = 0
  readonly #timers = new TimerSet()
  readonly #keys = new Map<string, KeyOf>()
  #rows: Row[] = []

  /** The rows of one op. `s`: a snapshot and a restore, of which only the watermark shows. */
  run(op: Op): Row[] {
    this.#rows = []
    const [kind, first] = op
    if (kind === 's') this.#watermark = Number.NEGATIVE_INFINITY
    else if (kind === 'p') this.#clock = timeOf(first)
    else if (kind === 'e') this.#element(op)
    else {
      this.#watermark = timeOf(first)
      this.#fire('E', this.#watermark)
      this.#rows.push(['w', timeRow(this.#watermark)])
    }
    this.#fire('P', this.#clock)
    return this.#rows
  }

  #stateOf(key: string): KeyOf {
    const state = this.#keys.get(key) ?? { v: undefined, chain: undefined, cut: undefined }
    this.#keys.set(key, state)
    return state
  }

  #element([, key, ts, id, actions]: Op): void {
    const state = this.#stateOf(key as string)
    for (const [kind, a, b, c] of actions as Action[]) {
      const timer: TimerEntry = { key: key as string, window: '', time: b as number }
      if (kind === 'reg') this.#timers.register(a as Domain, timer)
      else if (kind === 'del') this.#timers.remove(a as Domain, timer)
      else if (kind === 'set') state.v = a as number
      else if (kind === 'add') state.v = (state.v ?? 0) + (a as number)
      else if (kind === 'clear') state.v = undefined
      else if (kind === 'cut') state.cut = { domain: a as Domain, delta: b as number }
      else if (kind === 'chain') {
        state.chain = { domain: a as Domain, delta: b as number, left: c as number }
      } else {
        const row = ['r', timestampRow(timeOf(ts)), 'e', key, id, state.v ?? null]
        this.#rows.push([...row, timeRow(this.#watermark), this.#clock])
      }
    }
  }

  #fire(domain: Domain, now: number): void {
    for (;;) {
      const timer = this.#timers.takeDue(domain, now)
      if (timer === undefined) return
      this.#onTimer(domain, timer)
    }
  }

  #onTimer(domain: Domain, { key, time }: TimerEntry): void {
    const state = this.#stateOf(key)
    const { cut, chain } = state
    const ts = domain === 'E' ? timeRow(time) : null
    const row = ['r', ts, 't', domain, timeRow(time), key, state.v ?? null]
    this.#rows.push([...row, timeRow(this.#watermark), this.#clock])
    if (state.v !== undefined) state.v++
    state.cut = undefined
    if (cut !== undefined)
      this.#timers.remove(cut.domain, { key, window: '', time: time + cut.delta })
    if (chain === undefined) return
    this.#timers.register(chain.domain, { key, window: '', time: time + chain.delta })
    if (--chain.left === 0) state.chain = undefined
  }
}
