import { spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { restResources } from '../../../../src/cluster/jobmanager/rest/rest-routes.ts'
import {
  findRunFiles,
  type RunFile,
  removeRunFile,
  writeRunFile,
} from '../../../../src/cluster/jobmanager/rest/run-file.ts'
import { serveJob } from '../../../../src/cluster/jobmanager/rest/serve-job.ts'
import { SystemRandom } from '../../../../src/common/random.ts'
import { observedTestJob } from './observed-test-job.ts'

const own: RunFile = {
  formatVersion: 1,
  jobId: 'default.a',
  name: 'a',
  pid: process.pid,
  url: 'http://127.0.0.1:1/api/v1',
  token: 't',
  startedAtMs: 2,
}

function folder(): string {
  return mkdtempSync(join(tmpdir(), 'weir-run-'))
}

test('only its owner may read a run file', () => {
  const cwd = folder()
  writeRunFile(cwd, own)
  expect(statSync(join(cwd, '.weir/run/default.a.json')).mode & 0o777).toBe(0o600)
  expect(readdirSync(join(cwd, '.weir/run'))).toEqual(['default.a.json'])
  expect(findRunFiles(cwd)).toEqual([own])
})

test('one whose process is gone is ignored and removed', () => {
  const cwd = folder()
  const { pid } = spawnSync(process.execPath, ['--version'])
  writeRunFile(cwd, { ...own, jobId: 'default.dead', pid })
  writeRunFile(cwd, own)
  expect(findRunFiles(cwd)).toEqual([own])
  expect(existsSync(join(cwd, '.weir/run/default.dead.json'))).toBe(false)
})

test('the file of a later run of the job is not removed by the earlier one', () => {
  const cwd = folder()
  const later = { ...own, token: 'later' }
  writeRunFile(cwd, later)
  removeRunFile(cwd, own)
  expect(findRunFiles(cwd)).toEqual([later])
  removeRunFile(cwd, later)
  expect(findRunFiles(cwd)).toEqual([])
})

test.each([
  ['is no JSON', '{'],
  ['leads to another machine', JSON.stringify({ ...own, url: 'http://10.0.0.1:80/api/v1' })],
  ['has no token', JSON.stringify({ ...own, token: undefined })],
])('a file that %s is left alone', (_sentence, text) => {
  const cwd = folder()
  writeRunFile(cwd, own)
  const odd = join(cwd, '.weir/run/odd.json')
  writeFileSync(odd, text)
  expect(findRunFiles(cwd)).toEqual([own])
  expect(existsSync(odd)).toBe(true)
})

test('a served job has a run file with a token of its own until it is closed', async () => {
  const cwd = folder()
  const observed = observedTestJob({ isQuiet: true })
  const served = await serveJob({
    resources: restResources(observed),
    cwd,
    port: 0,
    random: new SystemRandom(),
  })
  const [run] = findRunFiles(cwd)
  expect(run).toMatchObject({ jobId: 'default.ticks', name: 'ticks', url: served.url })
  expect(run?.token).toMatch(/^[0-9a-f]{64}$/)
  observed.job.cancel()
  await observed.job.done
  await served.close()
  expect(readdirSync(join(cwd, '.weir/run'))).toEqual([])
})

test('where no run file can be written the port is given back', async () => {
  const cwd = folder()
  writeFileSync(join(cwd, '.weir'), 'a file')
  const observed = observedTestJob({ isQuiet: true })
  const resources = restResources(observed)
  const options = { resources, cwd, port: 0, random: new SystemRandom() }
  observed.job.cancel()
  await observed.job.done
  await expect(serveJob(options)).rejects.toThrow(/ENOTDIR|EEXIST/)
  expect(readFileSync(join(cwd, '.weir'), 'utf8')).toBe('a file')
})
