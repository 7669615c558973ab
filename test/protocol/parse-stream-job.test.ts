import { describe, expect, test } from '@jest/globals'
import { WeirError } from '../../src/common/errors.ts'
import { parseStreamJob } from '../../src/protocol/parse-stream-job.ts'
import type { ManifestProblem } from '../../src/protocol/protocol-errors.ts'
import { streamJobRules } from '../../src/protocol/stream-job-rules.ts'

/** A manifest whose `spec` begins on line 5. */
function manifest(spec: string, head = 'apiVersion: weir.dev/v1alpha1\nkind: StreamJob'): string {
  const indented = spec
    .trim()
    .split('\n')
    .map(line => `  ${line}`)
  return [head, 'metadata: { name: flights }', 'spec:', ...indented].join('\n')
}

const job = 'job: { module: jobs/a.ts }'

function problemsOf(text: string, set: readonly string[] = []): readonly ManifestProblem[] {
  try {
    parseStreamJob({ text, file: 'a.yaml', set })
  } catch (error) {
    if (!(error instanceof WeirError)) throw error
    expect(error.code).toBe('WEIR_MANIFEST_INVALID')
    return (error.details as { problems: readonly ManifestProblem[] }).problems
  }
  return []
}

test('fills in every default of a minimal manifest', () => {
  const { spec, metadata } = parseStreamJob({ text: manifest(job), file: 'a.yaml' }).manifest
  expect(metadata.name).toBe('flights')
  expect(spec).toMatchObject({
    job: { module: 'jobs/a.ts', args: {} },
    parallelism: 1,
    maxParallelism: 128,
    state: 'running',
    stateBackend: { type: 'heap' },
    checkpoint: { interval: '10s', mode: 'exactly-once', alignment: 'aligned', retained: 3 },
    upgrade: { mode: 'savepoint', strategy: 'replace', fallbackToLastState: true },
    restart: { strategy: 'exponential-delay', initialDelay: '1s', maxDelay: '1m' },
    resources: { taskManager: { cpu: 1, memory: '1Gi' }, jobManager: { cpu: '500m' } },
    deletionPolicy: 'keep',
    network: {
      bufferTimeout: '5ms',
      buffersPerChannel: 2,
      floatingBuffersPerGate: 8,
      bufferDebloat: { enabled: false, target: '1s' },
    },
  })
  expect(spec.restore).toBeUndefined()
  expect(spec.savepoints).toBeUndefined()
})

interface Refusal {
  readonly spec: string
  readonly path: string
  readonly line: number
  readonly problem: RegExp
  readonly fix: RegExp
}

