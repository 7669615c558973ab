import { expect, test } from '@jest/globals'
import { closestName } from '../../src/common/closest-name.ts'

const fields = ['interval', 'alignment', 'timeout', 'retained', 'mode']

test.each([
  ['intervall', 'interval'],
  ['Interval', 'interval'],
  ['aligment', 'alignment'],
  ['tiemout', 'timeout'],
  ['mod', 'mode'],
])('%s means %s', (word, wanted) => {
  expect(closestName(word, fields)).toBe(wanted)
})

test.each(['', 'storage', 'x', 'completely'])('%j is like none of them', word => {
  expect(closestName(word, fields)).toBeUndefined()
})
