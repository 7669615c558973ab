/** What becomes of records and timers that make user functions throw, in whole jobs. */
import { describe, expect, test } from '@jest/globals'
import {
  type Collector,
  collectionSource,
  type DeadLetter,
  type ErrorPolicy,
  type Infer,
  job,
  type OperatorStream,
  outputTag,
  record,
  type StreamEnvironment,
  tumbling,
  watermarks,
  z,
} from 'weir'
import { collectSink, runJob } from 'weir/testing'

const Row = record({ id: z.int(), user: z.string(), at: z.timestamp() })
type Row = Infer<typeof Row>
const rows: readonly Row[] = Array.from({ length: 60 }, (_, id) => ({
  id,
  user: `u${id % 5}`,
  at: 1_000 + id * 10,
}))
const BAD = 37

function refuse(id: number): void {
  if (id === BAD) throw new Error(`no luck with ${id}`)
}

describe.each([1, 3])('a key selector that throws, parallelism %d', parallelism => {
  async function run(policy: ErrorPolicy) {
    const sink = collectSink<number>()
    const dead = collectSink<DeadLetter>()
    const keyed = job(env => {
      const out = env
        .from(collectionSource(rows, { type: Row }))
        .uid('rows')
        .keyBy(({ id, user }) => {
          refuse(id)
          return user
        })
        .process({
          output: z.int(),
          processElement: ({ id }, _context, collector) => collector.collect(id),
        })
        .uid('pass')
        .onError(policy)
      if (policy.kind === 'dead-letter') out.getSideOutput(policy.tag).to(dead).uid('dead')
      out.to(sink).uid('out')
    })
    await runJob(keyed, { parallelism })
    return { ids: sink.results.toSorted((a, b) => a - b), dead: dead.results }
  }
  const others = rows.map(({ id }) => id).filter(id => id !== BAD)

  test('fails the job, unless told otherwise', async () => {
    await expect(run({ kind: 'fail' })).rejects.toMatchObject({
      code: 'WEIR_USER_FUNCTION_FAILED',
      message: expect.stringContaining(`no luck with ${BAD}`),
    })
  })

  test('costs that record only, where records may be skipped', async () => {
    expect(await run({ kind: 'skip', budget: 1 })).toEqual({ ids: others, dead: [] })
  })

  test('makes a dead letter, which names no key: it has none', async () => {
    const tag = outputTag<DeadLetter>('dead')
    const { ids, dead } = await run({ kind: 'dead-letter', tag })
    expect(ids).toEqual(others)
    const message = expect.stringMatching(
      /^operator keyed-process failed on a record \(source .*\): no luck with 37$/,
    )
    expect(dead).toEqual([expect.objectContaining({ record: rows[BAD], message })])
  })
})

const inTime = watermarks.monotonous().timestamp<(typeof rows)[number]>(row => row.at)

const byTimer: Record<string, ReturnType<typeof job>> = {
  'a timer': job(env => {
    env
      .from(collectionSource(rows, { type: Row }), inTime)
      .uid('rows')
      .keyBy(row => row.user)
      .process({
        output: Row,
        processElement: (row, context) => context.timers.registerEventTimeTimer(row.at),
        onTimer: () => refuse(BAD),
      })
      .uid('timers')
      .to(collectSink())
      .uid('out')
  }),
  'a window function': job(env => {
    env
      .from(collectionSource(rows, { type: Row }), inTime)
      .uid('rows')
      .keyBy(row => row.user)
      .window(tumbling(200))
      .process({
        output: Row,
        process: (_key, elements) => {
          for (const { id } of elements) refuse(id)
        },
      })
      .uid('timers')
      .to(collectSink())
      .uid('out')
  }),
}

test.each(Object.entries(byTimer))(
  '%s that throws is named with its key, and given up',
  async (_, made) => {
    // A restart cannot help: it would fail at the same place for ever.
    const restart = { strategy: 'exponential-delay', attempts: undefined } as const
    await expect(runJob(made, { restart })).rejects.toMatchObject({
      code: 'WEIR_TIMER_FUNCTION_FAILED',
      message: expect.stringMatching(/failed when a timer fired for key "u\d": no luck with 37$/),
    })
  },
)

describe.each([1, 3])('a dead letter, parallelism %d', parallelism => {
  const tag = outputTag<DeadLetter>('dead')
  const policy: ErrorPolicy = { kind: 'dead-letter', tag }

  /** The place of each letter; `build` gives the stream whose last operator refuses `BAD`. */
  async function letters(build: (env: StreamEnvironment) => OperatorStream<Row>) {
    const dead = collectSink<DeadLetter>()
    const made = job(env => {
      const out = build(env).onError(policy)
      out.getSideOutput(tag).to(dead).uid('dead')
      out.to(collectSink()).uid('out')
    })
    await runJob(made, { parallelism })
    return dead.results.map(({ record: refused, source, split, offset }) => ({
      refused,
      source,
      split,
      offset,
    }))
  }
  const from = (env: StreamEnvironment) =>
    env
      .from(collectionSource(rows, { type: Row }), inTime)
      .uid('rows')
      .name('rows')
  const pass = {
    output: Row,
    processElement: (row: Row, _: unknown, out: Collector<Row>) => out.collect(row),
  }
  const check = (row: Row): Row => {
    refuse(row.id)
    return row
  }
  const place = {
    refused: rows[BAD],
    source: 'rows',
    split: expect.any(String),
    offset: String(BAD),
  }

  test('behind two shuffles names the place that its record came from', async () => {
    const found = await letters(env =>
      from(env)
        .rebalance()
        .map(row => row)
        .returns(Row)
        .keyBy(row => row.user)
        .process(pass)
        .uid('pass')
        .rebalance()
        .map(check, Row),
    )
    expect(found).toEqual([place])
  })

  test('of a request that fails later names the place of its own record', async () => {
    const found = await letters(env =>
      from(env)
        .rebalance()
        .asyncMap(async row => check(row), { output: Row })
        .uid('ask'),
    )
    expect(found).toEqual([place])
  })

  test('behind a request names the place of the record that it was for', async () => {
    const found = await letters(env =>
      from(env)
        .rebalance()
        .asyncMap(async row => row, { output: Row })
        .uid('ask')
        .map(check, Row),
    )
    expect(found).toEqual([place])
  })

  test('of what a window gave names no place: it came from many records', async () => {
    const found = await letters(env =>
      from(env)
        .keyBy(row => row.user)
        .window(tumbling(200))
        .reduce((_, row) => (row.id > BAD ? { ...row, id: BAD } : row))
        .uid('last')
        .map(check, Row),
    )
    expect(found.length).toBeGreaterThan(0)
    for (const { source, split, offset } of found) {
      expect([source, split, offset]).toEqual([undefined, undefined, undefined])
    }
  })
})