const refusals: Record<string, Refusal> = {
  'a misspelt field is offered its right name': {
    spec: `${job}\ncheckpoint:\n  intervall: 60s`,
    path: 'spec.checkpoint.intervall',
    line: 7,
    problem: /no such field/,
    fix: /did you mean interval\?/,
  },
  'a field that is like no other lists what there is': {
    spec: `${job}\nstop: { colour: red }`,
    path: 'spec.stop.colour',
    line: 6,
    problem: /no such field/,
    fix: /remove it; the fields here are drain, timeout/,
  },
  'a number where a duration belongs': {
    spec: `${job}\ncheckpoint:\n  mode: exactly-once\n  interval: 60`,
    path: 'spec.checkpoint.interval',
    line: 8,
    problem: /is 60; expected a duration from 10ms to 1d/,
    fix: /interval: 10s/,
  },
  'a duration without a unit that exists': {
    spec: `${job}\ncheckpoint: { timeout: 5 minutes }`,
    path: 'spec.checkpoint.timeout',
    line: 6,
    problem: /is "5 minutes"; expected a duration/,
    fix: /timeout: 10m/,
  },
  'a duration out of its bounds': {
    spec: `${job}\ncheckpoint: { interval: 1ms }`,
    path: 'spec.checkpoint.interval',
    line: 6,
    problem: /is "1ms"; expected a duration from 10ms/,
    fix: /interval: /,
  },
  'a choice that does not exist, with the nearest one': {
    spec: `${job}\nstateBackend: { type: rockdb }`,
    path: 'spec.stateBackend.type',
    line: 6,
    problem: /is "rockdb"; expected one of heap, rocksdb/,
    fix: /type: rocksdb/,
  },
  'a fraction where a whole number belongs': {
    spec: `${job}\nparallelism: 1.5`,
    path: 'spec.parallelism',
    line: 6,
    problem: /is 1.5; expected a whole number from 1 to 32768/,
    fix: /parallelism: 1/,
  },
  'a text where a number belongs': {
    spec: `${job}\nparallelism: many`,
    path: 'spec.parallelism',
    line: 6,
    problem: /is "many"; expected a whole number/,
    fix: /parallelism: 1/,
  },
  'an argument that is not a text wants quotes': {
    spec: 'job:\n  module: a.ts\n  args:\n    events: 1000',
    path: 'spec.job.args.events',
    line: 8,
    problem: /is 1000; expected a text/,
    fix: /events: "1000"/,
  },
  'an absolute module path': {
    spec: 'job: { module: /etc/a.ts }',
    path: 'spec.job.module',
    line: 5,
    problem: /expected a relative path without \.\./,
    fix: /module: jobs\/word-count\.ts/,
  },
  'a quantity that is none': {
    spec: `${job}\nresources:\n  taskManager: { memory: 2 gigs }`,
    path: 'spec.resources.taskManager.memory',
    line: 7,
    problem: /is "2 gigs"; expected a quantity of at least 128Mi/,
    fix: /memory: 1Gi/,
  },
  'a value where fields belong': {
    spec: `${job}\ncheckpoint: often`,
    path: 'spec.checkpoint',
    line: 6,
    problem: /is "often"; expected fields, indented below/,
    fix: /checkpoint: /,
  },
  'a buffer timeout that nobody would wait for': {
    spec: `${job}\nnetwork:\n  bufferTimeout: 1m`,
    path: 'spec.network.bufferTimeout',
    line: 7,
    problem: /is "1m"; expected a duration from 0ms to 10s/,
    fix: /5ms/,
  },
  'a channel without buffers': {
    spec: `${job}\nnetwork: { buffersPerChannel: 0 }`,
    path: 'spec.network.buffersPerChannel',
    line: 6,
    problem: /is 0; expected a whole number from 1 to 1000/,
    fix: /./,
  },
  'a debloating that is misspelt': {
    spec: `${job}\nnetwork:\n  bufferDebloat: { enable: true }`,
    path: 'spec.network.bufferDebloat.enable',
    line: 7,
    problem: /no such field/,
    fix: /did you mean enabled\?/,
  },
  'no job at all': {
    spec: 'parallelism: 1',
    path: 'spec.job',
    line: 4,
    problem: /is missing/,
    fix: /add job: /,
  },
}

describe('a wrong manifest is refused with path, line, value and fix', () => {
  test.each(Object.entries(refusals))('%s', (_sentence, wanted) => {
    const problems = problemsOf(manifest(wanted.spec))
    expect(problems).toHaveLength(1)
    const [found] = problems as [ManifestProblem]
    expect(found).toMatchObject({ path: wanted.path })
    expect(found.problem).toMatch(wanted.problem)
    expect(found.fix).toMatch(wanted.fix)
    expect(found.line).toBe(wanted.line)
  })
})

test('reports all problems at once', () => {
  const text = manifest(`${job}\nparallelism: 0\nskew: on\nimage: "x:latest"\nspeed: high`)
  const paths = problemsOf(text).map(problem => problem.path)
  expect(paths.toSorted()).toEqual(['spec.image', 'spec.parallelism', 'spec.skew', 'spec.speed'])
})

test('the message holds file, line, path, value and fix', () => {
  const text = manifest(`${job}\nparallelism: 0`)
  expect(() => parseStreamJob({ text, file: 'a.yaml' })).toThrow(
    'a.yaml has 1 error\n' +
      '  a.yaml:6  spec.parallelism: is 0; expected a whole number from 1 to 32768\n' +
      '      fix: parallelism: 1',
  )
})

