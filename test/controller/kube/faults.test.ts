/**
 * The runtime against a real API server, through a proxy that hurts it as a seed has it: whatever
 * happened, once it is over the controller knows and has made what is so.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { SystemClock } from '../../../src/common/clock.ts'
import { silentLogger } from '../../../src/common/logger.ts'
import { SeededRandom } from '../../../src/common/random.ts'
import { Applier } from '../../../src/controller/kube/applier.ts'
import { KubeClient } from '../../../src/controller/kube/kube-client.ts'
import { isNewer, type KubeObject, keyOf } from '../../../src/controller/kube/kube-object.ts'
import { ObjectCache } from '../../../src/controller/kube/object-cache.ts'
import { openTransport } from '../../../src/controller/kube/open-transport.ts'
import { Reflector } from '../../../src/controller/kube/reflector.ts'
import { resourceKinds } from '../../../src/controller/kube/resource-kind.ts'
import { WorkLoop } from '../../../src/controller/kube/work-loop.ts'
import { WorkQueue } from '../../../src/controller/kube/work-queue.ts'
import { describeWithPart } from '../../testbed/describe-with-part.ts'
import { connectTo } from '../test-cluster.ts'
import { FastClock } from './fast-clock.ts'
import { KubeProxy } from './kube-proxy.ts'
import { onWatches, seededFaults } from './seeded-faults.ts'

interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>
}

function configMap(namespace: string, name: string, value: string): ConfigMap {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name }, data: { value } }
}

await describeWithPart('the controller under faults', 'kube-control', environment => {
  const cluster = connectTo(environment)
  const direct = cluster.client<ConfigMap>(resourceKinds.configMap)
  const clock = new FastClock(40)
  let proxy: KubeProxy
  let namespace = ''

  beforeAll(async () => {
    proxy = await KubeProxy.start(environment)
    namespace = await cluster.namespace()
  })
  afterAll(async () => {
    await proxy.close()
    await cluster.close()
  })

  const connect = () => {
    const observe = (): void => {}
    const opened = openTransport({ config: proxy.config, clock: new SystemClock(), observe })
    const client = new KubeClient<ConfigMap>(opened.transport, resourceKinds.configMap)
    return { client, close: () => opened.dispatcher.destroy() }
  }

  const reflect = (client: KubeClient<ConfigMap>, random: SeededRandom) => {
    const cache = new ObjectCache<ConfigMap>()
    const reflector = new Reflector({
      client,
      cache,
      namespace,
      clock,
      random,
      logger: silentLogger,
    })
    const ended = reflector.run()
    return { cache, reflector, ended }
  }

  /** What is really there. */
  const truth = async (): Promise<Map<string, string | undefined>> => {
    const { items } = await direct.list({ namespace })
    return versionsOf(items)
  }

  const settled = (cache: ObjectCache<ConfigMap>, wanted: Map<string, string | undefined>) =>
    new Promise<void>(resolve => {
      const look = (): void => {
        const have = versionsOf(cache.all())
        const isSame = have.size === wanted.size
        if (isSame && [...wanted].every(([key, version]) => have.get(key) === version)) resolve()
      }
      cache.onChange(look)
      look()
    })

  describe('the cache', () => {
    test.each([1, 2, 3, 4, 5, 6])(
      'C1, R1: never goes back, and is like the server, seed %i',
      async seed => {
        const random = new SeededRandom(seed)
        const { client, close } = connect()
        proxy.fault = seededFaults(random)
        const { cache, reflector, ended } = reflect(client, random)
        const newest = new Map<string, string | undefined>()
        const steps: string[] = []
        cache.onChange(change => {
          if (change.kind === 'gone') return
          const { resourceVersion } = change.now.metadata
          if (!isNewer(resourceVersion, newest.get(change.key))) steps.push(change.key)
          newest.set(change.key, resourceVersion)
        })
        for (let step = 0; step < 80; step++) {
          const name = `m-${seed}-${random.int(8)}`
          const there = await direct.get({ namespace, name })
          if (there === undefined) await direct.create(configMap(namespace, name, `${step}`))
          else if (random.int(3) > 0) await direct.replace({ ...there, data: { value: `${step}` } })
          else await direct.remove(there.metadata, { uid: there.metadata.uid ?? '' })
          if (step === 40) proxy.down()
          if (step === 50) proxy.up()
        }
        proxy.fault = () => undefined
        await settled(cache, await truth())
        expect(steps).toEqual([])
        expect(await reflector.audit()).toBe(0)
        reflector.stop()
        await ended
        await close()
      },
    )
  })

  test('every fault was done', async () => {
    // How many watches there were was a matter of time: a fault that had no turn has it now.
    for (const fault of onWatches.filter(one => !proxy.done.has(one))) {
      const { client, close } = connect()
      proxy.fault = ({ isWatch }) => (isWatch ? fault : undefined)
      const { cache, reflector, ended } = reflect(client, new SeededRandom(7))
      for (let step = 0; !proxy.done.has(fault); step++) {
        await direct.create(configMap(namespace, `${fault}-${step}`, 'x'))
      }
      proxy.fault = () => undefined
      await settled(cache, await truth())
      expect(await reflector.audit()).toBe(0)
      reflector.stop()
      await ended
      await close()
    }
  })

  test('a server that begins no watch with a list is listed', async () => {
    const { client, close } = connect()
    const seen: string[] = []
    proxy.fault = ({ path, isWatch }) => {
      if (path.includes('sendInitialEvents')) return 'no-such-option'
      seen.push(isWatch ? 'watch' : 'list')
      return undefined
    }
    const { cache, reflector, ended } = reflect(client, new SeededRandom(9))
    await reflector.synced
    await settled(cache, await truth())
    const { metadata } = await direct.create(configMap(namespace, 'listed', 'x'))
    await settled(cache, await truth())
    expect(cache.get(keyOf(metadata))).toBeDefined()
    expect(seen.slice(0, 2)).toEqual(['list', 'watch'])
    reflector.stop()
    await ended
    await close()
  })

  test.each([11, 12, 13])('what is to be is made, and then nothing more, seed %i', async seed => {
    const random = new SeededRandom(seed)
    const { client, close } = connect()
    let writes = 0
    const faults = seededFaults(random)
    proxy.fault = request => {
      if (request.method === 'PATCH') writes++
      return faults(request)
    }
    const { cache, reflector, ended } = reflect(client, random)
    const applier = new Applier({ client, cache, manager: 'weir-test', mayWrite: () => {} })
    const queue = new WorkQueue(clock)
    const wanted = new Map<string, string>()
    const done = new Map<string, string>()
    let look = (): void => {}
    const loop = new WorkLoop({
      queue,
      atOnce: 4,
      clock,
      random,
      logger: silentLogger,
      reconcile: async (key, signal) => {
        const value = wanted.get(key) ?? ''
        await applier.ensure(configMap(namespace, key, value), signal)
        done.set(key, value)
        return undefined
      },
      observe: () => look(),
    })
    const running = loop.run()
    const allDone = () =>
      new Promise<void>(resolve => {
        look = () => {
          if ([...wanted].every(([key, value]) => done.get(key) === value)) resolve()
        }
        look()
      })
    await reflector.synced
    for (let round = 0; round < 3; round++) {
      for (let index = 0; index < 12; index++) {
        wanted.set(`c-${seed}-${index}`, `${round}`)
        queue.add(`c-${seed}-${index}`, 'event')
      }
    }
    await allDone()
    const { items } = await direct.list({ namespace })
    const made = items.filter(({ metadata }) => wanted.has(metadata.name))
    expect(made.map(({ data }) => data?.value)).toEqual(made.map(() => '2'))
    expect(made).toHaveLength(wanted.size)

    writes = 0
    done.clear()
    for (const key of wanted.keys()) queue.add(key, 'resync')
    await allDone()
    expect(writes).toBe(0)
    loop.stop(new Error('the test is over'))
    reflector.stop()
    await Promise.all([running, ended])
    await close()
  })
})

function versionsOf(objects: readonly ConfigMap[]): Map<string, string | undefined> {
  return new Map(objects.map(({ metadata }) => [keyOf(metadata), metadata.resourceVersion]))
}
