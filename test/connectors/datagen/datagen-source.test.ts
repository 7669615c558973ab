import { beforeAll, describe, expect, test } from '@jest/globals'
import { FieldRandom } from '../../../src/connectors/datagen/field-random.ts'
import {
  type DatagenOptions,
  datagen,
  letters,
  oneOf,
  sequence,
  timestamps,
  uniform,
  uniformInt,
  weighted,
} from '../../../src/connectors/datagen/index.ts'
import { testSource } from '../../contract/source.ts'
import { SourceRun } from '../../contract/source-run.ts'
import { ManualClock } from '../manual-clock.ts'

interface Ride {
  readonly id: number
  readonly price: number
  readonly city: string
  readonly at: number
}

const rides: DatagenOptions<Ride> = {
  rows: 40,
  seed: 7,
  fields: {
    id: sequence(),
    price: uniform(1, 100),
    city: oneOf(['Oslo', 'Rome', 'Lima']),
    at: timestamps({ start: '2001-01-01T00:00:00Z', every: '1s', jitter: '5s' }),
  },
}

async function read<T extends object>(
  options: DatagenOptions<T>,
  parallelism: number,
): Promise<T[]> {
  const run = await SourceRun.start(datagen(options), { parallelism })
  await run.runToEnd()
  return run.emitted.map(emitted => emitted.value)
}

const byId = (a: Ride, b: Ride): number => a.id - b.id

let expected: readonly Ride[] = []
beforeAll(async () => {
  expected = await read(rides, 1)
})

testSource('datagen', { make: () => datagen(rides), expected: () => expected })

describe('datagen', () => {
  test('makes the same records whatever the parallelism', async () => {
    expect((await read(rides, 4)).sort(byId)).toEqual(await read(rides, 1))
  })

  test('makes other records from another seed', async () => {
    expect(await read({ ...rides, seed: 8 }, 1)).not.toEqual(await read(rides, 1))
  })

  test('takes one function for the whole record', async () => {
    const rows = await read({ rows: 3, fields: (n, random) => ({ n, r: random.int(10) }) }, 1)
    expect(rows.map(row => row.n)).toEqual([0, 1, 2])
    expect(rows.every(row => row.r >= 0 && row.r < 10)).toBe(true)
  })

  test('keeps field names that are special in JavaScript', async () => {
    const fields = { ['__proto__']: sequence(), 'a b': sequence(5), "it's": sequence(1) }
    const [row] = await read({ rows: 1, fields }, 1)
    expect(Object.entries(row ?? {})).toEqual([
      ['__proto__', 0],
      ['a b', 5],
      ["it's", 1],
    ])
  })

  test('without rows never ends', async () => {
    const { rows: _rows, ...endless } = rides
    const source = datagen(endless)
    expect(source.boundedness).toBe('unbounded')
    const run = await SourceRun.start(source, { parallelism: 2 })
    await run.runUntil(10_000)
    expect(run.ended).toBe(false)
    expect(JSON.stringify(run.snapshot().splits)).not.toContain('null')
  })

  test('keeps to the rate', async () => {
    const clock = new ManualClock()
    const source = datagen({ ...rides, rows: 1_000, ratePerSecond: 10 })
    const run = await SourceRun.start(source, { parallelism: 1, clock })
    const counts: number[] = []
    for (let second = 0; second < 5; second++) {
      while (run.pollNext() === 'more');
      counts.push(run.emitted.length)
      clock.advance(1_000)
    }
    expect(counts).toEqual([1, 11, 21, 31, 41])
  })

  test('catches up one second of a long stop, not all of it', async () => {
    const clock = new ManualClock()
    const source = datagen({ ...rides, rows: 1_000, ratePerSecond: 10 })
    const run = await SourceRun.start(source, { parallelism: 1, clock })
    clock.advance(3_600_000)
    while (run.pollNext() === 'more');
    expect(run.emitted.length).toBe(11)
  })
})

describe('generators', () => {
  const many = <T>(make: (n: number, random: FieldRandom) => T): T[] => {
    const random = new FieldRandom(1)
    return Array.from({ length: 20_000 }, (_, n) => make(n, random.at(n, 0)))
  }

  test('uniform stays within its bounds and is spread evenly', () => {
    const values = many(uniform(10, 20))
    expect(Math.min(...values)).toBeGreaterThanOrEqual(10)
    expect(Math.max(...values)).toBeLessThan(20)
    const tenths = new Array<number>(10).fill(0)
    for (const value of values)
      tenths[Math.floor(value) - 10] = (tenths[Math.floor(value) - 10] ?? 0) + 1
    for (const count of tenths) expect(Math.abs(count - 2_000)).toBeLessThan(250)
  })

  test('uniformInt includes both bounds', () => {
    expect(new Set(many(uniformInt(-1, 1)))).toEqual(new Set([-1, 0, 1]))
  })

  test('weighted keeps the weights', () => {
    const cards = many(weighted({ card: 3, cash: 1, none: 0 }))
    const share = cards.filter(kind => kind === 'card').length / cards.length
    expect(share).toBeGreaterThan(0.73)
    expect(share).toBeLessThan(0.77)
    expect(cards).not.toContain('none')
  })

  test('letters have the length asked for', () => {
    expect(many(letters(5)).every(text => /^[a-z]{5}$/.test(text))).toBe(true)
  })

  test('timestamps advance steadily and jitter only backwards', () => {
    const plain = timestamps({ start: 1_000, every: '10ms' })
    const jittered = timestamps({ start: 1_000, every: '10ms', jitter: '25ms' })
    const lags = many((n, random) => plain(n, random) - jittered(n, random))
    expect(Math.min(...lags)).toBe(0)
    expect(Math.max(...lags)).toBe(25)
    expect(plain(3, new FieldRandom(0))).toBe(1_030)
  })

  test('uuids have the form of version 4', () => {
    const uuids = many((_n, random) => random.uuid())
    expect(
      uuids.every(uuid =>
        /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/.test(uuid),
      ),
    ).toBe(true)
    expect(new Set(uuids).size).toBe(uuids.length)
  })

  test('records far apart draw independently', () => {
    const random = new FieldRandom(0)
    const numbers = [0, 1, 2 ** 32, 2 ** 33, 2 ** 40].map(n => random.at(n, 0).next())
    expect(new Set(numbers).size).toBe(numbers.length)
  })
})
