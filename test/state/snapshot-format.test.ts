import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { valueState } from '../../src/api/state-descriptor.ts'
import { ByteReader, ByteWriter } from '../../src/common/bytes.ts'
import { z } from '../../src/schema/z.ts'
import {
  type HeapKeyedStateBackend,
  makeHeapBackend,
} from '../../src/state/heap/heap-keyed-state-backend.ts'
import { loadState } from '../../src/state/heap/restore-state.ts'
import { foldKey, hashKey, type PrimitiveKey } from '../../src/state/key.ts'
import { keyGroupOf } from '../../src/state/key-groups.ts'
import { keyTags } from '../../src/state/key-tags.ts'
import type { StateMeta } from '../../src/state/keyed-state-backend.ts'
import { RestoredBlocks } from '../../src/state/restored-blocks.ts'
import { readSection } from '../../src/state/section-reader.ts'
import { joinSections, SectionWriter } from '../../src/state/section-writer.ts'
import {
  type EntryKey,
  NO_TIME,
  readCount,
  readEntryKey,
  readTime,
  writeEntryKey,
  writeTime,
} from '../../src/state/snapshot-format.ts'
import { stateErrors } from '../../src/state/state-errors.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { snapshotOf } from '../contract/keyed-state-setup.ts'

const key: fc.Arbitrary<PrimitiveKey> = fc.oneof(
  fc.integer(),
  fc.double(),
  fc.string({ unit: 'binary' }),
  fc.bigInt(),
  fc.boolean(),
)

test('keys, namespaces and times are read as they were written', () => {
  fc.assert(
    fc.property(
      key,
      fc.double({ noNaN: true }),
      fc.option(fc.nat(2 ** 31 - 1)),
      (key, ns, time) => {
        const out = new ByteWriter()
        writeEntryKey(out, key, ns)
        writeTime(out, time ?? NO_TIME)
        const input = new ByteReader(out.view())
        const entry: EntryKey = { key: 0, namespace: 0 }
        readEntryKey(input, entry)
        expect(entry.key).toEqual(Object.is(key, -0) ? 0 : key)
        expect(entry.namespace === ns).toBe(true)
        expect([readTime(input), input.remaining]).toEqual([time ?? NO_TIME, 0])
      },
    ),
  )
})

test('the bytes of an entry are those of the format', () => {
  const out = new ByteWriter()
  writeEntryKey(out, 5, 0)
  writeEntryKey(out, 'a', 1)
  writeTime(out, NO_TIME)
  writeTime(out, 0)
  expect(out.copy().toString('hex')).toBe(
    '0005000000' + '0a0261' + '000000000000f03f' + '00' + '01',
  )
})

test('two integers are read as the tuple that they are the fold of', () => {
  const out = new ByteWriter()
  out.writeUint8(keyTags.pair + keyTags.namespaced)
  out.writeInt32(-5)
  out.writeInt32(7)
  out.writeFloat64(9)
  const entry: EntryKey = { key: 0, namespace: 0 }
  readEntryKey(new ByteReader(out.view()), entry)
  expect(entry).toEqual({ key: foldKey([-5, 7]), namespace: 9 })
})

test.each([1, 2])('a section of version %d is read', version => {
  const blocks = readSection(Buffer.from([version, 0, 1, 5, 0, 7, 0, 0, 0]), 1)
  const entry: EntryKey = { key: 0, namespace: 0 }
  readEntryKey(blocks[0]?.input as ByteReader, entry)
  expect([blocks.length, entry.key]).toEqual([1, 7])
})

test.each([0, 3])('a section of version %d is refused, and told so', version => {
  expect(() => readSection(Buffer.from([version, 0, 0, 0]), 1)).toThrow(
    `section version ${version}`,
  )
})

test('a section of many chunks is read back whole, state by state', () => {
  const range = { start: 0, end: 3 }
  const metas = ['a', 'b'].map(name => ({ name }) as StateMeta)
  const writers = metas.map(() => new SectionWriter(4, range))
  for (let key = 0; key < 40_000; key++) {
    writeEntryKey((writers[key % 2] as SectionWriter).begin(hashKey(key)), key, key % 3)
  }
  const { groups, chunks } = joinSections(metas, writers, range)
  const bytes = Buffer.concat(chunks)
  const seen = new Set<number>()
  const entry: EntryKey = { key: 0, namespace: 0 }
  for (const { keyGroup, offset, length } of groups) {
    for (const { state, count, input } of readSection(bytes.subarray(offset, offset + length), 2)) {
      for (let i = 0; i < count; i++) {
        readEntryKey(input, entry)
        expect([(entry.key as number) % 2, (entry.key as number) % 3]).toEqual([
          state,
          entry.namespace,
        ])
        expect(keyGroupOf(hashKey(entry.key), 4)).toBe(keyGroup)
        seen.add(entry.key as number)
      }
      expect(input.remaining).toBe(0)
    }
  }
  expect(seen.size).toBe(40_000)
})

