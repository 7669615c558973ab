/** What every exactly-once sink must do; one row of the contract per sink. */
import { beforeEach, describe, expect, test } from '@jest/globals'
import type { Sink } from '../../src/api/sink.ts'
import type { JsonValue } from '../../src/api/source.ts'
import { SeededRandom } from '../../src/common/random.ts'
import { type SinkCheckpoint, SinkRun, type SinkRunOptions } from './sink-run.ts'

export interface SinkContract<IN> {
  /** Empties the place that the sink writes to. */
  readonly clear: () => Promise<void>
  /** Makes the sink anew, as a restarted process would. */
  readonly make: () => Sink<IN, JsonValue>
  readonly recordAt: (n: number) => IN
  /** The records that a reader sees, as text that tells them apart. */
  readonly visible: () => Promise<readonly string[]>
  readonly textOf: (record: IN) => string
}

export function testSink<IN>(name: string, contract: SinkContract<IN>): void {
  const { recordAt } = contract
  const records = (from: number, to: number): IN[] =>
    Array.from({ length: to - from }, (_, i) => recordAt(from + i))
  const start = (options: Partial<SinkRunOptions> = {}): Promise<SinkRun<IN>> =>
    SinkRun.start(contract.make(), { parallelism: 1, ...options })
  const expectVisible = async (from: number, to: number): Promise<void> => {
    const expected = records(from, to).map(contract.textOf).sort()
    expect([...(await contract.visible())].sort()).toEqual(expected)
  }

  beforeEach(() => contract.clear())

  describe(`${name} keeps the contract of exactly-once sinks`, () => {
    test('shows all records once the input ended', async () => {
      const run = await start({ parallelism: 3 })
      await run.write(...records(0, 100))
      await run.finish()
      await expectVisible(0, 100)
    })

    test('shows nothing before its checkpoint is committed', async () => {
      const run = await start()
      await run.write(...records(0, 10))
      await expectVisible(0, 0)
      const checkpoint = await run.checkpoint()
      await run.write(...records(10, 20))
      await expectVisible(0, 0)
      await run.commitUpTo(checkpoint.id)
      await expectVisible(0, 10)
      await run.close()
      await expectVisible(0, 10)
    })

    test('commits the parts of a checkpoint that failed with the next one', async () => {
      const run = await start()
      await run.write(...records(0, 10))
      await run.checkpoint()
      await run.write(...records(10, 20))
      await run.finish()
      await expectVisible(0, 20)
    })

    test('a checkpoint without records shows nothing and commits', async () => {
      const run = await start({ parallelism: 2 })
      await run.commitUpTo((await run.checkpoint()).id)
      await run.finish()
      await expectVisible(0, 0)
    })

    test('commits again after a crash without doubling', async () => {
      const first = await start()
      await first.write(...records(0, 10))
      const restored = await first.checkpoint()
      await first.commitUpTo(restored.id)
      await first.close()
      const second = await start({ restored })
      await second.write(...records(10, 20))
      await second.finish()
      await expectVisible(0, 20)
    })

    test('a restore undoes what was committed after the checkpoint', async () => {
      const first = await start()
      await first.write(...records(0, 10))
      const restored = await first.checkpoint()
      await first.write(...records(10, 15))
      await first.finish()
      await expectVisible(0, 15)
      const second = await start({ restored, lastCheckpointId: 2 })
      await second.write(...records(10, 20))
      await second.finish()
      await expectVisible(0, 20)
    })

    test('a restart without any checkpoint begins anew', async () => {
      const first = await start()
      await first.write(...records(0, 10))
      await first.checkpoint()
      await first.close()
      const second = await start({ attempt: 1 })
      await second.write(...records(0, 20))
      await second.finish()
      await expectVisible(0, 20)
    })

    test.each(Array.from({ length: 25 }, (_, seed) => seed))(
      'crashes and rescales at any point leave each record once (seed %i)',
      async seed => {
        const total = await randomLife(contract, new SeededRandom(seed))
        await expectVisible(0, total)
      },
    )
  })
}

interface Retained {
  readonly position: number
  readonly checkpoint: SinkCheckpoint
}

/**
 * Writes, checkpoints, commits and crashes at random, then ends well; how many records there are.
 */
async function randomLife<IN>(contract: SinkContract<IN>, random: SeededRandom): Promise<number> {
  let lastCheckpointId = 0
  let attempt = 0
  let position = 0
  /** Completed checkpoints. */
  let retained: Retained[] = []
  const begin = (restored?: SinkCheckpoint): Promise<SinkRun<IN>> =>
    SinkRun.start(contract.make(), {
      parallelism: 1 + random.int(3),
      restored,
      attempt,
      lastCheckpointId,
    })
  let run = await begin()
  for (let step = 0; step < 40; step++) {
    const dice = random.int(10)
    if (dice < 5) {
      const count = random.int(8)
      for (let i = 0; i < count; i++) await run.write(contract.recordAt(position++))
    } else if (dice < 8) {
      const checkpoint = await run.checkpoint()
      lastCheckpointId = checkpoint.id
      const completes = random.int(4) > 0
      if (completes) retained.push({ position, checkpoint })
      if (completes && random.int(3) > 0) await run.commitUpTo(checkpoint.id)
    } else {
      await run.close()
      attempt++
      // Mostly the newest checkpoint, now and then an older one that a user asks for.
      const back = random.int(4) === 0 ? Math.min(1, Math.max(0, retained.length - 1)) : 0
      retained = retained.slice(0, retained.length - back)
      const chosen = retained.at(-1)
      position = chosen?.position ?? 0
      run = await begin(chosen?.checkpoint)
    }
  }
  await run.finish()
  return position
}
