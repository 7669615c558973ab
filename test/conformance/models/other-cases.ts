/** Random cases in the formats of the smaller operator suites. */
import fc from 'fast-check'
import type { Op } from '../vectors.ts'
import type { IntervalVector } from './interval-join-model.ts'
import type { TtlOp, TtlVector } from './ttl-model.ts'
import type { GeneratorVector } from './watermarks-model.ts'
import { assigners, type WindowCase } from './window-cases.ts'

const between = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max })
const keys = fc.constantFrom('a', 'b', 'c')

interface Move {
  readonly kind: string
  readonly by: number
  readonly key: string
  readonly lag: number
  readonly more: unknown
}

/** Turns moves into ops: elements are numbered, each kind of time goes on by itself. */
function opsOf(moves: readonly Move[], elements: ReadonlySet<string>): Op[] {
  const times: Record<string, number> = {}
  let id = 0
  return moves.map(({ kind, by, key, lag, more }): Op => {
    if (elements.has(kind)) {
      const op: Op = [kind, key, ++id - 10 + lag, id]
      return more === undefined ? op : [...op, more]
    }
    const time = (times[kind] ?? (kind === 'p' ? 0 : -20)) + by
    times[kind] = time
    // Both sides of a join have come as far as their common watermark.
    if (kind === 'w')
      for (const side of ['wl', 'wr']) times[side] = Math.max(times[side] ?? time, time)
    if (kind === 'wl' || kind === 'wr') times.w = Math.max(times.w ?? time, time)
    return [kind, time]
  })
}

function movesOf(kinds: readonly string[], more: fc.Arbitrary<unknown>): fc.Arbitrary<Move[]> {
  const move = fc.record({
    kind: fc.constantFrom(...kinds),
    by: between(1, 9),
    key: keys,
    lag: between(-14, 10),
    more,
  })
  return fc.array(move, { minLength: 1, maxLength: 40, size: 'max' })
}

const nothing = fc.constant(undefined)
const sides: ReadonlySet<string> = new Set(['l', 'r'])

function ended(ops: readonly Op[], end: boolean): readonly Op[] {
  return end ? [...ops, ['w', 'MAX']] : ops
}

export interface JoinCase extends WindowCase {
  readonly kind: 'join' | 'coGroup'
}

export const windowJoinCases: fc.Arbitrary<JoinCase> = fc
  .record({
    kind: fc.constantFrom('join' as const, 'coGroup' as const),
    assigner: assigners.filter(one => one.kind !== 'global' && one.time === 'event'),
    lateness: fc.oneof(fc.constant(0), between(1, 10)),
    moves: movesOf(['l', 'l', 'r', 'r', 'w'], nothing),
    end: fc.boolean(),
  })
  // A dynamic gap needs the number that elements of a join do not have.
  .filter(({ assigner }) => assigner.kind !== 'session' || assigner.gap !== 'dynamic')
  .map(({ moves, end, ...one }) => ({
    ...one,
    trigger: { kind: 'default' as const },
    fn: 'list' as const,
    ops: ended(opsOf(moves, sides), end),
  }))

export const intervalJoinCases: fc.Arbitrary<IntervalVector & { readonly ops: readonly Op[] }> = fc
  .record({
    lower: between(-9, 9),
    width: between(0, 12),
    lowerInclusive: fc.boolean(),
    upperInclusive: fc.boolean(),
    moves: movesOf(['l', 'l', 'l', 'r', 'r', 'r', 'w', 'wl', 'wr'], nothing),
    end: fc.boolean(),
  })
  .map(({ lower, width, moves, end, ...one }) => ({
    ...one,
    lower,
    // Exclusive bounds leave something between them.
    upper: lower + Math.max(width, (one.lowerInclusive ? 0 : 1) + (one.upperInclusive ? 0 : 1)),
    ops: ended(opsOf(moves, sides), end),
  }))

const domain = fc.constantFrom('E', 'P')
const actions = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.tuple(fc.constant('reg'), domain, between(-15, 40)) },
    fc.tuple(fc.constant('del'), domain, between(-15, 40)),
    fc.tuple(fc.constantFrom('set', 'add'), between(0, 9)),
    fc.tuple(fc.constantFrom('clear', 'emit')),
    fc.tuple(fc.constant('chain'), domain, between(1, 6), between(1, 4)),
    fc.tuple(fc.constant('cut'), domain, between(1, 6)),
  ),
  { minLength: 0, maxLength: 6, size: 'max' },
)

/** With `restarts` also snapshots that are restored at another parallelism. */
export function timerCases(restarts: boolean): fc.Arbitrary<{ readonly ops: readonly Op[] }> {
  const kinds = ['e', 'e', 'e', 'p', 'w', ...(restarts ? ['s'] : [])]
  return fc.record({ moves: movesOf(kinds, actions), end: fc.boolean() }).map(({ moves, end }) => ({
    ops: ended(opsOf(moves, new Set(['e'])), end).map(op =>
      op[0] === 's' ? (['s', ((op[1] as number) % 4) + ((op[1] as number) < 0 ? 4 : 1)] as Op) : op,
    ),
  }))
}

export interface AsyncCase {
  readonly mode: 'ordered' | 'unordered'
  readonly timeout: number
  readonly ops: readonly Op[]
}

