/** Servers that do not know conditional writes, and what is said of them. */
import { expect, test } from '@jest/globals'
import { SeededRandom } from '../../../src/common/random.ts'
import { S3ObjectStore } from '../../../src/storage/s3/s3-object-store.ts'
import type { S3Requests } from '../../../src/storage/s3/s3-requests.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'

/** Keeps objects as such a server does: `ignore` overwrites, `refuse` answers 501. */
function oldServer(onCondition: 'ignore' | 'refuse'): S3Requests {
  const objects = new Map<string, { readonly body: Buffer; readonly writer: string }>()
  const answer = (status: number, name: string): Error =>
    Object.assign(new Error(name), { name, $metadata: { httpStatusCode: status } })
  return {
    async put(key, body, { writer, ifAbsent }) {
      if (ifAbsent && onCondition === 'refuse') throw answer(501, 'NotImplemented')
      objects.set(key, { body, writer })
    },
    async get(key) {
      return objects.get(key)?.body ?? Promise.reject(answer(404, 'NoSuchKey'))
    },
    async writerOf(key) {
      return objects.get(key)?.writer ?? Promise.reject(answer(404, 'NotFound'))
    },
    async list() {
      const entries = [...objects].map(([key, { body }]) => ({ key, sizeBytes: body.length }))
      return { entries, next: undefined }
    },
    async delete(key) {
      objects.delete(key)
    },
    deleteMany: () => Promise.reject(answer(501, 'NotImplemented')),
    beginUpload: () => Promise.reject(answer(501, 'NotImplemented')),
    uploadPart: () => Promise.reject(answer(501, 'NotImplemented')),
    completeUpload: () => Promise.reject(answer(501, 'NotImplemented')),
    abortUpload: () => Promise.reject(answer(501, 'NotImplemented')),
  }
}

function storeOn(requests: S3Requests): S3ObjectStore {
  const [random, clock] = [new SeededRandom(1), new ManualClock()]
  return new S3ObjectStore({ location: 's3://bucket/jobs', random, clock, requests })
}

test.each(['ignore', 'refuse'] as const)('a server that would %s them', async onCondition => {
  const store = storeOn(oldServer(onCondition))
  const [warning, ...others] = await store.probe()
  expect(others).toEqual([])
  expect(warning?.message).toContain('s3://bucket/jobs is on a server without conditional writes')
  expect(await store.list('')).toEqual([])
  expect(await store.putIfAbsent('a', Buffer.from('one'))).toBe(true)
  expect(await store.putIfAbsent('a', Buffer.from('two'))).toBe(false)
  expect((await store.get('a')).toString()).toBe('one')
})

test.each(['ignore', 'refuse'] as const)(
  'a process that did not probe finds a server that would %s them',
  async onCondition => {
    const requests = oldServer(onCondition)
    expect(await storeOn(requests).putIfAbsent('generation', Buffer.from('one'))).toBe(true)
    const other = storeOn(requests)
    expect(await other.putIfAbsent('generation', Buffer.from('two'))).toBe(false)
    expect((await other.get('generation')).toString()).toBe('one')
    expect((await other.list('')).map(entry => entry.key)).toEqual(['generation'])
  },
)

test('what cannot be found out is asked again', async () => {
  const requests = oldServer('ignore')
  const { put } = requests
  let isDown = true
  const store = storeOn({
    ...requests,
    put: async (...args) => {
      if (isDown)
        throw Object.assign(new Error('AccessDenied'), {
          name: 'AccessDenied',
          $metadata: { httpStatusCode: 403 },
        })
      return put(...args)
    },
  })
  await expect(store.putIfAbsent('a', Buffer.from('one'))).rejects.toMatchObject({
    code: 'WEIR_STORE_DENIED',
  })
  isDown = false
  expect(await store.putIfAbsent('a', Buffer.from('one'))).toBe(true)
})
