/** The upgrade machine in a world where everything may happen at any time. */
import { expect, test } from '@jest/globals'
import { SeededRandom } from '../../../src/common/random.ts'
import type { JobDecision } from '../../../src/controller/streamjob/job-decision.ts'
import { streamJobSchema } from '../../../src/protocol/stream-job.ts'
import { explore } from './explore.ts'
import { type Flaw, type MakeManifest, Model, type Setting, type Tamper } from './upgrade-world.ts'

const isLong = process.env.WEIR_TEST_LONG === '1'
const flaws: readonly Flaw[] = [
  'none',
  'rejected',
  'unmade',
  'refuses',
  'crashes',
  'stalls',
  'no-image',
]

/** Whether a savepoint may be done without, and whether the next deployment starts beside. */
const waysOf = (mode: Setting['mode']) =>
  [
    [true, 'never'],
    [true, 'auto'],
    ...(mode === 'savepoint'
      ? ([
          [false, 'never'],
          [false, 'auto'],
        ] as const)
      : []),
  ] as const

const settings: readonly Setting[] = (['savepoint', 'last-state', 'stateless'] as const).flatMap(
  mode =>
    flaws.flatMap(flaw =>
      waysOf(mode).map(([fallback, surge]) => {
        return { mode, flaw, fallback, restores: false, surge }
      }),
    ),
)

const restores: readonly Setting[] = (['none', 'refuses', 'stalls'] as const).map(flaw => {
  return { mode: 'savepoint', flaw, fallback: true, restores: true, surge: 'auto' }
})

const makeManifest: MakeManifest = ({ name, state, mode, fallback, restores: asks, surge }) =>
  streamJobSchema.parse({
    apiVersion: 'weir.dev/v1alpha1',
    kind: 'StreamJob',
    metadata: { name: 'j', namespace: 'n' },
    spec: {
      job: { module: `${name}.ts` },
      state,
      checkpoint: { storage: 's3://b/c' },
      upgrade: { mode, fallbackToLastState: fallback, surge },
      rollback: { maxRestarts: 1, stableCheckpoints: 1 },
      ...(asks && name === 'B' && { restore: { path: 'chk-1' }, restoreNonce: 1 }),
    },
  })

/** The plan, or a try of its pods, keeps it from being made at all. */
const neverRuns: ReadonlySet<Flaw> = new Set(['rejected', 'unmade', 'no-image'])

const statesMax = isLong ? 40_000 : 12_000
const settleEvery = isLong ? 1_000 : 2_000
let seen = 0

const title =
  '$mode, fallback $fallback, surge $surge, B: $flaw, restores $restores: whatever happens'

test.each([...settings, ...restores])(title, setting => {
  const model = new Model(setting, makeManifest)
  const first = model.first({ edits: 2, faults: 1, jumps: 2, lates: 0 })
  const { states, isWhole, phases } = explore({ model, first, statesMax, settleEvery })
  seen += states
  // Without a deployment of B there is not more to be seen.
  expect(isWhole || states >= statesMax).toBe(true)
  const isReserved = setting.surge === 'auto' && !neverRuns.has(setting.flaw)
  const reserving = isReserved ? ['Reserving'] : []
  const passed = [...reserving, 'Savepointing', 'Stopping', 'Starting']
  expect([...phases]).toEqual(expect.arrayContaining(passed))
})

/** More than an exploration comes to the end of: it goes on anywhere. All settings with --long. */
const wide = { edits: 3, faults: 2, jumps: 3, lates: 1 }
const deep = settings.filter(({ flaw }) => isLong || flaw === 'crashes')

test.each(deep)(
  'and what arrives late: $mode, fallback $fallback, surge $surge, B: $flaw',
  setting => {
    const model = new Model(setting, makeManifest)
    const random = new SeededRandom(1)
    const first = model.first(wide)
    const { states, isWhole } = explore({ model, first, statesMax, settleEvery, random })
    seen += states
    expect(isWhole || states >= statesMax).toBe(true)
  },
)

test('so many states were seen', () => {
  expect(seen).toBeGreaterThanOrEqual(isLong ? 2_500_000 : 450_000)
})

const planted: Record<string, { tamper: Tamper; setting: Setting; says: string }> = {
  'an empty start': {
    tamper: one => withStore(one, one.store.start && { start: { from: 'empty' } }),
    setting: { mode: 'last-state', fallback: true, flaw: 'none', restores: false, surge: 'never' },
    says: 'U2: nobody asked for an empty start',
  },
  'a pointer that is forgotten': {
    tamper: one => withStore(one, one.isMove && { state: undefined }),
    setting: { mode: 'last-state', fallback: true, flaw: 'none', restores: false, surge: 'never' },
    says: 'U1: the pointer is lost',
  },
  'a failure that is forgotten': {
    tamper: one => withStore(one, one.store.refused && { refused: undefined }),
    setting: {
      mode: 'last-state',
      fallback: true,
      flaw: 'refuses',
      restores: false,
      surge: 'never',
    },
    says: 'it comes to no rest',
  },
  'a failed stop that is taken for the end of the job': {
    tamper: one => {
      const { upgrade } = one.store
      const isStop = upgrade?.phase === 'Stopping'
      return withStore(one, isStop && { upgrade: { ...upgrade, hasEnded: true } })
    },
    setting: {
      mode: 'savepoint',
      fallback: true,
      flaw: 'none',
      restores: false,
      surge: 'auto',
    },
    says: 'U9: a job that is at work is left behind',
  },
  'a number that is given away twice': {
    tamper: one => withStore(one, one.store.epochs !== undefined && { epochs: 1 }),
    setting: {
      mode: 'savepoint',
      fallback: true,
      flaw: 'none',
      restores: false,
      surge: 'auto',
    },
    says: 'J1: a pod of an epoch that nobody knows',
  },
  'a savepoint that nobody will find': {
    tamper: one => {
      const forgets = one.keepSavepoint !== undefined && { upgrade: undefined }
      return { ...withStore(one, forgets), keepSavepoint: undefined }
    },
    setting: { mode: 'savepoint', fallback: true, flaw: 'none', restores: false, surge: 'never' },
    says: 'U7: what was taken is known before it is left',
  },
  'a status that names what is not stored': {
    tamper: one => ({ ...one, keepRevision: undefined }),
    setting: { mode: 'savepoint', fallback: true, flaw: 'none', restores: false, surge: 'never' },
    says: 'a revision is stored first',
  },
}

function withStore(one: JobDecision, change: Partial<JobDecision['store']> | false | undefined) {
  return change ? { ...one, store: { ...one.store, ...change } } : one
}

test.each(Object.entries(planted))('%s is noticed', (_what, { tamper, setting, says }) => {
  const model = new Model(setting, makeManifest, tamper)
  const first = model.first({ edits: 1, faults: 0, jumps: 0, lates: 0 })
  const exploring = () => explore({ model, first, statesMax: 20_000, settleEvery: 50 })
  expect(exploring).toThrow(says)
})
