import { expect, test } from '@jest/globals'
import {
  checkpointIdOf,
  generationKey,
  generationOf,
  snapshotFolder,
  stateFileName,
} from '../../src/checkpoint/checkpoint-layout.ts'
import { checkObjectKey } from '../../src/storage/object-key.ts'

test('ids and generations are read back from their keys', () => {
  expect(checkpointIdOf(`${snapshotFolder('j', 'checkpoint', 12)}/_metadata`)).toBe(12)
  expect(checkpointIdOf(`${snapshotFolder('j', 'savepoint', 12)}/_metadata`)).toBeUndefined()
  expect(generationOf(generationKey('j', 7))).toBe(7)
  expect(generationOf('j/generations/note.txt')).toBeUndefined()
})

test('generations are listed in their order', () => {
  const keys = [1, 2, 10, 999, 1_000].map(generation => generationKey('j', generation))
  expect(keys.toSorted()).toEqual(keys)
})

test('any vertex id gives a valid file name, and different ones different names', () => {
  const ids = ['a', 'a/b', 'a b', 'a%2fb', 'ä', '..', 'x'.repeat(500), `${'x'.repeat(500)}y`]
  const names = ids.map(id => stateFileName(id, 3))
  for (const name of names) checkObjectKey(`job/chk-1/${name}`)
  expect(new Set(names).size).toBe(ids.length)
})
