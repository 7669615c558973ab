import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { JobNotice } from '../../../../src/cluster/job-result.ts'
import { openRest } from '../../../../src/cluster/jobmanager/rest/open-rest.ts'
import { restResources } from '../../../../src/cluster/jobmanager/rest/rest-routes.ts'
import { observedTestJob, until } from './observed-test-job.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'weir-open-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const secret = Buffer.from('sixteen characters or more')

async function opened(restListen: string | undefined, isForPeople: boolean) {
  const observed = observedTestJob({ isQuiet: true })
  const notices: JobNotice[] = []
  const close = openRest({
    resources: restResources(observed),
    config: { restListen, secret },
    rest: isForPeople ? { port: 0, folder } : null,
    onNotice: notice => void notices.push(notice),
  })
  const expected = Number(isForPeople) + Number(restListen !== undefined)
  await until(() => notices.length === expected)
  observed.job.cancel()
  await observed.job.done
  await close()
  return notices.map(({ level, text }) => `${level}: ${text}`).sort()
}

test('for people on the loopback, for the controller where it is told to', async () => {
  expect(await opened(undefined, false)).toEqual([])
  const [people, controller] = await opened('tcp://127.0.0.1:0', true)
  expect(people).toMatch(/^info: REST API at http:\/\/127\.0\.0\.1:\d+.* weir status/)
  expect(controller).toMatch(/^info: REST API at https:\/\/127\.0\.0\.1:\d+.* for the controller$/)
  expect(readdirSync(join(folder, '.weir/run'))).toEqual([])
})

test.each(['unix:/tmp/nowhere', 'tcp://127.0.0.1:99999', 'tcp://192.0.2.1:1'])(
  'that %s cannot be had is said, and fails nothing',
  async address => {
    const [notice] = await opened(address, false)
    expect(notice).toMatch(/^warn: the job cannot be steered: no REST API: /)
  },
)
