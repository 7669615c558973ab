import { expect, test } from '@jest/globals'
import { inSequence } from '../../src/runtime/in-sequence.ts'

test('synchronous actions stay synchronous', () => {
  const done: number[] = []
  expect(inSequence([1, 2, 3].map(n => () => void done.push(n)))).toBeUndefined()
  expect(done).toEqual([1, 2, 3])
})

test('each waits for the one before', async () => {
  const done: string[] = []
  const slow = (name: string) => async (): Promise<void> => {
    done.push(`${name} begins`)
    await Promise.resolve()
    done.push(`${name} ends`)
  }
  const result = inSequence([slow('a'), () => void done.push('b'), slow('c')])
  expect(done).toEqual(['a begins'])
  await result
  expect(done).toEqual(['a begins', 'a ends', 'b', 'c begins', 'c ends'])
})

test('an error ends the sequence', async () => {
  const done: string[] = []
  const result = inSequence([
    async () => {},
    () => {
      throw new Error('no')
    },
    () => void done.push('never'),
  ])
  await expect(result).rejects.toThrow('no')
  expect(done).toEqual([])
})
