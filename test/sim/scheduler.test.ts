import { expect, test } from '@jest/globals'
import { Scheduler } from '../../src/testing/sim/scheduler.ts'
import { SimChannel } from '../../src/testing/sim/sim-channel.ts'
import { TraceLog } from '../../src/testing/sim/trace-log.ts'

const make = (seed = 1): Scheduler => new Scheduler(seed, new TraceLog(false))
const runAll = (scheduler: Scheduler): Promise<void> => scheduler.run(() => false, 10_000)

test('S1: steps come in the order of their times, equal times in the order they were given', async () => {
  const scheduler = make()
  const seen: number[] = []
  const times = [5, 1, 3, 1, 4, 3, 0, 2]
  times.forEach((time, index) => {
    scheduler.after(time, undefined, () => seen.push(index))
  })
  await runAll(scheduler)
  expect(seen).toEqual([6, 1, 3, 7, 2, 5, 4, 0])
})

test('S2: the dead take no step, and those that stand still take theirs later, in order', async () => {
  const scheduler = make()
  const [dead, late] = [scheduler.spawn('dead'), scheduler.spawn('late')]
  const seen: string[] = []
  for (const step of ['a', 'b', 'c']) {
    scheduler.after(1, dead, () => seen.push(`dead ${step}`))
    scheduler.after(1, late, () => seen.push(`late ${step} at ${scheduler.nowMs}`))
  }
  scheduler.kill(dead)
  scheduler.pause(late)
  scheduler.after(5, undefined, () => scheduler.wake(late))
  await runAll(scheduler)
  expect(seen).toEqual(['late a at 5', 'late b at 5', 'late c at 5'])
})

test('a channel keeps its order; two channels overtake each other', async () => {
  const scheduler = make()
  const process = scheduler.spawn('p')
  const seen: string[] = []
  const channel = (name: string, ordered: boolean): SimChannel<number> =>
    new SimChannel({
      scheduler,
      from: process,
      to: () => process,
      delayMs: 10,
      ordered,
      deliver: message => seen.push(`${name}${message}`),
    })
  const [a, b, loose] = [channel('a', true), channel('b', true), channel('x', false)]
  for (let i = 0; i < 20; i++) for (const one of [a, b, loose]) one.send(i)
  await runAll(scheduler)
  const of = (name: string): string[] => seen.filter(text => text.startsWith(name))
  const sorted = (name: string): string[] => Array.from({ length: 20 }, (_, i) => `${name}${i}`)
  expect(of('a')).toEqual(sorted('a'))
  expect(of('b')).toEqual(sorted('b'))
  expect(of('x')).not.toEqual(sorted('x'))
  expect(seen.filter(text => !text.startsWith('x')).slice(0, 20)).not.toEqual(sorted('a'))
})
