/** Passes that keep failing: when their objects say so, in which words, and how that ends. */

import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { KubeClient } from '../../src/controller/kube/kube-client.ts'
import { readKubeConfig } from '../../src/controller/kube/kube-config.ts'
import { kubeErrors, refusal } from '../../src/controller/kube/kube-errors.ts'
import type { KubeObject } from '../../src/controller/kube/kube-object.ts'
import { ObjectCache } from '../../src/controller/kube/object-cache.ts'
import { resourceKinds } from '../../src/controller/kube/resource-kind.ts'
import { sayFailures } from '../../src/controller/say-failures.ts'
import type { Condition } from '../../src/protocol/status-fields.ts'
import { describeWithPart } from '../testbed/describe-with-part.ts'
import { FakeLink } from './fake-link.ts'
import { type RunningController, runTestController } from './run-test-controller.ts'
import { connectTo, installCrds } from './test-cluster.ts'
import { type Watching, watcherOf } from './test-watch.ts'

interface Said extends KubeObject {
  readonly status?: {
    readonly phase?: string
    readonly observedGeneration?: number
    readonly conditions?: Condition[]
  }
}

const about = { apiVersion: 'weir.dev/v1alpha1', kind: 'StreamJob' }
const before = { lastTransitionTime: '2001-01-01T00:00:00Z', message: 'it runs' }
const ready: Condition = { type: 'Ready', status: 'True', reason: 'Running', ...before }

function failing(thrown: unknown) {
  const cache = new ObjectCache<Said>()
  const metadata = { namespace: 'a', name: 'j', resourceVersion: '1', generation: 3 }
  cache.set({ ...about, metadata, status: { phase: 'Running', conditions: [ready] } })
  const written: Said[] = []
  const events: string[] = []
  const applyStatus = async (object: Said): Promise<Said> => {
    written.push(object)
    const resourceVersion = String(written.length + 1)
    return { ...object, metadata: { ...metadata, resourceVersion } }
  }
  const pass = { error: thrown, isAborted: false }
  const reconcile = sayFailures(
    async () => {
      if (pass.error === undefined) return 7
      throw pass.error
    },
    {
      objects: { cache, client: { applyStatus } as unknown as KubeClient<Said> },
      manager: 'weir-streamjob',
      mayWrite: () => {},
      clock: { now: () => 1_700_000_000_000 },
      record: (_object, { reason, note }) => void events.push(`${reason}: ${note}`),
    },
  )
  const tries = async (count: number): Promise<void> => {
    const signal = pass.isAborted ? AbortSignal.abort() : new AbortController().signal
    for (let one = 0; one < count; one++) {
      await expect(reconcile('a/j', signal)).rejects.toBe(pass.error)
    }
  }
  const stalled = () => written.at(-1)?.status?.conditions?.find(one => one.type === 'Stalled')
  return { pass, reconcile, tries, written, events, stalled }
}

test('a few tries are nobody’s news, then the status says it once, beside all it said', async () => {
  const { tries, written, events, stalled } = failing(new TypeError('x is not a function'))
  await tries(7)
  expect(written).toEqual([])
  await tries(60)
  expect(written).toHaveLength(1)
  const [object] = written
  expect(object?.status).toMatchObject({ phase: 'Running', observedGeneration: 3 })
  expect(object?.status?.conditions).toContainEqual(ready)
  const { reason, status, message = '' } = stalled() ?? {}
  expect([reason, status]).toEqual(['InternalError', 'True'])
  expect(message).toMatch(/x is not a function; it is tried again by itself: report it/)
  expect(events).toEqual([`InternalError: ${message}`])
})

test('words that differ each time are written ever more seldom', async () => {
  const { pass, tries, written, events } = failing(new Error('at 0'))
  for (let count = 1; count <= 64; count++) {
    pass.error = new Error(`at ${count}`)
    await tries(1)
  }
  expect(written).toHaveLength(4)
  expect(events).toHaveLength(1)
})

test('a pass that goes well begins the count anew', async () => {
  const { pass, reconcile, tries, written } = failing(new Error('odd'))
  await tries(7)
  const { error } = pass
  pass.error = undefined
  expect(await reconcile('a/j', new AbortController().signal)).toBe(7)
  pass.error = error
  await tries(7)
  expect(written).toEqual([])
})

