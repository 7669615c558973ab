/** What the all-round job must give, worked out from its input alone, by plain loops. */
import { type plansOf, SESSION_GAP_MS, STEPS, WINDOW_MS } from './all-round/all-round-job.ts'
import { TIMER_MS } from './all-round/ordered-keys.ts'
import { hashOf, type Ordered, OrderingInput } from './all-round/ordering-input.ts'
import type { Result } from './all-round/result.ts'

export type Plans = ReturnType<typeof plansOf>

export interface Tally {
  count: number
  sum: number
}

/** Rows by way and part. */
export type ExpectedParts = ReadonlyMap<string, ReadonlyMap<string, Tally>>

/** `copies`: how many subtasks got each record of the broadcast edge. */
export function expectedParts(plans: Plans, copies: number): ExpectedParts {
  const ways = new Map<string, Map<string, Tally>>()
  const add = (path: string, part: string, one: Ordered): void => {
    const parts = getOr(ways, path, () => new Map<string, Tally>())
    addTo(getOr(parts, part, newTally), one)
  }
  for (const one of new OrderingInput(plans.main).all()) {
    const { split, seq, key, ordinal } = one
    add('keyed', `${split}.${key}`, one)
    if (ordinal % 2 === 1) add('odd', `${split}.${key}`, one)
    for (const path of ['shuffled', 'custom']) add(path, `${split}`, one)
    for (const path of ['rescaled', 'called', 'global'] as const) {
      if (seq % STEPS[path] === 0) add(path, `${split}`, one)
    }
    if (seq % STEPS.copies !== 0) continue
    for (let copy = 0; copy < copies; copy++) add('copies', `${split}.${copy}`, one)
  }
  return ways
}

/** All results but those that depend on when the job was watched, each as one line. */
export function expectedResults(plans: Plans): readonly string[] {
  const main = [...new OrderingInput(plans.main).all()]
  const side = [...new OrderingInput(plans.side).all()]
  return [
    ...tumblings([...main, ...side]),
    ...sessions(main),
    ...timers(main),
    ...totals(main),
    ...pairs(main, side),
    ...rules(plans.rules, main),
  ].map(lineOf)
}

export function lineOf({ kind, key, from, to, count, sum }: Result): string {
  return `${kind} of key ${key}, ${from} to ${to}: ${count} records, sum ${sum}`
}

function tumblings(records: readonly Ordered[]): readonly Result[] {
  const windows = Map.groupBy(records, one => `${one.key}/${Math.floor(one.at / WINDOW_MS)}`)
  return [...windows.values()].map(window => {
    const [first] = window as [Ordered]
    const from = Math.floor(first.at / WINDOW_MS) * WINDOW_MS
    return { kind: 'tumbling', key: first.key, from, to: from + WINDOW_MS, ...tallyOf(window) }
  })
}

function sessions(records: readonly Ordered[]): readonly Result[] {
  return [...Map.groupBy(records, one => one.key)].flatMap(([key, all]) => {
    const groups: Ordered[][] = []
    for (const one of all.toSorted((a, b) => a.at - b.at)) {
      const last = groups.at(-1)
      const end = last?.at(-1)?.at
      // Windows [at, at + gap) that touch are one session.
      if (last === undefined || end === undefined || one.at > end + SESSION_GAP_MS) {
        groups.push([one])
      } else last.push(one)
    }
    return groups.map(group => {
      const from = (group[0] as Ordered).at
      const to = (group.at(-1) as Ordered).at + SESSION_GAP_MS
      return { kind: 'session', key, from, to, ...tallyOf(group) }
    })
  })
}

function timers(records: readonly Ordered[]): readonly Result[] {
  const times = Map.groupBy(records, one => `${one.key}/${Math.floor(one.at / TIMER_MS)}`)
  return [...times.values()].map(group => {
    const [{ key, at }] = group as [Ordered]
    const time = (Math.floor(at / TIMER_MS) + 2) * TIMER_MS
    return { kind: 'timer', key, from: time, to: time, count: 1, sum: 0 }
  })
}

function totals(records: readonly Ordered[]): readonly Result[] {
  return [...Map.groupBy(records, one => one.key)].map(([key, all]) => {
    const largest = all.reduce((most, one) => Math.max(most, one.value), 0)
    return { kind: 'total', key, from: largest, to: 0, ...tallyOf(all) }
  })
}

function pairs(main: readonly Ordered[], side: readonly Ordered[]): readonly Result[] {
  const keys = new Set([...main, ...side].map(one => one.key))
  const of = (records: readonly Ordered[], key: number): Tally =>
    tallyOf(records.filter(one => one.key === key))
  return [...keys].flatMap(key => [
    { kind: 'left', key, from: 0, to: 0, ...of(main, key) },
    { kind: 'right', key, from: 0, to: 0, ...of(side, key) },
  ])
}

function rules(count: number, main: readonly Ordered[]): readonly Result[] {
  let sum = 0
  for (let id = 0; id < count; id++) sum += (id * 37) % 101
  const keys = new Set(main.map(one => one.key))
  return [...keys].map(key => ({ kind: 'rules', key, from: 0, to: 0, count, sum }))
}

export function tallyOf(records: readonly Ordered[]): Tally {
  const tally = newTally()
  for (const one of records) addTo(tally, one)
  return tally
}

function newTally(): Tally {
  return { count: 0, sum: 0 }
}

function addTo(tally: Tally, one: Ordered): void {
  tally.count++
  tally.sum += hashOf(one)
}

function getOr<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const found = map.get(key)
  if (found !== undefined) return found
  const made = make()
  map.set(key, made)
  return made
}
