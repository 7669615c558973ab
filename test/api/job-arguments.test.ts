import { describe, expect, test } from '@jest/globals'
import { JobArguments } from '../../src/api/job-arguments.ts'

const args = new JobArguments({
  topic: 'orders',
  empty: '',
  count: '12',
  ratio: '-0.5',
  huge: '9007199254740993',
  flag: 'true',
  wait: '1h30m',
})

const readings: Record<string, readonly [unknown, unknown]> = {
  'a text': [args.get('topic'), 'orders'],
  'an absent text': [args.get('nothing'), undefined],
  'a fallback for an absent text': [args.get('nothing', 'x'), 'x'],
  'an empty text is there': [args.get('empty', 'x'), ''],
  'a required text': [args.required('topic'), 'orders'],
  'a whole number': [args.int('count'), 12],
  'a fallback number': [args.int('nothing', 7), 7],
  'a number': [args.number('ratio'), -0.5],
  'a truth': [args.boolean('flag', false), true],
  'a fallback truth': [args.boolean('nothing', false), false],
  'a duration': [args.duration('wait'), 5_400_000],
  'a fallback duration': [args.duration('nothing', '5s'), 5000],
  'a choice': [args.oneOf('topic', ['orders', 'views']), 'orders'],
  'a fallback choice': [args.oneOf('nothing', ['a', 'b'], 'b'), 'b'],
}

test.each(Object.entries(readings))('%s', (_sentence, [found, expected]) => {
  expect(found).toBe(expected)
})

const refusals: Record<string, readonly [() => unknown, string]> = {
  'a required text that is absent': [() => args.required('nope'), 'needs the argument nope'],
  'a number that is absent': [() => args.int('nope'), 'needs the argument nope; given: topic, '],
  'a number that is none': [() => args.int('topic'), '"orders", expected a whole number'],
  'an empty number': [() => args.number('empty'), 'expected a number'],
  'a fraction as whole number': [() => args.int('ratio'), 'expected a whole number'],
  'a whole number that doubles cannot hold': [() => args.int('huge'), 'expected a whole number'],
  'a truth that is none': [() => args.boolean('count'), 'expected true or false'],
  'a duration that is none': [() => args.duration('count'), 'expected a duration'],
  'no choice': [() => args.oneOf('topic', ['a', 'b']), 'expected one of a, b'],
}

describe('refuses', () => {
  test.each(Object.entries(refusals))('%s', (_sentence, [read, message]) => {
    expect(read).toThrow(message)
  })
})

test('tells which arguments nobody asked for', () => {
  const some = new JobArguments({ a: '1', b: '2' })
  some.get('b')
  some.get('c')
  expect(some.unread).toEqual(['a'])
  expect(some.known).toEqual(['b', 'c'])
})
