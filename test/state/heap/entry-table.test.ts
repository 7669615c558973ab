import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { SeededRandom } from '../../../src/common/random.ts'
import type { Type } from '../../../src/schema/type.ts'
import { typeOf } from '../../../src/schema/type-of.ts'
import { z } from '../../../src/schema/z.ts'
import { ArenaCells } from '../../../src/state/heap/arena-cells.ts'
import { CurrentKey } from '../../../src/state/heap/current-key.ts'
import {
  type EntrySink,
  EntryTable,
  type TableOptions,
} from '../../../src/state/heap/entry-table.ts'
import type { Generation } from '../../../src/state/heap/generation.ts'
import { ObjectPages } from '../../../src/state/heap/object-pages.ts'
import { TableVisit } from '../../../src/state/heap/table-visit.ts'
import { foldKey, type PrimitiveKey } from '../../../src/state/key.ts'

const options: TableOptions = {
  width: 1,
  makeValues: slots => new Float64Array(slots),
  timed: false,
  checkOwned: () => {},
}

interface Storage {
  readonly options: TableOptions
  /** Any key of a number. */
  readonly keyOf: (key: number) => PrimitiveKey
  readonly put: typeof put
}

const named = typeOf(z.object({ value: z.number(), name: z.string() })) as Type<unknown>
const cells = new ArenaCells(named, { encodedFrom: 256, keep: value => value })
const encoded: TableOptions = {
  ...options,
  makeValues: slots => cells.makeValues(slots),
  makeArena: cells.makeArena,
  encode: cells.encode,
}
const pairOf = (key: number): PrimitiveKey => foldKey([key, key % 7])

/** Values that a snapshot copies by the page, and values that it must write before each change. */
const storages: [string, Storage][] = [
  ['numbers', { options, keyOf: scattered, put }],
  ['numbers by pairs', { options, keyOf: pairOf, put }],
  [
    'numbers by pairs and others',
    { options, keyOf: key => (key % 400 < 390 ? pairOf(key) : `text ${key}`), put },
  ],
  [
    'objects',
    { options: { ...options, makeValues: slots => new ObjectPages(slots) }, keyOf: scattered, put },
  ],
  [
    'objects that are encoded when there are many',
    { options: encoded, keyOf: scattered, put: putEncoded },
  ],
]

const current = new CurrentKey()

function cellOf(generation: Generation, slot: number): number {
  const { values } = generation
  if (generation.arena !== undefined) {
    return (cells.get(generation, slot) as { value: number }).value
  }
  if (!(values instanceof ObjectPages)) return values[slot] as number
  return (values.get(slot) as { value: number }).value
}

/** Changes an object in place where there is one, as user functions do. */
function setCell({ values }: Generation, slot: number, value: number): void {
  if (!(values instanceof ObjectPages)) values[slot] = value
  else if (values.get(slot) === undefined) values.set(slot, { value })
  else (values.get(slot) as { value: number }).value = value
}

function put(table: EntryTable, key: PrimitiveKey, value: number): void {
  current.set(key)
  const found = table.find(current, 0)
  const slot = found < 0 ? table.insert(current, 0) : found
  if (found < 0 && table.main.values instanceof ObjectPages) table.main.values.set(slot, undefined)
  setCell(table.main, slot, value)
}

/** As the handles do it: what is to be kept is made fit first. */
function putEncoded(table: EntryTable, key: PrimitiveKey, value: number): void {
  current.set(key)
  const object = cells.keep({ value, name: 'x'.repeat(Math.abs(value) % 200) })
  const found = table.find(current, 0)
  const slot = found < 0 ? table.insert(current, 0) : found
  cells.set(table.main, slot, object)
}

function get(table: EntryTable, key: PrimitiveKey): number | undefined {
  current.set(key)
  const slot = table.find(current, 0)
  return slot < 0 ? undefined : cellOf(table.main, slot)
}

function remove(table: EntryTable, key: PrimitiveKey): void {
  current.set(key)
  const slot = table.find(current, 0)
  if (slot >= 0) table.remove(table.main, slot)
}

