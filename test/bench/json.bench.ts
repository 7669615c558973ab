/**
 * JSON records read and written by generated code, against JSON.parse and JSON.stringify over the
 * same bytes. The baseline validates nothing; the generated reader checks every field it reads.
 */
import { ByteWriter } from '../../src/common/bytes.ts'
import { cloneFunction } from '../../src/common/clone-function.ts'
import { NexmarkBid, NexmarkEvent } from '../../src/connectors/nexmark/nexmark-events.ts'
import { NexmarkGenerator, nexmarkWordAt } from '../../src/connectors/nexmark/nexmark-generator.ts'
import type { Decoder } from '../../src/schema/format.ts'
import { json } from '../../src/schema/json-format.ts'
import { text } from '../../src/schema/text-format.ts'
import { type BenchCase, compare, defineBench } from './bench-harness.ts'

/** A batch as a connector hands it to a decoder. */
interface Batch {
  readonly buffer: Buffer
  /** Record i lies from `offsets[i]` to before `offsets[i + 1] - 1`, a line feed behind it. */
  readonly offsets: Int32Array
  readonly count: number
}

/** 32 KB of bids: what fits the processor's nearer caches. */
const BATCH_RECORDS = 180

function batchesOf(records: readonly string[]): Batch[] {
  const batches: Batch[] = []
  for (let i = 0; i < records.length; i += BATCH_RECORDS) {
    const part = records.slice(i, i + BATCH_RECORDS)
    const offsets = new Int32Array(part.length + 1)
    for (const [k, record] of part.entries()) {
      offsets[k + 1] = (offsets[k] as number) + Buffer.byteLength(record) + 1
    }
    batches.push({ buffer: Buffer.from(`${part.join('\n')}\n`), offsets, count: part.length })
  }
  return batches
}

/** Self-contained: see `cloneFunction`. */
function readOver(decoder: Decoder<unknown>, batches: readonly Batch[]): () => number {
  return () => {
    let records = 0
    for (let pass = 0; pass < 10; pass++) {
      for (const { buffer, offsets, count } of batches) {
        decoder.setBatch(buffer)
        for (let i = 0; i < count; i++) {
          const value = decoder.read(offsets[i] as number, (offsets[i + 1] as number) - 1)
          if (value !== undefined) records++
        }
      }
    }
    return records
  }
}

function reading(name: string, decoder: Decoder<unknown>, batches: readonly Batch[]): BenchCase {
  return { name, run: cloneFunction(readOver)(decoder, batches) }
}

/** What a program without generated code does. */
function plainDecoder(): Decoder<unknown> {
  let batch = ''
  return {
    setBatch(buffer) {
      batch = buffer.toString('latin1')
    },
    read: (start, end) => JSON.parse(batch.substring(start, end)),
  }
}

/** A round must be long enough for the optimiser to be through with it. */
const PASSES = 10

function repeated(name: string, run: () => number): BenchCase {
  return {
    name,
    run() {
      let count = 0
      for (let pass = 0; pass < PASSES; pass++) count += run()
      return count
    },
  }
}

function writing(name: string, bids: readonly NexmarkBid[]): BenchCase {
  const encoder = json(NexmarkBid).makeEncoder()
  const out = new ByteWriter(1 << 16)
  return repeated(name, () => {
    for (const bid of bids) {
      if (out.length > 60_000) out.clear()
      encoder.write(out, bid)
    }
    return bids.length
  })
}

export const bench = defineBench({
  name: 'json',
  summary: 'generated JSON reader and writer against JSON.parse and JSON.stringify',
  async run(io) {
    const count = io.count('records', 46_000)
    const { bidAt, eventAt } = new NexmarkGenerator(10_000)
    const bids = Array.from({ length: count }, (_, n) => bidAt(n + 300_000))
    const bidBytes = batchesOf(bids.map(bid => JSON.stringify(bid)))
    const events = Array.from({ length: count }, (_, n) => JSON.stringify(eventAt(n + 300_000)))
    const four = ['auction', 'bidder', 'price', 'dateTime'] as const
    io.report(
      await compare({
        title: 'JSON read: Nexmark bids of 178 bytes and events of 182',
        baseline: reading('JSON.parse, bids', plainDecoder(), bidBytes),
        cases: [
          reading('generated, all 9 fields', json(NexmarkBid).makeDecoder(), bidBytes),
          reading(
            'generated, 4 fields',
            json(NexmarkBid, { fields: four }).makeDecoder(),
            bidBytes,
          ),
          reading(
            'generated, 2 fields',
            json(NexmarkBid, { fields: ['auction', 'price'] }).makeDecoder(),
            bidBytes,
          ),
          reading('generated, events', json(NexmarkEvent).makeDecoder(), batchesOf(events)),
        ],
      }),
    )
    io.report(await compare(writeCases(bids, bidBytes)))
    const words = Array.from({ length: count }, (_, n) => nexmarkWordAt(n))
    const utf8 = repeated('a native call a word', wordByWord(batchesOf(words)))
    const decoded = reading('text()', text().makeDecoder(), batchesOf(words))
    io.report(await compare({ title: 'Words of 8 bytes', baseline: utf8, cases: [decoded] }))
  },
})

function writeCases(bids: readonly NexmarkBid[], batches: readonly Batch[]) {
  const decoder = json(NexmarkBid).makeDecoder()
  const read = batches.flatMap(({ buffer, offsets, count }) => {
    decoder.setBatch(buffer)
    return Array.from({ length: count }, (_, i) =>
      decoder.read(offsets[i] as number, (offsets[i + 1] as number) - 1),
    )
  })
  // Strings of their own, as JSON.parse makes them; the others are cut from the batch they came in.
  const own = bids.map(bid => JSON.parse(JSON.stringify(bid)) as NexmarkBid)
  let bytes = 0
  const stringify = () => {
    for (const bid of own) bytes += Buffer.byteLength(JSON.stringify(bid))
    return own.length + (bytes < 0 ? 1 : 0)
  }
  return {
    title: 'JSON written: the same bids',
    baseline: repeated('JSON.stringify', stringify),
    cases: [writing('generated', own), writing('generated, strings cut from a batch', read)],
  }
}

function wordByWord(batches: readonly Batch[]): () => number {
  return () => {
    let records = 0
    for (const { buffer, offsets, count } of batches) {
      for (let i = 0; i < count; i++) {
        const start = offsets[i] as number
        if (buffer.toString('utf8', start, (offsets[i + 1] as number) - 1) !== '') records++
      }
    }
    return records
  }
}
