import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { readJobManagerConfig, readTaskManagerConfig } from '../../src/cluster/process-config.ts'

let folder = ''
let secretFile = ''

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'weir-config-'))
  secretFile = join(folder, 'secret')
  writeFileSync(secretFile, 'sixteen characters or more\n')
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

const taskManager = () => ({
  WEIR_SECRET_FILE: secretFile,
  WEIR_JOB_ID: 'default.a',
  WEIR_SLOT: '3',
  WEIR_JOBMANAGER: 'tcp://jobmanager:6123',
  WEIR_WORK_FOLDER: folder,
})

test('the defaults are those of a pod', () => {
  expect(readTaskManagerConfig(taskManager())).toMatchObject({
    slot: 3,
    listen: 'tcp://0.0.0.0:0',
    advertise: undefined,
    stateFolder: undefined,
    tls: undefined,
    times: { intervalMs: 500, timeoutMs: 2_000 },
  })
  const jobManager = { WEIR_SECRET_FILE: secretFile, WEIR_JOB_FILE: 'job.json' }
  expect(readJobManagerConfig(jobManager)).toMatchObject({
    listen: 'tcp://0.0.0.0:6123',
    restListen: undefined,
    lastWordFile: undefined,
    slotTimeoutMs: 300_000,
  })
  const linked = { WEIR_REST_LISTEN: 'tcp://0.0.0.0:6125', WEIR_LAST_WORD_FILE: 'word' }
  expect(readJobManagerConfig({ ...jobManager, ...linked })).toMatchObject({
    restListen: 'tcp://0.0.0.0:6125',
    lastWordFile: 'word',
  })
})

test('a secret is the text of its file, without the line feed of an editor', () => {
  const { secret } = readTaskManagerConfig(taskManager())
  expect(secret.toString()).toBe('sixteen characters or more')
})

test.each([
  [{ WEIR_SLOT: '-1' }, /WEIR_SLOT is "-1", expected a whole number from 0/],
  [{ WEIR_SLOT: undefined }, /WEIR_SLOT is ""/],
  [{ WEIR_JOBMANAGER: '' }, /WEIR_JOBMANAGER is "", expected the address/],
  [{ WEIR_HEARTBEAT_TIMEOUT: '2' }, /WEIR_HEARTBEAT_TIMEOUT is "2", expected a duration/],
  [{ WEIR_SECRET_FILE: 'no/such/file' }, /WEIR_SECRET_FILE .*no such file/],
  [{ WEIR_TLS_FOLDER: 'no/such/folder' }, /WEIR_TLS_FOLDER .*with tls.crt, tls.key and ca.crt/],
])('%j is refused by name', (wrong, message) => {
  expect(() => readTaskManagerConfig({ ...taskManager(), ...wrong })).toThrow(message)
})

test('a short secret is refused, and not told', () => {
  const short = join(folder, 'short')
  writeFileSync(short, 'psst')
  const read = () => readTaskManagerConfig({ ...taskManager(), WEIR_SECRET_FILE: short })
  expect(read).toThrow(/a file with 16 characters or more/)
  expect(read).not.toThrow(/psst/)
})
