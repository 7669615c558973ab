import { readFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { join, resolve } from 'node:path'
import { Readable } from 'node:stream'
import { expect, test } from '@jest/globals'
import { clusterErrors } from '../../../../src/cluster/cluster-errors.ts'
import { checkpointsView } from '../../../../src/cluster/jobmanager/rest/checkpoint-view.ts'
import { jobMetrics } from '../../../../src/cluster/jobmanager/rest/job-metrics.ts'
import { JobSteering } from '../../../../src/cluster/jobmanager/rest/job-steering.ts'
import { pressureLevel } from '../../../../src/cluster/jobmanager/rest/pressure-level.ts'
import { readBody } from '../../../../src/cluster/jobmanager/rest/read-body.ts'
import { routes } from '../../../../src/cluster/jobmanager/rest/rest-routes.ts'
import { redact } from '../../../../src/common/redact.ts'
import { observedTestJob, until } from './observed-test-job.ts'

const page = readFileSync(join(resolve(import.meta.dirname, '../../../..'), 'docs/rest.md'), 'utf8')

test('every resource is documented, and every documented resource exists', () => {
  const documented = [...page.matchAll(/^### `(GET|POST) (\S+)`$/gm)].map(
    ([, method, path]) => `${method} ${path}`,
  )
  expect(documented.sort()).toEqual(routes.map(({ method, path }) => `${method} ${path}`).sort())
})

test.each([
  [0, 'OK'],
  [100, 'OK'],
  [101, 'LOW'],
  [500, 'LOW'],
  [501, 'HIGH'],
  [1_000, 'HIGH'],
])('%d ms backpressured of a second are %s', (ms, level) => {
  expect(pressureLevel(ms)).toBe(level)
})

test.each([
  ['accessKeyId', 'a', '***'],
  ['API_KEY', 'a', '***'],
  ['password', 'a', '***'],
  ['key', 'user', 'user'],
  ['rows', 3, 3],
  ['url', 'kafka://u:p@h:9/t', 'kafka://***@h:9/t'],
  ['url', 's3://b/k?X-Amz-Signature=abc&part=1', 's3://b/k?X-Amz-Signature=***&part=1'],
])('%s: %s is shown as %s', (name, value, shown) => {
  expect(redact<string | number>({ [name]: value })).toEqual({ [name]: shown })
})

test('a body is read up to its limit, whatever its header says', async () => {
  const pieces = Array.from({ length: 9 }, () => Buffer.alloc(8_192, ' '))
  const sent = Object.assign(Readable.from(pieces), { headers: {} }) as unknown as IncomingMessage
  await expect(readBody(sent)).rejects.toMatchObject({ code: 'WEIR_REST_BODY_TOO_LARGE' })
})

test('savepoints beyond the limit are refused while the others are taken', async () => {
  const observed = observedTestJob({ isQuiet: true })
  const never = new Promise<string>(() => {})
  const steering = new JobSteering({
    ...observed,
    job: { ...observed.job, savepoint: () => never },
  })
  for (let n = 0; n < 8; n++) steering.requestSavepoint()
  expect(() => steering.requestSavepoint()).toThrow('8 savepoints are being taken already')
  observed.job.cancel()
  await observed.job.done
})

test('a savepoint that fails says why', async () => {
  const observed = observedTestJob({ isQuiet: true })
  const steering = new JobSteering(observed)
  const { id, done } = steering.requestSavepoint()
  expect((await done).error).toMatchObject({ code: 'WEIR_SAVEPOINT_FAILED' })
  expect(steering.savepoint(id)).toMatchObject({ status: 'failed', path: null })
  observed.job.cancel()
  await observed.job.done
})

test('a savepoint that completed counts, though the job did not stop', async () => {
  const observed = observedTestJob()
  await until(() => observed.job.progress().checkpointsCompleted > 0)
  const path = await observed.job.savepoint()
  const failed = clusterErrors.WEIR_STOP_UNFINISHED({ path, reason: 'a slot was lost' })
  const { history, done } = observed.job
  const job = { ...observed.job, history, done, stop: () => Promise.reject(failed) }
  const steering = new JobSteering({ ...observed, job })
  const { id, done: end } = steering.stop({ savepoint: true }, 'uid-1-1')
  expect(await end).toMatchObject({ outcome: 'running', savepointPath: path })
  await steering.settled()
  expect(steering.stopOf('uid-1-1')).toMatchObject({
    status: 'failed',
    snapshot: { kind: 'savepoint', path },
    error: { code: 'WEIR_STOP_UNFINISHED' },
  })
  expect(steering.savepoint(id ?? '')).toMatchObject({ status: 'completed', path })
  observed.job.cancel()
  await observed.job.done
})

test('orders to stop are remembered, the oldest make room', async () => {
  const observed = observedTestJob({ isQuiet: true })
  const steering = new JobSteering(observed)
  for (let n = 1; n <= 9; n++) steering.stop({}, `uid-1-${n}`)
  expect(() => steering.stopOf('uid-1-1')).toThrow('no order to stop with the id uid-1-1')
  expect(steering.tellStop()?.id).toBe('uid-1-9')
  observed.job.cancel()
  await observed.job.done
  await steering.settled()
  expect(steering.stopOf('uid-1-9').status).toBe('completed')
})

test('whoever orders the end by a name is told of it, and only then it counts as told', async () => {
  const observed = observedTestJob({ isQuiet: true })
  const steering = new JobSteering(observed)
  expect(steering.isAsked).toBe(false)
  const order = steering.stop({}, 'uid-1-1')
  expect(steering.isAsked).toBe(true)
  let isTold = false
  void steering.told.then(() => {
    isTold = true
  })
  expect(steering.tellStop()?.status).toBe('pending')
  await order.done
  await steering.settled()
  expect(isTold).toBe(false)
  expect(steering.tellStop()?.status).toBe('completed')
  await steering.told
  expect(isTold).toBe(true)
})

test('the age of the last checkpoint appears with the checkpoint', async () => {
  const observed = observedTestJob()
  const ages = () =>
    jobMetrics(observed).filter(({ name }) => name === 'weir_checkpoint_last_age_seconds')
  expect(ages()).toEqual([])
  await until(() => observed.job.progress().checkpointsCompleted > 0)
  expect(ages()).toHaveLength(1)
  expect(checkpointsView(observed).history.at(-1)).toMatchObject({ id: 1, kind: 'checkpoint' })
  observed.job.cancel()
  await observed.job.done
})
