/**
 * The judge of a run of the all-round job: reads what its sinks committed and compares it with what
 * follows from the input. Gives one sentence for each thing that is wrong.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { LIFETIME, type Note, readLedger } from './all-round/ledger-sink.ts'
import type { Result } from './all-round/result.ts'
import {
  type ExpectedParts,
  expectedParts,
  expectedResults,
  lineOf,
  type Plans,
  type Tally,
} from './expected-output.ts'

export interface CheckOptions {
  readonly plans: Plans
  /** The parallelism of each run, in turn. */
  readonly parallelisms: readonly number[]
  /**
   * `kept`: each split and key must come out in order. `any`: a restore may have spread what was in
   * flight over other channels; nothing may be lost or doubled all the same.
   */
  readonly order: 'kept' | 'any'
}

/** Ways that mix the records of a split, whatever happens. */
const UNORDERED = new Set(['rescaled', 'shuffled'])
/** Results that say that something is wrong. */
const ALARMS = new Set(['list-state', 'map-state', 'forgotten'])

interface DatedNote extends Note {
  readonly checkpointId: number
}

export function checkOutput(folder: string, options: CheckOptions): readonly string[] {
  const notes = existsSync(join(folder, 'ledger')) ? notesOf(join(folder, 'ledger')) : []
  const results = readResults(join(folder, 'results'))
  return [...checkLedger(notes, options), ...checkResults(results, options)]
}

function notesOf(folder: string): readonly DatedNote[] {
  return readLedger(folder).flatMap(({ checkpointId, notes }) =>
    notes.map(note => ({ ...note, checkpointId })),
  )
}

function checkLedger(notes: readonly DatedNote[], options: CheckOptions): readonly string[] {
  const { plans, parallelisms, order } = options
  const slots = new Set(parallelisms)
  const copies = slots.size === 1 ? Math.max(...slots) : 1
  const expected = expectedParts(plans, copies)
  const found = Map.groupBy(notes, note => note.path)
  const wrong: string[] = []
  for (const [path, parts] of expected) {
    const byPart = Map.groupBy(found.get(path) ?? [], note => note.part)
    // Of the copies of a broadcast edge only those of subtask 0 are there at every parallelism.
    const isPartial = path === 'copies' && slots.size > 1
    const strangers = isPartial ? [] : [...byPart.keys()].filter(part => !parts.has(part))
    for (const part of strangers) wrong.push(`${path} ${part}: there is no such part`)
    for (const [part, tally] of parts) {
      const all = byPart.get(part) ?? []
      wrong.push(...checkTally(`${path} ${part}`, totalOf(all), tally))
      // After a rescale calls in flight begin again elsewhere, beside those that come after them.
      const isMixed = UNORDERED.has(path) || (path === 'called' && slots.size > 1)
      const isOrdered = order === 'kept' && !isMixed
      if (isOrdered) wrong.push(...checkTiles(`${path} ${part}`, all))
    }
  }
  wrong.push(...checkTickets(found.get('tickets') ?? [], expected, order))
  wrong.push(...checkLifetimes(found))
  return wrong
}

function checkTally(what: string, found: Tally, wanted: Tally): readonly string[] {
  const { count, sum } = found
  if (count !== wanted.count) return [`${what}: ${count} rows instead of ${wanted.count}`]
  if (sum === wanted.sum) return []
  return [`${what}: ${count} rows as wanted, but not the right ones`]
}

/** Transactions, by their checkpoints, must cover the ordinals one after the other. */
function checkTiles(what: string, notes: readonly DatedNote[]): readonly string[] {
  const wrong: string[] = []
  let next = 0
  const inTurn = notes.toSorted((a, b) => a.checkpointId - b.checkpointId || a.first - b.first)
  for (const { checkpointId, first, last, disorder } of inTurn) {
    if (disorder > 0)
      wrong.push(`${what}: ${disorder} rows out of order in checkpoint ${checkpointId}`)
    if (first !== next) {
      wrong.push(`${what}: checkpoint ${checkpointId} goes on at ${first} instead of ${next}`)
    }
    next = last + 1
  }
  return wrong
}

/** Every record took one number, and no dispenser left a number out or gave it twice. */
function checkTickets(
  notes: readonly DatedNote[],
  expected: ExpectedParts,
  order: CheckOptions['order'],
): readonly string[] {
  const all = [...(expected.get('custom')?.values() ?? [])]
  const wanted = { count: sumOf(all, 'count'), sum: sumOf(all, 'sum') }
  const wrong = [...checkTally('tickets', totalOf(notes), wanted)]
  for (const [part, ofPart] of Map.groupBy(notes, note => note.part)) {
    const { count } = totalOf(ofPart)
    const last = Math.max(...ofPart.map(note => note.last))
    if (count !== last + 1) wrong.push(`tickets ${part}: ${count} numbers up to ${last}`)
    if (order === 'kept') wrong.push(...checkTiles(`tickets ${part}`, ofPart))
  }
  return wrong
}

/** What the writers counted over all restarts and rescales is what all of them committed. */
function checkLifetimes(found: ReadonlyMap<string, readonly DatedNote[]>): readonly string[] {
  const lifetimes = found.get(LIFETIME) ?? []
  const others = [...found].filter(([path]) => path !== LIFETIME).flatMap(([, notes]) => notes)
  return checkTally('state of the sink', totalOf(lifetimes), totalOf(others))
}

function checkResults(results: readonly Result[], options: CheckOptions): readonly string[] {
  const alarms = results.filter(({ kind }) => {
    return ALARMS.has(kind) || (kind === 'disorder' && options.order === 'kept')
  })
  const pulses = results.filter(({ kind }) => kind === 'pulse')
  const others = results.filter(({ kind }) => kind !== 'pulse' && kind !== 'disorder')
  const wanted = Map.groupBy(expectedResults(options.plans), line => line)
  const found = Map.groupBy(others.filter(one => !alarms.includes(one)).map(lineOf), line => line)
  const lines = new Set([...wanted.keys(), ...found.keys()])
  const wrong = alarms.map(lineOf)
  for (const line of lines) {
    const times = found.get(line)?.length ?? 0
    const wantedTimes = wanted.get(line)?.length ?? 0
    if (times !== wantedTimes) wrong.push(`${line}: ${times} times instead of ${wantedTimes}`)
  }
  return [...wrong, ...checkPulses(pulses, results)]
}

/** When processing-time timers fire is chance; together they saw every record of a key once. */
function checkPulses(pulses: readonly Result[], results: readonly Result[]): readonly string[] {
  const counts = Map.groupBy(pulses, ({ key }) => key)
  return results
    .filter(({ kind }) => kind === 'total')
    .flatMap(({ key, count }) => {
      const seen = sumOf(counts.get(key) ?? [], 'count')
      return seen === count ? [] : [`pulses of key ${key}: ${seen} records instead of ${count}`]
    })
}

function readResults(folder: string): readonly Result[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter(name => !name.startsWith('.') && !name.startsWith('_'))
    .flatMap(name => readFileSync(join(folder, name), 'utf8').split('\n'))
    .filter(line => line !== '')
    .map(line => JSON.parse(line) as Result)
}

function totalOf(notes: readonly Tally[]): Tally {
  return { count: sumOf(notes, 'count'), sum: sumOf(notes, 'sum') }
}

function sumOf<K extends string>(all: readonly Readonly<Record<K, number>>[], field: K): number {
  return all.reduce((sum, one) => sum + one[field], 0)
}
