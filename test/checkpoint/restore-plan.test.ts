import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { buildMetadata, type CheckpointMetadata } from '../../src/checkpoint/checkpoint-metadata.ts'
import { type OperatorRestorePlan, planRestore } from '../../src/checkpoint/restore-plan.ts'
import type { OperatorPart } from '../../src/checkpoint/state-file.ts'
import { keyGroupRange } from '../../src/state/key-groups.ts'
import { description, emptyPart, keyedSnapshot, subtaskHandle } from './snapshot-parts.ts'

function metadataOf(
  parts: readonly OperatorPart[],
  change: { maxParallelism?: number; uid?: string } = {},
): CheckpointMetadata {
  return buildMetadata({
    kind: 'checkpoint',
    checkpointId: 7,
    jobId: 'j',
    jobName: 'j',
    generation: 1,
    triggeredAtMs: 0,
    completedAtMs: 0,
    operators: [description('op', parts.length, change)],
    subtasks: parts.map((part, index) => subtaskHandle('op', index, { parts: [part] }).handle),
    edges: [],
    enumerators: new Map(),
    proofBefore: undefined,
  })
}

function plan(metadata: CheckpointMetadata, parallelism: number, maxParallelism = 128) {
  const restored = planRestore({
    metadata,
    path: '/store/j/chk-7',
    operators: [description('op', parallelism, { maxParallelism })],
    edges: [],
    dropState: [],
  })
  return restored.operators.get('op') as OperatorRestorePlan
}

const parallelism = fc.integer({ min: 1, max: 24 })

describe('keyed state', () => {
  test('P1: every key group goes to the one subtask that owns it, for all p and p′', () => {
    fc.assert(
      fc.property(
        fc.record({
          from: parallelism,
          to: parallelism,
          maxParallelism: fc.constantFrom(24, 128, 200),
          every: fc.integer({ min: 1, max: 5 }),
        }),
        ({ from, to, maxParallelism, every }) => {
          const parts = Array.from({ length: from }, (_, index) => ({
            ...emptyPart('op'),
            keyed: keyedSnapshot(
              { index, parallelism: from, maxParallelism },
              g => g % every === 0,
            ),
          }))
          const { subtasks } = plan(metadataOf(parts, { maxParallelism }), to, maxParallelism)
          const seen: number[] = []
          subtasks.forEach(({ keyed }, index) => {
            const range = keyGroupRange(index, maxParallelism, to)
            for (const { groups } of keyed) {
              for (const { keyGroup } of groups) {
                expect(keyGroup).toBeGreaterThanOrEqual(range.start)
                expect(keyGroup).toBeLessThanOrEqual(range.end)
                seen.push(keyGroup)
              }
            }
          })
          const all = Array.from({ length: maxParallelism }, (_, g) => g)
          expect(seen.sort((a, b) => a - b)).toEqual(all.filter(g => g % every === 0))
        },
      ),
    )
  })

  test('another maxParallelism is refused', () => {
    const keyed = keyedSnapshot({ index: 0, parallelism: 1, maxParallelism: 128 })
    const metadata = metadataOf([{ ...emptyPart('op'), keyed }])
    expect(() => plan(metadata, 1, 256)).toThrow('written with maxParallelism 128, the job has 256')
  })

  test('without keyed state maxParallelism may change', () => {
    const metadata = metadataOf([{ ...emptyPart('op'), splits: [{ id: 's' }] }])
    expect(plan(metadata, 2, 256).subtasks[0]?.splits).toEqual([{ id: 's' }])
  })
})

