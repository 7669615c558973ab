/**
 * JSON in, JSON out, as whole jobs, against the program that comes to mind first: `JSON.parse`, a
 * `Map`, `JSON.stringify`. The program has no event time, no state that survives, no checkpoints.
 *
 * Not measured: reading and writing files or sockets; the bytes lie in memory on both sides.
 */
import { ByteWriter } from '../../src/common/bytes.ts'
import { NexmarkBid } from '../../src/connectors/nexmark/nexmark-events.ts'
import { NexmarkGenerator } from '../../src/connectors/nexmark/nexmark-generator.ts'
import { type PreparedBytes, prepareBytes } from '../../src/connectors/nexmark/prepared-bytes.ts'
import { type Job, job, nexmarkBids, record, valueState, watermarks, z } from '../../src/index.ts'
import { json } from '../../src/schema/json-format.ts'
import { type BenchCase, compare, defineBench } from './bench-harness.ts'
import { encodingSink } from './nexmark-sinks.ts'
import { runToEnd } from './run-to-end.ts'

/** Half a second and more a round, so that starting a job does not count. */
const RECORDS = 4_000_000
/** Held in memory and read again and again. */
const RING = 46_000
const EVERY = 123

const Count = record({ auction: z.int32(), count: z.int32() })

interface JobCase {
  readonly count: number
  readonly fields?: readonly string[]
}

function countJob(given: JobCase): Job {
  const source = bids(given)
  return job('json-count', env =>
    env
      .from(source, watermarks.none())
      .uid('bids')
      .keyBy(bid => bid.auction)
      .process({
        output: Count,
        state: { count: valueState(z.int32()) },
        processElement({ auction }, { state }, out) {
          const next = (state.count.value() ?? 0) + 1
          state.count.update(next)
          out.collect({ auction, count: next })
        },
      })
      .uid('count')
      .to(encodingSink(json(Count).makeEncoder() as never, { rows: 0 }))
      .uid('out'),
  )
}

function filterJob(given: JobCase): Job {
  const source = bids(given)
  return job('json-filter', env =>
    env
      .from(source, watermarks.none())
      .uid('bids')
      .filter(bid => bid.auction % EVERY === 0)
      .to(encodingSink(json(NexmarkBid).makeEncoder() as never, { rows: 0 }))
      .uid('out'),
  )
}

/** Made once for all rounds of a job: the bytes are encoded by the first one. */
function bids({ count, fields }: JobCase) {
  return nexmarkBids({ count, input: 'bytes', ring: RING, ...(fields && { fields }) })
}

/** The obvious programs, over the same bytes. */
function plainCount(bytes: PreparedBytes, count: number): number {
  const counts = new Map<number, number>()
  return plain(bytes, count, bid => {
    const next = (counts.get(bid.auction) ?? 0) + 1
    counts.set(bid.auction, next)
    return { auction: bid.auction, count: next }
  })
}

function plainFilter(bytes: PreparedBytes, count: number): number {
  return plain(bytes, count, bid => (bid.auction % EVERY === 0 ? bid : undefined))
}

function plain(bytes: PreparedBytes, count: number, handle: (bid: NexmarkBid) => unknown): number {
  const out = new ByteWriter()
  let done = 0
  while (done < count) {
    for (const { buffer, offsets } of bytes.chunks) {
      for (let i = 0; i + 1 < offsets.length && done < count; i++, done++) {
        const row = handle(JSON.parse(buffer.toString('utf8', offsets[i], offsets[i + 1])))
        if (row === undefined) continue
        if (out.length > 65_536) out.clear()
        out.writeBytes(Buffer.from(JSON.stringify(row)))
      }
    }
  }
  return count
}

export const jsonJob = defineBench({
  name: 'json-job',
  summary: 'JSON in, keyed count or filter, JSON out, against JSON.parse, Map and JSON.stringify',
  async run(io) {
    const count = io.count('records', RECORDS)
    const rounds = io.count('rounds', 5)
    const bytes = prepareBytes(json(NexmarkBid), RING, new NexmarkGenerator(10_000).bidAt)
    const weir = (name: string, made: Job): BenchCase => ({
      name,
      run: async () => ({ ...(await runToEnd(made)), count }),
    })
    io.report(
      await compare({
        title: 'JSON in, keyed count, JSON out',
        rounds,
        baseline: { name: 'plain program', run: () => plainCount(bytes, count) },
        cases: [
          weir('weir, all fields', countJob({ count })),
          weir('weir, one field', countJob({ count, fields: ['auction'] })),
        ],
      }),
    )
    io.report(
      await compare({
        title: `JSON in, filter 1 of ${EVERY}, JSON out`,
        rounds,
        baseline: { name: 'plain program', run: () => plainFilter(bytes, count) },
        cases: [weir('weir, all fields', filterJob({ count }))],
      }),
    )
  },
})
