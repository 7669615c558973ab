import { expect, test } from '@jest/globals'
import type { ToControlThread } from '../../../src/cluster/control/control-thread-messages.ts'
import { LifeSigns } from '../../../src/cluster/control/life-signs.ts'
import { runControlThread } from '../../../src/cluster/control/run-control-thread.ts'
import { SeededRandom } from '../../../src/common/random.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'

test('a supervisor hears that the process lives, and how long its other thread has been kept', () => {
  const clock = new ManualClock()
  clock.advance(1)
  const signs = new LifeSigns()
  signs.recordsAwake(clock.monotonic())
  const shown: number[] = []
  let tell: (message: ToControlThread) => void = () => {}
  runControlThread({
    port: {
      post: () => {},
      listen: take => {
        tell = take
      },
      close: () => {},
    },
    settings: {
      end: { kind: 'dialer', address: 'unix:/jm', slot: 0 },
      jobId: 'default.a',
      secret: new Uint8Array(16),
      tls: undefined,
      version: '1.0.0',
      times: { intervalMs: 500, timeoutMs: 2_000 },
      signs: signs.shared,
    },
    clock,
    random: new SeededRandom(1),
    showLife: keptMs => shown.push(keptMs),
  })
  clock.advance(750)
  expect(shown).toEqual([0, 0, 0, 0])
  clock.advance(500)
  expect(shown.slice(4)).toEqual([1_000, 1_250])
  signs.recordsAwake(clock.monotonic())
  clock.advance(250)
  expect(shown.slice(6)).toEqual([0])
  tell({ kind: 'end' })
  clock.advance(5_000)
  expect(shown).toHaveLength(7)
})