const kinds: Record<string, (i: number) => PrimitiveKey> = {
  'small integers': i => i,
  'integers far apart': i => Math.imul(i, 0x10000),
  'negative and positive integers': i => (i % 2 === 0 ? i : -i),
  doubles: i => i / 8,
  'pairs of integers': i => foldKey([i, -i]),
  strings: i => `key number ${i}`,
  'strings of equal hash': i => (i % 2 === 0 ? `Aa${i}` : `BB${i - 1}`),
  'mixed kinds': i => [i, `${i}`, i + 0.5, BigInt(i)][i % 4] as PrimitiveKey,
}

describe('a table', () => {
  test.each(Object.entries(kinds))('finds %s, also while it grows and shrinks', (_, keyOf) => {
    const table = new EntryTable(options)
    const count = 3_000
    for (let i = 0; i < count; i++) {
      put(table, keyOf(i), i)
      if (i % 97 === 0) for (let j = 0; j <= i; j += 53) expect(get(table, keyOf(j))).toBe(j)
    }
    for (let i = 0; i < count; i += 2) remove(table, keyOf(i))
    expect(table.count).toBe(count / 2)
    for (let i = 0; i < count; i++) expect(get(table, keyOf(i))).toBe(i % 2 === 0 ? undefined : i)
    for (let i = 0; i < count; i += 2) put(table, keyOf(i), -i)
    for (let i = 0; i < count; i++) expect(get(table, keyOf(i))).toBe(i % 2 === 0 ? -i : i)
  })

  test('E1: an entry is in one generation, and what is found is in the main one', () => {
    const table = new EntryTable(options)
    for (let i = 0; i < 13; i++) put(table, i, i)
    expect(table.generations()).toHaveLength(2)
    const seen: PrimitiveKey[] = []
    for (const generation of table.generations()) {
      for (let slot = 0; slot < generation.capacity; slot++) {
        if (generation.isEntry(slot)) seen.push(generation.key(slot))
      }
    }
    expect(seen.toSorted((a, b) => Number(a) - Number(b))).toEqual(range(13))
    for (let i = 0; i < 13; i++) expect(get(table, i)).toBe(i)
  })

  test('turns from integer keys to any keys without losing one', () => {
    const table = new EntryTable(options)
    for (let i = 0; i < 100; i++) put(table, i, i)
    put(table, 'text', 100)
    put(table, 0.5, 101)
    put(table, Number.NaN, 102)
    expect([get(table, 'text'), get(table, 0.5), get(table, Number.NaN)]).toEqual([100, 101, 102])
    for (let i = 0; i < 100; i++) expect(get(table, i)).toBe(i)
  })

  test('turns from pairs to any keys without losing one', () => {
    const table = new EntryTable(options)
    for (let i = 0; i < 100; i++) put(table, pairOf(i), i)
    expect([table.main.keys, table.main.pairs?.length]).toEqual([undefined, 512])
    put(table, 'text', 100)
    put(table, 7, 101)
    expect([get(table, 'text'), get(table, 7), get(table, 8)]).toEqual([100, 101, undefined])
    for (let i = 0; i < 100; i++) expect(get(table, pairOf(i))).toBe(i)
  })

  // 362: the table has just grown, most entries are still in the old generation.
  test.each([500, 362])('visits each of %d keys once, though the visitor changes it', count => {
    const table = new EntryTable(options)
    for (let i = 0; i < count; i++) put(table, i, i)
    const seen: PrimitiveKey[] = []
    new TableVisit(table, 0).run(key => {
      seen.push(key)
      expect(get(table, key)).toBe(key)
      if (seen.length > 100) put(table, 10_000 + seen.length, 0)
      if ((key as number) % 4 === 0) remove(table, key)
    })
    const old = seen.filter(key => (key as number) < count)
    expect(old.toSorted((a, b) => Number(a) - Number(b))).toEqual(range(count))
  })
})

/** Random places, so that runs of neighbouring slots are as long as they get. */
function scattered(key: number): number {
  return Math.imul(key ^ (key << 13) ^ 0x5bd1e995, 0x7feb352d) >> 1
}

