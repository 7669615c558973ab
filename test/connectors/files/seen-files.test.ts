import { expect, test } from '@jest/globals'
import { SeenFiles } from '../../../src/connectors/files/seen-files.ts'

const none = (): boolean => false

test('a file that has been gone for so long is forgotten', () => {
  const files = new SeenFiles(['a', 'b'], 1_000)
  files.add('c')
  files.listed(new Set(['a', 'c']), 5_000, none)
  files.listed(new Set(['a', 'c']), 5_999, none)
  expect(files.paths).toEqual(['a', 'b', 'c'])
  files.listed(new Set(['a', 'c']), 6_000, none)
  expect(files.paths).toEqual(['a', 'c'])
  expect(files.has('b')).toBe(false)
})

test('one that comes back meanwhile is known still, and its time begins anew', () => {
  const files = new SeenFiles(['a'], 1_000)
  files.listed(new Set(), 0, none)
  files.listed(new Set(['a']), 900, none)
  files.listed(new Set(), 1_800, none)
  files.listed(new Set(), 2_700, none)
  expect(files.has('a')).toBe(true)
  files.listed(new Set(), 2_800, none)
  expect(files.has('a')).toBe(false)
})

test('one of which more is to be read is kept', () => {
  const files = new SeenFiles(['a'], 1)
  files.listed(new Set(), 0, () => true)
  files.listed(new Set(), 1_000, () => true)
  expect(files.has('a')).toBe(true)
})

test('without a time nothing is forgotten', () => {
  const files = new SeenFiles(['a'], undefined)
  files.listed(new Set(), 0, none)
  files.listed(new Set(), 1e12, none)
  expect(files.paths).toEqual(['a'])
})
