/**
 * The yardstick without another engine: a loop that does no more than `JSON.parse` the same bytes one
 * record at a time, or split them into words. No query, no state, no event time.
 */
import { NexmarkEvent } from '../../src/connectors/nexmark/nexmark-events.ts'
import { NexmarkGenerator, nexmarkWordAt } from '../../src/connectors/nexmark/nexmark-generator.ts'
import { type PreparedBytes, prepareBytes } from '../../src/connectors/nexmark/prepared-bytes.ts'
import { json } from '../../src/schema/json-format.ts'
import { text } from '../../src/schema/text-format.ts'
import type { BenchCase } from './bench-harness.ts'
import type { NexmarkOptions } from './nexmark-runner.ts'

/** As many records as fit the cache would flatter; this is a few hundred batches. */
const RECORDS_MAX = 200_000

export function plainParse(options: NexmarkOptions): BenchCase {
  const { query, count, rate = 10_000 } = options
  const size = Math.min(count, RECORDS_MAX)
  const generator = new NexmarkGenerator(rate)
  if (query === 'wordcount') {
    const words = prepareBytes(text(), size, nexmarkWordAt)
    return { name: 'Buffer.toString', run: () => each(words, word => word.length) }
  }
  const events =
    query === 'json'
      ? prepareBytes(json(NexmarkEvent), size, generator.bidAt)
      : prepareBytes(json(NexmarkEvent), size, generator.eventAt)
  return { name: 'JSON.parse', run: () => each(events, line => JSON.parse(line).dateTime) }
}

function each(bytes: PreparedBytes, read: (line: string) => number): number {
  let sum = 0
  for (const { buffer, offsets } of bytes.chunks) {
    for (let i = 0; i + 1 < offsets.length; i++) {
      sum += read(buffer.toString('utf8', offsets[i], offsets[i + 1]))
    }
  }
  if (Number.isNaN(sum)) throw new Error('the baseline read nothing')
  return bytes.count
}
