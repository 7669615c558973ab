/** The verbs on running jobs, as a user types them beside a `weir run` of an unbounded job. */
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { ScratchFolders, WeirProcess, weir } from '../e2e/weir-process.ts'

const scratch = new ScratchFolders()
const folder = scratch.make()
const runFolder = join(folder, '.weir/run')
const started: WeirProcess[] = []

const source = `import { blackhole, datagen, job, record, sequence, valueState, z } from 'weir'
const Tick = record({ id: z.int() })
export default job('ticks', env => {
  env
    .from(datagen({ type: Tick, ratePerSecond: 2_000, fields: { id: sequence() } }))
    .uid('ticks')
    .keyBy(tick => tick.id % 5)
    .process({
      output: Tick,
      state: { last: valueState(z.int()) },
      processElement(tick, context, out) {
        context.state.last.update(tick.id)
        out.collect(tick)
      },
    })
    .uid('last')
    .to(blackhole())
    .uid('out')
})
`

beforeAll(() => {
  for (const name of ['ticks', 'tocks']) {
    writeFileSync(join(folder, `${name}.ts`), source.replace("job('ticks'", `job('${name}'`))
  }
})

afterAll(async () => {
  await Promise.all(started.filter(one => one.isRunning).map(one => one.kill()))
  scratch.remove()
})

async function start(name: string, ...flags: string[]): Promise<WeirProcess> {
  const flagsOfAll = ['--set', 'spec.checkpoint.interval=100ms']
  const run = new WeirProcess(['run', `${name}.ts`, ...flagsOfAll, ...flags], folder)
  started.push(run)
  const file = join(runFolder, `default.${name}.json`)
  expect(await run.runsUntil(() => existsSync(file))).toBe(true)
  return run
}

function call(...args: string[]) {
  return weir(args, folder)
}

async function json(...args: string[]): Promise<Record<string, unknown>> {
  const { code, out, err } = await call(...args, '--json')
  expect({ code, err }).toMatchObject({ code: 0 })
  return JSON.parse(out)
}

test('without a running job every verb says so; list is empty', async () => {
  expect(await call('list')).toMatchObject({ code: 0, out: '' })
  for (const verb of ['status', 'savepoint', 'stop', 'cancel', 'checkpoints', 'metrics']) {
    const { code, out, err } = await call(verb)
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toMatch(/^WEIR_NO_JOB_RUNNING[\s\S]*\n {2}next: /)
  }
}, 60_000)

