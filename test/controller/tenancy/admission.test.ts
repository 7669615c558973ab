/** Who is admitted, as a table: the room, who waits, and what each is told. */
import { describe, expect, test } from '@jest/globals'
import { planAdmission, type Room, type Waiter } from '../../../src/controller/tenancy/admission.ts'
import { nothing } from '../../../src/controller/tenancy/demand.ts'

interface Case {
  readonly room: Partial<Room>
  /** `NAME SLOTS PRIORITY SINCE` */
  readonly waiting: readonly string[]
  /** `NAME admitted`, or `NAME POSITION REASON: SHORTFALL` */
  readonly told: readonly string[]
  readonly nowMs?: number
}

const table: Record<string, Case> = {
  'all that fit are admitted in one cycle': {
    room: { quota: { slots: 6 } },
    waiting: ['a 2 0 1', 'b 2 0 2', 'c 2 0 3', 'd 1 0 4'],
    told: [
      'a admitted',
      'b admitted',
      'c admitted',
      'd 1 QuotaPending: slots: needs 1, 0 of 6 are free',
    ],
  },
  'priority comes before time': {
    room: { quota: { slots: 2 } },
    waiting: ['early 2 0 1', 'urgent 2 5 9'],
    told: ['urgent admitted', 'early 1 QuotaPending: slots: needs 2, 0 of 2 are free'],
  },
  'a small one passes a large one that has no room': {
    room: { quota: { slots: 4 }, used: { ...nothing, slots: 2 } },
    waiting: ['large 3 0 1', 'small 2 0 2'],
    told: ['large 1 QuotaPending: slots: needs 3, 2 of 4 are free', 'small admitted'],
  },
  'strictly, nobody passes': {
    room: { quota: { slots: 4 }, used: { ...nothing, slots: 2 }, strategy: 'strict-fifo' },
    waiting: ['large 3 0 1', 'small 2 0 2'],
    told: [
      'large 1 QuotaPending: slots: needs 3, 2 of 4 are free',
      'small 2 QuotaPending: waits behind large',
    ],
  },
  'nobody passes one that was passed for half an hour': {
    room: { quota: { slots: 4 }, used: { ...nothing, slots: 2 } },
    waiting: ['large 3 0 1', 'small 2 0 3000000'],
    nowMs: 3_600_000,
    told: [
      'large 1 QuotaPending: slots: needs 3, 2 of 4 are free',
      'small 2 QuotaPending: waits behind large',
    ],
  },
  'one that can never fit holds nobody up': {
    room: { quota: { slots: 4 }, strategy: 'strict-fifo' },
    waiting: ['huge 5 9 1', 'small 2 0 2'],
    told: ['huge 1 QuotaTooSmall: slots: needs 5, the quota is 4', 'small admitted'],
  },
  'every resource that lacks is named': {
    room: { quota: { jobs: 1, cpu: 2_500, memory: 2 ** 31 }, used: { ...nothing, jobs: 1 } },
    waiting: ['a 2 0 1'],
    told: ['a 1 QuotaTooSmall: memory: needs 2560Mi, the quota is 2Gi'],
  },
  'a lowered quota admits nobody and takes nothing away': {
    room: { quota: { slots: 4, cpu: 6_000 }, used: { ...nothing, slots: 6, cpu: 5_000 } },
    waiting: ['a 1 0 1'],
    told: ['a 1 QuotaPending: slots: needs 1, 0 of 4 are free; cpu: needs 1500m, 1 of 6 are free'],
  },
  'without a quota all are admitted': {
    room: {},
    waiting: ['a 100 0 1', 'b 100 0 2'],
    told: ['a admitted', 'b admitted'],
  },
  'a tenant on hold admits nobody': {
    room: { isHeld: true },
    waiting: ['a 1 0 1'],
    told: ['a 1 AdmissionHeld: the tenant admits nothing new'],
  },
  'a queue has an end': {
    room: { quota: { slots: 0 }, queuedMax: 1 },
    waiting: ['a 1 0 1', 'b 1 0 2'],
    told: [
      'a 1 QuotaTooSmall: slots: needs 1, the quota is 0',
      'b 2 QuotaTooSmall: slots: needs 1, the quota is 0',
    ],
  },
  'who comes when the queue is full is told so': {
    room: { quota: { slots: 1 }, used: { ...nothing, slots: 1 }, queuedMax: 1 },
    waiting: ['a 1 0 1', 'b 1 0 2'],
    told: [
      'a 1 QuotaPending: slots: needs 1, 0 of 1 are free',
      'b 2 QueueFull: 1 jobs of the tenant wait already',
    ],
  },
}

function waiter(text: string): Waiter {
  const [key = '', slots = '', priority, since] = text.split(' ')
  const count = Number(slots)
  const demand = {
    jobs: 1,
    slots: count,
    cpu: 500 + 1_000 * count,
    memory: 2 ** 29 + 2 ** 30 * count,
  }
  return { key, demand, priority: Number(priority), sinceMs: Number(since) }
}

describe('admission', () => {
  test.each(Object.entries(table))('%s', (_sentence, { room, waiting, told, nowMs = 10 }) => {
    const whole: Room = {
      quota: {},
      used: nothing,
      strategy: 'best-effort-fifo',
      isHeld: false,
      queuedMax: 100,
      ...room,
    }
    const plan = planAdmission(whole, waiting.map(waiter), nowMs)
    const words = [...plan].map(([key, verdict]) =>
      verdict.kind === 'admitted'
        ? `${key} admitted`
        : `${key} ${verdict.position} ${verdict.reason}: ${verdict.shortfall}`,
    )
    expect(words).toEqual(told)
  })
})
