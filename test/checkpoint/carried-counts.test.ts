import { expect, test } from '@jest/globals'
import { CarriedCounts } from '../../src/checkpoint/carried-counts.ts'
import type { SubtaskHandle } from '../../src/checkpoint/snapshot-handle.ts'

/** A source's part that counted so many records of one split, and a sink's that wrote as many. */
function part(vertexId: string, subtaskIndex: number, records: number): SubtaskHandle {
  const recordsPerSplit = vertexId === 'in' ? { [`s${subtaskIndex}`]: records } : {}
  const recordsPerSink = vertexId === 'out' ? { out: records } : undefined
  const phases = { alignmentMs: 0, startDelayMs: 0, unaligned: false, inFlightBytes: 0 }
  const metrics = { ...phases, syncMs: 0, asyncMs: 0, recordsPerSplit, recordsPerSink }
  const rest = { file: undefined, fileSizeBytes: 0, operators: [], channels: [] }
  return { vertexId, subtaskIndex, metrics, ...rest }
}

test('nothing is carried as long as all have run since the start', () => {
  const counts = new CarriedCounts()
  expect(counts.acknowledged(1, [part('in', 0, 5)])).toEqual([])
  counts.completed(1)
  expect(counts.acknowledged(2, [part('in', 0, 9)])).toEqual([])
})

test('CC1: what was counted up to the checkpoint counts on, what came after it does not', () => {
  const counts = new CarriedCounts()
  counts.acknowledged(1, [part('in', 0, 5), part('in', 1, 7), part('out', 0, 5)])
  counts.completed(1)
  counts.acknowledged(2, [part('in', 0, 8), part('in', 1, 9), part('out', 0, 8)])
  counts.abandoned(2)
  counts.startedAgain(['in/0', 'out/0'])
  const carried = counts.acknowledged(3, [part('in', 0, 2), part('in', 1, 12), part('out', 0, 2)])
  expect(carried).toEqual([
    { vertexId: 'in', metrics: { recordsPerSplit: { s0: 5 }, recordsPerSink: {} } },
    { vertexId: 'out', metrics: { recordsPerSplit: {}, recordsPerSink: { out: 5 } } },
  ])
})

test('CC1: a subtask that starts again twice carries both its pasts', () => {
  const counts = new CarriedCounts()
  counts.acknowledged(1, [part('in', 0, 5)])
  counts.completed(1)
  counts.startedAgain(['in/0'])
  // Before it got as far as another checkpoint: nothing is added.
  counts.startedAgain(['in/0'])
  counts.acknowledged(2, [part('in', 0, 3)])
  counts.completed(2)
  counts.startedAgain(['in/0'])
  const [carried] = counts.acknowledged(3, [part('in', 0, 1)])
  expect(carried?.metrics.recordsPerSplit).toEqual({ s0: 8 })
})

test('before the first checkpoint nothing is carried', () => {
  const counts = new CarriedCounts()
  counts.startedAgain(['in/0'])
  expect(counts.acknowledged(1, [part('in', 0, 3)])).toEqual([])
})
