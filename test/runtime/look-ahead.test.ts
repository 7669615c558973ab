import { expect, test } from '@jest/globals'
import type { Key } from '../../src/api/functions.ts'
import { makeBatchRunner } from '../../src/runtime/batch-runner.ts'
import { makeLookAhead } from '../../src/runtime/look-ahead.ts'
import type { KeyedStateBackend } from '../../src/state/keyed-state-backend.ts'

function backendNoting(log: unknown[], wants = true): KeyedStateBackend {
  const backend: Partial<KeyedStateBackend> = {
    beginKeysAhead: () => wants,
    noteKeyAhead: key => void log.push(key),
    fetchKeysAhead: () => void log.push('fetch'),
  }
  return backend as KeyedStateBackend
}

const select = (value: unknown): Key => {
  if (value === 'bad') throw new Error('no key')
  return `key of ${String(value)}`
}

test('the keys of the records to come are told before the first of them is pushed', () => {
  const log: unknown[] = []
  const run = makeBatchRunner({
    push: value => void log.push(value),
    lookAhead: makeLookAhead(backendNoting(log), select),
    room: { fullChannels: 0 },
    blockables: [],
  })
  expect(run(['a', 1, 'b', 2, 'c', 3, 'd', 4], 2, 6)).toBe(6)
  expect(log).toEqual(['key of b', 'key of c', 'fetch', 'b', 'c'])
})

test('a selector that throws ends the looking ahead, and nothing else', () => {
  const log: unknown[] = []
  makeLookAhead(backendNoting(log), select)?.(['a', 1, 'bad', 2, 'c', 3], 0, 6)
  expect(log).toEqual(['key of a', 'fetch'])
})

test('no key is selected where it does not pay', () => {
  const never = (): Key => {
    throw new Error('asked')
  }
  const log: unknown[] = []
  makeLookAhead(backendNoting(log, false), never)?.(['a', 1], 0, 2)
  expect(log).toEqual([])
  expect(makeLookAhead(undefined, select)).toBeUndefined()
  expect(makeLookAhead(backendNoting(log), undefined)).toBeUndefined()
})
