import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { ByteWriter } from '../../../src/common/bytes.ts'
import { BatchBuffers } from '../../../src/connectors/kafka/batch-buffers.ts'
import { compressions, loadCodecs } from '../../../src/connectors/kafka/compression.ts'
import { readHeaders } from '../../../src/connectors/kafka/kafka-message.ts'
import { partitionOf } from '../../../src/connectors/kafka/partition-of.ts'
import { RecordBatchWriter } from '../../../src/connectors/kafka/record-batch-writer.ts'
import { RecordBatches } from '../../../src/connectors/kafka/record-batches.ts'
import {
  isLingering,
  readName,
  type WriterState,
  writeName,
} from '../../../src/connectors/kafka/transaction-names.ts'

const codecs = await loadCodecs()
const sender = { producerId: 7n, producerEpoch: 3, sequence: 0, isTransactional: false }
const bytes = fc.uint8Array({ maxLength: 40 }).map(array => Buffer.from(array))
const nullable = fc.option(bytes, { nil: null })
const record = fc.record({
  key: nullable,
  value: nullable,
  timestamp: fc.integer({ min: 0, max: 4_000_000_000_000 }),
  headers: fc.array(fc.record({ name: fc.string({ maxLength: 8 }), value: nullable }), {
    maxLength: 3,
  }),
})

interface Plain {
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly timestamp: number
  readonly headers: readonly { readonly name: string; readonly value: Buffer | null }[]
}

function batchOf(records: readonly Plain[], compression: (typeof compressions)[number]): Buffer {
  const batch = new RecordBatchWriter(new BatchBuffers(1 << 20), 64)
  for (const { key, value, timestamp, headers } of records) {
    batch.add({ key, timestamp, headers }, value === null ? undefined : plain(value))
  }
  return Buffer.from(batch.finish(sender, compression, codecs))
}

/** As encoders leave it: the bytes alone. */
function plain(value: Buffer): ByteWriter {
  const out = new ByteWriter(64)
  out.reserve(value.length)
  value.copy(out.buffer, 0)
  out.length = value.length
  return out
}

function readAll(batches: Buffer, from = 0) {
  const reader = new RecordBatches({
    topic: 't',
    partition: 0,
    bytes: batches,
    from,
    aborted: [],
    committed: true,
    codecs,
  })
  const found: (Plain & { readonly offset: number })[] = []
  while (reader.next()) {
    const { records, keyStart, keyLength, valueStart, valueLength, offset, timestamp } = reader
    found.push({
      key: keyLength < 0 ? null : Buffer.from(records.subarray(keyStart, keyStart + keyLength)),
      value:
        valueLength < 0
          ? null
          : Buffer.from(records.subarray(valueStart, valueStart + valueLength)),
      timestamp,
      headers: readHeaders(records, reader.headersStart).map(({ name, value }) => {
        return { name, value: value === null ? null : Buffer.from(value) }
      }),
      offset,
    })
    reader.advance()
  }
  return { found, position: reader.position }
}

describe('a batch', () => {
  test.each(compressions)('of any records is read as it was written (%s)', compression => {
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 20 }), records => {
        const { found, position } = readAll(batchOf(records, compression))
        expect(found).toEqual(records.map((one, offset) => ({ ...one, offset })))
        expect(position).toBe(records.length)
      }),
      { numRuns: 40 },
    )
  })

  test('with any byte changed is refused, or was never whole', () => {
    const records = [{ key: null, value: Buffer.from('value'), timestamp: 5, headers: [] }]
    const good = batchOf(records, 'none')
    // The offset and the epoch of the leader are the broker's, and outside of the checksum.
    for (let at = 16; at < good.length; at++) {
      const bad = Buffer.from(good)
      bad[at] = (bad[at] as number) ^ 0x55
      expect(() => readAll(bad)).toThrow('is bad')
    }
    for (let length = 0; length < good.length; length++) {
      expect(readAll(good.subarray(0, length)).found).toEqual([])
    }
  })

  test('read from its middle gives the rest', () => {
    const records = Array.from({ length: 10 }, (_, i) => {
      return { key: null, value: Buffer.from(String(i)), timestamp: i, headers: [] }
    })
    const { found } = readAll(batchOf(records, 'zstd'), 4)
    expect(found.map(one => one.offset)).toEqual([4, 5, 6, 7, 8, 9])
  })
})

test('the checksum is CRC-32C', () => {
  expect(codecs.crc32c(Buffer.from('123456789'))).toBe(0xe3069283)
})

test('keys go where the clients of Kafka put them', () => {
  // From the tests of Kafka's own hash.
  const known: readonly [string, number][] = [
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ]
  for (const [key, hash] of known) {
    expect(partitionOf(Buffer.from(key), 1_000_003)).toBe((hash & 0x7fffffff) % 1_000_003)
  }
})

describe('names of transactions', () => {
  test('are read as they were written, and others are not taken for own ones', () => {
    const name = { base: 12, writer: 3, run: 'a1b2', slot: 31 }
    expect(readName('ns.job/out', writeName('ns.job/out', name))).toEqual(name)
    expect(readName('ns.job/out', 'ns.job/out2/12/3/a/31')).toBeUndefined()
    expect(readName('ns.job/out', 'ns.job/out/12/3/31')).toBeUndefined()
    expect(readName('ns.job', 'ns.job/out/12/3/a/31')).toBeUndefined()
  })

  test('every open one is aborted by exactly one subtask, and no prepared one by any', () => {
    const writers = fc.integer({ min: 1, max: 5 })
    fc.assert(
      fc.property(writers, writers, fc.integer({ min: 0, max: 7 }), (before, now, extra) => {
        const base = 9
        const states: WriterState[] = Array.from({ length: before }, (_, writer) => ({
          writer,
          writers: before,
          pending: [writeName('p', { base: 4, writer, run: 'a', slot: 1 })],
          jobId: 'job',
          prefix: 'p',
        }))
        const abortedBy = (id: string): number[] =>
          Array.from({ length: now }, (_, subtaskIndex) => subtaskIndex).filter(subtaskIndex =>
            isLingering(readName('p', id) ?? { base: 0, writer: 0, run: '', slot: 0 }, id, {
              base,
              subtaskIndex,
              parallelism: now,
              isRestored: true,
              restored: states.filter((_, i) => i % now === subtaskIndex),
            }),
          )
        for (const { pending } of states) expect(abortedBy(pending[0] ?? '')).toEqual([])
        for (let writer = 0; writer < before + extra; writer++) {
          for (const begun of [4, 7, base]) {
            const id = writeName('p', { base: begun, writer, run: 'b', slot: 1 })
            expect(abortedBy(id)).toHaveLength(1)
          }
        }
      }),
    )
  })
})
