/** What every bounded source must do; one row of the contract per source. */
import { afterEach, describe, expect, test } from '@jest/globals'
import type { Source, SourceSplit } from '../../src/api/source.ts'
import { SourceRun, type SourceRunOptions } from './source-run.ts'

export interface SourceContract<T> {
  /** Makes the source anew, as a restarted process would. */
  readonly make: () => Source<T, SourceSplit>
  /** All its records, in the order in which a single reader gives them. */
  readonly expected: () => readonly T[]
  /** How many records a snapshot is taken after, in turn. */
  readonly cuts?: readonly number[]
}

export function testSource<T>(name: string, contract: SourceContract<T>): void {
  const runs: SourceRun<T>[] = []
  afterEach(async () => {
    for (const run of runs.splice(0)) await run.close()
  })
  const start = async (options: SourceRunOptions): Promise<SourceRun<T>> => {
    const run = await SourceRun.start(contract.make() as Source<T, SourceSplit>, options)
    runs.push(run)
    return run
  }
  const values = (run: SourceRun<T>): T[] => run.emitted.map(emitted => emitted.value)

  describe(`${name} keeps the contract of sources`, () => {
    test('gives every record once and in order to a single reader', async () => {
      const run = await start({ parallelism: 1 })
      await run.runToEnd()
      expect(values(run)).toEqual(contract.expected())
    })

    test('gives every record once to several readers', async () => {
      const run = await start({ parallelism: 3 })
      await run.runToEnd()
      expect(sorted(values(run))).toEqual(sorted(contract.expected()))
    })

    test.each([
      { from: 1, to: 1 },
      { from: 1, to: 3 },
      { from: 3, to: 2 },
    ])('goes on from a snapshot with exactly the rest ($from to $to readers)', async scale => {
      const { length } = contract.expected()
      for (const cut of contract.cuts ?? [0, 1, 2, length >> 1, length - 1, length]) {
        const first = await start({ parallelism: scale.from, batchSize: 1 })
        await first.runUntil(cut)
        const restored = first.snapshot()
        const before = values(first)
        await first.close()
        const second = await start({ parallelism: scale.to, batchSize: 7, restored })
        await second.runToEnd()
        const all = [...before, ...values(second)]
        if (scale.from === 1 && scale.to === 1) expect(all).toEqual(contract.expected())
        else expect(sorted(all)).toEqual(sorted(contract.expected()))
      }
    })

    test('a snapshot does not change while reading goes on', async () => {
      const run = await start({ parallelism: 1, batchSize: 1 })
      await run.runUntil(1)
      const snapshot = run.snapshot()
      const before = JSON.stringify(snapshot)
      await run.runToEnd()
      expect(JSON.stringify(snapshot)).toBe(before)
    })

    test('emits nothing while the output is blocked', async () => {
      const run = await start({ parallelism: 1, batchSize: 4 })
      await run.runUntil(1)
      const before = run.emitted.length
      run.block(true)
      for (let i = 0; i < 5; i++) run.pollNext()
      expect(run.emitted.length).toBe(before)
      run.block(false)
      await run.runToEnd()
      expect(values(run)).toEqual(contract.expected())
    })

    test('emits nothing after it was closed', async () => {
      const run = await start({ parallelism: 1, batchSize: 1 })
      await run.runUntil(1)
      await run.close()
      const before = run.emitted.length
      for (let i = 0; i < 3; i++) run.pollNext()
      expect(run.emitted.length).toBe(before)
    })
  })
}

function sorted(values: readonly unknown[]): string[] {
  return values.map(value => JSON.stringify(value)).sort()
}
