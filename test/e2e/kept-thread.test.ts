/**
 * User code that keeps its thread for long is no dead process, and a process that stands still is
 * one, also while its user code keeps the thread.
 */
import { join } from 'node:path'
import { afterAll, expect, test } from '@jest/globals'
import { SteeredRun } from './steered-run.ts'
import { readLines, repository, ScratchFolders, setAll } from './weir-process.ts'

const folders = new ScratchFolders()
const ROWS = 3_000

afterAll(() => folders.remove())

function start(jobArgs: Readonly<Record<string, number>>) {
  const folder = folders.make()
  const all = { output: join(folder, 'out'), rows: ROWS, rate: 2_000, ...jobArgs }
  const fields = Object.fromEntries(
    Object.entries(all).map(([name, value]) => [`job.args.${name}`, value]),
  )
  const file = join(repository, 'test/e2e/orders-job.ts')
  const args = [file, '-p', '2', ...setAll(fields)]
  return { folder, run: new SteeredRun({ args, folder, jobId: 'default.orders-job' }) }
}

/** The thread of one slot, in the middle of the input. */
const keepsSlot = { keepsThreadAt: ROWS / 2, keepsThreadMs: 6_000 }

interface Slots {
  readonly taskManagers: readonly { readonly pid: number | null; readonly blockedMs: number }[]
}

/** The process whose thread is kept, as the jobmanager sees it. */
async function keptProcess(run: SteeredRun): Promise<number> {
  for (;;) {
    const answer = (await run.call('GET', '/taskmanagers')) as Slots | undefined
    const kept = answer?.taskManagers?.find(one => one.blockedMs > 0)
    if (kept?.pid) return kept.pid
    if (!run.isRunning) throw new Error(`it ended: ${run.said}`)
    await new Promise(resolve => setTimeout(resolve, 40))
  }
}

test('a function that takes 6 s costs no restart, and people are told', async () => {
  const { folder, run } = start(keepsSlot)
  await keptProcess(run)
  const { code, err } = await run.ended
  expect({ code, err }).toEqual({ code: 0, err: expect.stringMatching(/finished after/) })
  expect(err).not.toMatch(/restarts/)
  expect(err).toMatch(/taskmanager [01] .* has been kept by user code for more than 2s/)
  expect(err).not.toMatch(/was silent|is started again/)
  expect(readLines(join(folder, 'out'))).toHaveLength(ROWS)
})

test('a process that is stopped meanwhile is replaced, and nothing is lost', async () => {
  const { folder, run } = start(keepsSlot)
  process.kill(await keptProcess(run), 'SIGSTOP')
  const { code, err } = await run.ended
  expect({ code, err }).toEqual({ code: 0, err: expect.stringMatching(/, 1 restart/) })
  expect(err).toMatch(/the connection to taskmanager [01] .* was silent for 2s/)
  expect(readLines(join(folder, 'out'))).toHaveLength(ROWS)
})

test('an enumerator that takes 4 s to find its splits costs no jobmanager, and people are told', async () => {
  const { folder, run } = start({ enumeratesMs: 4_000 })
  const { code, err } = await run.ended
  expect({ code, err }).toEqual({ code: 0, err: expect.stringMatching(/finished after/) })
  expect(err).toMatch(/jobmanager has been kept by user code for more than 2s/)
  expect(err).not.toMatch(/was silent|is started again|restarts/)
  expect(readLines(join(folder, 'out'))).toHaveLength(ROWS)
})
