import { expect, test } from '@jest/globals'
import { makeBatchRunner } from '../../src/runtime/batch-runner.ts'

const items = ['a', 1, 'b', 2, 'c', 3, 'd', 4]

function runnerOf(blockableCount: number, stopAt?: string) {
  const seen: unknown[] = []
  const room = { fullChannels: 0 }
  const blockables = Array.from({ length: blockableCount }, () => ({ blocked: false }))
  const run = makeBatchRunner({
    push: (value, timestamp) => {
      seen.push(`${String(value)}${timestamp}`)
      if (value !== stopAt) return
      const last = blockables.at(-1)
      if (last === undefined) room.fullChannels = 1
      else last.blocked = true
    },
    room,
    blockables,
  })
  return { run, seen, room }
}

test.each([0, 1, 2])('pushes a part of a batch, with %i operators that may block', count => {
  const { run, seen } = runnerOf(count)
  expect(run(items, 2, 6)).toBe(6)
  expect(seen).toEqual(['b2', 'c3'])
})

test.each([0, 1, 2])('stops after the record that filled something up, %i', count => {
  const { run, seen } = runnerOf(count, 'b')
  expect(run(items, 0, 8)).toBe(4)
  expect(seen).toEqual(['a1', 'b2'])
})

test.each([0, 1, 2])('a full output stops it whatever may block, %i', count => {
  const { run, seen, room } = runnerOf(count)
  room.fullChannels = 1
  expect(run(items, 0, 8)).toBe(2)
  expect(seen).toEqual(['a1'])
})
