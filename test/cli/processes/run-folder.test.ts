import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { RunFolder } from '../../../src/cli/processes/run-folder.ts'

/** Above what Linux gives to processes. */
const NOBODY = 4_194_305
let cwd = ''

beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'weir-run-'))
})

afterEach(() => rmSync(cwd, { recursive: true, force: true }))

const folderIn = (where: string): RunFolder =>
  new RunFolder({ cwd: where, jobId: 'default.a', pid: process.pid })

test('secret and job description are readable by their owner only, and go with the run', () => {
  const folder = folderIn(cwd)
  folder.describe({ formatVersion: 1 } as never)
  for (const file of [folder.secretFile, folder.jobFile]) {
    expect((statSync(file).mode & 0o777).toString(8)).toBe('600')
  }
  writeFileSync(folder.logOf('taskmanager 1'), 'a line\n')
  folder.remove()
  expect(readdirSync(folder.logFolder)).toEqual(['taskmanager-1.log'])
})

test('each process has a socket of its own, in a path that is short enough', () => {
  const long = join(cwd, 'x'.repeat(120))
  mkdirSync(long)
  for (const folder of [folderIn(cwd), folderIn(long)]) {
    const addresses = [folder.controlAddress, folder.dataAddress(), folder.dataAddress()]
    expect(new Set(addresses).size).toBe(3)
    for (const address of addresses) expect(Buffer.byteLength(address)).toBeLessThan(107)
    const places = folder.scratch.split(':')
    folder.remove()
    expect(places.some(place => existsSync(place))).toBe(false)
  }
})

test('what a killed run left is removed by the next one, and a run that lives is left alone', () => {
  const logFolder = join(cwd, '.weir/run/default.a')
  for (const pid of [NOBODY, process.ppid])
    mkdirSync(join(logFolder, String(pid)), { recursive: true })
  writeFileSync(join(logFolder, 'jobmanager.log'), 'of the run before\n')
  const folder = folderIn(cwd)
  expect(readdirSync(logFolder).sort()).toEqual([process.pid, process.ppid].map(String).sort())
  folder.remove()
})
