import { describe, expect, test } from '@jest/globals'
import { CoordinatorBench, short } from './coordinator-bench.ts'

describe('what counts as a failure', () => {
  const begun = (id: number): CoordinatorBench => {
    const bench = new CoordinatorBench().run()
    bench.at(100)
    bench.reserved(id)
    return bench
  }
  const acked = (): CoordinatorBench => {
    const bench = begun(1)
    for (const task of ['a/0', 'b/0']) bench.ack(1, task)
    return bench
  }

  /** Nothing is tolerated: what counts fails the job. */
  const rows: Record<string, { readonly happens: () => string[]; readonly counts: boolean }> = {
    'a snapshot that could not be taken or stored': {
      happens: () => begun(1).failed(1),
      counts: true,
    },
    'one that did not come in time': { happens: () => begun(1).at(1_100), counts: true },
    'an id that could not be reserved': {
      happens: () => {
        const bench = new CoordinatorBench().run()
        bench.at(100)
        return bench.failed(1)
      },
      counts: true,
    },
    'metadata that could not be stored': { happens: () => acked().failed(1), counts: true },
    'a subtask that was overtaken, or not ready': {
      happens: () => begun(1).declined(1),
      counts: false,
    },
    'one that a newer one subsumed': {
      happens: () => {
        const bench = new CoordinatorBench({ maxConcurrent: 2 }).run()
        bench.at(100)
        bench.at(200)
        return bench.complete(2)
      },
      counts: false,
    },
    'the end of the attempt': {
      happens: () => short(begun(1).tell({ kind: 'halted', reason: 'a task failed' })),
      counts: false,
    },
    'a savepoint that failed': {
      happens: () => {
        const bench = new CoordinatorBench().run()
        bench.ask('s')
        return bench.failed(1)
      },
      counts: false,
    },
    'a request that cannot be served': {
      happens: () => new CoordinatorBench().ask('s'),
      counts: false,
    },
  }
  test.each(Object.entries(rows))('%s', (_sentence, { happens, counts }) => {
    expect(happens().includes('fail-job')).toBe(counts)
  })

  test('what does not count neither adds to the row nor ends it', () => {
    const bench = new CoordinatorBench({ tolerableFailures: 1 }).run()
    bench.at(100)
    bench.failed(1)
    bench.at(200)
    expect(bench.declined(2)).toEqual(['abort 2 keeping its files'])
    bench.at(300)
    expect(bench.failed(3)).toEqual(['abort 3 keeping its files', 'fail-job'])
  })

  test('a final one that a subtask declined is tried again', () => {
    const bench = new CoordinatorBench().run()
    bench.drained()
    bench.reserved(1)
    expect(bench.declined(1)).toEqual(['abort 1'])
    expect(bench.at(1_000)).toEqual(['reserve-id 2'])
  })
})
