import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { Key } from '../../../src/api/functions.ts'
import type { Partitioner } from '../../../src/api/transformation.ts'
import { SeededRandom } from '../../../src/common/random.ts'
import { LocalChannel } from '../../../src/runtime/network/local-channel.ts'
import { OutputRoom } from '../../../src/runtime/network/output-room.ts'
import { BATCH_RECORDS_MAX } from '../../../src/runtime/network/record-writer.ts'
import { ResultPartition } from '../../../src/runtime/network/result-partition.ts'
import { foldKey, hashKey } from '../../../src/state/key.ts'
import { keyGroupOf, subtaskOfKeyGroup } from '../../../src/state/key-groups.ts'

const MAX_PARALLELISM = 128

function partitionOf(partitioner: Partitioner, channels: number, subtaskIndex = 0) {
  const ends = Array.from({ length: channels }, () => new LocalChannel(1_000_000))
  const partition = new ResultPartition({
    partitioner,
    channels: ends,
    room: new OutputRoom(() => {}),
    subtaskIndex,
    maxParallelism: MAX_PARALLELISM,
    random: new SeededRandom(1),
    forcedAligned: false,
    fail: error => {
      throw error
    },
  })
  /** Per channel: values, events as their kind, and the sizes of the batches. */
  const received = (): { items: unknown[][]; batches: number[][] } => {
    partition.flush()
    const items: unknown[][] = ends.map(() => [])
    const batches: number[][] = ends.map(() => [])
    for (const [index, end] of ends.entries()) {
      for (let item = end.poll(); item !== undefined; item = end.poll()) {
        if (item.kind !== 'records') {
          items[index]?.push(item.kind)
          continue
        }
        batches[index]?.push(item.size)
        for (let i = 0; i < item.size; i++) items[index]?.push(item.items[i * 2])
      }
    }
    return { items, batches }
  }
  return { partition, received }
}

function pushed(partitioner: Partitioner, channels: number, subtaskIndex = 0): unknown[][] {
  const { partition, received } = partitionOf(partitioner, channels, subtaskIndex)
  for (let n = 0; n < 6; n++) partition.push(n, 0)
  return received().items
}

const identity = (value: unknown): Key => value as Key

describe('partitioners', () => {
  test('rebalance goes round, beginning elsewhere in each subtask', () => {
    expect(pushed({ kind: 'rebalance' }, 3)).toEqual([
      [0, 3],
      [1, 4],
      [2, 5],
    ])
    expect(pushed({ kind: 'rebalance' }, 3, 4)).toEqual([
      [2, 5],
      [0, 3],
      [1, 4],
    ])
  })

  test('rescale goes round among its own channels', () => {
    expect(pushed({ kind: 'rescale' }, 2)).toEqual([
      [0, 2, 4],
      [1, 3, 5],
    ])
  })

  test('forward and global use the first channel', () => {
    expect(pushed({ kind: 'forward' }, 1)).toEqual([[0, 1, 2, 3, 4, 5]])
    expect(pushed({ kind: 'global' }, 3)).toEqual([[0, 1, 2, 3, 4, 5], [], []])
  })

  test('broadcast reaches all', () => {
    expect(pushed({ kind: 'broadcast' }, 2)).toEqual([
      [0, 1, 2, 3, 4, 5],
      [0, 1, 2, 3, 4, 5],
    ])
  })

  test('shuffle repeats with its seed and uses all channels', () => {
    const first = pushed({ kind: 'shuffle' }, 2)
    expect(pushed({ kind: 'shuffle' }, 2)).toEqual(first)
    expect(first.every(items => items.length > 0)).toBe(true)
  })

  test('custom asks the partitioner, which must answer with a channel', () => {
    const of = (partition: (key: Key, partitions: number) => number): Partitioner => ({
      kind: 'custom',
      selector: identity,
      partition,
    })
    expect(
      pushed(
        of((key, partitions) => Number(key) % partitions),
        2,
      ),
    ).toEqual([
      [0, 2, 4],
      [1, 3, 5],
    ])
    for (const wrong of [2, -1, 0.5, Number.NaN]) {
      expect(() =>
        pushed(
          of(() => wrong),
          2,
        ),
      ).toThrow('the partitioner returned')
    }
  })

  test('any key goes to the owner of its key group', () => {
    const key = fc.oneof(fc.integer(), fc.string(), fc.double(), fc.boolean(), fc.bigInt())
    const tuple = fc.array(fc.oneof(fc.integer(), fc.string()), { maxLength: 3 })
    const check = (value: Key): void => {
      const { partition, received } = partitionOf({ kind: 'key', selector: identity }, 5)
      partition.push(value, 0)
      const group = keyGroupOf(hashKey(foldKey(value)), MAX_PARALLELISM)
      const owner = subtaskOfKeyGroup(group, MAX_PARALLELISM, 5)
      expect(received().items.map(items => items.length)).toEqual(
        [0, 1, 2, 3, 4].map(index => (index === owner ? 1 : 0)),
      )
    }
    fc.assert(fc.property(fc.oneof(key, tuple) as fc.Arbitrary<Key>, check))
  })

  test('a key that is none is refused', () => {
    const { partition } = partitionOf({ kind: 'key', selector: () => ({}) as unknown as Key }, 2)
    expect(() => partition.push(1, 0)).toThrow('a key selector returned')
  })
})

describe('batches', () => {
  test('RP1: an event follows the records that were pushed before it', () => {
    const { partition, received } = partitionOf({ kind: 'rebalance' }, 2)
    partition.push('a', 0)
    partition.broadcast({ kind: 'watermark', watermark: 1 })
    partition.push('b', 0)
    expect(received().items).toEqual([
      ['a', 'watermark'],
      ['watermark', 'b'],
    ])
  })

  test.each([1, 3])('grow with the rate and stay bounded, %i channels', channels => {
    const { partition, received } = partitionOf({ kind: 'rebalance' }, channels)
    for (let n = 0; n < 20_000 * channels; n++) partition.push(n, 0)
    const { batches, items } = received()
    expect(batches[0]?.[0]).toBeLessThan(BATCH_RECORDS_MAX)
    expect(Math.max(...batches.flat())).toBe(BATCH_RECORDS_MAX)
    expect(items.map(values => values.length)).toEqual(new Array(channels).fill(20_000))
    expect(partition.records).toBe(20_000 * channels)
  })

  test('records and timestamps stay together', () => {
    const { partition } = partitionOf({ kind: 'forward' }, 1)
    const sent: unknown[] = []
    const channel = new LocalChannel()
    const other = new ResultPartition({
      partitioner: { kind: 'forward' },
      channels: [channel],
      room: new OutputRoom(() => {}),
      subtaskIndex: 0,
      maxParallelism: 1,
      random: new SeededRandom(0),
      forcedAligned: false,
      fail: error => {
        throw error
      },
    })
    expect(partition.records).toBe(0)
    for (let n = 0; n < 100; n++) other.push(`v${n}`, n * 1.5)
    other.flush()
    for (let item = channel.poll(); item?.kind === 'records'; item = channel.poll()) {
      sent.push(...item.items.slice(0, item.size * 2))
    }
    expect(sent).toEqual(Array.from({ length: 100 }, (_, n) => [`v${n}`, n * 1.5]).flat())
  })
})
