/** Vectors of operator list state, split and union, restored at another parallelism. */

import { typeOf } from '../../src/schema/type-of.ts'
import { z } from '../../src/schema/z.ts'
import { makeOperatorStateBackend } from '../../src/state/heap/heap-operator-state.ts'
import type { OperatorStateBackend } from '../../src/state/operator-state-backend.ts'
import { redistributeOperatorState } from '../../src/state/redistribution.ts'

interface Line {
  readonly from: number
  readonly to: number
  readonly split: readonly (readonly number[])[]
  readonly union: readonly (readonly number[])[]
  readonly splitAfter: readonly (readonly number[])[]
  readonly unionAfter: readonly (readonly number[])[]
}

const numbers = typeOf(z.int32())

export function run(line: unknown): string | undefined {
  const { from, to, split, union, splitAfter, unionAfter } = line as Line
  const stored = Array.from({ length: from }, (_, subtask) => {
    const backend = makeOperatorStateBackend('vector')
    const { splitList, unionList } = open(backend)
    splitList.addAll(split[subtask] ?? [])
    unionList.update(union[subtask] ?? [])
    return backend.snapshot()
  })
  const after = redistributeOperatorState(stored, to).map(states => {
    const backend = makeOperatorStateBackend('vector')
    backend.restore(states)
    const { splitList, unionList } = open(backend)
    return { split: sorted(splitList.get()), union: sorted(unionList.get()) }
  })
  const wanted = Array.from({ length: to }, (_, subtask) => ({
    split: splitAfter[subtask],
    union: unionAfter[subtask],
  }))
  const [a, b] = [JSON.stringify(wanted), JSON.stringify(after)]
  return a === b ? undefined : `wanted ${a}, got ${b}`
}

function open(backend: OperatorStateBackend) {
  return {
    splitList: backend.listState('split', 'split', numbers),
    unionList: backend.listState('union', 'union', numbers),
  }
}

function sorted(values: readonly number[]): number[] {
  return values.toSorted((a, b) => a - b)
}
