/**
 * Every Nexmark query against its definition by brute force, for counts and rates beside those that
 * are given anywhere: from nothing at all, over broken epochs, to many events at one time.
 */
import { describe, expect, test } from '@jest/globals'
import { nexmarkQueryNames, upsertKeyOf } from '../../../src/examples/nexmark/nexmark-job.ts'
import { prepareNexmark } from '../../bench/nexmark-runner.ts'
import { RowCollector } from '../../bench/nexmark-sinks.ts'
import { definedEvents } from './defined-events.ts'
import { definedRows } from './defined-rows.ts'

interface Input {
  readonly events: number
  readonly rate: number
  readonly parallelism: number
  readonly input: 'bytes' | 'generator'
}

const inputs: readonly Input[] = [
  { events: 4, rate: 200, parallelism: 1, input: 'bytes' },
  { events: 137, rate: 7, parallelism: 3, input: 'generator' },
  { events: 2_003, rate: 1, parallelism: 2, input: 'generator' },
  { events: 4_999, rate: 333, parallelism: 1, input: 'bytes' },
  { events: 4_999, rate: 999_983, parallelism: 3, input: 'generator' },
]

describe.each(inputs)('$events events at $rate/s, parallelism $parallelism, $input', given => {
  const { events, rate, parallelism, input } = given
  const all = definedEvents(events, rate)
  const bids = all.filter(({ kind }) => kind === 'bid').length

  test.each(nexmarkQueryNames)('%s', async query => {
    const rows = new RowCollector(upsertKeyOf(query))
    // The json query reads the bids alone.
    const count = query === 'json' ? bids : events
    const { sink } = rows
    await prepareNexmark({ query, input, state: 'heap', count, rate, parallelism, sink })()
    expect(rows.lines()).toEqual(definedRows(query, all))
  })
})
