/** The watch against answers that no well server gives, by a clock that stands still. */
import { Readable } from 'node:stream'
import { expect, test } from '@jest/globals'
import type { Dispatcher } from 'undici'
import { silentLogger } from '../../../src/common/logger.ts'
import { SeededRandom } from '../../../src/common/random.ts'
import { KubeClient } from '../../../src/controller/kube/kube-client.ts'
import { KubeTransport } from '../../../src/controller/kube/kube-transport.ts'
import { ObjectCache } from '../../../src/controller/kube/object-cache.ts'
import { Reflector } from '../../../src/controller/kube/reflector.ts'
import { resourceKinds } from '../../../src/controller/kube/resource-kind.ts'
import { TokenBucket } from '../../../src/controller/kube/token-bucket.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'

type Answer = { readonly status: number; readonly body: Readable }

function reflectorOn(answer: (path: string, count: number) => Answer) {
  const clock = new ManualClock()
  const paths: string[] = []
  const request = async ({ path, signal }: Dispatcher.RequestOptions) => {
    paths.push(path)
    const { status, body } = answer(path, paths.length)
    const abort = signal as AbortSignal | undefined
    abort?.addEventListener('abort', () => body.destroy(abort.reason as Error), { once: true })
    const text = async (): Promise<string> => (await body.toArray()).join('')
    return { statusCode: status, headers: {}, body: Object.assign(body, { text }) }
  }
  const transport = new KubeTransport({
    server: 'http://k',
    dispatcher: { request } as unknown as Dispatcher,
    token: undefined,
    clock,
    bucket: new TokenBucket({ perSecond: 1_000, burst: 1_000 }, clock),
    deadlineMs: 5_000,
    observe: () => {},
  })
  const cache = new ObjectCache()
  const restarts: string[] = []
  const reflector = new Reflector({
    client: new KubeClient(transport, resourceKinds.pod),
    cache,
    clock,
    random: new SeededRandom(1),
    logger: silentLogger,
    onRestart: reason => restarts.push(reason),
  })
  const ended = reflector.run()
  return { clock, cache, paths, restarts, reflector, ended }
}

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await new Promise(resolve => setImmediate(resolve))
}

const bookmark = (version: string, ends = false): string => {
  const annotations = ends ? { 'k8s.io/initial-events-end': 'true' } : {}
  const metadata = { name: '', resourceVersion: version, annotations }
  return `${JSON.stringify({ type: 'BOOKMARK', object: { metadata } })}\n`
}

test('watches that end at once are not asked for again at once', async () => {
  const { clock, paths, restarts, reflector, ended } = reflectorOn(() => {
    return { status: 200, body: Readable.from([bookmark('5', true)]) }
  })
  await settle()
  expect(paths).toHaveLength(1)
  clock.advance(2_000)
  await settle()
  expect(paths).toHaveLength(2)
  expect(paths[1]).toContain('resourceVersion=5')
  expect(new Set(restarts)).toEqual(new Set(['the watch ended early']))
  reflector.stop()
  await ended
})

test('R2: a connection without a byte is given up, and one with bookmarks is not', async () => {
  const stream = new Readable({ read: () => {} })
  const { clock, paths, restarts, reflector, ended } = reflectorOn((_path, count) => {
    return { status: 200, body: count === 1 ? stream : new Readable({ read: () => {} }) }
  })
  await settle()
  stream.push(bookmark('5', true))
  for (let minute = 0; minute < 5; minute++) {
    await settle()
    clock.advance(60_000)
    stream.push(bookmark(`${6 + minute}`))
  }
  await settle()
  expect(restarts).toEqual([])
  clock.advance(90_000)
  await settle()
  expect(restarts).toEqual(['WEIR_KUBE_UNREACHABLE'])
  clock.advance(2_000)
  await settle()
  expect(paths[1]).toContain('resourceVersion=10')
  reflector.stop()
  await ended
})

test('a version that the server has forgotten makes a new list at once, once', async () => {
  const gone = `${JSON.stringify({ type: 'ERROR', object: { code: 410, message: 'old' } })}\n`
  const { clock, paths, restarts, reflector, ended } = reflectorOn((_path, count) => {
    return { status: 200, body: Readable.from([count === 1 ? bookmark('5', true) + gone : gone]) }
  })
  await settle()
  expect(paths).toHaveLength(2)
  expect(paths[1]).toContain('sendInitialEvents=true')
  expect(restarts).toEqual(['WEIR_KUBE_EXPIRED', 'WEIR_KUBE_EXPIRED'])
  clock.advance(10_000)
  await settle()
  expect(paths.length).toBeGreaterThan(2)
  reflector.stop()
  await ended
})
