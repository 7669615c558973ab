import { describe, expect, test } from '@jest/globals'
import {
  evictors,
  global,
  job,
  type KeyedStream,
  record,
  type StreamEnvironment,
  session,
  triggers,
  tumbling,
  valueState,
  WeirError,
  z,
} from 'weir'
import { fakeSource } from '../fake-parts.ts'

const Row = record({ id: z.string(), n: z.number() })
type Rows = KeyedStream<{ id: string; n: number }, string>

function errorOf(build: (keyed: Rows, env: StreamEnvironment) => unknown): WeirError {
  const made = job(env =>
    build(
      env.from(fakeSource(Row)).keyBy(r => r.id),
      env,
    ),
  )
  try {
    made.build()
  } catch (error) {
    if (error instanceof WeirError) return error
    throw error
  }
  throw new Error('nothing was refused')
}

const cases: Record<string, readonly [(keyed: Rows, env: StreamEnvironment) => unknown, RegExp]> = {
  'a trigger that cannot merge on windows that do': [
    keyed =>
      keyed
        .window(session('1m'))
        .trigger(triggers.delta(1, () => 0))
        .sum('n'),
    /^WEIR_WINDOW_INVALID .*trigger delta\(1\) cannot be used with session\(1m\)/,
  ],
  'the same in a join': [
    (_keyed, env) =>
      env
        .from(fakeSource(Row))
        .join(env.from(fakeSource(Row)))
        .where(r => r.id)
        .equalTo(r => r.id)
        .window(session('1m'))
        .trigger(triggers.delta(1, () => 0))
        .apply(() => 1),
    /^WEIR_WINDOW_INVALID .*its windows merge/,
  ],
  'state of windows that merge': [
    keyed =>
      keyed
        .window(session('1m'))
        .process({ windowState: { fired: valueState(z.int()) }, process() {} }),
    /^WEIR_WINDOW_INVALID .*windowState cannot be kept in session\(1m\)/,
  ],
  'lateness in processing time': [
    keyed =>
      keyed
        .window(tumbling('1m', { time: 'processing' }))
        .allowedLateness(1)
        .sum('n'),
    /^WEIR_WINDOW_INVALID .*no late records/,
  ],
  'an interval that ends before it begins': [
    keyed =>
      keyed
        .intervalJoin(keyed)
        .between('1m', '-1m')
        .process({ processPair() {} }),
    /^WEIR_OPTION_INVALID .*between is 60000 ms to -60000 ms/,
  ],
  'an interval of one point without that point': [
    keyed =>
      keyed
        .intervalJoin(keyed)
        .between(5, 5)
        .lowerBoundExclusive()
        .process({ processPair() {} }),
    /^WEIR_OPTION_INVALID .*between/,
  ],
  'a capacity of nothing': [
    keyed => keyed.toDataStream().asyncMap(async r => r, { capacity: 0 }),
    /^WEIR_OPTION_INVALID .*capacity is 0, expected a number from 1 on/,
  ],
  'no attempt at all': [
    keyed =>
      keyed.toDataStream().asyncMap(async r => r, { retry: { maxAttempts: 0, delay: '1s' } }),
    /^WEIR_OPTION_INVALID .*retry.maxAttempts is 0/,
  ],
  'a count window of nothing': [keyed => keyed.countWindow(0).sum('n'), /size is 0/],
}

describe('refuses while the job is built', () => {
  test.each(Object.entries(cases))('%s', (_sentence, [build, text]) => {
    const error = errorOf(build)
    expect(`${error.code} ${error.message}`).toMatch(text)
    expect(error.message).toMatch(/refusals\.test\.ts:\d+/)
    expect(error.next).not.toBe('')
  })
})

test('global state is fine on windows that merge, and evictors on all', () => {
  const made = job(env => {
    const keyed = env.from(fakeSource(Row)).keyBy(r => r.id)
    keyed
      .window(session('1m'))
      .evictor(evictors.count(1))
      .process({ globalState: { fired: valueState(z.int()) }, process() {} })
    keyed.window(global()).trigger(triggers.count(3)).sum('n')
  })
  expect(() => made.build()).not.toThrow()
})
