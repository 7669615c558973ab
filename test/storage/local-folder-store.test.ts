import { execFileSync } from 'node:child_process'
import {
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
import { storeFailure } from '../../src/storage/store-failure.ts'
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

describe('S1, S2, S3, S4, S5: the local folder store', () => {
  objectStoreContract(async () => newStore())
})

describe('S3, S4, S5: the memory store', () => {
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

/** A file system of 64 KiB, or `undefined` where nobody may mount one. */
function tinyDisk(): { readonly folder: string; readonly release: () => void } | undefined {
  const folder = newFolder()
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'none', folder], { stdio: 'ignore' })
  } catch {
    return undefined
  }
  return { folder, release: () => void execFileSync('umount', [folder], { stdio: 'ignore' }) }
}

test('a full disk is an error of its own, harms nothing, and is over when there is space', async () => {
  const disk = tinyDisk()
  // Mounting needs rights that a test run may not have; the mapping of errors is tested below.
  if (disk === undefined) return
  try {
    const store = newStore(disk.folder)
    await store.put('job/kept', Buffer.alloc(20_000, 1))
    const tooLarge = Buffer.alloc(60_000, 2)
    for (const write of [store.put('job/kept', tooLarge), store.putIfAbsent('job/new', tooLarge)]) {
      await expect(write).rejects.toMatchObject({ code: 'WEIR_STORE_FULL' })
    }
    expect(await store.list('')).toEqual([{ key: 'job/kept', sizeBytes: 20_000 }])
    expect((await store.get('job/kept'))[0]).toBe(1)
    await store.delete('job/kept')
    await store.put('job/new', Buffer.alloc(40_000, 3))
  } finally {
    disk.release()
  }
})

test.each([
  ['ENOSPC', 'WEIR_STORE_FULL'],
  ['EDQUOT', 'WEIR_STORE_FULL'],
  ['EACCES', 'WEIR_STORE_DENIED'],
  ['EROFS', 'WEIR_STORE_DENIED'],
  ['EIO', 'WEIR_STORE_FAILED'],
])('%s becomes %s', (code, expected) => {
  const cause = Object.assign(new Error(`${code}: from the system`), { code })
  const error = storeFailure({ action: 'write', location: '/store', key: 'a/b' }, cause)
  expect(error).toMatchObject({ code: expected, message: expect.stringContaining('/store/a/b') })
  expect(error.cause).toBe(cause)
})

test('opens a folder by path and by file URL, and a bucket', () => {
  const random = new SystemRandom()
  const at = (location: string): string => openStore({ location, folder: '/base', random }).location
  expect(at('relative/path')).toBe('/base/relative/path')
  expect(at('/absolute')).toBe('/absolute')
  expect(at('file:///from/url')).toBe('/from/url')
  expect(at('s3://bucket/prefix/?endpoint=http://localhost:1')).toBe('s3://bucket/prefix')
  expect(() => at('gs://bucket/prefix')).toThrow('cannot open gs://bucket/prefix')
})
