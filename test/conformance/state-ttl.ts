/** Vectors of value, list, map and reducing state with a time to live. */
import {
  listState,
  mapState,
  reducingState,
  type TtlConfig,
  valueState,
} from '../../src/api/state-descriptor.ts'
import { z } from '../../src/schema/z.ts'
import { makeHeapBackend } from '../../src/state/heap/heap-keyed-state-backend.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'

type Op = readonly [kind: string, ...args: (string | number)[]]

interface Line {
  readonly ttl: number
  readonly updateType: 'OnCreateAndWrite' | 'OnReadAndWrite'
  readonly visibility: 'NeverReturnExpired' | 'ReturnExpiredIfNotCleanedUp'
  readonly ops: readonly Op[]
  readonly out: readonly (0 | readonly [unknown])[]
}

export function run(line: unknown): string | undefined {
  const vector = line as Line
  const runOp = openStates(vector)
  for (const [i, op] of vector.ops.entries()) {
    const value = runOp(op)
    const got = JSON.stringify(value === undefined ? 0 : value)
    const wanted = JSON.stringify(vector.out[i])
    if (got !== wanted) return `op ${i} ${JSON.stringify(op)}: wanted ${wanted}, got ${got}`
  }
  return undefined
}

/** Runs one op: `[value]`, or `undefined` where it returns nothing. */
function openStates(vector: Line): (op: Op) => readonly [unknown] | undefined {
  const ttl: TtlConfig = {
    ttlMs: vector.ttl,
    updateType:
      vector.updateType === 'OnReadAndWrite' ? 'on-read-and-write' : 'on-create-and-write',
    visibility:
      vector.visibility === 'NeverReturnExpired'
        ? 'never-return-expired'
        : 'return-expired-if-not-cleaned-up',
  }
  const clock = new ManualClock()
  const backend = makeHeapBackend({
    operatorName: 'vector',
    maxParallelism: 128,
    range: { start: 0, end: 127 },
    clock,
    ttlCleanup: 'none',
  })
  const value = backend.state('value', valueState(z.int32(), { ttl }))
  const sum = backend.state(
    'sum',
    reducingState<number>((a, b) => a + b, z.int32(), { ttl }),
  )
  const list = backend.state('list', listState(z.int32(), { ttl }))
  const map = backend.state('map', mapState(z.string(), z.int32(), { ttl }))
  const none = (_nothing: void): undefined => undefined
  const kinds: Record<string, (a: string | number, b: string | number) => unknown> = {
    vget: () => [value.value() ?? null],
    vput: n => none(value.update(n)),
    vclear: () => none(value.clear()),
    rget: () => [sum.get() ?? null],
    radd: n => none(sum.add(n)),
    lget: () => [list.get()],
    ladd: n => none(list.add(n)),
    lput: (n, m) => none(list.update([n, m])),
    lclear: () => none(list.clear()),
    mget: k => [map.get(k) ?? null],
    mput: (k, n) => none(map.put(k, n)),
    mdel: k => none(map.remove(k)),
    mhas: k => [map.has(k)],
    mempty: () => [map.isEmpty()],
    mall: () => [[...map.entries()].toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1))],
  }
  return ([kind, first, ...args]) => {
    if (kind === 't') {
      clock.setNow(first as number)
      return undefined
    }
    backend.setCurrentKey(first as string)
    return kinds[kind]?.(...(args as [string, string])) as readonly [unknown] | undefined
  }
}
