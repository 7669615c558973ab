/**
 * Random work on a keyed state backend against a model of plain maps: all kinds of state, timers,
 * namespaces, snapshots that run while the work goes on, restores at another parallelism.
 */
import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  listState,
  mapState,
  reducingState,
  type StateDescriptor,
  valueState,
} from '../../src/api/state-descriptor.ts'
import { z } from '../../src/schema/z.ts'
import type { KeyedStateBackend, SnapshotRun } from '../../src/state/keyed-state-backend.ts'
import { type OpenBackend, openSubtasks, ownerOf, restorable } from './keyed-state-setup.ts'

type ModelKey = number | string
/** Contents as JSON, by `state key namespace`; timers by `timer key namespace time`. */
type Model = Map<string, string>

interface Handles {
  readonly value: ReturnType<typeof openValue>
  readonly sum: ReturnType<typeof openSum>
  readonly list: ReturnType<typeof openList>
  readonly map: ReturnType<typeof openMap>
  readonly timers: ReturnType<KeyedStateBackend['timerQueue']>
}

const descriptors = {
  value: valueState(z.string()),
  sum: reducingState<number>((a, b) => a + b, z.number()),
  list: listState(z.int32()),
  map: mapState(z.string(), z.number()),
} satisfies Record<string, StateDescriptor>

const openValue = (b: KeyedStateBackend) => b.state('value', descriptors.value)
const openSum = (b: KeyedStateBackend) => b.state('sum', descriptors.sum, { layout: 'namespace' })
const openList = (b: KeyedStateBackend) => b.state('list', descriptors.list)
const openMap = (b: KeyedStateBackend) => b.state('map', descriptors.map)

function handlesOf(backend: KeyedStateBackend): Handles {
  return {
    value: openValue(backend),
    sum: openSum(backend),
    list: openList(backend),
    map: openMap(backend),
    timers: backend.timerQueue('timers'),
  }
}

interface Work {
  readonly kind: (typeof kinds)[number]
  readonly key: ModelKey
  readonly namespace: number
  readonly number: number
}

const kinds = [
  'value-update',
  'value-read',
  'value-clear',
  'sum-add',
  'sum-clear',
  'sum-clear-namespace',
  'value-clear-namespace',
  'list-add',
  'list-update',
  'list-merge',
  'map-put',
  'map-remove',
  'timer-add',
  'timer-remove',
  'timer-poll',
  'bulk-add',
  'bulk-clear',
  'bulk-timers',
  'begin-snapshot',
  'step-snapshot',
  'end-snapshot',
  'cancel-snapshot',
] as const

const work: fc.Arbitrary<Work> = fc.record({
  kind: fc.constantFrom(...kinds),
  key: fc.oneof(
    fc.integer({ min: 0, max: 400 }),
    fc.integer({ min: 0, max: 60 }).map(i => `a longer key, number ${i}`),
    fc.constantFrom(0.5, 2 ** 40, -1),
  ),
  namespace: fc.constantFrom(0, 0, 0, 1, 1_700_000_000_000),
  number: fc.integer({ min: 0, max: 1_000 }),
})

/** One operator with its subtasks, and what it should hold. */
class Bench {
  readonly #open: OpenBackend
  #subtasks: KeyedStateBackend[] = []
  #handles = new Map<KeyedStateBackend, Handles>()
  #model: Model = new Map()
  #runs: SnapshotRun[] = []
  #atBegin: Model = new Map()

  constructor(open: OpenBackend, parallelism: number) {
    this.#open = open
    this.#start(openSubtasks(open, parallelism))
  }

