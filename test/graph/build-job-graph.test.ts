import { describe, expect, test } from '@jest/globals'
import { type DeadLetter, job, outputTag, record, type StreamEnvironment, tumbling, z } from 'weir'
import { type JobGraphOptions, planJob } from '../../src/graph/build-job-graph.ts'
import { headOf, isKeyed, type JobGraph, operatorsOf, vertexOf } from '../../src/graph/job-graph.ts'
import { fakeSink, fakeSource } from '../api/fake-parts.ts'

const Row = record({ id: z.string(), n: z.number() })

function rows(env: StreamEnvironment, uid = 'rows') {
  return env.from(fakeSource(Row)).uid(uid)
}

function plan(build: (env: StreamEnvironment) => unknown, options: JobGraphOptions = {}): JobGraph {
  return planJob(job('test', build), { parallelism: 2, ...options })
}

/** Each vertex as the ids of its operators, each edge as `from -partitioner-> to`. */
function shape(graph: JobGraph) {
  return {
    vertices: graph.vertices.map(({ chain }) => chain.map(o => o.operatorId).join(' ')),
    edges: graph.edges.map(e => `${e.from.operatorId} -${e.partitioner.kind}-> ${e.to.operatorId}`),
  }
}

interface ChainCase {
  readonly build: (env: StreamEnvironment) => unknown
  readonly options?: JobGraphOptions
  readonly vertices: readonly string[]
  readonly edges: readonly string[]
}

const late = outputTag('late', Row)

