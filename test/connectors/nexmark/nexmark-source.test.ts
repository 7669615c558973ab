import { describe, expect, test } from '@jest/globals'
import {
  type NexmarkOptions,
  nexmarkBids,
  nexmarkEvents,
  nexmarkWords,
} from '../../../src/connectors/nexmark/index.ts'
import { NexmarkGenerator } from '../../../src/connectors/nexmark/nexmark-generator.ts'
import { testSource } from '../../contract/source.ts'
import { SourceRun } from '../../contract/source-run.ts'

const { eventAt, bidAt } = new NexmarkGenerator(500)
const numbers = (count: number): number[] => Array.from({ length: count }, (_, n) => n)

testSource('generated Nexmark events', {
  make: () => nexmarkEvents({ count: 60, rate: 500 }),
  expected: () => numbers(60).map(eventAt),
})

testSource('Nexmark events from bytes', {
  make: () => nexmarkEvents({ count: 60, rate: 500, input: 'bytes' }),
  expected: () => numbers(60).map(eventAt),
})

testSource('a ring of Nexmark bids from bytes', {
  make: () => nexmarkBids({ count: 60, ring: 25, rate: 500, input: 'bytes' }),
  expected: () => numbers(60).map(m => bidAt(m % 25)),
})

async function read<T>(source: ReturnType<typeof nexmarkEvents> | ReturnType<typeof nexmarkWords>) {
  const run = await SourceRun.start(source as never, { parallelism: 1, batchSize: 500 })
  await run.runToEnd()
  return run.emitted.map(emitted => emitted.value as T)
}

describe('Nexmark', () => {
  test('events have the fields of the specification, in its order', () => {
    expect(JSON.stringify(eventAt(0))).toBe(
      '{"n":0,"kind":"person","id":1000,"name":"Vicky Walton","emailAddress":"mudfmob@loxgi.com",' +
        '"creditCard":"6106 7417 0403 3384","city":"Los Angeles","state":"OR",' +
        '"dateTime":1700000000000,"extra":"sznrwtg"}',
    )
    expect(JSON.stringify(eventAt(1))).toBe(
      '{"n":1,"kind":"auction","id":1000,"itemName":"boyyrz","description":"uvwscgm efhfttn",' +
        '"initialBid":2396864,"reserve":2397926,"dateTime":1700000000002,' +
        '"expires":1700000005240,"seller":1000,"category":13,"extra":"yzaamec"}',
    )
    expect(JSON.stringify(eventAt(5))).toBe(
      '{"n":5,"kind":"bid","auction":1007,"bidder":1001,"price":11319665,' +
        '"channel":"channel-9990","url":"https://weir.test/aoueg/item?q=220",' +
        '"dateTime":1700000000010,"extra":"awmacgj"}',
    )
  })

  test('bids are those among the events', () => {
    const bids = numbers(500)
      .map(eventAt)
      .filter(event => event.kind === 'bid')
    expect(numbers(bids.length).map(bidAt)).toEqual(bids)
  })

  const kinds: Record<string, NexmarkOptions> = {
    'at 500 a second': { count: 3_000, rate: 500 },
    'at 10,000 a second': { count: 3_000, rate: 10_000 },
  }
  test.each(Object.entries(kinds))(
    'bytes hold the same records as objects, %s',
    async (_, kind) => {
      expect(await read(nexmarkEvents({ ...kind, input: 'bytes' }))).toEqual(
        await read(nexmarkEvents(kind)),
      )
      expect(await read(nexmarkBids({ ...kind, input: 'bytes' }) as never)).toEqual(
        await read(nexmarkBids(kind) as never),
      )
      expect(await read(nexmarkWords({ ...kind, input: 'bytes' }))).toEqual(
        await read(nexmarkWords(kind)),
      )
    },
  )

  test('words are skewed', async () => {
    const words = await read<string>(nexmarkWords({ count: 2_000 }))
    expect(words.every(word => /^word\d{1,4}$/.test(word))).toBe(true)
    expect(words.filter(word => word === 'word0').length).toBeGreaterThan(20)
  })

  test('only the fields asked for are parsed', async () => {
    const options = { count: 5, input: 'bytes', fields: ['auction', 'price'] } as const
    const [bid] = await read<{ auction: number; price: number; url?: string }>(
      nexmarkBids(options) as never,
    )
    expect(bid?.auction).toBe(1000)
    expect(bid?.url).toBeUndefined()
  })
})
