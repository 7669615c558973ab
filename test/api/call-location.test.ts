import { expect, test } from '@jest/globals'
import { callLocation, locationIn } from '../../src/api/call-location.ts'

test('the nearest caller outside Weir is this line', () => {
  expect(callLocation()).toMatch(/test\/api\/call-location\.test\.ts:5$/)
})

test('the limit of stack frames is left as it was', () => {
  const before = Error.stackTraceLimit
  callLocation()
  expect(Error.stackTraceLimit).toBe(before)
})

const stacks: Record<string, readonly [string, string]> = {
  'a frame with a function': ['    at build (/jobs/fraud.ts:12:5)', '/jobs/fraud.ts:12'],
  'a frame without function': ['    at file:///jobs/fraud.ts:12:5', '/jobs/fraud.ts:12'],
  'an asynchronous frame': ['    at async file:///jobs/my%20job.ts:3:1', '/jobs/my job.ts:3'],
  'a method': ['    at new Job (file:///jobs/a.ts:7:9)', '/jobs/a.ts:7'],
  'frames of Node are passed over': [
    '    at node:internal/modules/run:1:2\n    at /jobs/a.ts:1:1',
    '/jobs/a.ts:1',
  ],
  'frames without a place are passed over': [
    '    at Array.map (<anonymous>)\n    at /jobs/a.ts:1:1',
    '/jobs/a.ts:1',
  ],
  'nothing but the message': ['Error: at no place', 'unknown'],
}

test.each(Object.entries(stacks))('%s', (_sentence, [stack, location]) => {
  expect(locationIn(`Error: x\n${stack}`)).toBe(location)
})

test('frames of Weir are passed over, those of its examples are not', () => {
  const root = import.meta.dirname.replace(/test.api$/, 'src')
  const stack = [
    'Error: x',
    `    at add (${root}/api/pipeline-builder.ts:30:2)`,
    `    at detect (file://${root}/cep/detect.ts:3:2)`,
    `    at file://${root}/examples/word-count.ts:9:4`,
    '    at /jobs/other.ts:1:1',
  ]
  expect(locationIn(stack.join('\n'))).toBe(`${root}/examples/word-count.ts:9`)
})
