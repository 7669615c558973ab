/** Random cases in the format of the suites `windows` and `rescale`, wider than the vectors go. */
import fc from 'fast-check'
import type { Op } from '../vectors.ts'
import type {
  AssignerVector,
  EvictorVector,
  TriggerVector,
  WindowVector,
} from '../window-vectors.ts'

export interface WindowCase extends WindowVector {
  readonly ops: readonly Op[]
}

const between = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max })
const timeDomain = fc.constantFrom('event', 'event', 'processing') as fc.Arbitrary<
  'event' | 'processing'
>

/** |offset| < size, as Flink demands. */
function withOffset<T extends object>(
  part: fc.Arbitrary<T>,
  grid: (part: T) => number,
): fc.Arbitrary<T & { readonly offset: number }> {
  return part.chain(value =>
    fc
      .oneof(fc.constant(0), between(1 - grid(value), grid(value) - 1))
      .map(offset => ({ ...value, offset })),
  )
}

export const assigners: fc.Arbitrary<AssignerVector> = fc.oneof(
  withOffset(
    fc.record({ kind: fc.constant('tumbling' as const), time: timeDomain, size: between(1, 16) }),
    ({ size }) => size,
  ),
  withOffset(
    fc.record({
      kind: fc.constant('sliding' as const),
      time: timeDomain,
      size: between(1, 32),
      slide: between(1, 12),
    }),
    ({ slide }) => slide,
  ),
  fc.record({
    kind: fc.constant('session' as const),
    time: timeDomain,
    gap: fc.oneof(between(1, 12), fc.constant('dynamic' as const)),
  }),
  fc.constant({ kind: 'global' as const }),
)

function triggersOf(assigner: AssignerVector): fc.Arbitrary<TriggerVector> {
  const interval = between(1, 10)
  const simple: fc.Arbitrary<TriggerVector>[] = [
    fc.constantFrom<TriggerVector>(
      { kind: 'default' },
      { kind: 'eventTime' },
      { kind: 'processingTime' },
      { kind: 'endOfStream' },
    ),
    fc.record({ kind: fc.constant('count' as const), n: between(1, 4) }),
    fc.record({
      kind: fc.constantFrom('continuousEventTime' as const, 'continuousProcessingTime' as const),
      interval,
    }),
  ]
  const merging = assigner.kind === 'session'
  const delta = fc.record({ kind: fc.constant('delta' as const), threshold: between(0, 5) })
  const inner = fc.oneof(...simple, ...(merging ? [] : [delta]))
  const purging = fc.record({ kind: fc.constant('purging' as const), of: inner })
  const timeout = fc.record({
    kind: fc.constant('processingTimeout' as const),
    of: fc.oneof(...simple, delta, purging),
    timeout: between(1, 12),
    resetOnElement: fc.boolean(),
    clearOnTimeout: fc.boolean(),
  })
  return fc.oneof(
    fc.constant<TriggerVector>({ kind: 'default' }),
    inner,
    purging,
    ...(merging ? [] : [timeout]),
  )
}

/** The elements of a session have no order of arrival: only time says which of them go. */
function evictorsOf(assigner: AssignerVector): fc.Arbitrary<EvictorVector | null> {
  const after = fc.boolean()
  const time = fc.record({ kind: fc.constant('time' as const), ms: between(0, 8), after })
  const count = fc.record({ kind: fc.constant('count' as const), n: between(1, 4), after })
  const delta = fc.record({ kind: fc.constant('delta' as const), threshold: between(0, 4), after })
  const some = assigner.kind === 'session' ? time : fc.oneof(time, count, delta)
  return fc.option(some, { nil: null, freq: 2 })
}

/**
 * Per-key state counts firings over the windows of a key: where timers of several windows may have
 * the same time, it shows an order that nothing promises.
 */
function isOrdered({ assigner, trigger }: Pick<WindowVector, 'assigner' | 'trigger'>): boolean {
  const kinds = JSON.stringify(trigger)
  return assigner.kind === 'global' || !/continuous|Timeout/.test(kinds)
}

/** Stays clear of the endless firing of interval timers at the end of event time. */
function isEndless({ assigner, trigger }: WindowVector): boolean {
  const kinds = JSON.stringify(trigger)
  return assigner.kind === 'global' && kinds.includes('continuousEventTime')
}

type Move =
  | { readonly kind: 'e'; readonly key: string; readonly lag: number; readonly x: number }
  | { readonly kind: 'w' | 'p' | 's'; readonly by: number }

const moves: fc.Arbitrary<Move> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('e' as const),
      key: fc.constantFrom('a', 'b', 'c'),
      lag: between(-25, 12),
      x: between(1, 9),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constantFrom('w' as const, 'p' as const), by: between(1, 9) }),
  },
)
const restart: fc.Arbitrary<Move> = fc.record({
  kind: fc.constant('s' as const),
  by: between(1, 4),
})

export interface OpsOptions {
  readonly withTimestamps: boolean
  readonly end: boolean
}

/** Numbers the elements, lets time go on, and ends event time if asked to. */
export function opsOf(steps: readonly Move[], options: OpsOptions): readonly Op[] {
  let watermark = -30
  let clock = 0
  let id = 0
  let newest = -20
  const ops = steps.map((move): Op => {
    switch (move.kind) {
      case 'e': {
        newest += 1
        const ts = options.withTimestamps ? newest + move.lag : null
        return ['e', move.key, ts, ++id, move.x]
      }
      case 'w':
        watermark += move.by * 2
        return ['w', watermark]
      case 'p':
        clock += move.by
        return ['p', clock]
      case 's':
        return ['s', move.by]
    }
  })
  return options.end ? [...ops, ['w', 'MAX']] : ops
}

export function windowCases(restarts: boolean): fc.Arbitrary<WindowCase> {
  return assigners.chain(assigner => {
    const isEventTime = assigner.kind !== 'global' && assigner.time === 'event'
    const merging = assigner.kind === 'session'
    return fc
      .record({
        trigger: triggersOf(assigner),
        evictor: evictorsOf(assigner),
        lateness: isEventTime ? fc.oneof(fc.constant(0), between(1, 12)) : fc.constant(0),
        fn: fc.constantFrom<WindowVector['fn']>('list', 'sum', merging ? 'list' : 'list-state'),
        steps: fc.array(restarts ? fc.oneof({ weight: 9, arbitrary: moves }, restart) : moves, {
          minLength: 1,
          maxLength: 40,
          size: 'max',
        }),
        end: fc.boolean(),
        withTimestamps: isEventTime ? fc.constant(true) : fc.boolean(),
      })
      .map(({ steps, end, withTimestamps, ...vector }) => {
        const counts = vector.fn === 'list-state' && isOrdered({ assigner, ...vector })
        const fn = vector.fn === 'list-state' && !counts ? 'list' : vector.fn
        const whole: WindowVector = { assigner, ...vector, fn }
        const endless = isEndless(whole)
        const stamped = withTimestamps || JSON.stringify(vector.trigger).includes('EventTime')
        const options = { withTimestamps: stamped, end: end && !endless }
        return { ...whole, ops: opsOf(steps, options) }
      })
  })
}