describe('documents', () => {
  test('the StreamJob is chosen among other kinds', () => {
    const text = `kind: ConfigMap\nmetadata: { name: c }\n---\n${manifest(job)}`
    expect(parseStreamJob({ text, file: 'a.yaml' }).manifest.metadata.name).toBe('flights')
  })

  test('lines count from the top of the file, not of the document', () => {
    const text = `kind: ConfigMap\n---\n${manifest(`${job}\nskew: on`)}`
    expect(problemsOf(text)[0]?.line).toBe(8)
  })

  test.each([
    ['two StreamJobs', `${manifest(job)}\n---\n${manifest(job)}`, /number 2 of 2/],
    ['none', 'kind: ConfigMap\n---\nkind: Secret\n', /the file holds "ConfigMap", "Secret"/],
    ['an empty file', '', /the file is empty/],
    ['broken YAML', 'spec: [1, 2\nkind: x', /is not YAML/],
    ['a duplicate key', manifest(`${job}\nskew: off\nskew: auto`), /is not YAML: .*unique/],
    ['a bare text', 'hello', /is "hello"/],
  ])('%s is refused', (_sentence, text, problem) => {
    expect(
      problemsOf(text)
        .map(one => one.problem)
        .join('\n'),
    ).toMatch(problem)
  })

  test('a manifest fetched from the API server is accepted', () => {
    const text = `${manifest(job)}\nstatus: { phase: Running }`.replace(
      '{ name: flights }',
      '{ name: flights, uid: abc, resourceVersion: "12", generation: 3 }',
    )
    expect(problemsOf(text)).toEqual([])
  })
})

describe('--set', () => {
  const set = (...assignments: string[]) =>
    parseStreamJob({ text: manifest(job), file: 'a.yaml', set: assignments }).manifest.spec

  test('adds what is not there', () => {
    expect(set('spec.job.args.output=out/a=b').job.args).toEqual({ output: 'out/a=b' })
  })

  test('keeps arguments as texts and reads other values as YAML', () => {
    const spec = set('spec.job.args.events=1000', 'spec.parallelism=4', 'spec.stop.drain=true')
    expect(spec.job.args).toEqual({ events: '1000' })
    expect(spec.parallelism).toBe(4)
    expect(spec.stop.drain).toBe(true)
  })

  test.each([
    ['without a value', 'spec.parallelism', /no assignment/],
    ['with an empty name', 'spec..parallelism=1', /no assignment/],
    ['below a plain value', 'kind.name=1', /cannot be set/],
    ['to an unknown field', 'spec.paralelism=2', /no such field/],
    ['to a bad value', 'spec.parallelism=two', /expected a whole number/],
    ['to half a value', 'spec.parallelism=[1', /is set to "\[1", which is not YAML/],
    ['to a glob that looks like an alias', 'spec.parallelism=*.4', /which is not YAML/],
  ])('%s is refused without a line', (_sentence, assignment, problem) => {
    const problems = problemsOf(manifest(job), [assignment])
    expect(problems).toHaveLength(1)
    expect(problems[0]?.problem).toMatch(problem)
    expect(problems[0]?.line).toBeUndefined()
  })
})

const bomb = Array.from({ length: 9 }, (_, i) => {
  const items =
    i === 0
      ? 'x'
      : Array(9)
          .fill(`*a${i - 1}`)
          .join(', ')
  return `    a${i}: &a${i} [${items}]`
})

const aliases: Record<string, { spec: string; problem: RegExp; line: number }> = {
  'a glob without quotes': {
    spec: 'job: { module: a.ts, args: { input: *.jsonl } }',
    problem: /no anchor &\.jsonl/,
    line: 5,
  },
  'an anchor that holds itself': {
    spec: `${job}\ncheckpoint: { retained: &x [*x] }`,
    problem: /\*x holds itself/,
    line: 6,
  },
  'aliases of aliases of aliases': {
    spec: `job:\n  module: a.ts\n  args:\n${bomb.join('\n')}`,
    problem: /or too much/,
    line: 9,
  },
}

test.each(Object.entries(aliases))('%s is refused with its line', (_what, one) => {
  expect(problemsOf(manifest(one.spec))).toEqual([
    expect.objectContaining({ problem: expect.stringMatching(one.problem), line: one.line }),
  ])
})

describe('a schedule', () => {
  const problems = (schedule: string, more = ''): readonly string[] =>
    problemsOf(manifest(`${job}\nsavepoints: { schedule: "${schedule}"${more} }`)).map(
      problem => problem.path,
    )

  test.each(['0 3 * * *', '*/15 0-6,22-23 1,15 JAN-MAR mon-fri', '59 23 L 12 5#2', '0 0 ? * 7'])(
    'is taken: %s',
    schedule => expect(problems(schedule)).toEqual([]),
  )

  // Nothing would ever be due.
  test.each([
    '60 3 * * *',
    '0 24 * * *',
    '0 0 32 * *',
    '0 0 * 13 *',
    '0 0 * * 8',
    '0 0 * FOO *',
    'a b c d e',
  ])('is refused: %s', schedule => expect(problems(schedule)).toEqual(['spec.savepoints.schedule']))

  test('is in a time zone that there is', () => {
    expect(problems('0 3 * * *', ', timeZone: Europe/Berlin')).toEqual([])
    expect(problems('0 3 * * *', ', timeZone: Europe/Berln')).toEqual(['spec.savepoints.timeZone'])
  })
})

