import { expect, test } from '@jest/globals'
import { job } from '../../../src/api/job.ts'
import type { Watermarks } from '../../../src/api/watermarks.ts'
import { alignedSlots } from '../../../src/cluster/aligned-slots.ts'
import { AlignmentRounds } from '../../../src/cluster/jobmanager/alignment-rounds.ts'
import { SourceAlignment } from '../../../src/cluster/jobmanager/source-alignment.ts'
import type { SlotCommandBody } from '../../../src/cluster/slot-messages.ts'
import { collectionSource } from '../../../src/connectors/collection/collection-source.ts'
import { planJob } from '../../../src/graph/build-job-graph.ts'
import { collectSink } from '../../../src/testing/collect-sink.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'

const slots = new Map([
  ['g', new Set([0, 1, 2])],
  ['h', new Set([1, 2])],
])
const at = (group: string, watermark: number) => ({ group, watermark })

test('SA1, SA2: a slot hears of the slowest of the others, and of those unheard', () => {
  const alignment = new SourceAlignment(slots)
  expect(alignment.othersOf(0)).toEqual([at('g', -Number.MAX_VALUE)])
  alignment.report({ slot: 0, standings: [at('g', 50)], waits: false })
  alignment.report({ slot: 1, standings: [at('g', 70), at('h', 1)], waits: false })
  expect(alignment.isComplete).toBe(false)
  alignment.report({ slot: 2, standings: [at('g', 60), at('h', 2)], waits: false })
  expect(alignment.isComplete).toBe(true)
  expect(alignment.othersOf(0)).toEqual([at('g', 60)])
  expect(alignment.othersOf(1)).toEqual([at('g', 50), at('h', 2)])
  expect(alignment.othersOf(2)).toEqual([at('g', 50), at('h', 1)])
})

test('a slot whose sources are all idle or finished holds nobody back', () => {
  const alignment = new SourceAlignment(new Map([['g', new Set([0, 1])]]))
  alignment.report({ slot: 0, standings: [at('g', Number.MAX_VALUE)], waits: false })
  expect(alignment.othersOf(1)).toEqual([at('g', Number.MAX_VALUE)])
})

test('rounds come each second, and more often while somebody waits', () => {
  const alignment = new SourceAlignment(slots)
  expect(alignment.delayMs).toBe(1_000)
  alignment.report({ slot: 1, standings: [], waits: true })
  expect(alignment.delayMs).toBe(100)
  alignment.report({ slot: 1, standings: [], waits: false })
  expect(alignment.delayMs).toBe(1_000)
})

function twoSources(parallelism: number, isAligned = true) {
  const strategy = (w: Watermarks<number>) => {
    const chosen = w.monotonous().timestamp(n => n)
    return isAligned ? chosen.aligned('g', '1s') : chosen
  }
  return planJob(
    job(env =>
      env
        .from(collectionSource([1]), strategy)
        .uid('a')
        .union(env.from(collectionSource([1]), strategy).uid('b'))
        .to(collectSink())
        .uid('out'),
    ),
    { parallelism },
  )
}

test('only groups with sources in several slots need messages', () => {
  expect([...alignedSlots(twoSources(3))]).toEqual([['g', new Set([0, 1, 2])]])
  expect([...alignedSlots(twoSources(1))]).toEqual([])
  expect([...alignedSlots(twoSources(3, false))]).toEqual([])
})

test('rounds: all are told, the second time as soon as all have answered', () => {
  const clock = new ManualClock()
  const sent: { slot: number; command: SlotCommandBody }[] = []
  const rounds = new AlignmentRounds({
    graph: twoSources(2),
    clock,
    send: (slot, command) => void sent.push({ slot, command }),
  })
  const taken = () =>
    sent.splice(0).map(({ slot, command }) => {
      return [slot, command.kind === 'align' ? command.others[0]?.watermark : command.kind]
    })
  rounds.start()
  const unheard = -Number.MAX_VALUE
  expect(taken()).toEqual([
    [0, unheard],
    [1, unheard],
  ])
  rounds.report({ slot: 0, standings: [at('g', 5)], waits: false })
  expect(taken()).toEqual([])
  rounds.report({ slot: 1, standings: [at('g', 9)], waits: true })
  expect(taken()).toEqual([
    [0, 9],
    [1, 5],
  ])
  rounds.report({ slot: 0, standings: [at('g', 7)], waits: false })
  clock.advance(99)
  expect(taken()).toEqual([])
  clock.advance(1)
  expect(taken()).toEqual([
    [0, 9],
    [1, 7],
  ])
  rounds.report({ slot: 1, standings: [at('g', 9)], waits: false })
  rounds.close()
  clock.advance(5_000)
  expect([taken(), clock.pending]).toEqual([[], 0])
})

test('a job without groups sends and waits for nothing', () => {
  const clock = new ManualClock()
  const send = () => {
    throw new Error('sent')
  }
  new AlignmentRounds({ graph: twoSources(2, false), clock, send }).start()
  expect(clock.pending).toBe(0)
})
