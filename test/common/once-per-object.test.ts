import { expect, test } from '@jest/globals'
import { oncePerObject } from '../../src/common/once-per-object.ts'

test('an object is looked at once, another one on its own, also where nothing is found', () => {
  const asked: object[] = []
  const nameOf = oncePerObject((one: { readonly name?: string }) => {
    asked.push(one)
    return one.name
  })
  const [named, twin, nameless] = [{ name: 'a' }, { name: 'a' }, {}]
  expect([named, twin, nameless, named, nameless].map(nameOf)).toEqual([
    'a',
    'a',
    undefined,
    'a',
    undefined,
  ])
  expect(asked).toEqual([named, twin, nameless])
})
