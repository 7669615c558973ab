import { expect, test } from '@jest/globals'
import { inParallel } from '../../src/common/in-parallel.ts'

/** Work that ends when the test says so. */
function heldWork() {
  const begun: number[] = []
  const ends: PromiseWithResolvers<number>[] = []
  const work = (item: number): Promise<number> => {
    begun.push(item)
    const end = Promise.withResolvers<number>()
    ends.push(end)
    return end.promise
  }
  return { begun, ends, work }
}

const turn = () => new Promise(resolve => setImmediate(resolve))

test('so many at a time, and the results in the order of the items', async () => {
  const { begun, ends, work } = heldWork()
  const all = inParallel([1, 2, 3, 4], { limit: 2, work })
  expect(begun).toEqual([1, 2])
  ends[1]?.resolve(20)
  await turn()
  expect(begun).toEqual([1, 2, 3])
  ends[2]?.resolve(30)
  await turn()
  ends[0]?.resolve(10)
  ends[3]?.resolve(40)
  expect(await all).toEqual([10, 20, 30, 40])
})

test('after a failure nothing more begins', async () => {
  const { begun, ends, work } = heldWork()
  const all = inParallel([1, 2, 3], { limit: 2, work })
  const rejected = expect(all).rejects.toThrow('gone')
  ends[0]?.reject(new Error('gone'))
  await rejected
  ends[1]?.resolve(20)
  await turn()
  expect(begun).toEqual([1, 2])
})

test('nothing to do is done', async () => {
  expect(await inParallel([], { limit: 2, work: async () => 1 })).toEqual([])
})
