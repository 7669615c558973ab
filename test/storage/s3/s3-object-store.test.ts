import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { SystemClock, type TimerHandle } from '../../../src/common/clock.ts'
import { SeededRandom, SystemRandom } from '../../../src/common/random.ts'
import { S3ObjectStore } from '../../../src/storage/s3/s3-object-store.ts'
import { objectStoreContract } from '../../contract/object-store.ts'
import { describeWithPart } from '../../testbed/describe-with-part.ts'
import { FaultyProxy, type HttpFault } from '../../testbed/faulty-proxy.ts'
import { TestBuckets } from './test-buckets.ts'

/** Retries wait, but not as long. */
class HastyClock extends SystemClock {
  override schedule(delayMs: number, callback: () => void): TimerHandle {
    return super.schedule(delayMs / 100, callback)
  }
}

const MIB = 1024 * 1024
const faults: readonly HttpFault[] = ['500', '503', 'lost', 'late-500', 'torn', 'slow']

await describeWithPart('on a real server', 's3', environment => {
  const endpoint = environment.WEIR_TESTBED_S3 ?? ''
  const saved = { ...process.env }
  let buckets: TestBuckets
  let bucket: string
  let proxy: FaultyProxy

  beforeAll(async () => {
    // As a user has them: the usual chain finds them.
    Object.assign(process.env, environment)
    delete process.env.AWS_ENDPOINT_URL_S3
    buckets = new TestBuckets(environment)
    bucket = await buckets.make()
    proxy = await FaultyProxy.start(endpoint)
  })

  afterAll(async () => {
    process.env = saved
    buckets.close()
    await proxy.close()
  })

  let count = 0
  const at = (server: string, options: { partBytes?: number; prefix?: string } = {}) =>
    new S3ObjectStore({
      location: `s3://${bucket}/${options.prefix ?? `run-${count++}`}?endpoint=${server}`,
      random: new SystemRandom(),
      clock: new HastyClock(),
      ...options,
    })

  describe('S1, S2, S3, S4, S5: the S3 store', () => {
    objectStoreContract(async () => at(endpoint))
  })

  describe('S1, S2, S3, S4, S5: the S3 store where every fifth request meets a fault', () => {
    const random = new SeededRandom(5)
    objectStoreContract(async () => {
      proxy.fault = () => (random.int(5) === 0 ? faults[random.int(faults.length)] : undefined)
      return at(proxy.endpoint)
    })
  })

  test.each(faults)('%s: one fault in each kind of request changes no result', async fault => {
    const store = at(proxy.endpoint, { partBytes: 5 * MIB })
    await store.probe()
    const once = (): void => {
      proxy.fault = ({ number }) => (number === 1 ? fault : undefined)
    }
    const body = Buffer.from('whole')
    once()
    expect(await store.putIfAbsent('a/b', body)).toBe(true)
    once()
    expect(await store.putIfAbsent('a/b', Buffer.from('late'))).toBe(false)
    once()
    await store.put('a/c', body)
    once()
    expect(await store.get('a/b')).toEqual(body)
    once()
    expect((await store.getRange('a/b', 1, 2)).toString()).toBe('ho')
    once()
    expect((await store.list('a/')).map(entry => entry.key)).toEqual(['a/b', 'a/c'])
    once()
    await store.delete('a/b')
    once()
    await store.deleteMany(['a/c', 'a/d'])
    expect(await store.list('')).toEqual([])
  })

  test.each(faults.flatMap(fault => [1, 2, 3, 4].map(number => ({ fault, number }))))(
    'an upload in parts is whole with $fault at request $number',
    async ({ fault, number }) => {
      const store = at(proxy.endpoint, { partBytes: 5 * MIB })
      proxy.fault = () => undefined
      await store.probe()
      proxy.fault = seen => (seen.number === number ? fault : undefined)
      const large = Buffer.alloc(6 * MIB, 7)
      large.write('begin')
      large.write('end', large.length - 3)
      expect(await store.putIfAbsent('large', large)).toBe(true)
      expect((await store.get('large')).equals(large)).toBe(true)
      expect(await store.putIfAbsent('large', Buffer.alloc(6 * MIB))).toBe(false)
      expect((await store.get('large')).equals(large)).toBe(true)
    },
  )

  test('an upload that fails is not visible, and leaves no parts behind', async () => {
    const alone = await buckets.make()
    const store = new S3ObjectStore({
      location: `s3://${alone}?endpoint=${proxy.endpoint}`,
      random: new SystemRandom(),
      clock: new HastyClock(),
      partBytes: 5 * MIB,
    })
    proxy.fault = ({ method, path }) =>
      method === 'PUT' && path.includes('partNumber=2') ? '503' : undefined
    await expect(store.put('large', Buffer.alloc(11 * MIB))).rejects.toMatchObject({
      code: 'WEIR_STORE_FAILED',
      message: expect.stringMatching(/large: 503 SlowDown.*tried 9 times/),
    })
    expect(await store.list('')).toEqual([])
    expect(await buckets.openUploads(alone)).toBe(0)
  })

  test('pages of a thousand keys are listed and deleted', async () => {
    const store = at(endpoint)
    const keys = Array.from({ length: 1_205 }, (_, i) => `many/${String(i).padStart(4, '0')}`)
    for (let i = 0; i < keys.length; i += 50) {
      await Promise.all(keys.slice(i, i + 50).map(key => store.put(key, Buffer.from('x'))))
    }
    expect((await store.list('many/')).map(entry => entry.key)).toEqual(keys)
    await store.deleteMany(keys)
    expect(await store.list('')).toEqual([])
  })

  test('its address opens it again, with everything that its location leaves out', async () => {
    const store = at(endpoint)
    await store.put('a', Buffer.from('x'))
    const random = new SystemRandom()
    const again = new S3ObjectStore({ location: store.address, random, clock: new HastyClock() })
    expect(again.location).toBe(store.location)
    expect((await again.get('a')).toString()).toBe('x')
  })

  test('counts requests, retries and bytes', async () => {
    const store = at(proxy.endpoint)
    proxy.fault = ({ number }) => (number === 1 ? '503' : undefined)
    await store.put('a', Buffer.alloc(100))
    await store.get('a')
    expect(store.counters).toEqual({ requests: 3, retries: 1, writtenBytes: 100, readBytes: 100 })
  })

  test('retries end when the budget is used up', async () => {
    const store = at(proxy.endpoint)
    proxy.fault = () => '503'
    const calls = Array.from({ length: 40 }, () => store.put('a', Buffer.from('x')))
    const ends = await Promise.allSettled(calls)
    expect(ends.every(end => end.status === 'rejected')).toBe(true)
    expect(store.counters.retries).toBe(100)
  })

  describe('a probe', () => {
    test('finds a good store good, and leaves nothing there', async () => {
      const store = at(endpoint)
      expect(await store.probe()).toEqual([])
      expect(await store.list('')).toEqual([])
    })

    test('names a bucket that does not exist', async () => {
      const store = new S3ObjectStore({
        location: `s3://no-such-bucket-here/a?endpoint=${endpoint}`,
        random: new SystemRandom(),
        clock: new HastyClock(),
      })
      await expect(store.probe()).rejects.toMatchObject({ code: 'WEIR_STORE_BUCKET_MISSING' })
    })

    test.each([
      ['a wrong secret', { AWS_SECRET_ACCESS_KEY: 'not-the-secret' }],
      ['an unknown key', { AWS_ACCESS_KEY_ID: 'nobody' }],
    ])('names %s, and shows no part of it', async (_, wrong) => {
      const before = { ...process.env }
      Object.assign(process.env, wrong)
      try {
        const error = await at(endpoint)
          .probe()
          .then(
            () => new Error('it was taken'),
            (thrown: unknown) => thrown as Error,
          )
        expect(error).toMatchObject({ code: 'WEIR_STORE_CREDENTIALS' })
        const shown = `${error} ${JSON.stringify(error)} ${error.stack}`
        for (const value of Object.values(wrong)) expect(shown).not.toContain(value)
        expect(error.cause).toBeUndefined()
      } finally {
        process.env = before
      }
    })
  })
})