describe('a damaged snapshot', () => {
  const range = { start: 0, end: 3 }
  function open(): HeapKeyedStateBackend {
    const clock = new ManualClock()
    return makeHeapBackend({ operatorName: 'damaged', maxParallelism: 4, range, clock })
  }
  const descriptor = valueState(z.string())
  const whole = open()
  const state = whole.state('s', descriptor)
  for (let key = 0; key < 40; key++) {
    whole.setCurrentKey(key % 2 === 0 ? key : `key ${key}`)
    state.update(`value ${key}`)
  }
  whole.timerQueue('t').add(3, 7)
  const stored = snapshotOf(whole)

  const { length } = (stored.groups as readonly { bytes: Buffer }[])[0]?.bytes ?? Buffer.alloc(0)

  /** Restores with one group's bytes changed. */
  function restoreWith(change: (bytes: Buffer) => Buffer): void {
    const [first, ...rest] = stored.groups
    const damaged = { ...(first as object), bytes: change(Buffer.from(first?.bytes ?? [])) }
    const backend = open()
    backend.restore([{ ...stored, groups: [damaged as never, ...rest] }])
    backend.state('s', descriptor)
    backend.timerQueue('t')
  }

  test('is refused wherever it ends, with operator and key group', () => {
    for (let end = 0; end < length; end++) {
      const cut = (): void => restoreWith(bytes => bytes.subarray(0, end))
      // A cut between two states leaves a shorter, whole section: its length is in the metadata.
      try {
        cut()
      } catch (error) {
        expect(error).toMatchObject({
          code: 'WEIR_STATE_SNAPSHOT_MALFORMED',
          details: { operator: 'damaged', keyGroup: 0 },
        })
      }
    }
    expect(() => restoreWith(bytes => bytes.subarray(0, length - 1))).toThrow()
    expect(() => restoreWith(() => Buffer.alloc(0))).toThrow()
  })

  const changes: Record<string, (bytes: Buffer) => Buffer> = {
    'of another version': bytes => Buffer.concat([Buffer.from([9]), bytes.subarray(1)]),
    'with bytes too many': bytes => Buffer.concat([bytes, Buffer.from([0])]),
    'with an unknown state': bytes => Buffer.concat([bytes, Buffer.from([7, 0, 0])]),
    'with a key twice': bytes => Buffer.concat([bytes, bytes.subarray(1)]),
  }
  test.each(Object.entries(changes))('%s is refused', (_, change) => {
    expect(() => restoreWith(change)).toThrow(
      expect.objectContaining({ code: 'WEIR_STATE_SNAPSHOT_MALFORMED' }),
    )
  })

  test('never crashes otherwise, whichever byte is changed', () => {
    const codes = /^WEIR_(STATE_SNAPSHOT_MALFORMED|KEY_OUTSIDE_RANGE)$/
    fc.assert(
      fc.property(fc.nat(length - 1), fc.integer({ min: 1, max: 255 }), (at, by) => {
        try {
          restoreWith(bytes => {
            bytes[at] = (bytes[at] as number) ^ by
            return bytes
          })
        } catch (error) {
          expect((error as { code?: string }).code).toMatch(codes)
        }
      }),
      { numRuns: 300 },
    )
  })

  test('a count that cannot be is refused before anything is made of it', () => {
    const out = new ByteWriter()
    out.writeVarint(1e9)
    expect(() => readCount(new ByteReader(out.copy()))).toThrow('announced')
  })
})

test('blocks of groups outside the range are left out, and each is given away once', () => {
  const backend = makeHeapBackend({
    operatorName: 'o',
    maxParallelism: 8,
    range: { start: 0, end: 7 },
    clock: new ManualClock(),
  })
  const state = backend.state('s', valueState(z.int32()))
  for (let key = 0; key < 100; key++) {
    backend.setCurrentKey(key)
    state.update(key)
  }
  const blocks = new RestoredBlocks('o')
  blocks.add(snapshotOf(backend), { start: 2, end: 3 })
  const [found] = blocks.takeState('s')
  expect(found?.blocks.map(block => block.keyGroup)).toEqual([2, 3])
  expect([blocks.takeState('s'), blocks.takeTimers('s')]).toEqual([[], []])
  expect(() =>
    loadState({ meta: { name: 's' }, cursor: { forget() {} } } as never, blocks, 'o'),
  ).not.toThrow()
})

test('errors name operator, state and next step', () => {
  const error = stateErrors.WEIR_STATE_DROPPED({ operator: 'o', uid: 'u', states: ['a', 'b'] })
  expect(String(error)).toMatch(/WEIR_STATE_DROPPED.*o.*a, b\n.*dropState name u\.a, u\.b/)
})
