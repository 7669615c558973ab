import { describe, expect, test } from '@jest/globals'
import type { Type } from '../../../src/schema/type.ts'
import { typeOf } from '../../../src/schema/type-of.ts'
import { z } from '../../../src/schema/z.ts'
import { ScalarContents } from '../../../src/state/heap/contents.ts'
import { CurrentKey } from '../../../src/state/heap/current-key.ts'
import { EntryTable } from '../../../src/state/heap/entry-table.ts'
import { EntryWriter } from '../../../src/state/heap/entry-writer.ts'
import { makeValueCells } from '../../../src/state/heap/make-value-cells.ts'
import { foldKey, hashKey, type PrimitiveKey } from '../../../src/state/key.ts'
import { keyGroupOf } from '../../../src/state/key-groups.ts'
import { readSection } from '../../../src/state/section-reader.ts'
import { joinSections, SectionWriter } from '../../../src/state/section-writer.ts'
import {
  type EntryKey,
  NO_TIME,
  readEntryKey,
  readTime,
} from '../../../src/state/snapshot-format.ts'
import { Ttl } from '../../../src/state/ttl.ts'

const COUNT = 700
const TTL_MS = 100
const nowMs = 1_700_000_000_000

/** As `[key, namespace, time, value]`. */
type Entry = readonly [PrimitiveKey, number, number, unknown]

const keys: Record<string, (i: number) => PrimitiveKey> = {
  integers: i => Math.imul(i, 0x9e3779b1),
  'pairs of integers': i => foldKey([i - 300, -i]) as string,
  'anything else': i => [`key ${i}`, i + 0.5, BigInt(i), 'ä'.repeat(i)][i % 4] as PrimitiveKey,
}

const values: Record<string, [z.ZodType, (i: number) => unknown]> = {
  'an int32': [z.int32(), i => -i],
  'a double': [z.number(), i => i / 3],
  'a timestamp': [z.timestamp(), i => nowMs + i],
  'a small object': [
    z.object({ on: z.boolean(), n: z.int32(), of: z.object({ sum: z.number(), big: z.int() }) }),
    i => ({ on: i % 2 === 0, n: -i, of: { sum: i / 7, big: 2 ** 40 + i } }),
  ],
  'a text': [z.string(), i => 'x'.repeat(i % 50)],
  bytes: [z.bytes(), i => Buffer.alloc(i % 50, i)],
  nothing: [z.null(), () => null],
}

interface Layout {
  readonly outer: number
  /** Of the i-th entry, inside its table. */
  inner(i: number): number
}

const namespaces: Record<string, Layout> = {
  'without namespaces': { outer: 0, inner: () => 0 },
  'of one namespace': { outer: -7.5, inner: () => 0 },
  'of several namespaces': { outer: 0, inner: i => (i % 3) * 1_000 },
}

interface Case {
  readonly keyOf: (i: number) => PrimitiveKey
  readonly type: Type<unknown>
  readonly makeValue: (i: number) => unknown
  readonly layout: Layout
  readonly ttl: Ttl | undefined
}

/** Writes a table of a case by one snapshot; the expired entries are what must be left out. */
function roundTrip({ keyOf, type, makeValue, layout, ttl }: Case): {
  wanted: Entry[]
  read: Entry[]
} {
  const cells = makeValueCells(type)
  const contents = new ScalarContents(cells, type, ttl)
  const { width } = cells
  const { makeArena, encode } = cells
  const table = new EntryTable(
    {
      width,
      makeValues: slots => cells.makeValues(slots),
      ...(makeArena === undefined ? {} : { makeArena }),
      ...(encode === undefined ? {} : { encode }),
      timed: ttl !== undefined,
      checkOwned: () => {},
    },
    layout.outer,
  )
  const current = new CurrentKey()
  const wanted: Entry[] = []
  for (let i = 0; i < COUNT; i++) {
    current.set(keyOf(i))
    const kept = cells.keep(makeValue(i))
    const slot = table.insert(current, layout.inner(i))
    cells.set(table.main, slot, kept)
    const time = ttl === undefined ? NO_TIME : nowMs - (i % 5) * 50
    if (table.main.times !== undefined) table.main.times[slot] = time
    if (ttl?.isExpired(time, nowMs)) continue
    wanted.push([keyOf(i), layout.outer + layout.inner(i), time, makeValue(i)])
  }
  const section = new SectionWriter(128, { start: 0, end: 127 })
  const { outerNamespace } = table
  table.beginSnapshot(new EntryWriter({ section, contents, outerNamespace }))
  while (!table.writeSome(100));
  table.endSnapshot()
  return { wanted, read: entriesOf(section, type) }
}

/** What is in the blocks, by the format's own readers; each in the group of its key. */
function entriesOf(section: SectionWriter, type: Type<unknown>): Entry[] {
  const meta = { name: 's', kind: 'value', schema: null, version: 0, ttl: false } as const
  const { chunks, groups } = joinSections([meta], [section], { start: 0, end: 127 })
  const bytes = Buffer.concat(chunks)
  const found: Entry[] = []
  const entryKey: EntryKey = { key: 0, namespace: 0 }
  for (const { keyGroup, offset, length } of groups) {
    for (const { count, input } of readSection(bytes.subarray(offset, offset + length), 1)) {
      for (let i = 0; i < count; i++) {
        readEntryKey(input, entryKey)
        expect(keyGroupOf(hashKey(entryKey.key), 128)).toBe(keyGroup)
        found.push([entryKey.key, entryKey.namespace, readTime(input), type.read(input)])
      }
      expect(input.remaining).toBe(0)
    }
  }
  return found
}

function sorted(entries: readonly Entry[]): string[] {
  const text = (_: string, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value)
  return entries.map(entry => JSON.stringify(entry, text)).toSorted()
}

const clock = { now: () => nowMs }
const cases = Object.entries(keys).flatMap(([byKeys, keyOf]) =>
  Object.entries(namespaces).flatMap(([inNamespaces, layout]) =>
    [undefined, new Ttl({ ttlMs: TTL_MS }, clock)].map(ttl => ({
      title: `by ${byKeys}, ${inNamespaces}, ${ttl === undefined ? 'without' : 'with'} TTL`,
      keyOf,
      layout,
      ttl,
    })),
  ),
)

describe.each(cases)('entries $title', ({ keyOf, layout, ttl }) => {
  test.each(Object.entries(values))('are read as they were written: %s', (_, [zod, makeValue]) => {
    const type = typeOf(zod) as Type<unknown>
    const { wanted, read } = roundTrip({ keyOf, type, makeValue, layout, ttl })
    expect(wanted.length).toBe(ttl === undefined ? COUNT : (COUNT / 5) * 2)
    expect(sorted(read)).toEqual(sorted(wanted))
  })
})
