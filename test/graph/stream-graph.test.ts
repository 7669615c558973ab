import { describe, expect, test } from '@jest/globals'
import {
  job,
  mapState,
  operatorListState,
  record,
  type StreamEnvironment,
  tumbling,
  WeirError,
  z,
} from 'weir'
import { planJob } from '../../src/graph/build-job-graph.ts'
import { buildStreamGraph } from '../../src/graph/stream-graph.ts'
import { fakeSink, fakeSource } from '../api/fake-parts.ts'

const Row = record({ id: z.string(), n: z.number() })

function rows(env: StreamEnvironment, uid = 'rows') {
  return env.from(fakeSource(Row)).uid(uid)
}

function errorOf(build: (env: StreamEnvironment) => unknown, options = {}): WeirError {
  try {
    planJob(job('test', build), { parallelism: 2, ...options })
  } catch (error) {
    if (error instanceof WeirError) return error
    throw error
  }
  throw new Error('nothing was refused')
}

const keyed = (env: StreamEnvironment) => rows(env).keyBy(r => r.id)
const nothing = { processElement() {} }

const needUid: Record<string, (env: StreamEnvironment) => unknown> = {
  'a source': env => env.from(fakeSource(Row)),
  'a keyed function': env => keyed(env).process(nothing),
  'a keyed reduction': env => keyed(env).reduce(a => a),
  'a window': env =>
    keyed(env)
      .countWindow(3)
      .reduce(a => a),
  'a window join': env =>
    rows(env)
      .join(rows(env, 'b'))
      .where(r => r.id)
      .equalTo(r => r.id)
      .window(tumbling('1m'))
      .apply(() => 1),
  'an asynchronous operator': env => rows(env).asyncMap(async r => r),
  'a function with operator state': env =>
    rows(env).process({ ...nothing, operatorState: { items: operatorListState(Row) } }),
  'a sink with a committer': env => rows(env).to(fakeSink({ committer: true })),
  'a sink that says its writers keep state': env => rows(env).to(fakeSink({ stateful: true })),
  'a broadcast function': env =>
    rows(env)
      .connect(rows(env, 'rules').broadcast())
      .process({
        broadcast: { rules: mapState(z.string(), Row) },
        ...nothing,
        processBroadcastElement() {},
      }),
}

describe('S2 needs a uid:', () => {
  test.each(Object.entries(needUid))('%s', (_sentence, build) => {
    const error = errorOf(build)
    expect(error.code).toBe('WEIR_UID_MISSING')
    expect(error.message).toMatch(/stream-graph\.test\.ts:\d+ keeps .* and has no uid/)
  })

  test('nothing stateless', () => {
    expect(() =>
      planJob(
        job(env => {
          const stream = rows(env)
          stream
            .map(r => r.n)
            .filter(n => n > 0)
            .flatMap(n => [n])
            .to(fakeSink())
          stream.process(nothing)
          stream.assignTimestampsAndWatermarks(w => w.monotonous())
          stream.to(fakeSink({ committer: true, stateful: false }))
        }),
      ),
    ).not.toThrow()
  })

  test('all that lack one are named at once', () => {
    const { details } = errorOf(env =>
      env
        .from(fakeSource(Row))
        .keyBy(r => r.id)
        .sum('n'),
    )
    expect(details).toMatchObject({
      missing: [{ operator: 'fake-source' }, { operator: 'keyed-reduce' }],
    })
  })
})

test('a uid is given once', () => {
  const error = errorOf(env => rows(env).union(rows(env)).to(fakeSink()))
  expect(error.code).toBe('WEIR_UID_DUPLICATE')
  expect(error.message).toMatch(/uid rows is given twice: to fake-source at .*:\d+ and to fake-/)
})

test.each(['', 'has space', 'a/b', 'map~1', 'x'.repeat(101)])('%j is no uid', uid => {
  expect(errorOf(env => rows(env, uid)).code).toBe('WEIR_UID_INVALID')
})

test.each(['$contents', '', '1st', 'a b', 'x'.repeat(101)])('%j is no name of a state', state => {
  const states = { [state]: operatorListState(Row) }
  const error = errorOf(env =>
    rows(env)
      .process({ ...nothing, operatorState: states })
      .uid('op'),
  )
  expect(error).toMatchObject({ code: 'WEIR_STATE_NAME_INVALID', details: { operator: 'op' } })
})

test('a job without source is refused', () => {
  expect(errorOf(() => undefined)).toMatchObject({ code: 'WEIR_JOB_EMPTY' })
})

test('parallelism stays within maxParallelism', () => {
  const error = errorOf(
    env =>
      rows(env)
        .map(r => r.n)
        .setParallelism(5),
    { maxParallelism: 4 },
  )
  expect(error).toMatchObject({ code: 'WEIR_PARALLELISM_EXCEEDED' })
  expect(error.message).toContain('has parallelism 5, above maxParallelism 4')
})

test.each([0, 1.5, 32_769])('maxParallelism %d is refused', maxParallelism => {
  const error = errorOf(env => rows(env), { maxParallelism })
  expect(error).toMatchObject({ code: 'WEIR_MAX_PARALLELISM_INVALID' })
})

test.each([0, -1, 1.5])('parallelism %d of an operator is refused', parallelism => {
  const error = errorOf(env => rows(env).setParallelism(parallelism))
  expect(error).toMatchObject({ code: 'WEIR_PARALLELISM_INVALID' })
})

test('forward() between different parallelisms is refused', () => {
  const error = errorOf(env =>
    rows(env)
      .forward()
      .map(r => r.n)
      .setParallelism(3),
  )
  expect(error.code).toBe('WEIR_FORWARD_UNEQUAL')
  expect(error.message).toMatch(/forward\(\) joins .*: rows at .* has 2, map at .* has 3/)
})

test.each([
  [1, 128],
  [85, 128],
  [86, 256],
  [200, 512],
])('maxParallelism for parallelism %d is %d by default', (parallelism, maxParallelism) => {
  const pipeline = job(env => rows(env)).build({ parallelism })
  expect(buildStreamGraph(pipeline).maxParallelism).toBe(maxParallelism)
})

test('an operator with more subtasks than the job raises the default maxParallelism', () => {
  const pipeline = job(env => rows(env).setParallelism(200)).build()
  expect(buildStreamGraph(pipeline).maxParallelism).toBe(512)
})

test('streams of two jobs never meet', () => {
  let other: ReturnType<typeof rows> | undefined
  job(env => {
    other = rows(env)
  }).build()
  const error = errorOf(env => other && rows(env).union(other).to(fakeSink()))
  expect(error.code).toBe('WEIR_STREAM_FOREIGN')
})
