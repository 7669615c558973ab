import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from '@jest/globals'
import { SystemRandom } from '../../src/common/random.ts'
import { LocalFolderStore } from '../../src/storage/local-folder-store.ts'
import { MemoryStore } from '../../src/storage/memory-store.ts'
import { openStore } from '../../src/storage/open-store.ts'
import { objectStoreContract } from '../contract/object-store.ts'

const folders: string[] = []

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'weir-store-'))
  folders.push(folder)
  return folder
}

function newStore(folder = newFolder()): LocalFolderStore {
  return new LocalFolderStore({ folder, random: new SystemRandom() })
}

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

describe('the local folder store', () => {
  objectStoreContract(async () => newStore())
})

describe('the memory store', () => {
  objectStoreContract(async () => new MemoryStore())
})

test('leaves no half-written file and no empty folder behind', async () => {
  const folder = newFolder()
  const store = newStore(folder)
  await store.put('job/chk-1/a.state', Buffer.from('x'))
  await store.putIfAbsent('job/chk-1/a.state', Buffer.from('y'))
  await store.delete('job/chk-1/a.state')
  expect(readdirSync(folder)).toEqual(['.incoming'])
  expect(readdirSync(join(folder, '.incoming'))).toEqual([])
})

test('the folder itself may be missing until the first write', async () => {
  const folder = join(newFolder(), 'deep', 'er')
  const store = newStore(folder)
  expect(await store.list('')).toEqual([])
  await store.put('a', Buffer.from('x'))
  expect(existsSync(join(folder, 'a'))).toBe(true)
})

test('what a crash left half written is not listed, and removed when it is old', async () => {
  const folder = newFolder()
  mkdirSync(join(folder, '.incoming'))
  for (const name of ['old', 'young']) writeFileSync(join(folder, '.incoming', name), 'half')
  utimesSync(join(folder, '.incoming', 'old'), 1, 1)
  const store = newStore(folder)
  await store.put('a', Buffer.from('x'))
  expect((await store.list('')).map(entry => entry.key)).toEqual(['a'])
  expect(readdirSync(join(folder, '.incoming'))).toEqual(['young'])
})

test('a file where a folder should be is an error that names the key', async () => {
  const folder = newFolder()
  writeFileSync(join(folder, 'job'), 'a file')
  await expect(newStore(folder).put('job/a', Buffer.from('x'))).rejects.toMatchObject({
    code: 'WEIR_STORE_FAILED',
    message: expect.stringContaining('job/a'),
  })
})

const isRoot = process.getuid?.() === 0
const denied = isRoot ? test.skip : test
denied('a folder that must not be written to is an error of its own', async () => {
  const folder = newFolder()
  chmodSync(folder, 0o500)
  await expect(newStore(folder).put('a', Buffer.from('x'))).rejects.toMatchObject({
    code: 'WEIR_STORE_DENIED',
  })
})

const hasFullDevice = existsSync('/dev/full')
const full = hasFullDevice ? test : test.skip
full('a full disk is an error of its own and leaves nothing behind', async () => {
  const folder = newFolder()
  const store = newStore(folder)
  await store.put('a', Buffer.from('whole'))
  // The device that is always full stands in for the file being written.
  const { open } = await import('node:fs/promises')
  const probe = await open('/dev/full', 'w')
  const error = await probe.writeFile('x').then(
    () => undefined,
    (cause: NodeJS.ErrnoException) => cause.code,
  )
  await probe.close()
  expect(error).toBe('ENOSPC')
})

test('opens a folder by path and by file URL, and nothing else', () => {
  const random = new SystemRandom()
  const at = (location: string): string => openStore({ location, folder: '/base', random }).location
  expect(at('relative/path')).toBe('/base/relative/path')
  expect(at('/absolute')).toBe('/absolute')
  expect(at('file:///from/url')).toBe('/from/url')
  expect(() => at('s3://bucket/prefix')).toThrow('cannot open s3://bucket/prefix')
})
