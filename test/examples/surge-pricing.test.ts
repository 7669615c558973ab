import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { SeededRandom } from '../../src/common/random.ts'
import surgePricing, { surgeMultiplier } from '../../src/examples/surge-pricing.ts'
import { rowsOf } from './output-folder.ts'

const WINDOW_MS = 300_000
const SLIDE_MS = 30_000

interface Ride {
  readonly ride: number
  readonly geohash: string
  readonly waitSeconds: number
  readonly requestedAt: number
}

interface Surge {
  readonly geohash: string
  readonly start: string
  readonly end: string
  readonly rides: number
  readonly averageWaitSeconds: number
  readonly multiplier: number
}

/** Up to five seconds late, which the job waits for; with quiet times longer than a window. */
function makeRides(count: number): readonly Ride[] {
  const random = new SeededRandom(11)
  const start = Date.parse('2026-03-28T23:50:00Z')
  let at = start
  return Array.from({ length: count }, (_, ride) => {
    at += random.int(1_000) === 0 ? 600_000 : random.int(400)
    return {
      ride,
      geohash: `u33d${random.int(5)}`,
      // Sixteenths add up without rounding, in any order.
      waitSeconds: random.int(600 * 16) / 16,
      requestedAt: at - random.int(5_000),
    }
  })
}

/** Every ride is looked at for every window it lies in. */
function expectedSurge(rides: readonly Ride[]): readonly Surge[] {
  const sums = new Map<string, { rides: number; waitSeconds: number }>()
  for (const { geohash, waitSeconds, requestedAt } of rides) {
    const last = Math.floor(requestedAt / SLIDE_MS) * SLIDE_MS
    for (let start = last; start > requestedAt - WINDOW_MS; start -= SLIDE_MS) {
      const key = `${geohash} ${start}`
      const sum = sums.get(key) ?? { rides: 0, waitSeconds: 0 }
      sum.rides++
      sum.waitSeconds += waitSeconds
      sums.set(key, sum)
    }
  }
  return [...sums].map(([key, { rides, waitSeconds }]) => {
    const [geohash = '', start = ''] = key.split(' ')
    const averageWaitSeconds = waitSeconds / rides
    return {
      geohash,
      start: new Date(Number(start)).toISOString(),
      end: new Date(Number(start) + WINDOW_MS).toISOString(),
      rides,
      averageWaitSeconds,
      multiplier: surgeMultiplier(rides, averageWaitSeconds),
    }
  })
}

function sorted(rows: readonly Surge[]): readonly Surge[] {
  const place = (row: Surge): string => `${row.geohash} ${row.start}`
  return rows.toSorted((a, b) => (place(a) < place(b) ? -1 : 1))
}

describe.each([1, 3])('at parallelism %i', parallelism => {
  test('rides of a file give what summing them up by hand gives', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'weir-rides-'))
    try {
      const rides = makeRides(20_000)
      const input = join(folder, 'rides.jsonl')
      writeFileSync(input, rides.map(ride => JSON.stringify(ride)).join('\n'))
      const rows = await rowsOf<Surge>(surgePricing, { args: { input }, parallelism })
      expect(sorted(rows)).toEqual(sorted(expectedSurge(rides)))
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })

  test('made-up rides are all counted, ten windows each', async () => {
    const args = { rides: '30000' }
    const rows = await rowsOf<Surge>(surgePricing, { args, parallelism })
    expect(rows.reduce((sum, row) => sum + row.rides, 0)).toBe(300_000)
    expect(new Set(rows.map(row => `${row.geohash} ${row.start}`)).size).toBe(rows.length)
  })
})

test.each([
  { rides: 0, wait: 0, multiplier: 1 },
  { rides: 100, wait: 120, multiplier: 1 },
  { rides: 0, wait: 360, multiplier: 1.5 },
  { rides: 500, wait: 360, multiplier: 2.5 },
  { rides: 5_000, wait: 3_600, multiplier: 3 },
])('$rides rides that waited $wait s cost $multiplier times', ({ rides, wait, multiplier }) => {
  expect(surgeMultiplier(rides, wait)).toBe(multiplier)
})