describe('lists', () => {
  const lists = fc.array(fc.nat(6), { minLength: 1, maxLength: 9 })

  test('P2: splits, writer state and committables are neither lost nor doubled', () => {
    fc.assert(
      fc.property(lists, parallelism, (sizes, to) => {
        let next = 0
        const named = (size: number) => Array.from({ length: size }, () => ({ id: `${next++}` }))
        const parts = sizes.map(size => ({
          ...emptyPart('op'),
          splits: named(size),
          writerState: named(size),
          committables: named(size).map(committable => ({ checkpointId: 1, committable })),
        }))
        const metadata = metadataOf(parts)
        const { subtasks } = plan(metadata, to)
        const stored = (pick: (part: (typeof parts)[number]) => readonly unknown[]) =>
          parts.flatMap(pick)
        expect(subtasks.flatMap(part => part.splits)).toEqual(stored(part => part.splits))
        expect(subtasks.flatMap(part => part.writerState)).toEqual(stored(p => p.writerState))
        expect(new Set(subtasks.flatMap(part => part.committables))).toEqual(
          new Set(stored(part => part.committables)),
        )
        const given = subtasks.map(part => part.splits.length)
        if (to !== sizes.length) {
          expect(Math.max(...given) - Math.min(...given)).toBeLessThanOrEqual(1)
        } else {
          expect(given).toEqual(sizes)
        }
      }),
    )
  })

  test('P3: operator state is split once, or given to all, or broadcast by turns', () => {
    fc.assert(
      fc.property(lists, parallelism, (sizes, to) => {
        const state =
          (name: string, redistribution: 'split' | 'union' | 'broadcast') =>
          (size: number, index: number) => ({
            name,
            redistribution,
            schema: {},
            items: Array.from({ length: size }, (_, i) => Buffer.from(`${index}.${i}`)),
          })
        const parts = sizes.map((size, index) => ({
          ...emptyPart('op'),
          operatorState: [
            state('s', 'split')(size, index),
            state('u', 'union')(size, index),
            state('b', 'broadcast')(2, index),
          ],
        }))
        const { subtasks } = plan(metadataOf(parts), to)
        const itemsOf = (index: number, name: string): string[] =>
          (subtasks[index]?.operatorState ?? [])
            .filter(piece => piece.state.name === name)
            .flatMap(piece => {
              const old = /-(\d+)\.state$/.exec(piece.file)?.[1]
              return Array.from(
                { length: piece.to - piece.from },
                (_, i) => `${old}.${i + piece.from}`,
              )
            })
        const all = sizes.flatMap((size, index) =>
          Array.from({ length: size }, (_, i) => `${index}.${i}`),
        )
        const indexes = Array.from({ length: to }, (_, index) => index)
        expect(indexes.flatMap(index => itemsOf(index, 's'))).toEqual(all)
        for (const index of indexes) {
          expect(itemsOf(index, 'u')).toEqual(all)
          const old = index % sizes.length
          expect(itemsOf(index, 'b')).toEqual([`${old}.0`, `${old}.1`])
        }
      }),
    )
  })
})

describe('operators that are gone', () => {
  const keyed = keyedSnapshot({ index: 0, parallelism: 1, maxParallelism: 128 })
  const withState = metadataOf([{ ...emptyPart('op'), keyed }], { uid: 'totals' })
  const path = '/store/j/chk-7'

  test('P4: their state is never left behind in silence', () => {
    const restore = () =>
      planRestore({ metadata: withState, path, operators: [], edges: [], dropState: [] })
    expect(restore).toThrow('holds state of operators that the job does not have: op (uid totals)')
  })

  test.each(['op', 'totals'])('unless they are named: %s', name => {
    const restored = planRestore({
      metadata: withState,
      path,
      operators: [],
      edges: [],
      dropState: [name],
    })
    expect(restored.operators.size).toBe(0)
  })

  test('those without state may go', () => {
    const empty = metadataOf([emptyPart('op')])
    expect(
      planRestore({ metadata: empty, path, operators: [], edges: [], dropState: [] }).checkpointId,
    ).toBe(7)
  })

  test('new ones start empty', () => {
    const operators = [description('op', 1), description('new', 1)]
    const restored = planRestore({ metadata: withState, path, operators, edges: [], dropState: [] })
    expect([...restored.operators.keys()]).toEqual(['op'])
  })
})
