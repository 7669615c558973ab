import { expect, test } from '@jest/globals'
import type { Dispatcher } from 'undici'
import { silentLogger } from '../../../src/common/logger.ts'
import { SeededRandom } from '../../../src/common/random.ts'
import { KubeTransport } from '../../../src/controller/kube/kube-transport.ts'
import { TokenBucket } from '../../../src/controller/kube/token-bucket.ts'
import { WorkLoop } from '../../../src/controller/kube/work-loop.ts'
import { WorkQueue } from '../../../src/controller/kube/work-queue.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'

test('the most urgent key comes first, and each once', async () => {
  const queue = new WorkQueue(new ManualClock())
  queue.add('a', 'resync')
  queue.add('b', 'event')
  queue.add('c', 'event')
  queue.add('a', 'user')
  queue.add('c', 'resync')
  const taken = [await queue.take(), await queue.take(), await queue.take()]
  expect(taken.map(work => [work?.key, work?.priority])).toEqual([
    ['a', 'user'],
    ['b', 'event'],
    ['c', 'event'],
  ])
  expect(queue.inFlight).toBe(3)
})

test('Q1: a key that is in flight is taken again after that', async () => {
  const queue = new WorkQueue(new ManualClock())
  queue.add('a', 'event')
  await queue.take()
  queue.add('a', 'resync')
  queue.add('a', 'lost')
  queue.add('b', 'event')
  expect((await queue.take())?.key).toBe('b')
  const next = queue.take()
  queue.done('a')
  expect(await next).toMatchObject({ key: 'a', priority: 'lost' })
  queue.done('a')
  expect(queue.depth('lost') + queue.depth('resync')).toBe(0)
  expect(() => queue.done('a')).toThrow('Q1')
})

test('a delayed key comes at the earliest of its times', async () => {
  const clock = new ManualClock()
  const queue = new WorkQueue(clock)
  queue.addAfter('a', 100)
  queue.addAfter('a', 50)
  queue.addAfter('a', 70)
  clock.advance(49)
  expect(queue.depth('resync')).toBe(0)
  clock.advance(1)
  expect(queue.depth('resync')).toBe(1)
  await queue.take()
  clock.advance(100)
  expect(queue.depth('resync')).toBe(0)
  expect(clock.pending).toBe(0)
})

test('a closed queue gives nothing', async () => {
  const queue = new WorkQueue(new ManualClock())
  const waiting = queue.take()
  queue.close()
  queue.add('a', 'user')
  expect([await waiting, await queue.take()]).toEqual([undefined, undefined])
})

const microtasks = () => new Promise<void>(resolve => setImmediate(resolve))

test('a key that fails waits longer each time, and no other key waits with it', async () => {
  const clock = new ManualClock()
  const queue = new WorkQueue(clock)
  const passes: string[] = []
  const loop = new WorkLoop({
    queue,
    atOnce: 2,
    clock,
    random: new SeededRandom(1),
    logger: silentLogger,
    reconcile: async key => {
      passes.push(`${key} ${Math.round(clock.monotonic())}`)
      if (key === 'bad') throw new Error('no')
      return undefined
    },
  })
  const running = loop.run()
  queue.add('bad', 'event')
  queue.add('good', 'event')
  for (let step = 0; step < 100; step++) {
    await microtasks()
    clock.advance(1)
  }
  const times = passes.filter(pass => pass.startsWith('bad')).map(pass => Number(pass.slice(4)))
  const delays = times.slice(1).map((time, index) => time - (times[index] ?? 0))
  expect(delays.length).toBeGreaterThan(2)
  for (const [index, delay] of delays.entries()) {
    expect(delay).toBeGreaterThanOrEqual(Math.floor(5 * 2 ** index * 0.8))
    expect(delay).toBeLessThanOrEqual(Math.ceil(5 * 2 ** index * 1.2) + 1)
  }
  expect(passes.filter(pass => pass.startsWith('good'))).toHaveLength(1)
  loop.stop(new Error('over'))
  await running
})

test('a pass that takes too long is told to end', async () => {
  const clock = new ManualClock()
  const queue = new WorkQueue(clock)
  let reason: unknown
  const loop = new WorkLoop({
    queue,
    atOnce: 1,
    clock,
    random: new SeededRandom(1),
    logger: silentLogger,
    reconcile: (_key, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          reason = signal.reason
          reject(signal.reason as Error)
        })
      }),
  })
  const running = loop.run()
  queue.add('slow', 'event')
  await microtasks()
  clock.advance(20_000)
  expect([reason, loop.longestMs]).toEqual([undefined, 20_000])
  clock.advance(10_000)
  await microtasks()
  expect(String(reason)).toContain('not done in 30000 ms')
  expect(loop.longestMs).toBe(0)
  loop.stop(new Error('over'))
  await running
})

test('who leads says so, however long others have to wait', async () => {
  const clock = new ManualClock()
  const sent: string[] = []
  const request = async ({ path }: Dispatcher.RequestOptions) => {
    sent.push(path)
    return { statusCode: 200, headers: {}, body: { text: async () => '{}' } }
  }
  const bucket = new TokenBucket({ perSecond: 1, burst: 1 }, clock)
  const transport = new KubeTransport({
    server: 'http://k',
    dispatcher: { request } as unknown as Dispatcher,
    token: undefined,
    clock,
    bucket,
    deadlineMs: 5_000,
    observe: () => {},
  })
  bucket.closeFor(4_000)
  const pod = transport.request({ method: 'GET', path: '/pod', resource: 'pods' })
  await transport.request({ method: 'GET', path: '/lease', resource: 'leases' })
  expect(sent).toEqual(['/lease'])
  clock.advance(4_000)
  await pod
  expect(sent).toEqual(['/lease', '/pod'])
})

test('the bucket holds requests to its rate, and to what the server asks', async () => {
  const clock = new ManualClock()
  const bucket = new TokenBucket({ perSecond: 10, burst: 2 }, clock)
  let sent = 0
  for (let call = 0; call < 5; call++) void bucket.take().then(() => sent++)
  await microtasks()
  expect(sent).toBe(2)
  clock.advance(100)
  await microtasks()
  expect(sent).toBe(3)
  bucket.closeFor(1_000)
  clock.advance(900)
  await microtasks()
  expect(sent).toBe(3)
  clock.advance(200)
  await microtasks()
  expect(sent).toBe(5)
})
