import { expect, test } from '@jest/globals'
import {
  aggregatingState,
  counting,
  evictors,
  job,
  listState,
  mapState,
  operatorListState,
  record,
  type StreamEnvironment,
  sliding,
  triggers,
  tumbling,
  valueState,
  z,
} from 'weir'
import { planJob } from '../../src/graph/build-job-graph.ts'
import { plannedStates } from '../../src/graph/planned-states.ts'
import { fakeSource } from '../api/fake-parts.ts'

const Row = record({ id: z.string(), n: z.number() })
const row = '{id: string, n: float64}'

const source = (env: StreamEnvironment, uid = 'rows') => env.from(fakeSource(Row)).uid(uid)
const keyed = (env: StreamEnvironment, uid = 'rows') => source(env, uid).keyBy(r => r.id)

/** `name kind type`, a map's type with its key. */
function statesOf(build: (env: StreamEnvironment) => unknown): readonly string[] {
  const operators = plannedStates(planJob(job(build)))
  const states = operators.find(operator => operator.uid === 'op')?.states ?? []
  return states.map(({ name, kind, keyType, type, version, ttl }) => {
    const key = keyType === undefined ? '' : `${keyType.name} => `
    return `${name} ${kind} ${key}${type.name}${version > 0 ? ` v${version}` : ''}${ttl ? ' ttl' : ''}`
  })
}

const cases: Record<string, [(env: StreamEnvironment) => unknown, readonly string[]]> = {
  'declared keyed states, with version and ttl': [
    env =>
      keyed(env)
        .process({
          state: {
            last: valueState(z.number(), { version: 2 }),
            seen: mapState(z.string(), z.boolean(), { ttl: { ttlMs: 1000 } }),
            all: listState(Row),
            count: aggregatingState(counting<number>()),
          },
          processElement() {},
        })
        .uid('op'),
    [
      'last value float64 v2',
      'seen map string => boolean ttl',
      `all list ${row}`,
      'count aggregating int',
    ],
  ],
  'a reduction': [env => keyed(env).sum('n').uid('op'), [`reduced reducing ${row}`]],
  'an aggregate': [
    env => keyed(env).aggregate(counting()).uid('op'),
    ['aggregated aggregating int'],
  ],
  'operator states': [
    env =>
      source(env)
        .process({
          operatorState: { a: operatorListState(Row), b: operatorListState(z.int(), 'union') },
          processElement() {},
        })
        .uid('op'),
    [`a split-list ${row}`, 'b union-list int'],
  ],
  'a window that aggregates, its trigger and its function': [
    env =>
      keyed(env)
        .window(sliding('1m', '10s'))
        .trigger(triggers.count(3))
        .aggregate(counting(), {
          windowState: { fired: valueState(z.int()) },
          globalState: { total: valueState(z.int()) },
          process() {},
        })
        .uid('op'),
    [
      '$contents aggregating int',
      '$trigger.count reducing int',
      'window.fired value int',
      'global.total value int',
    ],
  ],
  'a window that keeps its records': [
    env =>
      keyed(env)
        .window(tumbling('1m'))
        .apply(() => [])
        .uid('op'),
    [`$contents list ${row}`],
  ],
  'a window with an evictor keeps their timestamps too': [
    env => keyed(env).window(tumbling('1m')).evictor(evictors.count(3)).sum('n').uid('op'),
    [`$contents list {value: ${row}, timestamp: float64}`],
  ],
  'a window join': [
    env =>
      source(env)
        .join(source(env, 'b').map(r => r.n, z.number()))
        .where(r => r.id)
        .equalTo(n => `${n}`)
        .window(tumbling('1m'))
        .apply(() => 1)
        .uid('op'),
    [`$left list ${row}`, '$right list float64'],
  ],
  'an interval join': [
    env =>
      keyed(env)
        .intervalJoin(keyed(env, 'b'))
        .between('-1m', '1m')
        .process({ processPair() {} })
        .uid('op'),
    [`$left map float64 => ${row}[]`, `$right map float64 => ${row}[]`],
  ],
  'broadcast and keyed state together': [
    env =>
      keyed(env)
        .connect(source(env, 'b').broadcast())
        .process({
          broadcast: { rules: mapState(z.string(), Row) },
          state: { last: valueState(Row) },
          processElement() {},
          processBroadcastElement() {},
        })
        .uid('op'),
    [`last value ${row}`, `rules broadcast-map string => ${row}`],
  ],
  'records in flight': [
    env =>
      source(env)
        .asyncMap(async r => r)
        .uid('op'),
    [`$in-flight split-list {value: ${row}, timestamp: float64}`],
  ],
}

test.each(Object.entries(cases))('%s', (_sentence, [build, states]) => {
  expect(statesOf(build)).toEqual(states)
})

test('every operator with state is listed, also sources and sinks', () => {
  const graph = planJob(
    job(env =>
      keyed(env)
        .sum('n')
        .uid('op')
        .map(r => r.n),
    ),
  )
  expect(plannedStates(graph).map(o => o.uid)).toEqual(['rows', 'op'])
})