const chains: Record<string, ChainCase> = {
  'operators of equal parallelism are one chain': {
    build: env =>
      rows(env)
        .map(r => r.n)
        .filter(n => n > 0)
        .to(fakeSink()),
    vertices: ['rows map~1 filter~1 sink~1'],
    edges: [],
  },
  'a shuffle ends a chain': {
    build: env =>
      rows(env)
        .keyBy(r => r.id)
        .sum('n')
        .uid('sum')
        .to(fakeSink()),
    vertices: ['rows', 'sum sink~1'],
    edges: ['rows -key-> sum'],
  },
  'with parallelism 1 a shuffle still ends a chain, as in Flink': {
    build: env =>
      rows(env)
        .keyBy(r => r.id)
        .sum('n')
        .uid('sum'),
    options: { parallelism: 1 },
    vertices: ['rows', 'sum'],
    edges: ['rows -key-> sum'],
  },
  'single subtasks chain across shuffles when asked': {
    build: env =>
      rows(env)
        .keyBy(r => r.id)
        .sum('n')
        .uid('sum')
        .rebalance()
        .map(r => r.n),
    options: { parallelism: 1, chainSingleSubtasks: true },
    vertices: ['rows sum map~1'],
    edges: [],
  },
  'subtasks that are not single never chain across shuffles': {
    build: env =>
      rows(env)
        .keyBy(r => r.id)
        .sum('n')
        .uid('sum'),
    options: { chainSingleSubtasks: true },
    vertices: ['rows', 'sum'],
    edges: ['rows -key-> sum'],
  },
  'an operator of another parallelism gets its records round robin': {
    build: env =>
      rows(env)
        .map(r => r.n)
        .setParallelism(3)
        .filter(n => n > 0),
    vertices: ['rows', 'map~1', 'filter~1'],
    edges: ['rows -rebalance-> map~1', 'map~1 -rebalance-> filter~1'],
  },
  'every partitioner but forward ends a chain': {
    build: env => {
      const source = rows(env)
      const streams = [
        source.rebalance(),
        source.rescale(),
        source.shuffle(),
        source.global(),
        source.broadcast(),
        source.partitionCustom(
          r => r.id,
          (id, n) => id.length % n,
        ),
        source.forward(),
      ]
      for (const stream of streams) stream.filter(r => r.n > 0)
    },
    vertices: [
      'rows filter~7',
      ...['filter~1', 'filter~2', 'filter~3', 'filter~4', 'filter~5', 'filter~6'],
    ],
    edges: [
      'rows -rebalance-> filter~1',
      'rows -rescale-> filter~2',
      'rows -shuffle-> filter~3',
      'rows -global-> filter~4',
      'rows -broadcast-> filter~5',
      'rows -custom-> filter~6',
    ],
  },
  'a union begins a chain': {
    build: env =>
      rows(env)
        .union(rows(env, 'more'))
        .map(r => r.n)
        .map(n => n + 1),
    vertices: ['rows', 'more', 'map~1 map~2'],
    edges: ['rows -forward-> map~1', 'more -forward-> map~1'],
  },
  'two inputs begin a chain': {
    build: env =>
      rows(env)
        .connect(rows(env, 'rules').broadcast())
        .process({ broadcast: {}, processElement() {}, processBroadcastElement() {} })
        .uid('enrich')
        .map(() => 1),
    vertices: ['rows', 'rules', 'enrich map~1'],
    edges: ['rows -forward-> enrich', 'rules -broadcast-> enrich'],
  },
  'an asynchronous operator begins a chain': {
    build: env =>
      rows(env)
        .asyncMap(async r => r.n)
        .uid('ask')
        .map(n => n),
    vertices: ['rows', 'ask map~1'],
    edges: ['rows -forward-> ask'],
  },
  'startNewChain cuts before the operator, disableChaining on both sides': {
    build: env =>
      rows(env)
        .map(r => r.n)
        .startNewChain()
        .map(n => n)
        .map(n => n)
        .disableChaining()
        .map(n => n),
    vertices: ['rows', 'map~1 map~2', 'map~3', 'map~4'],
    edges: ['rows -forward-> map~1', 'map~2 -forward-> map~3', 'map~3 -forward-> map~4'],
  },
  'without chaining each operator is alone': {
    build: env =>
      rows(env)
        .map(r => r.n)
        .map(n => n),
    options: { chaining: false },
    vertices: ['rows', 'map~1', 'map~2'],
    edges: ['rows -forward-> map~1', 'map~1 -forward-> map~2'],
  },
  'a chain is a tree: two readers of one operator join it': {
    build: env => {
      const source = rows(env)
      source.map(r => r.n).to(fakeSink())
      source
        .filter(r => r.n > 0)
        .keyBy(r => r.id)
        .sum('n')
        .uid('sum')
    },
    vertices: ['rows map~1 sink~1 filter~1', 'sum'],
    edges: ['filter~1 -key-> sum'],
  },
  'side outputs are chained, and cross the network, like main ones': {
    build: env => {
      const windowed = rows(env)
        .keyBy(r => r.id)
        .window(tumbling('1m'))
        .sideOutputLateData(late)
        .sum('n')
        .uid('sum')
      windowed.getSideOutput(late).map(r => r.n)
      windowed
        .getSideOutput(late)
        .rebalance()
        .filter(r => r.n > 0)
    },
    vertices: ['rows', 'sum map~1', 'filter~1'],
    edges: ['rows -key-> sum', 'sum -rebalance-> filter~1'],
  },
  'windowAll works in one subtask': {
    build: env =>
      rows(env)
        .windowAll(tumbling('1m'))
        .sum('n')
        .uid('all')
        .map(r => r.n),
    vertices: ['rows', 'all', 'map~1'],
    edges: ['rows -key-> all', 'all -rebalance-> map~1'],
  },
}

describe('chains', () => {
  test.each(Object.entries(chains))('%s', (_sentence, { build, options, vertices, edges }) => {
    const found = shape(plan(build, options))
    expect(found.vertices.toSorted()).toEqual([...vertices].toSorted())
    expect(found.edges.toSorted()).toEqual([...edges].toSorted())
  })
})

test('operators know their neighbours in the chain and their edges', () => {
  const graph = plan(env => {
    const windowed = rows(env)
      .keyBy(r => r.id)
      .window(tumbling('1m'))
      .sideOutputLateData(late)
      .sum('n')
      .uid('sum')
    windowed.getSideOutput(late).to(fakeSink()).name('late')
    windowed.to(fakeSink()).name('results')
    windowed.getSideOutput(late).shuffle().to(fakeSink()).name('far')
  })
  const vertex = vertexOf(graph, 'sum')
  expect(headOf(vertex)).toMatchObject({
    uid: 'sum',
    chainedInput: undefined,
    chainedOutputs: [
      { to: 1, sideOutput: late },
      { to: 2, sideOutput: undefined },
    ],
  })
  expect(headOf(vertex).networkOutputs).toEqual(vertex.outputs)
  expect(vertex.chain[1]?.chainedInput).toEqual({ from: 0, sideOutput: late })
  expect(vertex.outputs.map(e => [e.id, e.type])).toEqual([['sum:late->sink~3/0', Row]])
  expect(vertex.inputs.map(e => [e.id, e.input, e.type])).toEqual([['rows->sum/0', 0, Row]])
  expect(vertex.name).toBe('window tumbling(1m) -> late -> results')
  expect(
    operatorsOf(graph)
      .filter(isKeyed)
      .map(o => o.uid),
  ).toEqual(['sum'])
})