const asyncMoves = fc.array(
  fc.record({
    kind: fc.constantFrom('e', 'e', 'c', 'c', 'w', 'p'),
    pick: fc.nat(),
    by: between(1, 9),
  }),
  { minLength: 1, maxLength: 40, size: 'max' },
)

export const asyncCases: fc.Arbitrary<AsyncCase> = fc
  .record({
    mode: fc.constantFrom('ordered' as const, 'unordered' as const),
    timeout: fc.oneof(fc.constant(0), between(5, 30)),
    moves: asyncMoves,
  })
  .map(({ moves, ...one }) => {
    let [id, watermark, clock] = [0, -10, 0]
    const ops = moves.map(({ kind, pick, by }): Op => {
      if (kind === 'w') {
        watermark += by
        return ['w', watermark]
      }
      if (kind === 'p') {
        clock += by
        return ['p', clock]
      }
      if (kind === 'e' || id === 0) return ['e', watermark + by, ++id]
      // Any request may be answered, also one that was, or has timed out.
      const target = (pick % id) + 1
      return ['c', target, [[], [target * 10], [target * 10, target * 10 + 1]][pick % 3]]
    })
    return { ...one, ops }
  })

const ttlMoves: Readonly<Record<string, readonly string[]>> = {
  value: ['vget', 'vget', 'vput', 'vput', 'vclear'],
  reducing: ['rget', 'radd'],
  list: ['lget', 'lget', 'ladd', 'ladd', 'lput', 'lclear'],
  map: ['mget', 'mput', 'mput', 'mdel', 'mhas', 'mempty', 'mall'],
}

export const ttlCases: fc.Arbitrary<TtlVector & { readonly ops: readonly TtlOp[] }> = fc
  .record({
    ttl: between(1, 25),
    updateType: fc.constantFrom('OnCreateAndWrite' as const, 'OnReadAndWrite' as const),
    visibility: fc.constantFrom(
      'NeverReturnExpired' as const,
      'ReturnExpiredIfNotCleanedUp' as const,
    ),
    kinds: fc.constantFrom(...Object.values(ttlMoves)),
    moves: fc.array(
      fc.record({
        pick: fc.nat(),
        by: between(1, 12),
        key: keys,
        k: fc.constantFrom('x', 'y'),
        n: between(0, 99),
      }),
      { minLength: 1, maxLength: 50, size: 'max' },
    ),
  })
  .map(({ kinds, moves, ...one }) => {
    let now = 0
    const ops = moves.map(({ pick, by, key, k, n }): TtlOp => {
      const kind = pick % 3 === 0 ? 't' : (kinds[pick % kinds.length] as string)
      if (kind === 't') {
        now += by
        return ['t', now]
      }
      if (kind === 'lput') return [kind, key, n, n + 1]
      if (kind === 'mput') return [kind, key, k, n]
      if (/^m(get|del|has)$/.test(kind)) return [kind, key, k]
      return /put|add/.test(kind) ? [kind, key, n] : [kind, key]
    })
    return { ...one, ops }
  })

export interface GeneratorCase extends GeneratorVector {
  readonly ops: readonly Op[]
}

export const generatorCases: fc.Arbitrary<GeneratorCase> = fc
  .record({
    outOfOrderness: fc.oneof(fc.constant(0), between(1, 9)),
    interval: between(5, 25),
    idleness: fc.option(between(5, 70), { nil: undefined }),
    moves: fc.array(
      fc.record({
        kind: fc.constantFrom('e', 'p', 'p', 'w'),
        by: between(0, 30),
        lag: between(-9, 9),
      }),
      { minLength: 1, maxLength: 40, size: 'max' },
    ),
    end: fc.boolean(),
  })
  .map(({ moves, end, idleness, ...one }) => {
    let [now, newest] = [0, -50]
    const ops = moves.map(({ kind, by, lag }): Op => {
      if (kind === 'p') {
        now += by
        return ['p', now]
      }
      newest += 2
      return [kind, newest + lag]
    })
    const whole = { ...one, ops: ended(ops, end) }
    return idleness === undefined ? whole : { ...whole, idleness }
  })

const split = fc.constantFrom('s0', 's1', 's2')
const when = fc.constantFrom('now', 'later')

/** A split is registered before anything is said of it, as the format has it. */
export const multiplexerCases: fc.Arbitrary<readonly Op[]> = fc
  .array(
    fc.oneof(
      fc.tuple(fc.constantFrom('register', 'unregister'), split),
      { weight: 4, arbitrary: fc.tuple(fc.constant('wm'), split, when, between(-10, 30)) },
      { weight: 2, arbitrary: fc.tuple(fc.constantFrom('idle', 'active'), split, when) },
      fc.constant(['periodic'] as [string]),
    ),
    { minLength: 1, maxLength: 50, size: 'max' },
  )
  .map(moves => {
    const known = new Set<unknown>()
    const ops: Op[] = []
    for (const move of moves) {
      const [kind, id] = move
      if (kind !== 'periodic' && kind !== 'register' && !known.has(id)) {
        ops.push(['register', id])
        known.add(id)
      }
      if (kind === 'register' && known.has(id)) continue
      if (kind === 'register') known.add(id)
      if (kind === 'unregister') known.delete(id)
      ops.push(move as Op)
    }
    return ops
  })
