import { describe, expect, test } from '@jest/globals'
import { nextWakeMs } from '../../src/checkpoint/coordinator-state.ts'
import { CoordinatorBench, short } from './coordinator-bench.ts'

const reason = 'some subtasks start again'

function paused(bench: CoordinatorBench): string[] {
  return short(bench.tell({ kind: 'paused', reason }))
}

describe('C10: while some subtasks start again', () => {
  test('what was begun is given up, and counts as no failure', () => {
    const bench = new CoordinatorBench().run()
    bench.at(100)
    bench.reserved(1)
    bench.ack(1, 'a/0')
    expect(paused(bench)).toEqual(['abort 1'])
    expect(bench.state.failuresInRow).toBe(0)
    expect(bench.ack(1, 'b/0')).toEqual(['discard 1'])
  })

  test('what may be in the store goes on to its end', () => {
    const bench = new CoordinatorBench({ maxConcurrent: 2 }).run()
    bench.at(100)
    bench.reserved(1)
    bench.ack(1, 'a/0')
    bench.at(200)
    bench.reserved(2)
    bench.ack(1, 'b/0')
    expect(paused(bench)).toEqual(['abort 2'])
    expect(bench.written(1)).toEqual(['verify-generation 1'])
    expect(bench.verified(1)).toEqual(['complete 1'])
  })

  test('one that could not be stored is in doubt', () => {
    const bench = new CoordinatorBench({ tolerableFailures: 1 }).run()
    bench.at(100)
    bench.reserved(1)
    bench.ack(1, 'a/0')
    bench.ack(1, 'b/0')
    expect(paused(bench)).toEqual([])
    expect(bench.failed(1)).toEqual(['abort 1 keeping its files'])
    expect(bench.state.doubtful).toEqual([1])
  })

  test('nothing is begun, whoever asks and however long it takes', () => {
    const bench = new CoordinatorBench({ overtaking: true }).run()
    bench.at(100)
    bench.reserved(1)
    bench.ask('waits')
    expect(paused(bench)).toEqual(['abort 1', 'answer waits failed'])
    expect(nextWakeMs(bench.state)).toBe(Number.POSITIVE_INFINITY)
    expect(bench.at(9_000)).toEqual([])
    expect(bench.ask('s')).toEqual(['answer s failed'])
  })

  test('what was due meanwhile is due when all run again', () => {
    const bench = new CoordinatorBench().run()
    bench.at(50)
    paused(bench)
    bench.at(80)
    bench.run()
    expect(nextWakeMs(bench.state)).toBe(100)
    bench.at(90)
    paused(bench)
    bench.at(500)
    bench.run()
    expect(bench.at(500)).toEqual(['reserve-id 1'])
    expect(bench.complete(1)).toEqual(['complete 1'])
  })

  test('at the end of the job there is no such thing', () => {
    const bench = new CoordinatorBench().run()
    bench.drained()
    expect(() => paused(bench)).toThrow('C10')
  })
})