test('no secret of a failed pass becomes public', async () => {
  const { tries, stalled } = failing(new Error('s3://me:hush-word@b and AWS_SECRET_KEY=hush-word'))
  await tries(8)
  expect(stalled()?.message).toMatch(/s3:\/\/\*\*\*@b/)
  expect(stalled()?.message).not.toContain('hush-word')
})

const asked = { method: 'PATCH', path: '/j' }
const passing: Record<string, Error> = {
  'an API server that is away': kubeErrors.WEIR_KUBE_UNREACHABLE({ ...asked, reason: 'refused' }),
  'one that is busy': refusal({ ...asked, status: 503, said: '' }),
  'somebody who was faster': refusal({ ...asked, status: 409, said: 'it was modified' }),
  'another leader': kubeErrors.WEIR_KUBE_LEASE_LOST({ lease: 'weir-controller' }),
}

test.each(Object.entries(passing))('%s is not said', async (_what, error) => {
  const { tries, written } = failing(error)
  await tries(64)
  expect(written).toEqual([])
})

test('nor is what a pass that was ended throws', async () => {
  const { pass, tries, written } = failing(new Error('aborted'))
  pass.isAborted = true
  await tries(64)
  expect(written).toEqual([])
})

test('a refusal that no policy speaks of is said in the words of the server', async () => {
  const { tries, stalled } = failing(refusal({ ...asked, status: 422, said: 'ask team red' }))
  await tries(8)
  expect(stalled()?.message).toMatch(/^ask team red; change what is named/)
})

await describeWithPart('passes that fail on a real API server', 'kube-control', environment => {
  const cluster = connectTo(environment)
  let namespace = ''
  let watching: Watching
  let running: RunningController

  beforeAll(async () => {
    await installCrds(cluster)
    namespace = await cluster.namespace()
    await cluster.defaultAccount(namespace)
    watching = watcherOf(cluster, namespace)
    const readFile = (path: string): string => readFileSync(path, 'utf8')
    running = runTestController({
      config: {
        namespace,
        tenancy: true,
        grant: { role: `${namespace}-late`, account: 'nobody' },
      },
      connection: readKubeConfig({ environment, readFile }),
      link: new FakeLink(),
    })
  })
  afterAll(async () => {
    expect(await running.stop()).toBe(0)
    await watching.end()
    await cluster.close()
  })

  test('a role that was removed is said by whatever needs it, until it is back', async () => {
    const kinds = {
      StreamJob: { job: { module: 'a.ts' }, checkpoint: { storage: 's3://bucket/prefix' } },
      Savepoint: { existing: { path: 's3://bucket/old/savepoint-9' } },
      StreamTenant: { namespaces: { names: [namespace] }, quota: { slots: 1 } },
    }
    const of = {
      StreamJob: 'streamJob',
      Savepoint: 'savepoint',
      StreamTenant: 'streamTenant',
    } as const
    const all = Object.entries(kinds).map(([kind, spec]) => {
      const resource = resourceKinds[of[kind as keyof typeof of]]
      const name = `late-${namespace}`
      const place = resource.isNamespaced ? { namespace, name } : { name }
      const seen = resource.isNamespaced
        ? watching.watch<Said>(resource)
        : watching.watchAll<Said>(resource)
      const object = { apiVersion: about.apiVersion, kind, metadata: place, spec }
      const until = (isSaid: boolean) =>
        seen.until(objects => {
          const found = objects.find(one => one.metadata.name === name)
          const said = found?.status?.conditions?.find(one => one.reason === 'InternalError')
          const isSeen = found?.status?.observedGeneration === found?.metadata.generation
          return isSeen && (said !== undefined) === isSaid ? { said } : undefined
        })
      return { client: cluster.client(resource), object, until }
    })
    for (const { client, object } of all) await client.create(object)
    for (const { until } of all) {
      const { said } = await until(true)
      expect(said).toMatchObject({ type: 'Stalled', status: 'True' })
      expect(said?.message).toMatch(/role that WEIR_WRITER_ROLE names is not there; /)
    }
    const roles = cluster.client(resourceKinds.clusterRole)
    const { apiVersion, kind } = resourceKinds.clusterRole
    await roles.create({ apiVersion, kind, metadata: { name: `${namespace}-late` } })
    for (const { until } of all) await until(false)
    const tenant = all.find(({ object }) => object.kind === 'StreamTenant')
    const found = await tenant?.client.get(tenant.object.metadata)
    await tenant?.client.remove({ name: `late-${namespace}` }, { uid: found?.metadata.uid ?? '' })
  })
})
