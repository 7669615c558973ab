/**
 * Records in frames and single values in bytes, against JSON of the same records. Frames are what a
 * shuffle sends; values are what a state keeps.
 */
import { ByteReader, ByteWriter } from '../../src/common/bytes.ts'
import { cloneFunction } from '../../src/common/clone-function.ts'
import { NexmarkBid } from '../../src/connectors/nexmark/nexmark-events.ts'
import { NexmarkGenerator } from '../../src/connectors/nexmark/nexmark-generator.ts'
import { makeFrameDecoder } from '../../src/schema/frame-decoder.ts'
import { makeFrameEncoder } from '../../src/schema/frame-encoder.ts'
import { generalType } from '../../src/schema/general-type.ts'
import type { Type } from '../../src/schema/type.ts'
import { typeOf } from '../../src/schema/type-of.ts'
import { z } from '../../src/schema/z.ts'
import { type BenchCase, type BenchIo, compare, defineBench } from './bench-harness.ts'

const FRAME_BYTES = 32 * 1024

function encodeAll(bids: readonly NexmarkBid[], use: (frame: Buffer) => void): number {
  const encoder = makeFrameEncoder(NexmarkBid, { limitBytes: FRAME_BYTES })
  return encodeWith(encoder, bids, use)
}

function encodeWith(
  encoder: ReturnType<typeof makeFrameEncoder<NexmarkBid>>,
  bids: readonly NexmarkBid[],
  use: (frame: Buffer) => void,
): number {
  for (const bid of bids) {
    if (encoder.add(bid, bid.dateTime)) continue
    use(encoder.finish())
    encoder.add(bid, bid.dateTime)
  }
  use(encoder.finish())
  return bids.length
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

function frameCases(bids: readonly NexmarkBid[]): BenchCase[] {
  const frames: Buffer[] = []
  encodeAll(bids, frame => frames.push(Buffer.from(frame)))
  const encoder = makeFrameEncoder(NexmarkBid, { limitBytes: FRAME_BYTES })
  const [eager, lazy] = [makeFrameDecoder(NexmarkBid), makeFrameDecoder(NexmarkBid)]
  let seen = 0
  const cases = [
    repeated('frame, encode', () =>
      encodeWith(encoder, bids, frame => {
        seen += frame.length
      }),
    ),
    repeated('frame, decode all fields', () => {
      for (const frame of frames) {
        const count = eager.open(frame)
        for (let i = 0; i < count; i++) seen += eager.value(i).price
      }
      return bids.length
    }),
    repeated('frame, one int field lazily', () => {
      for (const frame of frames) {
        const count = lazy.open(frame)
        for (let i = 0; i < count; i++) seen += lazy.view(i).auction
      }
      return seen > 0 ? bids.length : 0
    }),
  ]
  return cases
}

interface ValueRun<T> {
  readonly type: Type<T>
  readonly values: readonly T[]
  readonly out: ByteWriter
  readonly makeReader: (bytes: Buffer) => ByteReader
}

/** Self-contained: see `cloneFunction`. */
function writeValues<T>({ type, values, out }: ValueRun<T>): () => number {
  return () => {
    out.clear()
    for (const value of values) type.write(out, value)
    return values.length
  }
}

/** Self-contained: see `cloneFunction`. */
function readValues<T>({ type, out, makeReader }: ValueRun<T>): () => number {
  const bytes = out.copy()
  return () => {
    const input = makeReader(bytes)
    let count = 0
    while (input.remaining > 0) if (type.read(input) !== undefined) count++
    return count
  }
}

function valueCases<T>(name: string, type: Type<T>, values: readonly T[]): BenchCase[] {
  const out = new ByteWriter(1 << 22)
  const run = { type, values, out, makeReader: (bytes: Buffer) => new ByteReader(bytes) }
  const write = cloneFunction(writeValues<T>)(run)
  write()
  const read = cloneFunction(readValues<T>)(run)
  return [repeated(`${name}, write`, write), repeated(`${name}, read`, read)]
}

export const bench = defineBench({
  name: 'codec',
  summary: 'frames and single values against JSON of the same records',
  async run(io: BenchIo) {
    const count = io.count('records', 40_000)
    const { bidAt } = new NexmarkGenerator(10_000)
    const bids = Array.from({ length: count }, (_, n) => bidAt(n + 300_000))
    const texts = bids.map(bid => JSON.stringify(bid))
    const parse = () => texts.filter(text => JSON.parse(text) !== undefined).length
    const baseline = repeated('JSON.parse', parse)
    io.report(await compare({ title: 'Nexmark bids', baseline, cases: frameCases(bids) }))
    const accumulator = typeOf(z.object({ count: z.int32(), sum: z.number(), last: z.timestamp() }))
    const sums = bids.map(({ n, price, dateTime }) => ({
      count: n,
      sum: price * 1.5,
      last: dateTime,
    }))
    const asJson = sums.map(sum => JSON.stringify(sum))
    const stringify = () => sums.filter((sum, i) => JSON.stringify(sum) === asJson[i]).length
    io.report(
      await compare({
        title: 'Single values: {count: int32, sum: float64, last: timestamp}',
        unit: 'values',
        baseline: repeated('JSON.stringify', stringify),
        cases: [
          ...valueCases('small record', accumulator, sums),
          ...valueCases<unknown>('without schema', generalType, sums),
          ...valueCases('bid', NexmarkBid, bids),
        ],
      }),
    )
  },
})