  #start(subtasks: KeyedStateBackend[]): void {
    this.#subtasks = subtasks
    this.#handles = new Map(subtasks.map(backend => [backend, handlesOf(backend)]))
  }

  run(one: Work): void {
    const { kind, key, namespace, number } = one
    switch (kind) {
      case 'bulk-add':
        for (let i = 0; i < 150; i++) this.#keyed({ ...one, kind: 'sum-add', key: number + i })
        for (let i = 0; i < 50; i++) this.#keyed({ ...one, kind: 'value-update', key: number + i })
        break
      case 'bulk-clear':
        for (let i = 0; i < 100; i++) this.#keyed({ ...one, kind: 'sum-clear', key: number + i })
        for (let i = 0; i < 50; i++) this.#keyed({ ...one, kind: 'value-clear', key: number + i })
        break
      case 'bulk-timers':
        for (let i = 0; i < 40; i++) {
          this.#keyed({ kind: 'timer-add', key: i % 9, namespace, number: number + i })
          if (i % 2 === 0) this.#keyed({ ...one, kind: 'timer-poll', key: i % 7 })
        }
        break
      case 'sum-clear-namespace':
        this.#clearNamespace('sum', namespace)
        break
      case 'value-clear-namespace':
        this.#clearNamespace('value', namespace)
        break
      case 'begin-snapshot':
        this.#finish(false)
        this.#runs = this.#subtasks.map(backend => backend.beginSnapshot(number))
        this.#atBegin = new Map(this.#model)
        break
      case 'step-snapshot':
        for (const run of this.#runs) run.step(0)
        break
      case 'end-snapshot':
        this.#finish(number % 2 === 0, (number % 5) + 1)
        break
      case 'cancel-snapshot':
        for (const run of this.#runs) run.cancel()
        this.#runs = []
        break
      default:
        this.#keyed({ kind, key, namespace, number })
    }
  }

  #clearNamespace(state: 'sum' | 'value', namespace: number): void {
    for (const handles of this.#handles.values()) handles[state].clearNamespace(namespace)
    for (const name of [...this.#model.keys()]) {
      const [of, , space] = JSON.parse(name)
      if (of === state && space === namespace) this.#model.delete(name)
    }
  }

  #keyed({ kind, key, namespace, number }: Work): void {
    const backend = ownerOf(this.#subtasks, key)
    backend.setCurrentKey(key)
    const { value, sum, list, map } = this.#handles.get(backend) as Handles
    for (const handle of [value, sum, list, map]) handle.setNamespace(namespace)
    switch (kind) {
      case 'value-update':
        value.update(`v${number}`)
        this.#set('value', [key, namespace], `v${number}`)
        break
      case 'value-read':
        expect(JSON.stringify(value.value())).toBe(this.#get('value', [key, namespace]))
        break
      case 'value-clear':
        value.clear()
        this.#set('value', [key, namespace], undefined)
        break
      case 'sum-add':
        sum.add(number)
        this.#set('sum', [key, namespace], (this.#old('sum', [key, namespace]) ?? 0) + number)
        break
      case 'sum-clear':
        sum.clear()
        this.#set('sum', [key, namespace], undefined)
        break
      case 'list-add':
        list.add(number)
        this.#set(
          'list',
          [key, namespace],
          [...(this.#old('list', [key, namespace]) ?? []), number],
        )
        break
      case 'list-update':
        list.update([number, number + 1])
        this.#set('list', [key, namespace], [number, number + 1])
        break
      case 'list-merge': {
        list.mergeNamespaces(namespace, [1, 2])
        const parts = [namespace, 1, 2].filter((ns, i, all) => all.indexOf(ns) === i)
        const all = parts.flatMap(ns => this.#old('list', [key, ns]) ?? [])
        for (const ns of parts) this.#set('list', [key, ns], undefined)
        this.#set('list', [key, namespace], all.length === 0 ? undefined : all)
        break
      }
      case 'map-put':
        map.put(`k${number % 7}`, number)
        this.#setMap([key, namespace], entries => entries.set(`k${number % 7}`, number))
        break
      case 'map-remove':
        map.remove(`k${number % 7}`)
        this.#setMap([key, namespace], entries => entries.delete(`k${number % 7}`))
        break
      default:
        this.#timer({ kind, key, namespace, number })
    }
  }

  #timer({ kind, key, namespace, number }: Work): void {
    const backend = ownerOf(this.#subtasks, key)
    const { timers } = this.#handles.get(backend) as Handles
    const name = (k: unknown, ns: number, at: number): string =>
      JSON.stringify(['timer', k, ns, at])
    const mine = name(key, namespace, number)
    if (kind === 'timer-add') {
      expect(timers.add(namespace, number)).toBe(!this.#model.has(mine))
      this.#model.set(mine, '')
    } else if (kind === 'timer-remove') {
      expect(timers.remove(namespace, number)).toBe(this.#model.delete(mine))
    } else if (timers.poll(number)) {
      const gone = name(backend.currentKey(), timers.polledNamespace, timers.polledTimestamp)
      expect(this.#model.delete(gone)).toBe(true)
    }
  }

  /** Ends the running snapshot, restores it, compares, and goes on with the restored subtasks. */
  #finish(goOn: boolean, parallelism = 2): void {
    if (this.#runs.length === 0) return
    const stored = this.#runs.map(run => {
      while (!run.step(1));
      return restorable(run.result())
    })
    this.#runs = []
    const fresh = openSubtasks(this.#open, parallelism)
    for (const backend of fresh) backend.restore(stored)
    if (!goOn) {
      compare(fresh, new Map(fresh.map(one => [one, handlesOf(one)])), this.#atBegin)
      return
    }
    this.#start(fresh)
    this.#model = this.#atBegin
    this.check()
  }

  check(): void {
    compare(this.#subtasks, this.#handles, this.#model)
  }

  #get(state: string, [key, namespace]: readonly [ModelKey, number]): string | undefined {
    return this.#model.get(JSON.stringify([state, key, namespace]))
  }

  #old(state: string, place: readonly [ModelKey, number]) {
    const found = this.#get(state, place)
    return found === undefined ? undefined : JSON.parse(found)
  }

  #set(state: string, [key, namespace]: readonly [ModelKey, number], value: unknown): void {
    const name = JSON.stringify([state, key, namespace])
    if (value === undefined) this.#model.delete(name)
    else this.#model.set(name, JSON.stringify(value))
  }

  #setMap(
    place: readonly [ModelKey, number],
    change: (entries: Map<string, number>) => unknown,
  ): void {
    const entries = new Map<string, number>(this.#old('map', place) ?? [])
    change(entries)
    this.#set('map', place, entries.size === 0 ? undefined : [...entries])
  }
}

/** All that the subtasks hold is what the model says; reading timers empties a queue, so put back. */
function compare(
  subtasks: readonly KeyedStateBackend[],
  handles: ReadonlyMap<KeyedStateBackend, Handles>,
  model: Model,
): void {
  const found: Model = new Map()
  for (const backend of subtasks) {
    const { value, sum, list, map, timers } = handles.get(backend) as Handles
    const visit = (name: string, handle: Handles['value' | 'sum' | 'list' | 'map']): void => {
      for (const namespace of handle.namespaces()) {
        handle.forEachKey(namespace, () => {
          const content = contentOf(handle as never)
          found.set(
            JSON.stringify([name, backend.currentKey(), namespace]),
            JSON.stringify(content),
          )
        })
      }
    }
    visit('value', value)
    visit('sum', sum)
    visit('list', list)
    visit('map', map)
    const polled: [ModelKey, number, number][] = []
    while (timers.poll(Number.POSITIVE_INFINITY)) {
      const key = backend.currentKey() as ModelKey
      polled.push([key, timers.polledNamespace, timers.polledTimestamp])
    }
    for (const [key, namespace, time] of polled) {
      found.set(JSON.stringify(['timer', key, namespace, time]), '')
      backend.setCurrentKey(key)
      timers.add(namespace, time)
    }
  }
  expect(Object.fromEntries([...found].toSorted())).toEqual(
    Object.fromEntries([...model].toSorted()),
  )
}

function contentOf(handle: {
  value?(): unknown
  get?(): unknown
  entries?(): Iterable<unknown>
}): unknown {
  if (handle.entries !== undefined) return [...handle.entries()]
  return handle.value === undefined ? handle.get?.() : handle.value()
}

export function keyedStateModelContract(open: OpenBackend, runs = 60): void {
  test('random work with snapshots and restores leaves what a model of maps has', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }),
        fc.array(work, { minLength: 1, maxLength: 120, size: 'max' }),
        (parallelism, works) => {
          const bench = new Bench(open, parallelism)
          for (const one of works) bench.run(one)
          bench.run({ kind: 'end-snapshot', key: 0, namespace: 0, number: 1 })
          bench.check()
        },
      ),
      { numRuns: runs },
    )
  })
}
