/** The upgrade machine in a world where everything may happen at any time. */
import { expect, test } from '@jest/globals'
import { streamJobSchema } from '../../../src/protocol/stream-job.ts'
import { explore } from './explore.ts'
import { type Flaw, type MakeManifest, Model, type Setting } from './upgrade-world.ts'

const isLong = process.env.WEIR_TEST_LONG === '1'
const flaws: readonly Flaw[] = ['none', 'rejected', 'refuses', 'crashes', 'stalls', 'no-image']

const settings: readonly Setting[] = (['savepoint', 'last-state', 'stateless'] as const).flatMap(
  mode =>
    flaws.flatMap(flaw =>
      (mode === 'savepoint' ? [true, false] : [true]).map(fallback => ({ mode, flaw, fallback })),
    ),
)

const makeManifest: MakeManifest = ({ name, state, mode, fallback }) =>
  streamJobSchema.parse({
    apiVersion: 'weir.dev/v1alpha1',
    kind: 'StreamJob',
    metadata: { name: 'j', namespace: 'n' },
    spec: {
      job: { module: `${name}.ts` },
      state,
      checkpoint: { storage: 's3://b/c' },
      upgrade: { mode, fallbackToLastState: fallback },
      rollback: { maxRestarts: 1, stableCheckpoints: 1 },
    },
  })

test.each(settings)('whatever happens: $mode, fallback $fallback, B: $flaw', setting => {
  const model = new Model(setting, makeManifest)
  const first = model.first({ edits: 2, faults: 1, jumps: 2 })
  const statesMax = isLong ? 80_000 : 5_000
  const { states, phases } = explore({ model, first, statesMax, settleEvery: isLong ? 20 : 10 })
  expect(states).toBeGreaterThanOrEqual(Math.min(statesMax, 5_000))
  expect(phases).toContain('Savepointing')
})
