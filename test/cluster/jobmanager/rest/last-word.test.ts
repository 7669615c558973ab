import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { writeLastWord } from '../../../../src/cluster/jobmanager/rest/last-word.ts'
import { restResources } from '../../../../src/cluster/jobmanager/rest/rest-routes.ts'
import { silentLogger } from '../../../../src/common/logger.ts'
import { jobFactsSchema } from '../../../../src/protocol/job-facts.ts'
import { observedTestJob, until } from './observed-test-job.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'weir-word-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const read = (file: string) => jobFactsSchema.parse(JSON.parse(readFileSync(file, 'utf8')))

test('a job that was stopped leaves behind where its state lies', async () => {
  const observed = observedTestJob()
  const resources = restResources(observed)
  await until(() => observed.job.progress().checkpointsCompleted > 0)
  const order = resources.steering.stop({ savepoint: true }, 'uid-1-1')
  const { savepointPath } = await order.done
  const file = join(folder, 'word')
  writeLastWord(file, resources, silentLogger)
  expect(read(file)).toMatchObject({
    status: 'stopped',
    latest: { kind: 'savepoint', path: savepointPath },
    stop: { id: 'uid-1-1', status: 'completed', snapshot: { path: savepointPath } },
  })
  // One that cannot be written fails nothing.
  writeLastWord(join(folder, 'no/such/folder'), resources, silentLogger)
  writeLastWord(undefined, resources, silentLogger)
})

test('what would be cut off says where the state lies and leaves out why', () => {
  const observed = observedTestJob({ isQuiet: true })
  observed.job.cancel()
  const resources = restResources(observed)
  const error = { code: 'WEIR_STOP_FAILED', message: 'x'.repeat(5_000), next: '' }
  const stop = { id: 'uid-1-1', status: 'failed', snapshot: null, error } as const
  const file = join(folder, 'long')
  const steering = { tellStop: () => stop } as unknown as typeof resources.steering
  writeLastWord(file, { ...resources, steering }, silentLogger)
  expect(readFileSync(file).length).toBeLessThan(4_096)
  expect(read(file).stop).toEqual({ ...stop, error: null })
})
