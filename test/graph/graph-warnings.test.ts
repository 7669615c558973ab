import { describe, expect, test } from '@jest/globals'
import { job, mapState, record, type StreamEnvironment, tumbling, valueState, z } from 'weir'
import { type JobGraphOptions, planJob } from '../../src/graph/build-job-graph.ts'
import { fakeSink, fakeSource } from '../api/fake-parts.ts'

const Row = record({ id: z.string(), n: z.number() })

interface WarningCase {
  readonly build: (env: StreamEnvironment) => unknown
  readonly options?: JobGraphOptions
  /** `code operator`. */
  readonly warnings: readonly string[]
}

function rows(env: StreamEnvironment, boundedness: 'bounded' | 'unbounded' = 'bounded') {
  return env.from(fakeSource(Row, { boundedness }), w => w.monotonous()).uid('rows')
}

/** Rows with watermarks, united with some without. */
function besideRows(env: StreamEnvironment, boundedness: 'bounded' | 'unbounded') {
  return rows(env)
    .union(env.from(fakeSource(Row, { boundedness })).uid('others'))
    .keyBy(r => r.id)
    .window(tumbling('1m'))
    .sum('n')
    .uid('sum')
    .to(fakeSink({ delivery: 'exactly-once' }))
}

const exactlyOnce = { checkpointing: 'exactly-once' } as const

const cases: Record<string, WarningCase> = {
  'a job with schemas, watermarks and a sink has none': {
    build: env =>
      rows(env)
        .keyBy(r => r.id)
        .window(tumbling('1m'))
        .sum('n')
        .uid('sum')
        .to(fakeSink()),
    warnings: [],
  },
  'records without schema on a shuffle': {
    build: env =>
      rows(env)
        .map(r => [r.n])
        .rebalance()
        .to(fakeSink()),
    warnings: ['WEIR_SLOW_SHUFFLE map~1'],
  },
  'records without schema within a chain are fine': {
    build: env =>
      rows(env)
        .map(r => [r.n])
        .to(fakeSink()),
    warnings: [],
  },
  'returns() gives the schema': {
    build: env =>
      rows(env)
        .map(r => r.n)
        .returns(z.number())
        .rebalance()
        .to(fakeSink()),
    warnings: [],
  },
  'state without schema': {
    build: env =>
      rows(env)
        .keyBy(r => r.id)
        .process({
          state: { fine: valueState(Row), slow: valueState(), keys: mapState() },
          processElement() {},
        })
        .uid('count')
        .to(fakeSink()),
    warnings: ['WEIR_SLOW_STATE count'],
  },
  'an accumulator without schema': {
    build: env =>
      rows(env)
        .keyBy(r => r.id)
        .aggregate({ output: z.int(), create: () => 0, add: (_r, n) => n + 1, result: n => n })
        .uid('count')
        .to(fakeSink()),
    warnings: ['WEIR_SLOW_STATE count'],
  },
  'an exactly-once job with a sink that is not': {
    build: env => rows(env).to(fakeSink({ delivery: 'at-least-once' })),
    options: exactlyOnce,
    warnings: ['WEIR_SINK_AT_LEAST_ONCE sink~1'],
  },
  'an at-least-once job may have any sink': {
    build: env => rows(env).to(fakeSink({ delivery: 'at-least-once' })),
    options: { checkpointing: 'at-least-once' },
    warnings: [],
  },
  'event-time windows without watermarks, also behind other operators': {
    build: env =>
      env
        .from(fakeSource(Row))
        .uid('rows')
        .filter(r => r.n > 0)
        .keyBy(r => r.id)
        .window(tumbling('1m'))
        .sum('n')
        .uid('sum')
        .to(fakeSink()),
    warnings: ['WEIR_WATERMARKS_MISSING sum'],
  },
  'watermarks made later are as good': {
    build: env =>
      env
        .from(fakeSource(Row))
        .uid('rows')
        .assignTimestampsAndWatermarks(w => w.monotonous().timestamp(r => r.n))
        .windowAll(tumbling('1m'))
        .sum('n')
        .uid('sum')
        .to(fakeSink()),
    warnings: [],
  },
  'an input that ends may hold event time back until it was read': {
    build: env => besideRows(env, 'bounded'),
    warnings: [],
  },
  'one that never ends may not': {
    build: env => besideRows(env, 'unbounded'),
    options: exactlyOnce,
    warnings: ['WEIR_WATERMARKS_MISSING sum'],
  },
  'processing-time windows need no watermarks': {
    build: env =>
      env
        .from(fakeSource(Row))
        .uid('rows')
        .windowAll(tumbling('1m', { time: 'processing' }))
        .sum('n')
        .uid('sum')
        .to(fakeSink()),
    warnings: [],
  },
  'an endless source without checkpoints': {
    build: env => rows(env, 'unbounded').to(fakeSink()),
    warnings: ['WEIR_CHECKPOINTS_OFF rows'],
  },
  'an endless source whose silent splits hold back event time': {
    build: env =>
      env
        .from(fakeSource(Row, { boundedness: 'unbounded' }), w => w.monotonous().idleness(0))
        .uid('rows')
        .to(fakeSink({ delivery: 'exactly-once' })),
    options: exactlyOnce,
    warnings: ['WEIR_IDLENESS_OFF rows'],
  },
  'results that nobody reads': {
    build: env => rows(env).map(r => r.n),
    warnings: ['WEIR_OUTPUT_UNUSED map~1'],
  },
  'an argument that nobody reads': {
    build: env => rows(env).to(fakeSink({ name: env.args.get('output', 'out') })),
    options: { args: { outptu: 'x' } },
    warnings: ['WEIR_ARGUMENT_UNREAD undefined'],
  },
}

describe('warns of', () => {
  test.each(Object.entries(cases))('%s', (_sentence, { build, options, warnings }) => {
    const found = planJob(job(build), options).warnings
    expect(found.map(w => `${w.code} ${w.operator}`)).toEqual(warnings)
  })
})

test('a misspelt argument is told what was probably meant', () => {
  const misspelt = cases['an argument that nobody reads']
  const { warnings } = planJob(job(misspelt?.build ?? (() => undefined)), misspelt?.options)
  expect(warnings[0]).toMatchObject({ next: 'did you mean output?' })
})

test('names the operator, its line, and the states that are slow', () => {
  const slow = cases['state without schema']
  const { warnings } = planJob(job(slow?.build ?? (() => undefined)))
  expect(warnings[0]?.message).toMatch(/^count at .*test\.ts:\d+ keeps slow, keys without a schema/)
})
