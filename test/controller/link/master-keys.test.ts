import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { SystemRandom } from '../../../src/common/random.ts'
import { readMasterKeys } from '../../../src/controller/link/master-keys.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'weir-keys-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const random = new SystemRandom()
const newer = 'n'.repeat(32)
const older = 'o'.repeat(64)

const fileWith = (text: string): string => {
  const file = join(folder, random.uuid())
  writeFileSync(file, text)
  return file
}

test('each line is a key, the newest first', () => {
  const file = fileWith(`${newer}\n\n  ${older} \n`)
  expect(readMasterKeys({ WEIR_MASTER_KEY_FILE: file }, random)).toEqual([newer, older])
})

test('outside of a cluster one is made once, for its owner alone', () => {
  const environment = { XDG_CONFIG_HOME: join(folder, 'config') }
  const [key = ''] = readMasterKeys(environment, random)
  expect(key).toMatch(/^[0-9a-f]{64}$/)
  expect(readMasterKeys(environment, random)).toEqual([key])
  const file = join(folder, 'config/weir/master-key')
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(readFileSync(file, 'utf8')).toBe(`${key}\n`)
})

test.each([
  ['no file in a cluster', { KUBERNETES_SERVICE_HOST: '10.0.0.1' }],
  ['a missing file', { WEIR_MASTER_KEY_FILE: '/no/such/file' }],
  ['a place where none can be made', { XDG_CONFIG_HOME: '/proc/version' }],
])('%s is refused', (_what, environment) => {
  expect(() => readMasterKeys(environment, random)).toThrow(/WEIR_MASTER_KEY_FILE is/)
})

test.each(['', '\n\n', 'short', `${newer}\nshort`])('the text %j is refused, untold', text => {
  const file = fileWith(text)
  expect(() => readMasterKeys({ WEIR_MASTER_KEY_FILE: file }, random)).toThrow(
    /expected a file with a key of 32 characters or more in each line$/,
  )
})
