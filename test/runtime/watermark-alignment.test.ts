import { describe, expect, test } from '@jest/globals'
import { job } from '../../src/api/job.ts'
import type { Watermarks } from '../../src/api/watermarks.ts'
import { MAX_TIMESTAMP } from '../../src/common/timestamps.ts'
import { AlignmentGroups } from '../../src/runtime/watermark-alignment.ts'
import { JobRunner } from './job-runner.ts'
import { HandSource, logSink, SinkLog } from './test-connectors.ts'

const options = { group: 'g', maxDriftMs: 100 }

test('WA1: the slowest member sets the limit', () => {
  const groups = new AlignmentGroups()
  const a = groups.join(options, () => {})
  const b = groups.join(options, () => {})
  a.report(1_000)
  b.report(50)
  expect(a.limit).toBe(150)
  b.report(400)
  expect(a.limit).toBe(500)
})

test('a member that is idle or gone does not count, and alone there is no limit to speak of', () => {
  const groups = new AlignmentGroups()
  const a = groups.join(options, () => {})
  const b = groups.join(options, () => {})
  a.report(1_000)
  b.report(MAX_TIMESTAMP)
  expect(a.limit).toBe(1_100)
  a.leave()
  expect(a.limit).toBe(MAX_TIMESTAMP)
  b.leave()
})

test('WA2: those who wait are woken when the limit rises, and only then', () => {
  const groups = new AlignmentGroups()
  let woken = 0
  const fast = groups.join(options, () => woken++)
  const slow = groups.join(options, () => {})
  const other = groups.join(options, () => {})
  fast.report(1_000)
  slow.report(1)
  other.report(5)
  slow.report(2)
  expect(woken).toBe(0)
  fast.waiting = true
  slow.report(8)
  other.report(6)
  expect(woken).toBe(2)
  other.report(7)
  slow.leave()
  expect(woken).toBe(3)
})

describe('sources in other slots', () => {
  const heard = (watermark: number) => [{ group: 'g', watermark }]

  test('WA3: hold the limit back until they were heard of, then as far as they are', () => {
    const groups = new AlignmentGroups(['g'])
    let woken = 0
    const own = groups.join(options, () => woken++)
    own.report(500)
    expect(own.limit).toBeLessThan(-1e300)
    own.waiting = true
    groups.hear(heard(300))
    expect([own.limit, woken]).toEqual([400, 1])
    groups.hear(heard(300))
    expect(woken).toBe(1)
    // Now its own watermark is what counts.
    groups.hear(heard(9_000))
    expect([own.limit, woken]).toEqual([600, 2])
  })

  test('that are idle or finished hold nobody: no overflow (FLINK-31632)', () => {
    const groups = new AlignmentGroups(['g'])
    const own = groups.join(options, () => {})
    own.report(MAX_TIMESTAMP)
    groups.hear(heard(Number.MAX_VALUE))
    expect(own.limit).toBeGreaterThan(1e300)
    expect(own.limit).toBe(Number.MAX_VALUE)
  })

  test('hear of the slowest here, in numbers that any text can carry', () => {
    const groups = new AlignmentGroups(['g', 'h'])
    const [a, b] = [groups.join(options, () => {}), groups.join(options, () => {})]
    const standing = () => groups.standings().find(one => one.group === 'g')?.watermark
    expect(standing()).toBe(-Number.MAX_VALUE)
    a.report(7)
    b.report(5)
    expect(standing()).toBe(5)
    b.leave()
    expect(standing()).toBe(7)
    a.leave()
    // Of a group that another slot alone has members of, too.
    expect(groups.standings()).toEqual([
      { group: 'g', watermark: Number.MAX_VALUE },
      { group: 'h', watermark: Number.MAX_VALUE },
    ])
    expect(JSON.parse(JSON.stringify(groups.standings()))).toEqual(groups.standings())
  })

  test('a group that lives in one slot hears of nobody', () => {
    const groups = new AlignmentGroups()
    const own = groups.join(options, () => {})
    own.report(5)
    groups.hear([{ group: 'other', watermark: 1 }])
    expect(own.limit).toBe(105)
    expect(groups.isWaiting).toBe(false)
    own.waiting = true
    expect(groups.isWaiting).toBe(true)
  })
})

test('other groups are of no concern', () => {
  const groups = new AlignmentGroups()
  const a = groups.join(options, () => {})
  groups.join({ group: 'h', maxDriftMs: 1 }, () => {}).report(0)
  a.report(1_000)
  expect(a.limit).toBe(1_100)
})

test('a source that runs ahead stops until the other one has caught up', async () => {
  const [fast, slow] = [new HandSource<number>(), new HandSource<number>()]
  const log = new SinkLog<number>()
  const strategy = (w: Watermarks<number>) =>
    w
      .monotonous()
      .timestamp(n => n)
      .idleness('1s')
      .aligned('g', '100ms')
  const made = job(env =>
    env
      .from(fast, strategy)
      .uid('fast')
      .union(env.from(slow, strategy).uid('slow'))
      .to(logSink(log))
      .uid('out'),
  )
  const runner = new JobRunner(made)
  await runner.start()
  const settle = async (): Promise<void> => {
    for (let i = 0; i < 5; i++) await runner.step()
  }
  slow.emit(1_000)
  await settle()
  fast.emit(1_050)
  await settle()
  fast.emit(2_000)
  await settle()
  fast.emit(2_001)
  await settle()
  // 2,000 was within reach when it was polled; what follows has to wait.
  expect(log.values).toEqual([1_000, 1_050, 2_000])
  slow.emit(1_950)
  await settle()
  expect(log.values).toEqual([1_000, 1_050, 2_000, 1_950, 2_001])
  // A silent source turns idle and holds nobody.
  fast.emit(5_000)
  await settle()
  fast.emit(5_001)
  await settle()
  expect(log.values).not.toContain(5_001)
  for (let i = 0; i < 10; i++) {
    runner.clock.advance(200)
    await settle()
  }
  expect(log.values).toContain(5_001)
  await runner.cancel()
})
