/**
 * What every object store promises; run over each adapter.
 */
import { expect, test } from '@jest/globals'
import type { ObjectStore } from '../../src/storage/object-store.ts'

const bytes = (text: string): Buffer => Buffer.from(text)

export function objectStoreContract(open: () => Promise<ObjectStore>): void {
  test('gives back what was put', async () => {
    const store = await open()
    await store.put('a/b/c', bytes('one'))
    expect((await store.get('a/b/c')).toString()).toBe('one')
  })

  test('put replaces, and several pieces become one object', async () => {
    const store = await open()
    await store.put('a', bytes('longer than the next'))
    await store.put('a', [bytes('t'), bytes(''), bytes('wo')])
    expect((await store.get('a')).toString()).toBe('two')
  })

  test('the bytes of what was put may be changed once they are free, and then only', async () => {
    const store = await open()
    const piece = bytes('before')
    await new Promise<void>((resolve, reject) => {
      store.put('a', [piece], resolve).catch(reject)
    })
    piece.fill('x')
    expect((await store.get('a')).toString()).toBe('before')
  })

  test('an object may be empty', async () => {
    const store = await open()
    await store.put('empty', [])
    expect((await store.get('empty')).length).toBe(0)
    expect(await store.list('')).toEqual([{ key: 'empty', sizeBytes: 0 }])
  })

  test('S3: of many writers of an absent key exactly one wins, and the object is whole', async () => {
    const store = await open()
    const texts = Array.from({ length: 20 }, (_, i) => String(i).repeat(1_000))
    const won = await Promise.all(texts.map(text => store.putIfAbsent('race/key', bytes(text))))
    expect(won.filter(Boolean)).toHaveLength(1)
    const found = (await store.get('race/key')).toString()
    expect(found).toBe(texts[won.indexOf(true)])
    expect(await store.putIfAbsent('race/key', bytes('late'))).toBe(false)
    expect((await store.get('race/key')).toString()).toBe(found)
  })

  test('a key that was deleted is absent again', async () => {
    const store = await open()
    await store.put('a/b', bytes('x'))
    await store.delete('a/b')
    await expect(store.get('a/b')).rejects.toMatchObject({ code: 'WEIR_STORE_NOT_FOUND' })
    expect(await store.putIfAbsent('a/b', bytes('y'))).toBe(true)
  })

  test('reads ranges, also over the end', async () => {
    const store = await open()
    await store.put('r', bytes('0123456789'))
    expect((await store.getRange('r', 2, 3)).toString()).toBe('234')
    expect((await store.getRange('r', 8, 10)).toString()).toBe('89')
    expect((await store.getRange('r', 10, 1)).length).toBe(0)
    await expect(store.getRange('none', 0, 1)).rejects.toMatchObject({
      code: 'WEIR_STORE_NOT_FOUND',
    })
  })

  test('S4: lists by prefix, in the order of the keys, across folders', async () => {
    const store = await open()
    const keys = ['chk-1/_metadata', 'chk-1/a.state', 'chk-10/_metadata', 'other/x', 'chk-2/b']
    for (const key of keys) await store.put(key, bytes(key))
    const listed = async (prefix: string): Promise<readonly string[]> =>
      (await store.list(prefix)).map(entry => entry.key)
    expect(await listed('')).toEqual([...keys].sort())
    expect(await listed('chk-1')).toEqual(['chk-1/_metadata', 'chk-1/a.state', 'chk-10/_metadata'])
    expect(await listed('chk-1/')).toEqual(['chk-1/_metadata', 'chk-1/a.state'])
    expect(await listed('chk-1/a')).toEqual(['chk-1/a.state'])
    expect(await listed('nothing/')).toEqual([])
  })

  test('deleting what is not there is fine, and deleteMany removes all', async () => {
    const store = await open()
    await store.delete('none')
    for (const key of ['d/1', 'd/2', 'e/1']) await store.put(key, bytes(key))
    await store.deleteMany(['d/1', 'd/2', 'd/3'])
    expect((await store.list('')).map(entry => entry.key)).toEqual(['e/1'])
  })

  test('writes and deletes in one folder do not disturb each other', async () => {
    const store = await open()
    await Promise.all(
      Array.from({ length: 30 }, async (_, i) => {
        await store.put(`busy/${i}`, bytes(String(i)))
        if (i % 2 === 0) await store.delete(`busy/${i}`)
      }),
    )
    expect(await store.list('busy/')).toHaveLength(15)
  })

  test.each(['', '/a', 'a//b', '../a', 'a/../b', '.hidden', 'a/b c', 'x'.repeat(300), 'a/'])(
    'refuses the key %j',
    async key => {
      const store = await open()
      await expect(Promise.resolve().then(() => store.put(key, bytes('')))).rejects.toMatchObject({
        code: 'WEIR_STORE_KEY_INVALID',
      })
    },
  )
}
