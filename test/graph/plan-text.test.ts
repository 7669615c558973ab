import { expect, test } from '@jest/globals'
import { counting, type Job, job, outputTag, record, sliding, triggers, z } from 'weir'
import { planJob } from '../../src/graph/build-job-graph.ts'
import { type JobPlan, planJson } from '../../src/graph/plan-json.ts'
import { planMermaid } from '../../src/graph/plan-mermaid.ts'
import { planText } from '../../src/graph/plan-text.ts'
import { fakeSink, fakeSource } from '../api/fake-parts.ts'

const Row = record({ id: z.string(), n: z.number() })
const late = outputTag('late', Row)

const sample: Job = job('sample', env => {
  const windowed = env
    .from(fakeSource(Row), w => w.boundedOutOfOrderness('5s').aligned('all', '1m'))
    .uid('rows')
    .filter(r => r.n > 0)
    .name('positive')
    .keyBy(r => r.id)
    .window(sliding('5m', '30s'))
    .trigger(triggers.continuousEventTime('10s'))
    .allowedLateness('1m')
    .sideOutputLateData(late)
    .aggregate(counting())
    .uid('count')
  windowed
    .map(n => [n])
    .to(fakeSink({ committer: true, delivery: 'exactly-once' }))
    .uid('out')
  windowed
    .getSideOutput(late)
    .rebalance()
    .to(fakeSink({ name: 'late "<1>"' }))
})

/** Without the folder and the line, which change with this file. */
const stable = (text: string) => text.replaceAll(/\S*plan-text\.test\.ts:\d+/g, 'FILE:LINE')

test('the text has vertices, chains, uids, shuffles, state and warnings', () => {
  expect(stable(planText(planJob(sample, { parallelism: 2 })))).toBe(`\
job sample   parallelism 2   maxParallelism 128

[1] fake-source -> positive   parallelism 2
    fake-source   source   uid rows   bounded   watermarks: bounded out-of-orderness 5s, idle \
after 1m, aligned in all within 1m   FILE:LINE
    positive   filter   FILE:LINE

[2] window sliding(5m, 30s) -> map -> fake-sink   parallelism 2
    <- key from [1]: {id: string, n: float64}
    window sliding(5m, 30s)   window   uid count   event time   trigger continuousEventTime(10s)   \
lateness 1m   FILE:LINE
      state $contents: aggregating of int
      state $trigger.next: reducing of float64
    map   map   FILE:LINE
    fake-sink   sink   uid out   exactly-once   FILE:LINE

[3] late "<1>"   parallelism 2
    <- rebalance from [2] (side output late): {id: string, n: float64}
    late "<1>"   sink   at-least-once   FILE:LINE

1 failover region: a failure restarts the whole job

no warnings
`)
})

test('warnings stand at the end of the text', () => {
  const text = planText(planJob(sample, { parallelism: 2, checkpointing: 'exactly-once' }))
  expect(text).toMatch(
    /\nWEIR_SINK_AT_LEAST_ONCE {2}exactly-once job, .*\n {2}next: use a sink .*\n$/,
  )
})

test('inputs of an operator with two of them are told apart', () => {
  const graph = planJob(
    job(env => {
      const left = env.from(fakeSource(Row)).uid('left')
      const right = env.from(fakeSource(Row)).uid('right')
      left.connect(right).process({ processElement1() {}, processElement2() {} })
    }),
  )
  expect(planText(graph)).toContain('    <- forward from [2] into input 2: {id: string')
})

test('where barriers overtake, each edge says whether they do', () => {
  const graph = planJob(
    job(env => {
      const rules = env.from(fakeSource(Row)).uid('rules')
      const rows = env.from(fakeSource(Row)).uid('rows')
      const checked = rows
        .keyBy(row => row.id)
        .connect(rules.broadcast())
        .process({ broadcast: {}, processElement() {}, processBroadcastElement() {} })
        .uid('checked')
      checked.rescale().to(fakeSink()).uid('out')
    }),
    { parallelism: 2 },
  )
  const edges = (text: string): readonly string[] =>
    text
      .split('\n')
      .filter(line => line.includes('<-'))
      .map(line => line.replace(/^ +<- (\S+).*?( {3}barriers.*)?$/, '$1$2'))
  expect(edges(planText(graph, { overtaking: true }))).toEqual([
    'key   barriers overtake',
    'broadcast   barriers keep their order (broadcast)',
    'rescale   barriers keep their order (rescale)',
  ])
  expect(edges(planText(graph))).toEqual(['key', 'broadcast', 'rescale'])
  expect(JSON.parse(planJson(graph))).toMatchObject({
    edges: [
      { barriersInOrder: null },
      { barriersInOrder: 'broadcast' },
      { barriersInOrder: 'rescale' },
    ],
  })
})

test('wide types are cut in the text and whole in JSON', () => {
  const fields = Array.from({ length: 30 }, (_, i) => [`field${i}`, z.string()] as const)
  const Wide = record(Object.fromEntries(fields))
  const graph = planJob(
    job(env => env.from(fakeSource(Wide)).uid('wide').rebalance().to(fakeSink())),
  )
  expect(planText(graph)).toMatch(/<- rebalance from \[1\]: .{71}…\n/)
  expect(planJson(graph)).toContain('field29: string')
})

test('the JSON form has all of it and can be parsed', () => {
  const plan = JSON.parse(planJson(planJob(sample, { parallelism: 2 }))) as JobPlan
  expect(plan).toMatchObject({ name: 'sample', parallelism: 2, maxParallelism: 128, warnings: [] })
  expect(plan.vertices.map(v => v.operators.map(o => o.id))).toEqual([
    ['rows', 'filter~1'],
    ['count', 'map~1', 'out'],
    ['sink~1'],
  ])
  expect(plan.vertices[1]?.operators[0]).toMatchObject({
    uid: 'count',
    kind: 'window',
    input: null,
    states: [
      { name: '$contents', kind: 'aggregating', schema: { kind: 'int' }, version: 0, ttl: false },
      { name: '$trigger.next' },
    ],
  })
  expect(plan.vertices[1]?.operators[1]).toMatchObject({ uid: null, input: 'count' })
  expect(plan.edges[1]).toEqual({
    id: 'count:late->sink~1/0',
    from: 'count',
    to: 'sink~1',
    fromOperator: 'count',
    toOperator: 'sink~1',
    input: 0,
    sideOutput: 'late',
    partitioner: 'rebalance',
    type: '{id: string, n: float64}',
    barriersInOrder: null,
    located: false,
  })
})

test('the Mermaid form has a box a vertex and an arrow an edge, its texts escaped', () => {
  expect(planMermaid(planJob(sample, { parallelism: 2 }))).toBe(`\
flowchart LR
  v1["rows: fake-source<br/>positive<br/>parallelism 2"]
  v2["count: window sliding(5m, 30s) ($contents, $trigger.next)<br/>map<br/>out: fake-sink<br/>\
parallelism 2"]
  v3["late &quot;&lt;1>&quot;<br/>parallelism 2"]
  v1 -- "key" --> v2
  v2 -- "rebalance of late" --> v3
`)
})
