/**
 * A job whose slots exchange nothing, each a process: one is killed again and again. Its region
 * starts again; the others are not stopped, not deployed again and not put back.
 */
import { join } from 'node:path'
import { afterAll, expect, test } from '@jest/globals'
import { SteeredRun } from './steered-run.ts'
import { readLines, ScratchFolders, setAll } from './weir-process.ts'

const SLOTS = 3
const VICTIM = 1
const KILLS = 3
const ROWS = 45_000

const folders = new ScratchFolders()
afterAll(() => folders.remove())

interface Subtask {
  readonly index: number
  readonly recordsOut: number
}

interface Failure {
  readonly code: string
  readonly scope: { readonly regions: number; readonly of: number; readonly slots: number[] } | null
}

test('a killed slot takes no other one with it', async () => {
  const folder = folders.make()
  const run = new SteeredRun({
    args: [
      join(import.meta.dirname, 'slices-job.ts'),
      '--parallelism',
      String(SLOTS),
      ...setAll({
        'checkpoint.interval': '200ms',
        'job.args.rows': ROWS,
        'job.args.rate': 3_000,
        'job.args.output': join(folder, 'out'),
      }),
    ],
    folder,
    jobId: 'default.slices-job',
  })
  const others = (): readonly number[] => {
    const all = run.processes('taskmanager').filter(({ slot }) => slot !== VICTIM)
    return all.map(({ pid }) => pid).sort((a, b) => a - b)
  }
  expect(await run.until(({ status }) => status === 'running')).toBe(true)
  const first = others()
  let before: readonly number[] = [0, 0]
  for (let kill = 1; kill <= KILLS; kill++) {
    expect(await run.untilCheckpoints(2)).toBe(true)
    expect(await run.killSlot(VICTIM, kill)).toBe(true)
    // Counted since the last restart of each: they would fall if that had touched them.
    const counted = await recordsOf(run)
    expect(counted.length).toBe(SLOTS - 1)
    counted.forEach((count, i) => {
      expect(count).toBeGreaterThan(before[i] ?? 0)
    })
    before = counted
  }
  expect(others()).toEqual(first)
  const { failures } = (await run.call('GET', '/exceptions')) as { failures: readonly Failure[] }
  const scope = { regions: 1, of: SLOTS, slots: [VICTIM] }
  expect(failures.map(failure => failure.scope)).toEqual(Array(KILLS).fill(scope))
  expect(failures.every(({ code }) => code === 'WEIR_SLOT_LOST')).toBe(true)
  expect(await run.ended).toMatchObject({ code: 0 })
  const ids = readLines(join(folder, 'out')).map(line => (JSON.parse(line) as { id: number }).id)
  expect(ids.length).toBe(ROWS)
  expect(new Set(ids).size).toBe(ROWS)
}, 120_000)

/** What the subtasks of the other slots have sent, since each was started. */
async function recordsOf(run: SteeredRun): Promise<readonly number[]> {
  const plan = (await run.call('GET', '/plan')) as { vertices: readonly { id: string }[] }
  const [vertex] = plan.vertices
  const view = (await run.call('GET', `/vertices/${vertex?.id}/subtasks`)) as {
    readonly subtasks: readonly Subtask[]
  }
  return view.subtasks.filter(({ index }) => index !== VICTIM).map(one => one.recordsOut)
}