describe('one running job', () => {
  let run: WeirProcess
  let savepoint = ''

  test('is listed and told about', async () => {
    run = await start('ticks')
    const { out } = await call('list')
    expect(out).toMatch(/^NAME +STATUS[^\n]*\nticks +running /)
    expect((await call('status')).out).toMatch(/^ticks {2}running {2}[\s\S]*BACKPRESSURE/)
    expect(await json('status', 'ticks')).toMatchObject({ jobId: 'default.ticks' })
    expect((await call('exceptions')).out).toBe('no failures\n')
    const { out: metrics } = await call('metrics', 'default.ticks')
    expect(metrics).toMatch(/^weir_job_status\{job="default\.ticks",status="running"\} 1$/m)
  }, 60_000)

  test('is not ended by a second start; a restore takes it over by intent', async () => {
    const { code, err } = await call('run', 'ticks.ts')
    expect(code).toBe(2)
    expect(err).toMatch(/^WEIR_JOB_RUNS_ALREADY {2}job ticks runs already \(process \d+\)/m)
    expect(run.isRunning).toBe(true)
    // Checkpoints in another place are another lineage.
    const elsewhere = [
      '--set',
      `spec.checkpoint.storage=file://${join(folder, 'elsewhere')}`,
      '--restore',
      'latest',
    ]
    expect((await call('run', 'ticks.ts', ...elsewhere)).err).toMatch(/WEIR_RESTORE_NOTHING/)
  }, 60_000)

  test('takes a savepoint and goes on', async () => {
    const { code, out } = await call('savepoint')
    expect(code).toBe(0)
    savepoint = out.trim()
    expect(existsSync(join(savepoint, '_metadata'))).toBe(true)
    expect(run.isRunning).toBe(true)
    const id = /\d+$/.exec(savepoint)?.[0] ?? ''
    expect((await call('checkpoints')).out).toMatch(
      new RegExp(`^ *${id} {2}savepoint +completed`, 'm'),
    )
    const shown = await call('checkpoints', 'show', id)
    expect(shown.out).toMatch(/ALIGNMENT[\s\S]*\nSOURCE +SPLIT +RECORDS\nticks +0\/1 +[\d,]+\n/)
    expect(shown.out).toMatch(/\nSINK +RECORDS\nout +[\d,]+\n/)
  }, 60_000)

  test('moves to other slots, and goes on counting', async () => {
    const before = await json('status')
    const { code, err } = await call('rescale', '--parallelism', '2')
    expect({ code, err }).toEqual({ code: 0, err: 'ticks goes on at parallelism 2\n' })
    const after = await json('status')
    expect(after.recordsIn).toBeGreaterThanOrEqual(before.recordsIn as number)
    expect(after.vertices).toMatchObject([{ parallelism: 2 }, { parallelism: 2 }])
  }, 60_000)

  test.each([
    [['status', 'tiks'], /^WEIR_JOB_NOT_RUNNING.*did you mean ticks\?/],
    [['checkpoints', 'show', '99999'], /^WEIR_REST_CHECKPOINT_UNKNOWN/],
    [['checkpoints', 'ticks', 'list'], /^WEIR_CHECKPOINTS_USAGE/],
  ])(
    '%j is exit code 2 with a next step',
    async (args, said) => {
      const { code, err } = await call(...args)
      expect(code).toBe(2)
      expect(err).toMatch(said)
      expect(err).toMatch(/\n {2}next: /)
    },
    60_000,
  )

  test('stops with a savepoint, from which it goes on', async () => {
    const { code, out } = await call('stop', '--savepoint')
    expect(code).toBe(0)
    const ended = await run.ended
    expect(ended).toMatchObject({ code: 0 })
    expect(ended.err).toMatch(/^REST API at http:\/\/127\.0\.0\.1:\d+\/api\/v1/m)
    expect(readdirSync(runFolder)).toEqual([])
    for (const path of [savepoint, out.trim()]) {
      run = await start('ticks', '--restore', path)
      const before = Object.values(readIds(await json('checkpoints', 'show', await firstId())))
      expect(before[0]).toBeGreaterThan(0)
      expect(await call('cancel')).toMatchObject({ code: 0, out: '' })
      const { code: cancelled, err } = await run.ended
      expect(cancelled).toBe(143)
      expect(err).toContain(`restored from ${path}`)
    }
  }, 90_000)

  /** A checkpoint of the new run. */
  async function firstId(): Promise<string> {
    for (;;) {
      const { history } = (await json('checkpoints')) as { history: Entry[] }
      const done = history.find(entry => entry.status === 'completed')
      if (done !== undefined) return String(done.id)
    }
  }
})

interface Entry {
  readonly id: number
  readonly status: string
}

function readIds(view: Record<string, unknown>): Record<string, number> {
  const { recordsPerSplit } = view.proof as { recordsPerSplit: Record<string, object> }
  return recordsPerSplit.ticks as Record<string, number>
}

test('of several running jobs one must be named', async () => {
  const runs = [await start('ticks'), await start('tocks')]
  expect((await call('status')).err).toMatch(/^WEIR_SEVERAL_JOBS_RUNNING {2}.*ticks, tocks/)
  expect(await call('stop', 'tocks')).toMatchObject({ code: 0 })
  expect(await runs[1]?.ended).toMatchObject({ code: 0 })
  expect((await call('cancel')).code).toBe(0)
  expect(await runs[0]?.ended).toMatchObject({ code: 143 })
}, 60_000)

test('--no-rest leaves nothing to steer; a killed run is not listed', async () => {
  const killed = await start('ticks')
  await killed.kill()
  expect(readdirSync(runFolder)).toEqual(['default.ticks.json'])
  const hidden = new WeirProcess(['run', 'tocks.ts', '--no-rest'], folder)
  started.push(hidden)
  const generations = join(folder, '.weir/checkpoints/default.tocks/generations')
  await hidden.runsUntil(() => existsSync(generations) && readdirSync(generations).length > 1)
  expect(await json('list')).toEqual([])
  expect(readdirSync(runFolder)).toEqual([])
  await hidden.kill()
}, 60_000)
