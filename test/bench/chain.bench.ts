/**
 * Records through an operator chain in a real task: map, filter, map, filter, sink, against the
 * same steps as one hand-written loop. Alone in the process, and after eight other jobs went
 * through the same classes: type feedback of those must not slow this one.
 */
import { type Job, job } from '../../src/api/job.ts'
import type { Sink } from '../../src/api/sink.ts'
import type { Source } from '../../src/api/source.ts'
import { numberedSource } from '../../src/connectors/numbered-source.ts'
import { JobRunner } from '../runtime/job-runner.ts'
import { type BenchCase, compare, defineBench } from './bench-harness.ts'

interface Reading {
  readonly id: number
  readonly value: number
  readonly at: number
}

const START = 1_700_000_000_000

function readingAt(n: number): Reading {
  return { id: n, value: n & 1023, at: START + n }
}

function source<T>(count: number, recordAt: (n: number) => T): Source<T> {
  return numberedSource<T>({
    name: 'numbers',
    type: undefined,
    count,
    makeRecordAt: () => recordAt,
  }) as unknown as Source<T>
}

/** Counts what arrives, so that nothing is optimised away. */
function countingSink(counter: { records: number }): Sink<unknown> {
  return {
    name: 'count',
    delivery: 'at-least-once',
    createWriter: () => ({
      blocked: false,
      write: () => void counter.records++,
      flush: () => {},
      prepareCommit: () => [],
      snapshotState: () => [],
      close: () => {},
    }),
  }
}

function integers(count: number, counter: { records: number }): Job {
  return job(env =>
    env
      .from(source(count, n => n))
      .uid('numbers')
      .map(n => (n * 3) | 0)
      .filter(n => (n & 7) !== 0)
      .map(n => (n + 1) | 0)
      .filter(n => (n & 15) !== 3)
      .to(countingSink(counter))
      .uid('out'),
  )
}

function objects(count: number, counter: { records: number }): Job {
  return job(env =>
    env
      .from(source(count, readingAt), w => w.monotonous().timestamp(reading => reading.at))
      .uid('readings')
      .map(reading => ({ id: reading.id, scaled: reading.value * 1.5, at: reading.at }))
      .filter(reading => reading.scaled > 100)
      .map(reading => ({ id: reading.id, rest: reading.scaled - 100, at: reading.at }))
      .filter(reading => (reading.id & 15) !== 3)
      .to(countingSink(counter))
      .uid('out'),
  )
}

/** The same work through a channel: the second map and what follows is a task of its own. */
function overChannel(count: number, counter: { records: number }): Job {
  return job(env =>
    env
      .from(source(count, readingAt), w => w.monotonous().timestamp(reading => reading.at))
      .uid('readings')
      .map(reading => ({ id: reading.id, scaled: reading.value * 1.5, at: reading.at }))
      .filter(reading => reading.scaled > 100)
      .rebalance()
      .map(reading => ({ id: reading.id, rest: reading.scaled - 100, at: reading.at }))
      .filter(reading => (reading.id & 15) !== 3)
      .to(countingSink(counter))
      .uid('out'),
  )
}

/** Jobs of other shapes: each leaves its own types behind in every shared class. */
function otherJobs(counter: { records: number }): Job[] {
  const shapes: ((n: number) => unknown)[] = [
    n => ({ a: n }),
    n => ({ b: `${n}` }),
    n => [n, n + 1],
    n => `text ${n}`,
    n => n + 0.5,
    n => BigInt(n),
    n => ({ c: { d: n } }),
    n => (n % 2 === 0 ? null : { e: n, f: 'g' }),
  ]
  return shapes.map(shape =>
    job(env =>
      env
        .from(source(100_000, shape))
        .uid('numbers')
        .map(value => ({ value }))
        .filter(boxed => boxed.value !== undefined)
        .flatMap((boxed, out) => {
          out.collect(boxed.value)
        })
        .filter(value => value !== 17)
        .map(value => [value])
        .to(countingSink(counter))
        .uid('out'),
    ),
  )
}

async function run(made: Job): Promise<void> {
  await new JobRunner(made, { realTime: true }).runToEnd()
}

function jobCase(name: string, count: number, make: typeof integers): BenchCase {
  return {
    name,
    run: async () => {
      const counter = { records: 0 }
      await run(make(count, counter))
      if (counter.records === 0) throw new Error('nothing arrived')
      return count
    },
  }
}

function integerLoop(count: number): BenchCase {
  return {
    name: 'integers, hand-written loop',
    run: () => {
      let records = 0
      for (let n = 0; n < count; n++) {
        const tripled = (n * 3) | 0
        if ((tripled & 7) === 0) continue
        const next = (tripled + 1) | 0
        if ((next & 15) !== 3) records++
      }
      if (records === 0) throw new Error('nothing arrived')
      return count
    },
  }
}

function objectLoop(count: number): BenchCase {
  return {
    name: 'objects, hand-written loop',
    run: () => {
      let records = 0
      for (let n = 0; n < count; n++) {
        const reading = readingAt(n)
        const scaled = { id: reading.id, scaled: reading.value * 1.5, at: reading.at }
        if (scaled.scaled <= 100) continue
        const rest = { id: scaled.id, rest: scaled.scaled - 100, at: scaled.at }
        if ((rest.id & 15) !== 3) records++
      }
      if (records === 0) throw new Error('nothing arrived')
      return count
    },
  }
}

export const chain = defineBench({
  name: 'chain',
  summary: 'map, filter, map, filter, sink in a task, against a hand-written loop',
  async run(io) {
    const count = io.count('records', 4_000_000)
    const cases = (): BenchCase[] => [
      jobCase('integers, chained', count, integers),
      jobCase('objects, chained', count, objects),
      jobCase('objects, over a channel', count, overChannel),
      objectLoop(count),
    ]
    io.report(await compare({ title: 'alone', baseline: integerLoop(count), cases: cases() }))
    for (const other of otherJobs({ records: 0 })) await run(other)
    io.report(
      await compare({
        title: 'after eight other jobs',
        baseline: integerLoop(count),
        cases: cases(),
      }),
    )
  },
})