describe.each(storages)(
  'E2: a snapshot of %s shows the table as it was when it began',
  (_, { options, keyOf, put }) => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('put' as const), key: fc.nat(400), value: fc.nat(1_000) }),
      fc.record({ kind: fc.constant('remove' as const), key: fc.nat(400), value: fc.nat(1) }),
      fc.record({ kind: fc.constant('sweep' as const), key: fc.nat(60), value: fc.nat(1) }),
      fc.record({
        kind: fc.constant('walk' as const),
        key: fc.integer({ min: 1, max: 40 }),
        value: fc.nat(1),
      }),
      fc.record({ kind: fc.constant('grow' as const), key: fc.nat(5_000), value: fc.nat(200) }),
    )

    test('whatever is put, removed, swept and grown between any two slots of the walk', () => {
      fc.assert(
        fc.property(
          fc.array(fc.tuple(fc.nat(400), fc.nat(1_000)), { maxLength: 300 }),
          fc.array(step, { minLength: 1, maxLength: 120 }),
          (before, steps) => {
            const table = new EntryTable(options)
            const wanted = new Map<PrimitiveKey, number>()
            for (const [key, value] of before) {
              put(table, keyOf(key), value)
              wanted.set(keyOf(key), value)
            }
            const written = new Map<PrimitiveKey, number>()
            table.beginSnapshot(
              eachEntry((generation, slot) => {
                const key = generation.key(slot)
                expect(written.has(key)).toBe(false)
                written.set(key, cellOf(generation, slot))
              }),
            )
            for (const { kind, key, value } of steps) {
              if (kind === 'put') put(table, keyOf(key), value + 0.5)
              else if (kind === 'remove') remove(table, keyOf(key))
              else if (kind === 'walk') table.writeSome(key)
              else if (kind === 'grow')
                for (let i = 0; i < value; i++) put(table, keyOf(key + i), -1)
              else
                table.removeWhere((generation, slot) => Math.abs(generation.tag(slot)) % 61 === key)
            }
            while (!table.writeSome(16));
            table.endSnapshot()
            expect([...written].toSorted(byKey)).toEqual([...wanted].toSorted(byKey))
          },
        ),
        { numRuns: 400 },
      )
    })

    test('also when closing a gap moves entries from ahead of the walk to behind it', () => {
      const random = new SeededRandom(5)
      for (let round = 0; round < 100; round++) {
        const table = new EntryTable(options)
        for (let i = 0; i < 330; i++) put(table, keyOf(random.int(1e9)), i)
        const wanted = table.count
        let written = 0
        table.beginSnapshot(eachEntry(() => void written++))
        while (!table.writeSome(7)) {
          const slot = random.int(table.main.capacity)
          if (table.main.isEntry(slot)) remove(table, table.main.key(slot))
        }
        table.endSnapshot()
        expect(written).toBe(wanted)
      }
    })

    test('a second snapshot after a cancelled one has everything', () => {
      const table = new EntryTable(options)
      for (let i = 0; i < 100; i++) put(table, keyOf(i), i)
      let count = 0
      const sink = eachEntry(() => void count++)
      table.beginSnapshot(sink)
      table.writeSome(20)
      put(table, keyOf(99), 1)
      table.endSnapshot()
      count = 0
      table.beginSnapshot(sink)
      while (!table.writeSome(1_000));
      table.endSnapshot()
      expect(count).toBe(100)
    })
  },
)

/** A sink that looks at the entries one by one, each of ten bytes. */
function eachEntry(see: (generation: Generation, slot: number) => void): EntrySink {
  return {
    writeEntries(generation, from, to) {
      let count = 0
      for (let slot = from; slot < to; slot++) {
        if (!generation.isEntry(slot)) continue
        see(generation, slot)
        count++
      }
      return count * 10
    },
  }
}

test('a slice of a snapshot ends after some bytes, however few slots they are', () => {
  for (const { options, keyOf, put } of [storages[0]?.[1], storages[3]?.[1]] as Storage[]) {
    const table = new EntryTable(options)
    for (let i = 0; i < 2_000; i++) put(table, keyOf(i), i)
    let written = 0
    table.beginSnapshot({
      writeEntries(generation, from, to) {
        let count = 0
        for (let slot = from; slot < to; slot++) if (generation.isEntry(slot)) count++
        written += count
        return count * 10_000
      },
    })
    let slices = 1
    for (let before = 0; !table.writeSome(100_000); slices++) {
      expect(written - before).toBeLessThanOrEqual(128)
      before = written
    }
    table.endSnapshot()
    expect(written).toBe(2_000)
    expect(slices).toBeGreaterThan(15)
  }
})

function byKey(a: readonly [PrimitiveKey, number], b: readonly [PrimitiveKey, number]): number {
  return String(a[0]) < String(b[0]) ? -1 : 1
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i)
}
