/** Two jobs that hold half of what either needs, for days. */
import { expect, test } from '@jest/globals'
import { SeededRandom } from '../../../src/common/random.ts'
import { restFindings, roomTurn } from '../../../src/controller/streamjob/yield-room.ts'
import { NOW_MS, observed, right } from './job-cases.ts'

const refusedFor = (uid: string, ms: number, message = 'no room') =>
  observed({
    deployed: right,
    metadata: { uid },
    status: {
      conditions: [
        {
          type: 'Scheduled',
          status: 'False',
          reason: 'QuotaExceeded',
          message,
          lastTransitionTime: new Date(NOW_MS - ms).toISOString(),
        },
      ],
    },
  })

const uidFrom = (random: SeededRandom): string =>
  Math.floor(random.next() * 2 ** 32)
    .toString(16)
    .padStart(8, '0')

test('whatever their uids, one soon asks for everything while the other has nothing', () => {
  const random = new SeededRandom(1)
  for (let pair = 0; pair < 200; pair++) {
    const [one, other] = [uidFrom(random), uidFrom(random)]
    const apartMs = Math.floor(random.next() * 600_000)
    const meets = Array.from({ length: 7_200 }, (_, index) => index * 1_000).some(ms => {
      const turns = [roomTurn(refusedFor(one, ms)), roomTurn(refusedFor(other, ms + apartMs))]
      return turns[0]?.kind !== turns[1]?.kind
    })
    expect({ one, other, meets }).toEqual({ one, other, meets: true })
  }
})

test('its words are the same at each look', () => {
  const message = restFindings(refusedFor('0', 0))[0]?.message
  expect(message).toMatch(/^no room; .*given back/)
  expect(restFindings(refusedFor('0', 0, message))[0]?.message).toBe(message)
})

test('what no quota refuses has no turns', () => {
  expect(roomTurn(observed({ deployed: right }))).toBeUndefined()
})