test('an operator that is read twice by another has two edges with ids of their own', () => {
  const graph = plan(env => {
    const source = rows(env)
    source.union(source).to(fakeSink())
  })
  expect(graph.edges.map(e => e.id)).toEqual(['rows->sink~1/0', 'rows->sink~1/0#2'])
})

test('inputs stand in the order of their number', () => {
  const graph = plan(env => {
    const second = rows(env, 'second')
    const first = rows(env, 'first')
    first
      .join(second)
      .where(r => r.id)
      .equalTo(r => r.id)
      .window(tumbling('1m'))
      .apply((a, b) => a.n + b.n)
      .uid('join')
  })
  const { inputs, chain } = vertexOf(graph, 'join')
  expect(inputs.map(e => [e.from.vertexId, e.input])).toEqual([
    ['first', 0],
    ['second', 1],
  ])
  expect(chain[0]?.keySelectors).toHaveLength(2)
})

test('ids of operators without uid do not change when one of another kind is added', () => {
  const before = plan(env =>
    rows(env)
      .map(r => r.n)
      .to(fakeSink()),
  )
  const after = plan(env =>
    rows(env)
      .filter(r => r.n > 0)
      .map(r => r.n)
      .to(fakeSink()),
  )
  const ids = (graph: JobGraph) => operatorsOf(graph).map(o => o.operatorId)
  expect(ids(after)).toEqual(expect.arrayContaining(ids(before)))
})

test('J5 a plan is the same however often it is made', () => {
  const build = chains['a chain is a tree: two readers of one operator join it']?.build
  expect(shape(plan(build ?? fail))).toEqual(shape(plan(build ?? fail)))
})

function fail(): never {
  throw new Error('no such case')
}

describe('coordinates travel', () => {
  const dead = { kind: 'dead-letter', tag: outputTag<DeadLetter>('dead') } as const
  const locatedIn = (build: (env: StreamEnvironment) => unknown): readonly string[] =>
    plan(build).edges.flatMap(({ isLocated, to }) => (isLocated === true ? [to.operatorId] : []))
  const counted = (env: StreamEnvironment) =>
    rows(env)
      .keyBy(row => row.id)
      .reduce((_, row) => row)
      .uid('newest')

  test('nowhere, unless somebody writes dead letters', () => {
    const skip = { kind: 'skip', budget: 3 } as const
    const edges = locatedIn(env => counted(env).onError(skip).rebalance().to(fakeSink()).uid('out'))
    expect(edges).toEqual([])
  })

  test('all the way from a source to whom writes them, and not behind', () => {
    const edges = locatedIn(env =>
      counted(env)
        .rebalance()
        .map(row => row)
        .startNewChain()
        .uid('check')
        .onError(dead)
        .rebalance()
        .to(fakeSink())
        .uid('out'),
    )
    expect(edges).toEqual(['newest', 'check'])
  })

  test('into the window that writes them, but not through it', () => {
    const windowed = (env: StreamEnvironment) =>
      rows(env)
        .keyBy(row => row.id)
        .window(tumbling('1m'))
        .reduce((_, row) => row)
        .uid('window')
    const into = locatedIn(env => windowed(env).onError(dead).to(fakeSink()).uid('out'))
    expect(into).toEqual(['window'])
    const behind = locatedIn(env =>
      windowed(env)
        .rebalance()
        .map(row => row)
        .uid('check')
        .onError(dead)
        .to(fakeSink())
        .uid('out'),
    )
    expect(behind).toEqual(['check'])
  })
})
