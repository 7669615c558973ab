import { expect, test } from '@jest/globals'
import { SplitAssignments } from '../../../src/cluster/jobmanager/split-assignments.ts'

const ids = (splits: readonly { readonly id: string }[]): string =>
  splits.map(({ id }) => id).join('')

test('a reader gives back what it was given since a checkpoint, in its order', () => {
  const splits = new SplitAssignments()
  splits.given({ id: 'a' }, 0)
  splits.cut(1)
  splits.given({ id: 'b' }, 0)
  splits.given({ id: 'x' }, 1)
  splits.cut(2)
  splits.given({ id: 'c' }, 0)
  expect(ids(splits.takeBack(0, 1))).toBe('bc')
  expect(ids(splits.takeBack(0, 1))).toBe('')
  expect(ids(splits.takeBack(1, 1))).toBe('x')
})

test('what a completed checkpoint holds is forgotten', () => {
  const splits = new SplitAssignments()
  splits.given({ id: 'a' }, 0)
  splits.cut(1)
  splits.given({ id: 'b' }, 0)
  splits.cut(2)
  splits.completed(1)
  splits.completed(2)
  // Asked for an older one than it knows of: nothing can be said of that any more.
  expect(ids(splits.takeBack(0, 0))).toBe('')
})

test('without a checkpoint all goes back', () => {
  const splits = new SplitAssignments()
  splits.given({ id: 'a' }, 0)
  splits.cut(1)
  splits.given({ id: 'b' }, 0)
  expect(ids(splits.takeBack(0, 0))).toBe('ab')
})