test('tells where an inline job begins', () => {
  const text = manifest('job:\n  inline: |\n    import { job } from "weir"\n    export default 1')
  const parsed = parseStreamJob({ text, file: 'a.yaml' })
  expect(parsed.inlineLine).toBe(7)
  expect(parsed.manifest.spec.job.inline).toMatch(/^import/)
})

const broken: Record<string, string> = {
  'spec.job': 'job: { module: a.ts, inline: x }',
  'spec.job.args': 'job: { module: a.ts, args: { "a b": c } }',
  'spec.parallelism': `${job}\nparallelism: 256`,
  'spec.autoscaler.max': `${job}\nautoscaler: { max: 256 }`,
  'spec.autoscaler.mode': `${job}\nautoscaler: { mode: on }`,
  'spec.autoscaler.min': `${job}\nautoscaler: { min: 4, max: 2 }`,
  'spec.autoscaler.windows': `${job}\nautoscaler:\n  windows: [{ schedule: "0 3 * * *", duration: 1h }]`,
  'spec.restoreNonce': `${job}\nrestoreNonce: 1`,
  'spec.restore': `${job}\nrestore: { savepoint: a, path: b }`,
  'spec.savepoints': `${job}\nsavepoints: { keep: 3 }`,
  'spec.checkpoint.alignmentTimeout': `${job}\ncheckpoint: { alignment: timeout }`,
  'spec.checkpoint.alignment': `${job}\ncheckpoint: { alignment: unaligned, mode: at-least-once }`,
  'spec.upgrade.lastStateMaxAge': `${job}\nupgrade: { mode: stateless, lastStateMaxAge: 1h }`,
  'spec.upgrade.dropState': `${job}\nupgrade: { mode: stateless, dropState: [a] }`,
  'spec.upgrade.strategy': `${job}\nupgrade: { strategy: blue-green }`,
  'spec.restore.claim': `${job}\nrestore: { savepoint: a, claim: claim }`,
  'spec.skew': `${job}\nskew: auto`,
  'spec.stateBackend.type': `${job}\nstateBackend: { type: rocksdb }`,
  'spec.stateBackend.profile': `${job}\nstateBackend: { profile: balanced }`,
  'spec.stateBackend.incremental': `${job}\nstateBackend: { incremental: true }`,
  'spec.stateBackend.options': `${job}\nstateBackend: { options: { a: 1 } }`,
  'spec.restart.initialDelay': `${job}\nrestart: { initialDelay: 2m, maxDelay: 1m }`,
  'spec.restart.attempts': `${job}\nrestart: { strategy: none, attempts: 1 }`,
}

describe('rules between fields', () => {
  test.each(Object.entries(broken))('%s is refused when its rule is broken', (path, spec) => {
    expect(problemsOf(manifest(spec)).map(problem => problem.path)).toEqual([path])
  })

  test('every rule has a manifest that breaks it', () => {
    expect(new Set(streamJobRules.map(rule => rule.path))).toEqual(new Set(Object.keys(broken)))
  })

  test.each([
    `${job}\ncheckpoint: { alignment: timeout, alignmentTimeout: 5s }`,
    `${job}\nautoscaler: { min: 2, max: 8, windows: [{ schedule: "0 3 * * *", duration: 1h, freeze: true }] }`,
    `${job}\nrestart: { strategy: failure-rate, attempts: 3 }`,
    `${job}\nrestore: { path: a }\nrestoreNonce: 1\nsavepoints: { schedule: "0 3 * * *" }`,
  ])('is accepted: %s', spec => {
    expect(problemsOf(manifest(spec))).toEqual([])
  })

  test.each([
    `${job}\nrestart: { strategy: failure-rate }`,
    `${job}\ncheckpoint: { alignment: timeout, alignmentTimeout: 11m }`,
    `${job}\nautoscaler:\n  windows: [{ schedule: "0 3 * * *", duration: 1h, min: 4, max: 2 }]`,
  ])('is refused: %s', spec => {
    expect(problemsOf(manifest(spec))).toHaveLength(1)
  })
})
